//! Batches for people and programs: what each should bring, what it brought, and what is wrong.

use super::run::Settled;
use crate::domain::review::BreakClass;
use crate::store::settlements::Batch;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Where a batch stands, in one word.
#[must_use]
pub fn state(batch: &Batch) -> &'static str {
    match batch.class {
        None if batch.credited == batch.expected => "full",
        None => "waiting",
        Some(BreakClass::SettlementLate) => "late",
        Some(BreakClass::SettlementShort) => "short",
        Some(BreakClass::SettlementMissing) => "missing",
        Some(BreakClass::UnknownRef) => "unknown",
        Some(_) => "different",
    }
}

/// One batch.
#[must_use]
pub fn batch_json(batch: &Batch) -> Value {
    json!({
        "day": batch.day.to_string(),
        "batch": batch.name,
        "state": state(batch),
        "class": batch.class.map(BreakClass::code),
        "file": batch.file.map(|file| file.0),
        "due": batch.due.to_string(),
        "calendar_known": batch.calendar_known,
        "fees": if batch.net { "net" } else { "gross" },
        "gross_dong": batch.gross,
        "discount_dong": batch.discount,
        "utility_share_dong": batch.utility,
        "fee_dong": batch.fee,
        "fee_stated_dong": batch.fee_stated,
        "fee_differs": fee_differs(batch),
        "expected_dong": batch.expected,
        "credited_dong": batch.credited,
        "difference_dong": batch.difference(),
        "credits": batch.credits,
        "full_on": batch.full_on.map(|day| day.to_string()),
        "as_of": batch.as_of.to_string(),
        "author": batch.author.as_str(),
        "at": batch.at.to_string(),
    })
}

fn fee_differs(batch: &Batch) -> bool {
    batch.fee.zip(batch.fee_stated).is_some_and(|(fee, stated)| fee != stated)
}

/// How many batches differ, in money or in fees.
#[must_use]
pub fn differing(batches: &[Batch]) -> usize {
    batches.iter().filter(|batch| batch.class.is_some() || fee_differs(batch)).count()
}

/// Sums over batches. They may be beyond what one amount may be; what cannot be counted is said so.
#[must_use]
pub fn sums(batches: &[Batch], as_of: Date) -> Value {
    let sum = |of: fn(&Batch) -> i64| batches.iter().try_fold(0_i64, |sum, batch| sum.checked_add(of(batch)));
    json!({
        "as_of": as_of.to_string(),
        "batches": batches.len(),
        "differing": differing(batches),
        "gross_dong": sum(|batch| batch.gross),
        "utility_share_dong": sum(|batch| batch.utility),
        "fees_kept_dong": sum(|batch| if batch.net { batch.fee.unwrap_or(0) } else { 0 }),
        "expected_dong": sum(|batch| batch.expected),
        "credited_dong": sum(|batch| batch.credited),
        "difference_dong": sum(Batch::difference),
    })
}

/// What a comparison came to.
#[must_use]
pub fn to_json(done: &Settled) -> Value {
    let statement = &done.file.statement;
    json!({
        "partner": statement.partner.as_str(),
        "day": statement.day.to_string(),
        "kind": statement.kind.word(),
        "as_of": done.as_of.to_string(),
        "file": { "no": done.file.no.0, "name": statement.name, "sha256": hex::encode(statement.hash) },
        "batches_changed": done.changed,
        "breaks_opened": done.opened,
        "breaks_closed": done.closed,
        "differences_in_all": differing(&done.batches),
        "sums": sums(&done.batches, done.as_of),
        "batches": done.batches.iter().map(batch_json).collect::<Vec<_>>(),
    })
}

/// A list of batches with its sums.
#[must_use]
pub fn list_json(partner: &str, (from, to): (Date, Date), batches: &[Batch]) -> Value {
    let as_of = batches.iter().map(|batch| batch.as_of).max().unwrap_or(to);
    json!({
        "partner": partner,
        "from": from.to_string(),
        "to": to.to_string(),
        "sums": sums(batches, as_of),
        "batches": batches.iter().map(batch_json).collect::<Vec<_>>(),
    })
}

/// A list for a terminal, from what [`list_json`] and [`to_json`] hold: here and through a gateway it reads the same.
#[must_use]
pub fn to_table(listed: &Value) -> String {
    const NUMBERS: [&str; 6] =
        ["gross_dong", "utility_share_dong", "fee_dong", "expected_dong", "credited_dong", "difference_dong"];
    let mut text = String::new();
    let cell = |row: &Value, key: &str| match row.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(word)) => word.clone(),
        Some(other) => other.to_string(),
    };
    // Writing to a text does not fail.
    write!(text, "{:<12}{:<20}{:<10}{:<6}{:<12}", "day", "batch", "state", "fees", "due").ok();
    for name in NUMBERS {
        write!(text, "{:>18}", name.trim_end_matches("_dong").replace('_', " ")).ok();
    }
    writeln!(text, "  full on").ok();
    let none = Vec::new();
    let rows = listed.get("batches").and_then(Value::as_array).unwrap_or(&none);
    let mut unknown = false;
    for row in rows {
        let known = row.get("calendar_known").and_then(Value::as_bool).unwrap_or(true);
        unknown |= !known;
        let due = format!("{}{}", cell(row, "due"), if known { "" } else { "?" });
        let (day, batch, state, fees) = (cell(row, "day"), cell(row, "batch"), cell(row, "state"), cell(row, "fees"));
        write!(text, "{day:<12}{batch:<20}{state:<10}{fees:<6}{due:<12}").ok();
        for name in NUMBERS {
            write!(text, "{:>18}", cell(row, name)).ok();
        }
        let mark = if row.get("fee_differs").and_then(Value::as_bool) == Some(true) { "  fees differ" } else { "" };
        writeln!(text, "  {}{mark}", cell(row, "full_on")).ok();
    }
    if let Some(sums) = listed.get("sums") {
        let (batches, differing) = (cell(sums, "batches"), cell(sums, "differing"));
        writeln!(
            text,
            "{batches} batches, {differing} that differ; {} of {} dong came by {}",
            cell(sums, "credited_dong"),
            cell(sums, "expected_dong"),
            cell(sums, "as_of")
        )
        .ok();
    }
    if unknown {
        writeln!(text, "?: the calendar has no holidays of a year on the way to that day; only weekends were counted")
            .ok();
    }
    text
}
