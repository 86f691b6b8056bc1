//! The lines of a file as rows: what each says, and how far it is matched with our books.

use crate::domain::notice::ReferenceText;
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, LineNo};
use crate::finance::show;
use crate::finance::stop::form_urlencoded;
use crate::finance::terms;
use crate::finance::words::Words;
use crate::store::StoreError;
use crate::store::desk::StoredLine;
use crate::store::reports::Reports;
use crate::store::statements::{LegBreak, LegBreaks, StatementFile};
use std::collections::{BTreeMap, HashSet};

/// Open breaks that are read at a time, and how often.
const BREAKS: u32 = 1_000;
const BREAK_PAGES: u32 = 20;

/// The open breaks of a file's lines.
pub(super) type Broken = BTreeMap<LineNo, (i64, BreakClass)>;

/// What is known of a file's lines beside what they say.
pub(super) struct Known {
    /// Those that found their event.
    pub matched: HashSet<LineNo>,
    /// Those that differ, or found none.
    pub broken: Broken,
    /// Is the file its day's word, and was the day compared with it?
    pub in_force: bool,
    pub compared: bool,
}

/// How far a line is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub says: &'static str,
    pub look: &'static str,
    /// The break about it.
    pub no: Option<i64>,
}

/// A line of a file.
pub(super) struct Line {
    pub place: u32,
    pub row: u32,
    pub event: String,
    pub payment: Option<String>,
    pub movement: &'static str,
    pub amount: String,
    pub discount: String,
    pub fee: String,
    pub customer: Option<[String; 2]>,
    pub references: [String; 3],
    pub paid_at: String,
    pub standing: Standing,
}

/// The open breaks about lines of this file.
pub(super) fn broken(reports: &mut dyn Reports, file: &StatementFile) -> Result<Broken, StoreError> {
    let (of, mut found, mut after) = (&file.statement, Broken::new(), 0);
    for _ in 0..BREAK_PAGES {
        let ask = LegBreaks { kind: of.kind, partner: &of.partner, until: of.day, after, limit: BREAKS };
        let page = reports.leg_breaks(&ask)?;
        let of_line = |open: &LegBreak| Some((open.line.filter(|line| line.file() == file.no)?, (open.no, open.class)));
        found.extend(page.iter().filter_map(of_line));
        match page.last() {
            Some(last) if page.len() >= usize::try_from(BREAKS).unwrap_or(usize::MAX) => after = last.no,
            _ => break,
        }
    }
    Ok(found)
}

/// Those lines behind this place that an open break is about.
pub(super) fn open_lines(
    reports: &mut dyn Reports,
    broken: &Broken,
    (file, after, limit): (FileNo, u32, u32),
) -> Result<Vec<StoredLine>, StoreError> {
    let behind = broken.keys().copied().filter(|line| *line > LineNo::of(file, after));
    let lines: Vec<LineNo> = behind.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    reports.shown_lines(&lines)
}

fn standing(line: &StoredLine, known: &Known, w: Words) -> Standing {
    let stands = |says, look| Standing { says, look, no: None };
    match known.broken.get(&line.no) {
        Some((no, BreakClass::MissingWebhook | BreakClass::CutoffTiming | BreakClass::ClearedNotPaid)) => {
            Standing { no: Some(*no), ..stands(w.file_alone(), "bad") }
        }
        Some((no, _)) => Standing { no: Some(*no), ..stands(w.file_differs(), "bad") },
        None if known.matched.contains(&line.no) => stands(w.file_is_matched(), "good"),
        None if line.movement.is_none() => stands(w.file_nothing_to_match(), "soft"),
        // Its place was taken: it matches nothing any more.
        None if !known.in_force => stands(show::NONE, "soft"),
        None if !known.compared => stands(w.file_not_compared(), "soft"),
        // Its break is closed, or is about several lines and names another one.
        None => stands(w.file_settled(), "soft"),
    }
}

/// A text as a part of an address.
fn in_path(text: &str) -> String {
    form_urlencoded(&[("", text)]).trim_start_matches('=').replace('+', "%20")
}

/// A line as a row.
pub(super) fn line(line: &StoredLine, known: &Known, (sees, w): (bool, Words)) -> Line {
    let text = |of: &Option<ReferenceText>| match of {
        None => show::NONE.to_owned(),
        Some(text) if sees => text.as_str().to_owned(),
        Some(text) => show::masked(text.as_str()),
    };
    let (references, tongue) = (&line.references, w.0);
    Line {
        place: line.no.place(),
        row: line.row,
        event: line.event.clone().unwrap_or_else(|| show::NONE.to_owned()),
        payment: line.key.filter(|_| line.movement.is_some()).map(|key| key.to_string()),
        movement: terms::movement(line.movement, w),
        amount: show::money(line.amount.dong(), tongue),
        discount: show::money(line.discount.dong(), tongue),
        fee: show::money(line.fee.dong(), tongue),
        customer: references
            .customer
            .as_ref()
            .filter(|_| sees)
            .map(|code| [in_path(code.as_str()), code.as_str().to_owned()]),
        references: [text(&references.customer), text(&references.invoice), text(&references.order)],
        paid_at: show::moment(line.paid_at),
        standing: standing(line, known, w),
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Known, standing};
    use crate::domain::ids::{Author, Movement};
    use crate::domain::money::Money;
    use crate::domain::notice::References;
    use crate::domain::review::BreakClass;
    use crate::domain::statement::{FileNo, LineNo};
    use crate::domain::time::Timestamp;
    use crate::domain::user::Tongue;
    use crate::finance::words::Words;
    use crate::store::desk::StoredLine;
    use std::collections::HashSet;

    fn line(place: u32, movement: Option<Movement>) -> StoredLine {
        StoredLine {
            no: LineNo::of(FileNo(1), place),
            row: place + 1,
            file: ("a.csv".to_owned(), [0; 32]),
            brought_by: Author::parse("finance.an").unwrap(),
            key: None,
            event: None,
            movement,
            amount: Money::from_dong(5).unwrap(),
            discount: Money::from_dong(0).unwrap(),
            fee: Money::from_dong(0).unwrap(),
            references: References::default(),
            paid_at: Timestamp::from_unix_ms(0),
        }
    }

    #[test]
    fn a_line_says_how_far_it_is_matched() {
        let w = Words(Tongue::Vi);
        let no = |place| LineNo::of(FileNo(1), place);
        let broken: Broken =
            [(no(2), (7, BreakClass::FeeMismatch)), (no(3), (8, BreakClass::MissingWebhook))].into_iter().collect();
        // A line may be matched and differ: then it differs.
        let matched = HashSet::from([no(1), no(2)]);
        let mut known = Known { matched, broken, in_force: true, compared: true };
        let paid = Some(Movement::Payment);
        let says = |known: &Known, line: StoredLine| {
            let standing = standing(&line, known, w);
            (standing.says, standing.no)
        };
        assert_eq!(says(&known, line(1, paid)), (w.file_is_matched(), None));
        assert_eq!(says(&known, line(2, paid)), (w.file_differs(), Some(7)));
        assert_eq!(says(&known, line(3, paid)), (w.file_alone(), Some(8)));
        assert_eq!(says(&known, line(4, None)), (w.file_nothing_to_match(), None));
        assert_eq!(says(&known, line(5, paid)), (w.file_settled(), None));
        known.compared = false;
        assert_eq!(says(&known, line(5, paid)), (w.file_not_compared(), None));
        known.in_force = false;
        assert_eq!(says(&known, line(5, paid)), (crate::finance::show::NONE, None));
    }
}
