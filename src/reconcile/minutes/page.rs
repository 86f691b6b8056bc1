//! The page: one file of HTML that needs nothing else, made to be printed on A4. Numbers and days are written as paper in
//! Vietnam has them; every text of others is escaped.

use super::{Difference, Minutes, MinutesError};
use crate::domain::figures;
use crate::domain::in_words::in_words;
use crate::domain::resolution::BreakState;
use crate::domain::time::Timestamp;
use crate::domain::user::Tongue;
use crate::reconcile::export::local;
use crate::reconcile::told;
use askama::Template;
use jiff::civil::Date;

/// Where nothing is said, as on paper.
const BLANK: &str = "………………";

/// Where nothing is said in a table.
const NONE: &str = "–";

#[derive(Template)]
#[template(path = "page.html", config = "src/reconcile/minutes/askama.toml")]
struct Page<'m> {
    number: &'m str,
    from: String,
    to: String,
    code: &'m str,
    name: &'m str,
    contract_no: &'m str,
    contract_date: String,
    cycle: &'m str,
    services: Vec<[String; 8]>,
    totals: [String; 5],
    refunded: [String; 2],
    fees_apart: String,
    discounts: [String; 2],
    owed: Vec<Line>,
    in_words: String,
    unsettled: Option<[String; 3]>,
    days: [String; 2],
    missing: String,
    sums: [String; 8],
    differences: Vec<[String; 10]>,
    unlisted: Option<String>,
    sealed: Option<[String; 2]>,
    hash: String,
    made_at: String,
    author: String,
}

/// A line of what is owed.
struct Line {
    numeral: &'static str,
    label: &'static str,
    amount: String,
    /// A part of the line above.
    part: bool,
}

/// The minutes as a page. They tie out, or there is none.
///
/// # Errors
/// [`MinutesError`].
pub fn html(minutes: &Minutes) -> Result<String, MinutesError> {
    minutes.ties_out()?;
    let text =
        |text: &'_ Option<String>, blank: &'static str| -> String { text.clone().unwrap_or_else(|| blank.to_owned()) };
    let (name, contract_no, cycle) =
        (text(&minutes.partner.name, BLANK), text(&minutes.partner.contract_no, BLANK), text(&minutes.cycle, BLANK));
    let compared = &minutes.compared;
    let listed = u64::try_from(minutes.differences.len()).unwrap_or(u64::MAX);
    let unlisted = minutes.differences_in_all.saturating_sub(listed);
    let page = Page {
        number: &minutes.number,
        from: paper_day(minutes.from),
        to: paper_day(minutes.to),
        code: minutes.partner.code.as_str(),
        name: &name,
        contract_no: &contract_no,
        contract_date: minutes.partner.contract_date.map_or_else(|| BLANK.to_owned(), paper_day),
        cycle: &cycle,
        services: services(minutes),
        totals: totals(minutes),
        refunded: [grouped(i64::try_from(minutes.refunded.count).unwrap_or(i64::MAX)), grouped(minutes.refunded.dong)],
        fees_apart: grouped(minutes.fees_apart),
        discounts: [minutes.discounts, minutes.discounts.saturating_sub(minutes.owed.discounted)].map(grouped),
        owed: owed(minutes),
        in_words: in_words(minutes.owed.closing),
        unsettled: unsettled(minutes),
        days: [compared.days.to_string(), compared.missing.len().to_string()],
        missing: paper_days(&compared.missing),
        sums: [
            grouped(i64::try_from(compared.statement.count).unwrap_or(i64::MAX)),
            grouped(compared.statement.dong),
            grouped(i64::try_from(compared.books.count).unwrap_or(i64::MAX)),
            grouped(compared.books.dong),
            grouped(compared.difference()),
            grouped(compared.carried),
            grouped(compared.alone),
            grouped(compared.mismatched),
        ],
        differences: minutes.differences.iter().zip(1_u64..).map(|(one, at)| row(one, at)).collect(),
        unlisted: (unlisted > 0).then(|| unlisted.to_string()),
        sealed: minutes.sealed.as_ref().map(|sealed| [paper_moment(sealed.at), author(&sealed.by)]),
        hash: hex::encode(minutes.sealed.as_ref().map_or_else(|| minutes.fingerprint(), |sealed| sealed.hash)),
        made_at: paper_moment(minutes.made_at),
        author: author(&minutes.author),
    };
    Ok(page.render()?)
}

fn services(minutes: &Minutes) -> Vec<[String; 8]> {
    let each = |(service, at): (&super::Service, u64)| {
        [
            at.to_string(),
            service.name.clone(),
            service.fee_rate.clone().unwrap_or_else(|| "Theo hợp đồng".to_owned()),
            grouped(i64::try_from(service.count).unwrap_or(i64::MAX)),
            grouped(service.value),
            grouped(service.fee),
            grouped(service.total_fee),
            grouped(service.partner_fee),
        ]
    };
    minutes.services.iter().zip(1_u64..).map(each).collect()
}

