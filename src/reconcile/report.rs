//! What a comparison came to, for people and programs: sums that tie out and each difference with both sides.

use super::compare::{Side, Sums};
use super::export;
use super::run::Reconciled;
use crate::domain::break_class::BreakClass;
use crate::domain::statement::Sum;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A sum as JSON.
fn sum(of: Sum) -> Value {
    json!({ "count": of.count, "dong": of.dong })
}

fn side(of: &Side) -> Value {
    json!({
        "total": sum(of.total),
        "matched_today": sum(of.matched_today),
        "matched_to_carried_in": sum(of.matched_carried),
        "missing_on_other_side": sum(of.alone),
        "mismatched": sum(of.mismatched),
        "carried_out": sum(of.carried_out),
        "carried_in": sum(of.waiting),
        "carried_in_matched": sum(of.closed),
        "carried_in_still_missing": sum(of.still_alone),
        "carried_in_mismatched": sum(of.waiting_mismatched),
        "moved_nothing": of.unmoved,
    })
}

/// The sums as they are kept.
#[must_use]
pub fn sums_json(sums: &Sums) -> Value {
    json!({
        "statement": side(&sums.theirs),
        "books": side(&sums.ours),
        "differences": { "count": sums.differences.count, "dong": sums.differences.dong },
    })
}

/// The whole of it, with that many differences at most.
#[must_use]
pub fn to_json(done: &Reconciled, differences_max: usize) -> Value {
    let row = |row: Row<'_>| export::object(&export::DIFFERENCE_COLUMNS, &export::difference_cells(&row));
    let differences: Vec<Value> = rows(done).take(differences_max).map(row).collect();
    let mut whole = summary(done);
    if let Value::Object(whole) = &mut whole {
        whole.insert("differences".to_owned(), Value::Array(differences));
    }
    whole
}

/// What it came to, without the differences.
#[must_use]
pub fn summary(done: &Reconciled) -> Value {
    json!({
        "partner": done.subject.partner.as_str(),
        "day": done.subject.day.to_string(),
        "kind": done.subject.kind.word(),
        "file": { "no": done.file.no.0, "name": done.file.statement.name, "sha256": hex::encode(done.file.statement.hash) },
        "matched": done.compared.matches.len(),
        "new_matches": done.new_matches,
        "breaks_opened": done.opened,
        "breaks_closed": done.closed,
        "took_ms": {
            "read": ms(done.took.read),
            "compared": ms(done.took.compared),
            "kept": ms(done.took.kept),
        },
        "sums": sums_json(&done.compared.sums),
        "differences_in_all": done.compared.differences.len(),
    })
}

fn ms(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// One difference, as every format shows it.
pub struct Row<'r> {
    /// Its class.
    pub class: BreakClass,
    /// What exactly differs, within the class.
    pub note: &'static str,
    /// The line's place in the statement.
    pub line: Option<u32>,
    /// Our payment.
    pub payment: Option<String>,
    /// What the statement says, in dong.
    pub theirs: Option<i64>,
    /// What our books say, in dong.
    pub ours: Option<i64>,
    /// The statement less our books, in dong.
    pub difference: i64,
    /// Waits for the next day.
    pub carried: bool,
    /// One sentence.
    pub detail: &'r str,
}

/// The differences.
pub fn rows(done: &Reconciled) -> impl Iterator<Item = Row<'_>> {
    done.compared.differences.iter().zip(&done.described).map(|(difference, followed)| Row {
        class: difference.class,
        note: difference.note.word(),
        line: followed.line.map(|line| line.place()),
        payment: followed.event.map(|key| key.to_string()),
        theirs: difference.line.map(|_| difference.theirs.amount),
        ours: difference.event.map(|_| difference.ours.amount),
        difference: difference.signed(),
        carried: difference.carry,
        detail: &followed.detail,
    })
}

/// For a terminal.
#[must_use]
pub fn to_table(done: &Reconciled) -> String {
    let mut text = String::new();
    let (theirs, ours) = (&done.compared.sums.theirs, &done.compared.sums.ours);
    let subject = &done.subject;
    // Writing to a text does not fail.
    writeln!(text, "{} {}, {} leg, {}", subject.partner, subject.day, subject.kind.word(), done.file.statement.name)
        .ok();
    writeln!(text, "{:<28}{:>10}{:>20}{:>10}{:>20}", "", "statement", "dong", "books", "dong").ok();
    for (what, their, our) in [
        ("total", theirs.total, ours.total),
        ("matched today", theirs.matched_today, ours.matched_today),
        ("matched to carried-in", theirs.matched_carried, ours.matched_carried),
        ("missing on the other side", theirs.alone, ours.alone),
        ("mismatched", theirs.mismatched, ours.mismatched),
        ("carried out", theirs.carried_out, ours.carried_out),
    ] {
        writeln!(text, "{what:<28}{:>10}{:>20}{:>10}{:>20}", their.count, their.dong, our.count, our.dong).ok();
    }
    let mut classes: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for row in rows(done) {
        let (count, dong) = classes.entry(row.class.code()).or_default();
        *count = count.saturating_add(1);
        *dong = dong.saturating_add(row.difference);
    }
    for (class, (count, dong)) in &classes {
        writeln!(text, "{class:<28}{count:>10}{dong:>20}").ok();
    }
    let all = done.compared.sums.differences;
    writeln!(text, "{:<28}{:>10}{:>20}", "statement less books", all.count, all.dong).ok();
    let (read, compared, kept) = (ms(done.took.read), ms(done.took.compared), ms(done.took.kept));
    writeln!(
        text,
        "{} new matches, {} breaks opened, {} closed; read in {read} ms, compared in {compared} ms, kept in {kept} ms; ties out",
        done.new_matches, done.opened, done.closed
    )
    .ok();
    text
}
