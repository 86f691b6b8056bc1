//! A difference in one sentence, with all its sides by the names that a person finds them by.

use crate::domain::ids::{EventKey, EventNo};
use crate::domain::statement::{FileNo, LineNo};
use crate::reconcile::compare::{Compared, Difference, Note};
use crate::reconcile::facts::{KEYS_MAX, Sides};
use crate::store::StoreError;
use crate::store::reports::Reports;
use crate::store::statements::StatementFile;
use std::collections::{HashMap, HashSet};

/// Lines, or payments, that a sentence lists; of more it says that there are some.
const LISTED: usize = 10;

/// What people call the sides of differences.
#[derive(Debug, Default)]
pub(in crate::reconcile) struct Names {
    /// The rows of lines in their file.
    rows: HashMap<LineNo, u32>,
    /// The partner's own ids of payments, where a difference is about several.
    payments: HashMap<EventNo, String>,
}

impl Names {
    /// Reads those that sentences say.
    pub(in crate::reconcile) fn read(
        reports: &mut dyn Reports,
        file: FileNo,
        (sides, compared): (&Sides, &Compared),
    ) -> Result<Self, StoreError> {
        let mut names = Self::default();
        let lines = compared.differences.iter().flat_map(|difference| difference.lines().take(LISTED));
        // A row of an earlier file is none of this one.
        let lines: Vec<LineNo> = lines.filter(|line| line.file() == file).collect();
        names.rows.reserve(lines.len());
        for lines in lines.chunks(KEYS_MAX) {
            names.rows.extend(reports.day_lines_with(lines)?.iter().map(|line| (line.no, line.row)));
        }
        let several = compared.differences.iter().filter(|difference| difference.events().nth(1).is_some());
        let wanted: HashSet<EventNo> = several.flat_map(|difference| difference.events().take(LISTED)).collect();
        if wanted.is_empty() {
            return Ok(names);
        }
        let ours = sides.ours.iter().filter(|event| wanted.contains(&event.no));
        let keys: Vec<EventKey> = ours.map(|event| event.key).collect();
        for keys in keys.chunks(KEYS_MAX) {
            names.payments.extend(reports.event_names(keys)?);
        }
        Ok(names)
    }
}

/// What differs.
pub(super) fn sentence(difference: &Difference, file: &StatementFile, names: &Names) -> String {
    let name = &file.statement.name;
    let rows = difference.lines().filter_map(|line| names.rows.get(&line)).map(u32::to_string).collect::<Vec<_>>();
    let place = match rows.as_slice() {
        [] => String::new(),
        [row] if difference.lines().nth(1).is_none() => format!(" (line {row} of {name})"),
        _ => format!(" (lines {} of {name})", list(&rows, difference.lines().count())),
    };
    let payments = difference.events().filter_map(|no| names.payments.get(&no)).cloned().collect::<Vec<_>>();
    let payments = match payments.as_slice() {
        [] => String::new(),
        _ => format!("; payments {}", list(&payments, difference.events().count())),
    };
    let (theirs, ours) = (difference.theirs, difference.ours);
    match difference.note {
        Note::OnlyTheirs => format!("the statement has {} dong{place}, our books have nothing", theirs.amount),
        Note::OnlyOurs => format!("our books have {} dong, the statement {name} has nothing", ours.amount),
        Note::Fee => format!("the fee is {} in the statement{place} and {} in our books", theirs.fee, ours.fee),
        Note::Discount => {
            format!("the discount is {} in the statement{place} and {} in our books", theirs.discount, ours.discount)
        }
        note => format!(
            "the statement says {} dong{place} and our books {} dong: {}{payments}",
            theirs.amount,
            ours.amount,
            words(note)
        ),
    }
}

fn list(named: &[String], all: usize) -> String {
    let rest = if named.len() < all { ", …" } else { "" };
    format!("{}{rest}", named.join(", "))
}

fn words(note: Note) -> &'static str {
    match note {
        Note::OnlyTheirs | Note::OnlyOurs => "one side only",
        Note::Amount => "the amounts differ",
        Note::AmountByFee => "the amounts differ by the fee",
        Note::AmountByDiscount => "the amounts differ by the discount",
        Note::Fee => "the fees differ",
        Note::Discount => "the discounts differ",
        Note::NotMovedThere => "the partner says that nothing moved",
        Note::NotBookedHere => "it is not in our books, or the core was not told of it",
        Note::OtherMovement => "one says payment, the other one reversal",
        Note::Reference => "the references differ",
        Note::EventId => "the same reference and amount under another transaction id",
        Note::Exchanged => "two transaction ids are exchanged",
        Note::Twice | Note::TwiceUnnamed => "the statement has the transaction more than once",
        Note::TwiceOverDays => "the transaction was in the statement of another day already",
        Note::Several => "several on one side are one on the other",
        Note::NettedOut => "a payment and its reversal, both on one side only",
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn a_list_says_that_there_are_more() {
        let named = ["1", "2"].map(str::to_owned);
        assert_eq!((list(&named, 2), list(&named, 3)), ("1, 2".to_owned(), "1, 2, …".to_owned()));
    }
}
