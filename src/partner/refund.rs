//! How a partner wants to be asked to give a payment back: the columns of a CSV, each with what stands in it.

use serde::Deserialize;

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundValue {
    /// The partner's name of the payment, whole.
    Event,
    /// One of its parts, from 1.
    EventPart(usize),
    /// Our account at the partner.
    Account,
    /// Our id of the payment.
    Payment,
    /// Our order reference.
    Order,
    /// The invoice that it names.
    Invoice,
    /// The customer that it names.
    Customer,
    /// What was paid, in dong.
    Amount,
    /// What is to be given back, in dong.
    Refund,
    /// When the customer paid.
    PaidAt,
    /// The same text in every row.
    Const(String),
}

impl RefundValue {
    /// From its word, such as `event.2`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "event" => Self::Event,
            "account" => Self::Account,
            "payment" => Self::Payment,
            "order" => Self::Order,
            "invoice" => Self::Invoice,
            "customer" => Self::Customer,
            "amount" => Self::Amount,
            "refund" => Self::Refund,
            "paid_at" => Self::PaidAt,
            _ => Self::EventPart(word.strip_prefix("event.")?.parse().ok().filter(|part| (1..=8).contains(part))?),
        })
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundColumn {
    /// Its header.
    pub header: String,
    /// What stands in it.
    pub value: RefundValue,
}

/// The columns that a partner gets where its profile says none.
#[must_use]
pub fn usual() -> Vec<RefundColumn> {
    let column = |header: &str, value| RefundColumn { header: header.to_owned(), value };
    vec![
        column("event", RefundValue::Event),
        column("order", RefundValue::Order),
        column("amount", RefundValue::Amount),
        column("refund", RefundValue::Refund),
        column("paid_at", RefundValue::PaidAt),
        column("payment", RefundValue::Payment),
    ]
}

/// `[refund_request]` as its TOML file writes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RefundFile {
    pub(super) columns: Vec<RefundColumnFile>,
}

/// A column as its TOML file writes it: `value` or `const`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundColumnFile {
    pub(super) header: String,
    pub(super) value: Option<String>,
    #[serde(rename = "const")]
    pub(super) constant: Option<String>,
}
