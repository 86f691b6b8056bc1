//! Minutes: what two parties sign ties out or is not printed, is one file that needs nothing else, and holds every text of
//! others as a text.

use crate::statements::day;
use thuho::domain::break_class::BreakClass;
use thuho::domain::ids::{InvoiceId, PartnerCode};
use thuho::domain::resolution::BreakState;
use thuho::domain::statement::Sum;
use thuho::domain::time::Timestamp;
use thuho::partner::Partners;
use thuho::reconcile::minutes::{Comparisons, Difference, Minutes, MinutesError, Owed, Party, Sealed, Service, html};

fn service(name: &str, count: u64, value: i64, fee: i64) -> Service {
    let (name, fee_rate) = (name.to_owned(), Some("1.100 đ/giao dịch".to_owned()));
    Service { name, fee_rate, count, value, fee, total_fee: fee, partner_fee: fee }
}

fn difference(no: i64, class: BreakClass, state: BreakState) -> Difference {
    let closed = state == BreakState::Closed;
    Difference {
        no,
        class,
        day: day("2026-04-03"),
        payment: Some("261120000000111".to_owned()),
        invoice: InvoiceId::parse("HD-0012345").ok(),
        ours: Some(412_500),
        theirs: Some(400_000),
        state,
        resolution: closed.then(|| "Bên B chuyển bổ sung <12.500 đồng>".to_owned()),
        agreed_on: closed.then(|| day("2026-04-05")),
    }
}

/// A month: bills of 61,000,000 collected, of which 1,000,000 was taken back, 100,000 is a discount that others pay and
/// 44,000 is kept as fees; 50,000,000 paid over. Fees of another 1,100 are invoiced apart.
fn month() -> Minutes {
    let differences = vec![
        difference(1, BreakClass::AmountMismatch, BreakState::Closed),
        difference(2, BreakClass::MissingInStatement, BreakState::Carried),
        difference(3, BreakClass::MissingWebhook, BreakState::Open),
    ];
    Minutes {
        number: "BBDS-STANDARD-20260401-20260430".to_owned(),
        from: day("2026-04-01"),
        to: day("2026-04-30"),
        partner: Party {
            code: PartnerCode::parse("standard").unwrap(),
            name: Some("Công ty \"Thu & Hộ\" <script>alert(1)</script>".to_owned()),
            contract_no: Some("01/2026/HĐ-TH".to_owned()),
            contract_date: Some(day("2026-01-05")),
        },
        cycle: Some("T+1".to_owned()),
        services: vec![service("Thu hộ tiền điện", 40, 60_000_000, 44_000), service("Thu hộ phí", 1, 1_000_000, 1_100)],
        refunded: Sum { count: 1, dong: 1_000_000 },
        fees_apart: 1_100,
        discounts: 250_000,
        owed: Owed {
            opening: 5_000_021,
            collected: 61_000_000,
            withdrawn: 50_000_000,
            refunded: 1_000_000,
            adjusted: 500,
            discounted: 100_000,
            fees: 44_000,
            closing: 14_855_521,
        },
        unsettled: vec![day("2026-04-29"), day("2026-04-30")],
        unsettled_before: 3,
        compared: Comparisons {
            days: 29,
            missing: vec![day("2026-04-30")],
            statement: Sum { count: 40, dong: 60_987_500 },
            books: Sum { count: 41, dong: 61_000_000 },
            carried: 0,
            alone: 0,
            mismatched: -12_500,
        },
        differences_in_all: 3,
        differences,
        sealed: None,
        made_at: Timestamp::from_unix_ms(1_777_777_777_000),
        author: "lan.nt".to_owned(),
    }
}

#[track_caller]
fn says(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text}\n{page}");
    }
}

#[test]
fn a_months_minutes_say_all_that_is_signed() {
    let page = html(&month()).unwrap();
    says(
        &page,
        &[
            "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
            "Độc lập - Tự do - Hạnh phúc",
            "Số: BBDS-STANDARD-20260401-20260430",
            "từ ngày 01/04/2026 đến ngày 30/04/2026",
            "01/2026/HĐ-TH, ngày 05/01/2026",
            "<td>T+1</td>",
            "<td class=\"n\">41</td><td class=\"n\">61.000.000</td><td class=\"n\">45.100</td>",
            "Hoàn trả trong kỳ: 1 giao dịch, giá trị 1.000.000 đồng; phí đã trừ phần hoàn lại.",
            "xuất hóa đơn riêng: 1.100 đồng. Khuyến mãi trong kỳ: 250.000 đồng, trong đó bên B chịu 150.000 đồng.",
            "<td class=\"c\">I</td><td>Số còn phải trả đầu kỳ</td><td class=\"n\">5.000.021</td>",
            "<td>Các khoản giảm trừ (IV.1 + IV.2 + IV.3)</td><td class=\"n\">1.100.500</td>",
            "<td class=\"c\">IV.3</td><td>Khuyến mãi không do bên B chịu</td><td class=\"n\">100.000</td>",
            "<td class=\"n\">14.855.521</td>",
            "Bằng chữ: Mười bốn triệu tám trăm năm mươi lăm nghìn năm trăm hai mươi mốt đồng.",
            "Chưa đối chiếu với ngân hàng: 2 ngày trong kỳ (29/04/2026, 30/04/2026), 3 ngày trước kỳ.",
            "chưa đối chiếu: 1 (30/04/2026)",
            "(sao kê trừ sổ): -12.500 đồng, gồm phần khớp với ngày khác 0, phần chỉ một bên có 0, phần lệch số tiền -12.500.",
            "<td>Thiếu trong sao kê đối tác</td>",
            "<td>Chuyển kỳ sau</td>",
            "<td class=\"n\">05/04/2026</td>",
            "ĐẠI DIỆN BÊN A",
            "counter(page) \"/\" counter(pages)",
            "người lập: lan.nt",
        ],
    );
}