fn totals(minutes: &Minutes) -> [String; 5] {
    let sum =
        |of: fn(&super::Service) -> i64| grouped(minutes.services.iter().map(of).fold(0_i64, i64::saturating_add));
    [
        sum(|service| i64::try_from(service.count).unwrap_or(i64::MAX)),
        sum(|service| service.value),
        sum(|service| service.fee),
        sum(|service| service.total_fee),
        sum(|service| service.partner_fee),
    ]
}

fn owed(minutes: &Minutes) -> Vec<Line> {
    let owed = &minutes.owed;
    let reduced = owed.refunded.saturating_add(owed.adjusted).saturating_add(owed.discounted);
    let line = |numeral, label, amount| Line { numeral, label, amount: grouped(amount), part: false };
    let part = |numeral, label, amount| Line { part: true, ..line(numeral, label, amount) };
    vec![
        line("I", "Số còn phải trả đầu kỳ", owed.opening),
        line("II", "Giá trị hóa đơn đã thu hộ trong kỳ", owed.collected),
        line("III", "Số đã chuyển về tài khoản ngân hàng của bên A", owed.withdrawn),
        line("IV", "Các khoản giảm trừ (IV.1 + IV.2 + IV.3)", reduced),
        part("IV.1", "Giao dịch đã hoàn trả", owed.refunded),
        part("IV.2", "Điều chỉnh khác", owed.adjusted),
        part("IV.3", "Khuyến mãi không do bên B chịu", owed.discounted),
        line("V", "Phí bên B được hưởng, đã khấu trừ", owed.fees),
        line("VI", "Số còn phải trả cuối kỳ (I + II − III − IV − V)", owed.closing),
    ]
}

/// Days whose figures another comparison with the bank may still change: how many, which, and how many before the period.
fn unsettled(minutes: &Minutes) -> Option<[String; 3]> {
    let days = &minutes.unsettled;
    let some = !days.is_empty() || minutes.unsettled_before > 0;
    some.then(|| [days.len().to_string(), paper_days(days), minutes.unsettled_before.to_string()])
}

fn row(one: &Difference, at: u64) -> [String; 10] {
    let amount = |amount: Option<i64>| amount.map_or_else(|| NONE.to_owned(), grouped);
    let state = match one.state {
        BreakState::Open => "Chưa xử lý",
        BreakState::Investigating => "Đang xem xét",
        BreakState::Proposed => "Chờ duyệt",
        BreakState::Approved => "Đã duyệt",
        BreakState::Carried => "Chuyển kỳ sau",
        BreakState::Closed => "Đã xử lý",
    };
    [
        at.to_string(),
        paper_day(one.day),
        one.class.about().label_vi.to_owned(),
        one.invoice.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string),
        one.payment.clone().unwrap_or_else(|| NONE.to_owned()),
        amount(one.theirs),
        amount(one.ours),
        state.to_owned(),
        one.resolution.as_deref().map_or_else(|| NONE.to_owned(), sentence),
        one.agreed_on.map_or_else(|| NONE.to_owned(), paper_day),
    ]
}

fn paper_day(day: Date) -> String {
    day.strftime("%d/%m/%Y").to_string()
}

fn paper_days(days: &[Date]) -> String {
    days.iter().map(|day| paper_day(*day)).collect::<Vec<_>>().join(", ")
}

fn paper_moment(at: Timestamp) -> String {
    local(at).map_or_else(|| at.to_string(), |at| at.strftime("%H:%M:%S ngày %d/%m/%Y").to_string())
}

/// Thousands by dots: `1.234.567`.
fn grouped(number: i64) -> String {
    figures::grouped(number, '.')
}

/// A sentence of the books in a cell of its own.
fn sentence(of: &str) -> String {
    let told = told::told(of, Tongue::Vi);
    let mut letters = told.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn author(name: &str) -> String {
    told::author(name, Tongue::Vi)
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_resolution_is_said_in_vietnamese_and_a_persons_own_words_stay() {
        let by_rule = "create by proposal 1 of rule:create-missing@1, approved by system:rules";
        assert_eq!(
            sentence(by_rule),
            "Lập giao dịch từ sao kê theo đề xuất số 1 của quy tắc “Ghi giao dịch thiếu thông báo”, người duyệt: quy tắc tự động"
        );
        assert_eq!(sentence("đối tác đã chuyển đủ"), "Đối tác đã chuyển đủ");
        assert_eq!(sentence(""), "");
    }
}
