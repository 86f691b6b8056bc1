//! What was counted, and the figures that the file states about itself.

use super::cells::{Cell, Cells};
use super::faults::Fault;
use crate::domain::ids::Movement;
use crate::domain::notice::Effect;
use crate::domain::statement::{StatementLine, Sum};
use crate::partner::statement::{ControlAt, ControlOf, Layout, fold};
use jiff::civil::Date;

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) lines: u64,
    pub(super) payments: Sum,
    pub(super) reversals: Sum,
    pub(super) ignored: Sum,
    pub(super) days: Option<(Date, Date)>,
    /// As stated, before a discount is added to what the customer paid.
    stated_payments: Sum,
    stated_reversals: Sum,
}

impl Tally {
    /// Counts a line that is handed on. `None` beyond what can be counted.
    pub(super) fn line(&mut self, line: &StatementLine, stated: i64) -> Option<()> {
        self.lines += 1;
        let dong = line.amount.dong();
        match line.effect {
            Effect::Moves(Movement::Payment) => {
                self.payments = self.payments.plus(dong)?;
                self.stated_payments = self.stated_payments.plus(stated)?;
            }
            Effect::Moves(Movement::Reversal) => {
                self.reversals = self.reversals.plus(dong)?;
                self.stated_reversals = self.stated_reversals.plus(stated)?;
            }
            Effect::None(_) => return self.ignored(stated),
        }
        let (first, last) = self.days.unwrap_or((line.day, line.day));
        self.days = Some((first.min(line.day), last.max(line.day)));
        Some(())
    }

    /// Counts a row that moves no money.
    pub(super) fn ignored(&mut self, stated: i64) -> Option<()> {
        self.ignored = self.ignored.plus(stated)?;
        Some(())
    }

    fn figure(&self, of: ControlOf) -> Option<i64> {
        let (payments, reversals) = (self.stated_payments, self.stated_reversals);
        let count = |count: u64| i64::try_from(count).ok();
        match of {
            ControlOf::Payments => Some(payments.dong),
            ControlOf::Reversals => Some(reversals.dong),
            ControlOf::Net => payments.dong.checked_sub(reversals.dong),
            ControlOf::Gross => payments.dong.checked_add(reversals.dong),
            ControlOf::All => payments.dong.checked_add(reversals.dong)?.checked_add(self.ignored.dong),
            ControlOf::PaymentCount => count(payments.count),
            ControlOf::ReversalCount => count(reversals.count),
            ControlOf::Count => count(payments.count.checked_add(reversals.count)?),
            ControlOf::RowCount => count(self.rows),
        }
    }
}

/// The figures as they are found.
#[derive(Debug)]
pub(super) struct Controls {
    found: Vec<Option<(u64, String, i64)>>,
}

impl Controls {
    pub(super) fn new(layout: &Layout) -> Self {
        Self { found: vec![None; layout.controls.len()] }
    }

    /// Looks for labels in a row that is no data.
    pub(super) fn labels<C: Cells>(&mut self, layout: &Layout, row: u64, cells: &C) -> Result<(), Fault> {
        for (control, found) in layout.controls.iter().zip(&mut self.found) {
            let ControlAt::Label(label) = &control.at else { continue };
            for column in 0..cells.width() {
                let Cell::Text(text) = cells.cell(column) else { continue };
                let folded = fold(text);
                let Some(rest) = folded.strip_prefix(label.as_str()) else { continue };
                let rest = rest.trim_start_matches([':', ' ']);
                let beside = || (column + 1..cells.width()).map(|n| cells.cell(n)).find(|cell| !cell.is_empty());
                let cell = if rest.is_empty() { beside().unwrap_or(Cell::Empty) } else { Cell::text(rest) };
                // A label that goes on in words is another label.
                if !rest.is_empty() && !rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
                    continue;
                }
                set(found, layout, (row, label), cell)?;
            }
        }
        Ok(())
    }

    /// Takes the figures of the row that ends the data.
    pub(super) fn end_row<C: Cells>(
        &mut self,
        layout: &Layout,
        at: &[usize],
        row: u64,
        cells: &C,
    ) -> Result<(), Fault> {
        for (control, found) in layout.controls.iter().zip(&mut self.found) {
            let ControlAt::EndRow(column) = &control.at else { continue };
            let name = layout.columns.get(*column).map_or("", |column| &column.name);
            let cell = at.get(*column).map_or(Cell::Empty, |at| cells.cell(*at));
            set(found, layout, (row, name), cell)?;
        }
        Ok(())
    }

    /// Compares what is stated with what was counted.
    pub(super) fn judge(&self, layout: &Layout, tally: &Tally) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (control, found) in layout.controls.iter().zip(&self.found) {
            let counted = tally.figure(control.of);
            match found {
                Some((_, _, stated)) if Some(*stated) == counted => {}
                Some((row, name, stated)) => {
                    let expected = counted.map_or("less than can be counted".to_owned(), |dong| dong.to_string());
                    let expected = format!("{expected}, the {} of what was read", of_word(control.of));
                    faults.push(Fault::new(*row, name, &stated.to_string(), expected));
                }
                None => {
                    let place = match &control.at {
                        ControlAt::EndRow(column) => layout.columns.get(*column).map_or("", |column| &column.name),
                        ControlAt::Label(label) => label,
                    };
                    faults.push(Fault::new(0, "", "no control figure", format!("one at {place}")));
                }
            }
        }
        faults
    }
}

fn set(
    found: &mut Option<(u64, String, i64)>,
    layout: &Layout,
    (row, name): (u64, &str),
    cell: Cell<'_>,
) -> Result<(), Fault> {
    let stated = cell.dong(layout.thousands).and_then(|stated| stated.ok_or("a control figure"));
    let stated = stated.map_err(|expected| Fault::new(row, name, cell.written(), expected))?;
    match found {
        Some((_, _, known)) if *known != stated => {
            Err(Fault::new(row, name, cell.written(), format!("{known}, as it says elsewhere")))
        }
        _ => {
            *found = Some((row, name.to_owned(), stated));
            Ok(())
        }
    }
}

fn of_word(of: ControlOf) -> &'static str {
    match of {
        ControlOf::Payments => "sum of the payments",
        ControlOf::Reversals => "sum of the reversals",
        ControlOf::Net => "payments less reversals",
        ControlOf::Gross => "payments and reversals",
        ControlOf::All => "sum of every row",
        ControlOf::PaymentCount => "number of payments",
        ControlOf::ReversalCount => "number of reversals",
        ControlOf::Count => "number of payments and reversals",
        ControlOf::RowCount => "number of rows",
    }
}