#[test]
fn what_others_wrote_is_a_text_and_the_page_needs_nothing_else() {
    let mut minutes = month();
    minutes.differences[0].resolution = Some("</td><img src=x onerror=alert(1)>".to_owned());
    let page = html(&minutes).unwrap();
    says(&page, &["&#60;script&#62;alert(1)", "&#60;img src=x", "Thu &#38; Hộ"]);
    for never in ["<script", "<img", "<link", "@import", "url(", "http:", "https:", " src=\"", " href="] {
        assert!(!page.contains(never), "{never}");
    }
}

#[test]
fn a_draft_is_seen_as_one_until_the_figures_are_sealed() {
    let mut minutes = month();
    let hash = hex::encode(minutes.fingerprint());
    says(&html(&minutes).unwrap(), &["<div class=\"watermark\">BẢN NHÁP</div>", "số liệu chưa khóa", &hash]);
    let at = Timestamp::from_unix_ms(1_777_777_000_000);
    minutes.sealed = Some(Sealed { hash: [0xab; 32], at, by: "hoa.pt".to_owned() });
    let page = html(&minutes).unwrap();
    assert!(!page.contains("BẢN NHÁP") && !page.contains(&hash));
    says(&page, &[&"ab".repeat(32), "Số liệu đã khóa lúc 09:56:40 ngày 03/05/2026, người khóa: hoa.pt"]);
}

#[test]
fn the_hash_is_of_the_figures_alone() {
    let (one, mut other) = (month(), month());
    other.made_at = Timestamp::from_unix_ms(0);
    other.author = "another".to_owned();
    assert_eq!(one.fingerprint(), other.fingerprint());
    let changes: [fn(&mut Minutes); 10] = [
        |m| m.owed.adjusted += 1,
        |m| m.owed.discounted += 1,
        |m| m.fees_apart += 1,
        |m| m.unsettled_before += 1,
        |m| m.services[1].count += 1,
        |m| m.refunded.count += 1,
        |m| m.discounts += 1,
        |m| m.compared.books.count += 1,
        |m| m.differences[2].theirs = None,
        |m| m.differences[1].state = BreakState::Closed,
    ];
    for change in changes {
        let mut changed = month();
        change(&mut changed);
        assert_ne!(one.fingerprint(), changed.fingerprint());
    }
}

/// I14.
#[test]
fn minutes_that_do_not_tie_out_are_not_printed() {
    let check = |change: fn(&mut Minutes), expected: &str| {
        let mut minutes = month();
        change(&mut minutes);
        let error = html(&minutes).unwrap_err();
        assert!(matches!(error, MinutesError::Untied(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(|m| m.owed.opening += 1, "the balance after the period: 14855522, elsewhere 14855521");
    check(|m| m.owed.withdrawn -= 1, "the balance after the period");
    check(|m| m.owed.adjusted += 1, "the balance after the period");
    check(|m| m.owed.discounted += 1, "the balance after the period");
    check(|m| m.owed.closing -= 1, "the balance after the period");
    check(|m| m.owed.collected += 1, "the services' value");
    check(|m| m.services[0].value -= 1, "the services' value");
    check(|m| m.services[0].partner_fee += 1, "the fees");
    check(|m| m.fees_apart = 0, "the fees");
    check(|m| m.owed.refunded += 1, "what was paid back");
    check(|m| m.compared.books.dong += 1, "the parts of what differs: -12500, elsewhere -12501");
    check(|m| m.owed.opening = i64::MAX, "beyond what can be counted");
}

const STANDARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/partners/standard.toml");

/// The profile of our own protocol with this section; its faults, if any.
fn with_contract(section: &str) -> Result<thuho::partner::Profile, String> {
    let text = std::fs::read_to_string(STANDARD).unwrap();
    let (head, rest) = text.split_once("# --- statements").expect("the profile has a part about statements");
    let text = format!("{head}{section}\n# --- statements{rest}");
    Partners::compile("standard.toml", &text, None).map_err(|errors| errors.to_string())
}

#[test]
fn a_profile_says_what_the_contract_calls_the_partner() {
    let text = "[contract]\nname = \"Công ty Thu hộ\"\ncontract_no = \"01/2026\"\ncontract_date = \"2026-01-05\"";
    let contract = with_contract(text).unwrap().contract().clone();
    assert_eq!(contract.name.as_deref(), Some("Công ty Thu hộ"));
    assert_eq!(contract.contract_no.as_deref(), Some("01/2026"));
    assert_eq!(contract.contract_date, Some(day("2026-01-05")));
    assert_eq!(with_contract("").unwrap().contract(), &thuho::partner::Contract::default());
    let check = |section: &str, expected: &str| {
        let errors = with_contract(section).map(drop).unwrap_err();
        assert!(errors.starts_with("standard.toml:") && errors.contains(expected), "{errors}");
    };
    check("[contract]\nnumber = \"1\"", "contract.number: unknown field `number`");
    check("[contract]\ncontract_date = \"05/01/2026\"", "contract.contract_date: expected a day such as 2026-01-31");
    check("[contract]\nname = \" \"", "contract.name: expected 1 to 120 characters in one line");
    check("[contract]\ncontract_no = \"a\\nb\"", "contract.contract_no: expected 1 to 120 characters in one line");
}
