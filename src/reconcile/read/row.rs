//! A row of data to its lines: one, and a second where a refund stands in columns of its own.

use super::Job;
use super::cells::{Cell, Cells};
use super::faults::Fault;
use super::moments::{At, Moments, business_day};
use crate::domain::ids::{EventId, Movement};
use crate::domain::money::Money;
use crate::domain::notice::{Effect, ReferenceText, References};
use crate::domain::statement::StatementLine;
use crate::partner::statement::{AmountAt, Dates, Layout, Means, Minus, Part, RowKind, fold};
use jiff::civil::Date;

/// What a row says.
#[derive(Debug)]
pub(super) struct Said {
    /// Its line; `None` if it is ignored, or moves no money and says not when.
    pub(super) line: Option<StatementLine>,
    /// The amount as stated.
    pub(super) stated: i64,
    /// The refund beside it.
    pub(super) refund: Option<StatementLine>,
}

/// Reads rows.
#[derive(Debug)]
pub(super) struct Rows<'j> {
    pub(super) layout: &'j Layout,
    pub(super) moments: Moments,
    day: Date,
    /// The first moment of the day that is asked for and the first after it, in milliseconds.
    window: Option<(i64, i64)>,
    /// Status words as they were written, and what they mean.
    words: Vec<(String, RowKind)>,
}

/// Spellings of status words that are remembered.
const WORDS_MAX: usize = 32;

/// A row with the places of its columns.
struct Row<'r, C> {
    layout: &'r Layout,
    at: &'r [usize],
    cells: &'r C,
    number: u64,
}

impl<'j> Rows<'j> {
    pub(super) fn new(job: &Job<'j>) -> Self {
        let mut moments = Moments::new(job.layout.zone.clone());
        let window = moments.window(job.layout, job.day);
        Self { layout: job.layout, moments, day: job.day, window, words: Vec::new() }
    }

    /// Reads one.
    pub(super) fn read<C: Cells>(&mut self, number: u64, at: &[usize], cells: &C) -> Result<Said, Fault> {
        let row = Row { layout: self.layout, at, cells, number };
        let (stated, less) = row.amount()?;
        let kind = row.kind(less, &mut self.words)?;
        let RowKind::Line(effect) = kind else { return Ok(Said { line: None, stated, refund: None }) };
        let moves = matches!(effect, Effect::Moves(_));
        if moves && stated == 0 {
            return Err(row.fault(row.amount_column(), "more than nothing"));
        }
        let (amount, discount) = row.money(stated, less, moves)?;
        let fee = row.figures(&self.layout.fee, less)?;
        let event = row.event(moves)?;
        let references = row.references()?;
        let Some((paid_at, day)) = self.when(&row, moves)? else {
            return Ok(Said { line: None, stated, refund: None });
        };
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let line = StatementLine {
            row: number,
            effect,
            event,
            references,
            amount,
            discount,
            fee,
            paid_at: paid_at.instant,
            day,
        };
        let refund = self.refund(&row, &line)?;
        Ok(Said { line: Some(line), stated, refund })
    }

    fn when<C: Cells>(&mut self, row: &Row<'_, C>, moves: bool) -> Result<Option<(At, Date)>, Fault> {
        let moment = &self.layout.paid_at;
        let read = self.moments.read(moment, row.at, row.cells);
        let paid_at = match read.map_err(|()| row.fault(moment.column, NOT_A_MOMENT))? {
            Some(paid_at) => paid_at,
            None if moves => return Err(row.fault(moment.column, "a moment")),
            None => return Ok(None),
        };
        let named = match &self.layout.business_day {
            None => None,
            Some(moment) => {
                let read = self.moments.read(moment, row.at, row.cells);
                let at = read.map_err(|()| row.fault(moment.column, NOT_A_MOMENT))?;
                Some(at.ok_or_else(|| row.fault(moment.column, "a business day"))?.local.date())
            }
        };
        let day = named.or_else(|| business_day(self.layout, paid_at));
        let day = day.ok_or_else(|| row.fault(moment.column, NOT_A_MOMENT))?;
        let grace_ms = self.layout.grace_ms;
        let near = |(start, end): (i64, i64)| {
            (start - grace_ms..end + grace_ms).contains(&paid_at.instant.unix_ms()) && paid_at.timed && grace_ms > 0
        };
        if self.layout.dates == Dates::InsideDay && day != self.day && !self.window.is_some_and(near) {
            let expected = format!("a moment of the business day {}", self.day);
            return Err(row.fault(moment.column, expected));
        }
        Ok(Some((paid_at, day)))
    }

