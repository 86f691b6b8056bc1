//! What is asked of the list of breaks: the same words in the API, in the pages' addresses and at the head of exports.

use super::desk::{rows, words};
use super::problem::Problem;
use super::statements::bad;
use crate::domain::fold::fold;
use crate::domain::ids::{Author, CustomerCode, EventKey, InvoiceId, PartnerCode, UnitCode};
use crate::domain::invoice::Area;
use crate::domain::money::typed_dong;
use crate::domain::resolution::{Age, BreakState};
use crate::domain::review::BreakClass;
use crate::domain::statement::StatementKind;
use crate::reconcile::export::{Cell, Column, Fact, Kind, Label};
use crate::store::StoreError;
use crate::store::desk::{BreakFilter, BreakOrder, Found};
use crate::store::reports::Reports;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The longest search text, in bytes.
const SEARCH_MAX: usize = 200;

/// Payments that one search text may name.
const EVENTS_MAX: u32 = 20;

/// A filter in words; what is empty is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreaksQuery {
    /// Where it stands.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// A class's code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// Whose.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub partner: String,
    /// Who looks at it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub assignee: String,
    /// A bucket.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub age: String,
    /// A district unit.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// A kind of area.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub area: String,
    /// How it was paid.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub channel: String,
    /// Whose word differs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub leg: String,
    /// Exactly this accounting day.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub day: String,
    /// At least so much, in dong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// At most so much, in dong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// A text that is searched for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// newest, oldest or largest first.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub order: String,
    /// Also those that are closed.
    #[serde(skip_serializing_if = "is_not")]
    pub closed: bool,
    /// Behind this break.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// In front of this break.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_not(flag: &bool) -> bool {
    !flag
}

/// A word of a closed list, or nothing.
fn word<T>(text: &str, parse: impl Fn(&str) -> Option<T>, expected: impl Fn() -> String) -> Result<Option<T>, Problem> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some).ok_or_else(|| bad(expected())) }
}

/// An id, or nothing.
fn id<T, E: std::fmt::Display>(text: &str, parse: impl Fn(String) -> Result<T, E>) -> Result<Option<T>, Problem> {
    if text.is_empty() { Ok(None) } else { parse(text.to_owned()).map(Some).map_err(|e| bad(e.to_string())) }
}

impl BreaksQuery {
    /// The same as the query of an address, from its first row on.
    #[must_use]
    pub fn address(&self) -> String {
        let first = Self { before: None, after: None, limit: None, ..self.clone() };
        serde_urlencoded::to_string(&first).unwrap_or_default()
    }

