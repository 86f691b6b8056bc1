//! A `[statement]` section as its TOML file writes it: the closed vocabulary, nothing understood yet.

use super::{ControlOf, Dates, Encoding, Minus};
use crate::partner::file::Means;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::partner) struct StatementFile {
    pub(super) format: Option<FormatWord>,
    #[serde(default)]
    pub(super) encoding: Encoding,
    pub(super) separator: Option<String>,
    pub(super) sheet: Option<String>,
    /// The first row of data, columns by their place; without it a header is looked for.
    pub(super) first_row: Option<u32>,
    #[serde(default)]
    pub(super) end: EndFile,
    #[serde(default)]
    pub(super) thousands: String,
    pub(super) zone: Option<String>,
    pub(super) day_ends: Option<String>,
    #[serde(default)]
    pub(super) dates: Dates,
    #[serde(default)]
    pub(super) grace_minutes: i64,
    #[serde(default)]
    pub(super) event: Vec<PartFile>,
    pub(super) invoice: Option<ColumnFile>,
    pub(super) order: Option<ColumnFile>,
    pub(super) customer: Option<ColumnFile>,
    pub(super) amount: AmountColumnsFile,
    #[serde(default)]
    pub(super) discount: Vec<ColumnFile>,
    #[serde(default)]
    pub(super) fee: Vec<ColumnFile>,
    pub(super) paid_at: MomentFile,
    pub(super) business_day: Option<MomentFile>,
    pub(super) status: Option<StatusColumnFile>,
    pub(super) refund: Option<RefundFile>,
    #[serde(default)]
    pub(super) control: Vec<ControlFile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FormatWord {
    Csv,
    Xlsx,
}

/// Where the data ends before the file does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndFile {
    #[serde(default)]
    pub(super) empty_row: bool,
    #[serde(default)]
    pub(super) starts_with: Vec<String>,
}

/// A header's text; with `first_row` a letter or a number from 1.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum ColumnFile {
    Number(u32),
    Text(String),
}

/// A part of the event's id.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum PartFile {
    Column(ColumnFile),
    Const(ConstFile),
    Account(AccountFile),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConstFile {
    #[serde(rename = "const")]
    pub(super) text: String,
}

/// Our account at the partner, as `notice.account.is` says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountFile {
    pub(super) account: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AmountColumnsFile {
    pub(super) column: Option<ColumnFile>,
    pub(super) credit: Option<ColumnFile>,
    pub(super) debit: Option<ColumnFile>,
    pub(super) means: Means,
    /// What the customer paid of it: the rest is the discount.
    pub(super) customer_paid: Option<ColumnFile>,
    pub(super) sign: Option<SignFile>,
    pub(super) minus: Option<Minus>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignFile {
    pub(super) column: ColumnFile,
    pub(super) plus: String,
    pub(super) minus: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MomentFile {
    pub(super) column: ColumnFile,
    /// The time of day, where it has a column of its own: written after the date and a space.
    pub(super) time: Option<ColumnFile>,
    pub(super) formats: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusColumnFile {
    pub(super) column: ColumnFile,
    pub(super) map: BTreeMap<String, String>,
    pub(super) absent: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundFile {
    pub(super) amount: ColumnFile,
    pub(super) paid_at: MomentFile,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ControlFile {
    pub(super) of: ControlOf,
    /// In this column of the row that ends the data.
    pub(super) column: Option<ColumnFile>,
    /// Beside this text, in a row that is no data.
    pub(super) label: Option<String>,
}