    fn refund<C: Cells>(&mut self, row: &Row<'_, C>, line: &StatementLine) -> Result<Option<StatementLine>, Fault> {
        let Some(refund) = &self.layout.refund else { return Ok(None) };
        let dong = row.dong(refund.amount)?.unwrap_or(0).unsigned_abs();
        let dong = i64::try_from(dong).unwrap_or(i64::MAX);
        if dong == 0 {
            return Ok(None);
        }
        let amount = Money::from_dong(dong).map_err(|_range| row.fault(refund.amount, "an amount in range"))?;
        if line.effect != Effect::Moves(Movement::Payment) || amount > line.amount {
            return Err(row.fault(refund.amount, "at most the amount of a payment in the same row"));
        }
        let read = self.moments.read(&refund.paid_at, row.at, row.cells);
        let at = read.map_err(|()| row.fault(refund.paid_at.column, NOT_A_MOMENT))?;
        let at = at.ok_or_else(|| row.fault(refund.paid_at.column, "the moment of the refund"))?;
        let day = business_day(self.layout, at).ok_or_else(|| row.fault(refund.paid_at.column, NOT_A_MOMENT))?;
        Ok(Some(StatementLine {
            effect: Effect::Moves(Movement::Reversal),
            amount,
            discount: Money::ZERO,
            fee: Money::ZERO,
            paid_at: at.instant,
            day,
            ..line.clone()
        }))
    }
}

const NOT_A_MOMENT: &str = "a moment that exists, in a form of the layout";