    /// What was asked for, for the head of an export.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let closed = if self.closed { "yes" } else { "" };
        let said = [
            ("state", "Trạng thái", "State", self.state.as_str()),
            ("class", "Loại", "Type", &self.class),
            ("partner", "Đối tác", "Partner", &self.partner),
            ("assignee", "Người xử lý", "Assignee", &self.assignee),
            ("age", "Số ngày", "Age in days", &self.age),
            ("unit", "Đơn vị", "Unit", &self.unit),
            ("area", "Khu vực", "Area", &self.area),
            ("channel", "Kênh", "Channel", &self.channel),
            ("leg", "Đối chiếu với", "Compared with", &self.leg),
            ("day", "Ngày hạch toán", "Accounting day", &self.day),
            ("from", "Từ số tiền", "From amount", &self.from),
            ("to", "Đến số tiền", "To amount", &self.to),
            ("q", "Tìm", "Search", &self.q),
            ("closed", "Cả đã đóng", "Also closed", closed),
        ];
        let fact = |(key, vi, en, value): (&'static str, &'static str, &'static str, &str)| {
            let name = Column { key, label: Label { vi, en }, kind: Kind::Text };
            (!value.is_empty()).then(|| Fact { name, value: Cell::text(value.to_owned()) })
        };
        said.into_iter().filter_map(fact).collect()
    }

    /// As the store is asked, but for the search text, which asks the books ([`Self::found`]).
    ///
    /// # Errors
    /// What is not one of the words.
    pub fn filter(&self, today: Date) -> Result<BreakFilter, Problem> {
        let state = word(&self.state, BreakState::parse, || {
            format!("state: expected one of {}", words(&BreakState::ALL.map(BreakState::word)))
        })?;
        let (aged_from, aged_to) = if self.age.is_empty() { (None, None) } else { aged(&self.age, today)? };
        let order = match self.order.as_str() {
            "" | "newest" => BreakOrder::Newest,
            "oldest" => BreakOrder::Oldest,
            "largest" => BreakOrder::Largest,
            _ => return Err(bad("order: expected newest, oldest or largest")),
        };
        let bound = |text: &str, name: &str| {
            let expected = || bad(format!("{name}: expected dong"));
            if text.trim().is_empty() { Ok(None) } else { typed_dong(text).map(Some).ok_or_else(expected) }
        };
        if self.q.len() > SEARCH_MAX || self.channel.len() > SEARCH_MAX {
            return Err(bad(format!("q, channel: expected at most {SEARCH_MAX} bytes")));
        }
        if [&self.q, &self.channel].into_iter().any(|text| text.contains(char::is_control)) {
            return Err(bad("q, channel: expected no control characters"));
        }
        Ok(BreakFilter {
            open_only: !self.closed && state != Some(BreakState::Closed),
            state,
            class: word(&self.class, BreakClass::parse, || "class: expected a class's code".to_owned())?,
            partner: id(&self.partner, PartnerCode::parse)?,
            assignee: id(&self.assignee, Author::parse)?,
            event: None,
            aged_from,
            aged_to,
            day: word(&self.day, |text| text.parse().ok(), || "day: expected YYYY-MM-DD".to_owned())?,
            unit: id(&self.unit, UnitCode::parse)?,
            area: word(&self.area, Area::parse, || "area: expected urban, rural or island".to_owned())?,
            channel: Some(self.channel.clone()).filter(|channel| !channel.is_empty()),
            leg: word(&self.leg, StatementKind::parse, || "leg: expected partner, core or bank".to_owned())?,
            dong: (bound(&self.from, "from")?, bound(&self.to, "to")?),
            no_leg: false,
            found: None,
            order,
            before: self.before,
            after: self.after,
            limit: rows(self.limit)?,
        })
    }

    /// What the search text can mean in these books: a number, an amount, a payment of any partner, an invoice, a customer,
    /// or words. `None` where nothing is searched for.
    ///
    /// # Errors
    /// The machine's.
    pub fn found(&self, reports: &mut dyn Reports, partners: &[PartnerCode]) -> Result<Option<Found>, StoreError> {
        let text = self.q.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let upper = text.to_uppercase();
        let mut events: Vec<EventKey> = EventKey::parse_hex(&text.to_lowercase()).into_iter().collect();
        if !text.contains(char::is_whitespace) {
            for partner in partners {
                events.extend(reports.events_named(partner, text, EVENTS_MAX)?.into_iter().map(|record| record.key));
            }
        }
        let mut invoices: Vec<InvoiceId> =
            [text, &upper].into_iter().filter_map(|id| InvoiceId::parse(id).ok()).collect();
        invoices.dedup();
        Ok(Some(Found {
            no: text.strip_prefix('#').unwrap_or(text).parse().ok(),
            dong: typed_dong(text),
            events,
            invoices,
            customer: CustomerCode::parse(upper.clone()).ok(),
            words: fold(text).split_whitespace().map(str::to_owned).collect(),
        }))
    }
}

/// The accounting days of a bucket.
fn aged(word: &str, today: Date) -> Result<(Option<Date>, Option<Date>), Problem> {
    let found = Age::BUCKETS.into_iter().find(|age| age.word() == word);
    let age = found.ok_or_else(|| bad("age: expected one of 0, 1, 2-3, 4-7, 8-15, 16-30, >30"))?;
    let before = |days: i32| today.checked_sub(days.days()).ok();
    // What is of a later day than today is none old.
    let to = if age.from_days == 0 { None } else { before(age.from_days) };
    Ok((age.to_days.and_then(before), to))
}

#[cfg(test)]
mod tests {
    use super::BreaksQuery;

    #[test]
    fn an_address_says_the_filter_and_no_page() {
        let asked =
            BreaksQuery {
                class: "STALE".to_owned(), q: "nợ cũ".to_owned(), before: Some(7), ..BreaksQuery::default()
            };
        assert_eq!(asked.address(), "class=STALE&q=n%E1%BB%A3+c%C5%A9");
        let again: BreaksQuery = serde_urlencoded::from_str(&asked.address()).expect("it reads what it writes");
        assert_eq!(again, BreaksQuery { before: None, ..asked });
    }
}
