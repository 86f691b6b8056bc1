//! The layouts that the statement targets read by: together they take every way through the reader.

use crate::domain::statement::StatementKind;
use crate::partner::statement::Layout;
use crate::partner::{Partners, Profile};
use std::sync::OnceLock;

/// The profile of our own protocol, whose sections are replaced.
pub const STANDARD: &str = include_str!("../../../config/partners/standard.toml");

/// Where it lies, as errors name it.
pub const FILE: &str = "config/partners/standard.toml";

/// Header, statuses, quotes; in UTF-8 or in any other encoding.
const PLAIN: &str = r#"
event = ["id"]
invoice = "bill"
order = "order"
amount = { column = "amount", means = "bill", customer_paid = "paid" }
fee = ["fee"]
paid_at = { column = "at", formats = ["%Y-%m-%d %H:%M:%S", "rfc3339", "excel"] }
status = { column = "type", map = { "ok" = "payment", "back" = "reversal", "wait" = "pending", "no" = "failed", "-" = "ignored" } }
day_ends = "22:30"
"#;

/// Columns by their places, an amount in two of them, a refund beside it, an end that is an empty row.
const PLACED: &str = r#"
event = ["A"]
first_row = 3
customer = 2
amount = { credit = "C", debit = "D", means = "customer_paid", minus = "ignored" }
discount = ["E"]
thousands = "."
paid_at = { column = "F", time = "G", formats = ["%d/%m/%Y %H:%M:%S"] }
refund = { amount = "H", paid_at = { column = "I", formats = ["%d/%m/%Y"] } }
end = { empty_row = true }
day_ends = "10:00"
"#;

/// A bank's: signs, titles with figures, a total that ends it, one day.
const SIGNED: &str = r#"
event = ["Số GD"]
order = "Nội dung"
amount = { column = "Số tiền", sign = { column = "C/N", plus = "+", minus = "-" }, means = "bill", minus = "reversal" }
thousands = ","
paid_at = { column = "Ngày", formats = ["%d/%m/%Y", "%d/%m/%Y %H:%M"] }
business_day = { column = "Ngày ĐS", formats = ["%d/%m/%Y"] }
end = { starts_with = ["Tổng cộng", "total"] }
control = [{ of = "all", column = "Số tiền" }, { of = "row-count", label = "Số dòng" }]
dates = "inside-day"
grace_minutes = 30
"#;

/// The layouts of lines. The first two differ in nothing but their encoding.
pub fn of_lines() -> &'static [Layout] {
    static LAYOUTS: OnceLock<Vec<Layout>> = OnceLock::new();
    LAYOUTS.get_or_init(|| {
        let head =
            |encoding: &str, more: &str| format!("[statement]\nformat = \"csv\"\nencoding = \"{encoding}\"\n{more}");
        let mut layouts = vec![
            layout(&head("utf-8", PLAIN)),
            layout(&head("utf-16le", PLAIN)),
            layout(&head("utf-8", &format!("separator = \";\"\n{PLACED}"))),
            layout(&head("windows-1258", SIGNED)),
            layout(&head("utf-16be", &format!("separator = \"\\t\"\n{PLACED}"))),
            layout(&head("utf-8", &format!("separator = \"|\"\n{SIGNED}"))),
        ];
        let profile = Partners::compile(FILE, STANDARD, None).expect("the shipped profile loads");
        layouts.extend(StatementKind::ALL.into_iter().filter_map(|kind| profile.statement(kind).cloned()));
        layouts
    })
}

/// The layouts of workbooks.
pub fn of_books() -> &'static [Layout] {
    static LAYOUTS: OnceLock<Vec<Layout>> = OnceLock::new();
    LAYOUTS.get_or_init(|| {
        let head = |more: &str| layout(&format!("[statement]\nformat = \"xlsx\"\n{more}"));
        vec![head(PLAIN), head(PLACED), head(SIGNED), head(&format!("sheet = \"S\"\n{PLAIN}"))]
    })
}

fn layout(section: &str) -> Layout {
    let profile = with_sections(section).unwrap_or_else(|errors| panic!("{errors}\n{section}"));
    profile.statement(StatementKind::Partner).cloned().expect("the section is there")
}

/// The profile with these sections instead of its own.
pub fn with_sections(sections: &str) -> Result<Profile, String> {
    let (head, rest) = STANDARD.split_once("# --- statements").expect("the profile's own sections begin");
    let (_, rest) = rest.split_once("# --- examples").expect("and end");
    let text = format!("{head}\n{sections}\n# --- examples{rest}");
    Partners::compile(FILE, &text, None).map_err(|errors| errors.to_string())
}