impl<C: Cells> Row<'_, C> {
    fn cell(&self, column: usize) -> Cell<'_> {
        self.at.get(column).map_or(Cell::Empty, |at| self.cells.cell(*at))
    }

    fn fault(&self, column: usize, expected: impl Into<String>) -> Fault {
        let name = self.layout.columns.get(column).map_or("", |column| &column.name);
        Fault::new(self.number, name, self.cell(column).written(), expected)
    }

    fn dong(&self, column: usize) -> Result<Option<i64>, Fault> {
        self.cell(column).dong(self.layout.thousands).map_err(|expected| self.fault(column, expected))
    }

    fn amount_column(&self) -> usize {
        match &self.layout.amount.at {
            AmountAt::One(column) | AmountAt::Signed { column, .. } => *column,
            AmountAt::Sides { credit, .. } => *credit,
        }
    }

    /// How much, and whether it is taken away.
    fn amount(&self) -> Result<(i64, bool), Fault> {
        match &self.layout.amount.at {
            AmountAt::One(column) => {
                let dong = self.dong(*column)?.unwrap_or(0);
                Ok((dong.saturating_abs(), dong < 0))
            }
            AmountAt::Signed { column, sign, plus, minus } => {
                let dong = self.dong(*column)?.unwrap_or(0);
                if dong < 0 {
                    return Err(self.fault(*column, "an amount without a sign"));
                }
                match fold(self.cell(*sign).written()) {
                    word if word == *plus => Ok((dong, false)),
                    word if word == *minus => Ok((dong, true)),
                    _ => Err(self.fault(*sign, "one of the two signs of the layout")),
                }
            }
            AmountAt::Sides { credit, debit } => {
                let more = self.dong(*credit)?.unwrap_or(0);
                let less = debit.map_or(Ok(None), |debit| self.dong(debit))?.unwrap_or(0);
                match (more, less) {
                    (more, 0) if more > 0 => Ok((more, false)),
                    (0, less) if less > 0 => Ok((less, true)),
                    // Nothing on the side that is read: money that went the other way.
                    (0, 0) if debit.is_none() => Ok((0, true)),
                    (0, 0) => Ok((0, false)),
                    _ => Err(self.fault(*credit, "an amount on one of the two sides, without a sign")),
                }
            }
        }
    }

    /// What it is by its status and its sign.
    fn kind(&self, less: bool, words: &mut Vec<(String, RowKind)>) -> Result<RowKind, Fault> {
        let payment = RowKind::Line(Effect::Moves(Movement::Payment));
        let kind = self.status(words)?.unwrap_or(payment);
        if !less || kind != payment {
            return Ok(kind);
        }
        match self.layout.amount.minus {
            Some(Minus::Reversal) => Ok(RowKind::Line(Effect::Moves(Movement::Reversal))),
            Some(Minus::Ignored) => Ok(RowKind::Ignored),
            None => Err(self.fault(self.amount_column(), "an amount of a payment, which takes nothing away")),
        }
    }

    /// What its status says; `None` without one in the layout.
    fn status(&self, words: &mut Vec<(String, RowKind)>) -> Result<Option<RowKind>, Fault> {
        let Some(status) = &self.layout.status else { return Ok(None) };
        let unknown = || self.fault(status.column, "a status of the layout's map");
        let cell = self.cell(status.column);
        if cell.is_empty() {
            return status.absent.ok_or_else(unknown).map(Some);
        }
        let written = cell.written();
        if let Some((_, kind)) = words.iter().find(|(word, _)| word == written) {
            return Ok(Some(*kind));
        }
        let folded = fold(written);
        let found = status.map.iter().find(|(word, _)| *word == folded);
        let kind = found.map(|(_, kind)| *kind).ok_or_else(unknown)?;
        if words.len() < WORDS_MAX {
            words.push((written.to_owned(), kind));
        }
        Ok(Some(kind))
    }

    /// What the bill is reduced by, and the sponsor's part of it.
    fn money(&self, stated: i64, less: bool, moves: bool) -> Result<(Money, Money), Fault> {
        let column = self.amount_column();
        let range = |_not_money| self.fault(column, "an amount in range");
        let stated = Money::from_dong(stated).map_err(range)?;
        let discount = match self.layout.amount.customer_paid {
            None => self.figures(&self.layout.discount, less)?,
            Some(paid) => {
                let paid = self.dong(paid)?.ok_or_else(|| self.fault(paid, "what the customer paid"));
                let paid = Money::from_dong(paid?.saturating_abs()).map_err(range)?;
                stated.minus(paid).map_err(range)?
            }
        };
        let amount = match self.layout.amount.means {
            Means::Bill => stated,
            Means::CustomerPaid => stated.plus(discount).map_err(range)?,
        };
        if discount < Money::ZERO || (moves && discount > amount) {
            let column = self.layout.amount.customer_paid.or(self.layout.discount.first().copied());
            return Err(self.fault(column.unwrap_or_default(), "at least nothing and at most the amount"));
        }
        Ok((amount, discount))
    }

    /// Several columns added. Beside an amount that is taken away they are taken away too.
    fn figures(&self, columns: &[usize], less: bool) -> Result<Money, Fault> {
        let mut sum = 0_i64;
        for column in columns {
            let dong = self.dong(*column)?.unwrap_or(0);
            let dong = if less { dong.saturating_abs() } else { dong };
            if dong < 0 {
                return Err(self.fault(*column, "at least nothing"));
            }
            sum = sum.saturating_add(dong);
        }
        if sum == 0 {
            return Ok(Money::ZERO);
        }
        let first = columns.first().copied().unwrap_or_default();
        Money::from_dong(sum).map_err(|_range| self.fault(first, "an amount in range"))
    }

    fn event(&self, moves: bool) -> Result<Option<EventId>, Fault> {
        if self.layout.event.is_empty() {
            return Ok(None);
        }
        let mut fields = Vec::with_capacity(self.layout.event.len());
        let mut last = 0;
        for part in &self.layout.event {
            match part {
                Part::Const(text) => fields.push(text.clone()),
                Part::Column(column) => {
                    last = *column;
                    match self.id(*column)? {
                        Some(id) => fields.push(id.to_owned()),
                        None if moves => return Err(self.fault(*column, "the partner's id of the payment")),
                        None => return Ok(None),
                    }
                }
            }
        }
        EventId::parse(fields).map(Some).map_err(|bad| self.fault(last, bad.expected))
    }

    fn references(&self) -> Result<References, Fault> {
        let one = |column: Option<usize>| match column {
            None => Ok(None),
            Some(column) => self.id(column).map(|id| id.and_then(ReferenceText::new)),
        };
        Ok(References {
            invoice: one(self.layout.invoice)?,
            order: one(self.layout.order)?,
            customer: one(self.layout.customer)?,
        })
    }

    fn id(&self, column: usize) -> Result<Option<&str>, Fault> {
        self.cell(column).id().map_err(|expected| self.fault(column, expected))
    }
}
