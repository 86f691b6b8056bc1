//! Cells and heads as texts: what a CSV holds, and what stands above the rows of a sheet.

use super::{Cell, Column, Fact, Kind, Label, Language, Table};
use crate::domain::time::{BUSINESS_ZONE, Timestamp};
use jiff::Zoned;
use jiff::tz::{Offset, TimeZone};
use std::borrow::Cow;

const ROWS: Label = Label { vi: "Số dòng", en: "Rows" };
const AT: Label = Label { vi: "Thời điểm lập", en: "Made at" };
const AUTHOR: Label = Label { vi: "Người lập", en: "Made by" };
const SUM: Label = Label { vi: "Tổng", en: "Sum" };

/// What stands for a character that a spreadsheet's file cannot hold.
const NOT_HELD: char = char::REPLACEMENT_CHARACTER;

/// A moment as business days are counted.
pub fn local(at: Timestamp) -> Option<Zoned> {
    let zone = TimeZone::get(BUSINESS_ZONE).unwrap_or_else(|_unknown| TimeZone::fixed(Offset::constant(7)));
    jiff::Timestamp::from_millisecond(at.unix_ms()).ok().map(|at| at.to_zoned(zone))
}

/// A moment with its offset, to the second.
pub fn instant(at: Timestamp) -> String {
    local(at).map_or_else(|| at.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// Yes or no.
pub fn flag(yes: bool, language: Language) -> &'static str {
    let label = if yes { Label { vi: "có", en: "yes" } } else { Label { vi: "không", en: "no" } };
    label.to(language)
}

/// A cell as text, as it is: nothing is made harmless here.
pub fn of<'c>(cell: &'c Cell<'_>, language: Language) -> Cow<'c, str> {
    match cell {
        Cell::Empty => Cow::Borrowed(""),
        Cell::Text(text) => Cow::Borrowed(text),
        Cell::Whole(number) => Cow::Owned(number.to_string()),
        Cell::Date(day) => Cow::Owned(day.to_string()),
        Cell::Instant(at) => Cow::Owned(instant(*at)),
        Cell::Flag(yes) => Cow::Borrowed(flag(*yes, language)),
    }
}

/// The text without what no XML can hold, which is what no spreadsheet shows either.
pub fn held(text: &str) -> Cow<'_, str> {
    let bad = |c: char| {
        (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
    };
    if text.contains(bad) { Cow::Owned(text.replace(bad, &NOT_HELD.to_string())) } else { Cow::Borrowed(text) }
}

fn fact(key: &'static str, label: Label, kind: Kind, value: Cell<'static>) -> Fact {
    Fact { name: Column { key, label, kind }, value }
}

/// What the head says of the table, besides its filter.
pub fn about(table: &Table<'_>) -> [Fact; 3] {
    let rows = i64::try_from(table.head.rows).unwrap_or(i64::MAX);
    [
        fact("at", AT, Kind::Instant, Cell::Instant(table.head.at)),
        fact("author", AUTHOR, Kind::Text, Cell::text(table.head.author.clone())),
        fact("rows", ROWS, Kind::Count, Cell::Whole(rows)),
    ]
}

/// A fact in one line, for people.
pub fn shown(fact: &Fact, language: Language) -> String {
    let value = match &fact.value {
        Cell::Date(day) => day.strftime("%d/%m/%Y").to_string(),
        Cell::Instant(at) => {
            local(*at).map_or_else(|| at.to_string(), |at| at.strftime("%d/%m/%Y %H:%M:%S").to_string())
        }
        cell => of(cell, language).into_owned(),
    };
    format!("{}: {value}", fact.name.label.to(language))
}

/// Labels and values of all that the head says, in its order.
pub fn head(table: &Table<'_>, language: Language) -> Vec<(String, Cell<'static>)> {
    let said = |fact: &Fact| (fact.name.label.to(language).to_owned(), fact.value.clone());
    let mut lines: Vec<_> = table.head.filter.iter().map(said).collect();
    lines.extend(about(table).iter().map(said));
    for column in table.columns {
        if let Some(sum) = table.sum_of(column) {
            lines.push((format!("{}: {}", SUM.to(language), column.label.to(language)), Cell::Whole(sum)));
        }
    }
    lines.extend(table.head.figures.iter().map(said));
    lines
}
