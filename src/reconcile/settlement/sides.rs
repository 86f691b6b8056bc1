//! Reads both sides of a comparison with the bank: what the partner's days should bring, and the credits of all days of
//! the bank since the first that is not full.

use super::expected::{Day, Line, Payable};
use super::plan::Open;
use super::run::{Asked, SettleError};
use crate::domain::ids::{Author, Movement};
use crate::domain::statement::{FileNo, LineNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::partner::settlement::{Fees, SettlementTerms};
use crate::partner::statement::Layout;
use crate::reconcile::compare::bank::{Credit, Expected, Settlement};
use crate::store::StoreError;
use crate::store::reports::Reports;
use crate::store::settlements::{Batch, Batches, StatementDays};
use crate::store::statements::{DayLine, LegBreaks, StatementFile, reference_hash};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Days before the one that is compared whose batches are looked at although they are full: the longest cycle, and a month
/// in which a credit may be taken back.
const LOOK_BACK_DAYS: i32 = 123;

/// The furthest that a batch which is not full is looked at: five years.
const OPEN_DAYS: i32 = 1_826;

/// Days before those whose names are known all the same: a credit for one of them is not of no batch.
const NAMES_DAYS: i32 = 366;

/// Statements of one question.
const DAYS_MAX: u32 = 10_000;

/// Batches of one question: one a day, and credits of none.
const BATCHES_MAX: u32 = 100_000;

/// Rows of a page.
const PAGE: u32 = 20_000;

/// Beyond any day that is kept.
const LAST: Date = date(9999, 12, 31);

/// One day's batch before the bank is asked.
#[derive(Debug)]
struct Owed {
    name: String,
    day: Date,
    /// Nothing for credits of no batch that was expected.
    file: Option<FileNo>,
    net: bool,
    payable: Payable,
    due: Date,
    calendar_known: bool,
}

/// Both sides.
#[derive(Debug)]
pub(super) struct Sides<'a> {
    asked: &'a Asked<'a>,
    /// The last day of the bank that is known.
    pub(super) as_of: Date,
    owed: BTreeMap<u64, Owed>,
    pub(super) credits: Vec<Credit>,
    /// Keys that stand for credits which name nothing.
    nameless: HashSet<u64>,
    /// As the comparison before left them.
    pub(super) kept: HashMap<i64, Batch>,
    pub(super) open: Open,
}

impl<'a> Sides<'a> {
    pub(super) fn read(reports: &mut dyn Reports, asked: &'a Asked<'a>, bank: &Layout) -> Result<Self, SettleError> {
        let partner = asked.profile.code();
        let ago = |day: Date, days: i32| day.saturating_sub(days.days());
        let ask =
            Batches { partner, from: ago(asked.day, OPEN_DAYS), to: asked.day, open_only: true, limit: BATCHES_MAX };
        let oldest = reports.batches(&ask)?.first().map(|batch| batch.day);
        let from = ago(asked.day, LOOK_BACK_DAYS);
        let from = oldest.map_or(from, |oldest| oldest.min(from));
        let bank_days = StatementDays { kind: StatementKind::Bank, partner, from, to: LAST, limit: DAYS_MAX };
        let bank_files = reports.statements_of(&bank_days)?;
        let as_of = bank_files.last().map_or(asked.day, |file| file.statement.day.max(asked.day));
        let kept = reports.batches(&Batches { from, to: as_of, open_only: false, ..ask })?;
        let kept = kept.into_iter().map(|batch| (batch.batch, batch)).collect();
        let (owed, nameless, credits) = (BTreeMap::new(), HashSet::new(), Vec::new());
        let mut sides = Self { asked, as_of, owed, credits, nameless, kept, open: Open::new() };
        let days = StatementDays { kind: StatementKind::Partner, to: as_of, ..bank_days };
        for file in reports.statements_of(&days)? {
            sides.owe(reports, &file)?;
        }
        let early: HashSet<u64> = ago(from, NAMES_DAYS)
            .series(1.day())
            .take_while(|day| *day < from)
            .filter_map(|day| Some(key(&asked.profile.terms().settlement_on(day)?.batch_of(day)?)))
            .collect();
        for file in &bank_files {
            sides.credit(reports, (file.no, bank), &early)?;
        }
        sides.open_breaks(reports)?;
        Ok(sides)
    }

    /// What a day of the partner should bring.
    fn owe(&mut self, reports: &mut dyn Reports, file: &StatementFile) -> Result<(), SettleError> {
        let (day, profile) = (file.statement.day, self.asked.profile);
        let Some(terms) = profile.terms().settlement_on(day) else { return Ok(()) };
        let Some((name, due)) = terms.batch_of(day).zip(self.asked.calendar.due(day, terms.cycle)) else {
            return Ok(());
        };
        let batch = key(&name);
        let full = self
            .kept
            .get(&batch.cast_signed())
            .filter(|kept| kept.file == Some(file.no) && kept.credits > 0 && kept.credited == kept.expected);
        // What is full stays as it was reckoned, whatever the profile says of that day by now.
        let owed = match full {
            Some(kept) => Owed {
                name,
                day,
                file: Some(file.no),
                net: kept.net,
                payable: payable_of(kept),
                due: kept.due,
                calendar_known: kept.calendar_known,
            },
            None => Owed {
                name,
                day,
                file: Some(file.no),
                net: terms.fees == Fees::Net,
                payable: self.reckon(reports, (file.no, day), terms)?,
                due: due.on,
                calendar_known: due.unknown.is_none(),
            },
        };
        self.owed.insert(batch, owed);
        Ok(())
    }

    fn reckon(
        &self,
        reports: &mut dyn Reports,
        (file, day): (FileNo, Date),
        terms: &SettlementTerms,
    ) -> Result<Payable, SettleError> {
        let profile = self.asked.profile;
        let states_fees = profile.statement(StatementKind::Partner).is_some_and(|layout| !layout.fee.is_empty());
        let mut sum = Day::new(terms, profile.terms().schedule_on(day), states_fees);
        each_line(reports, file, &mut |line| {
            let DayLine { amount, discount, fee, .. } = *line;
            let moved = line.movement.map(|movement| Line { movement, amount, discount, fee });
            Ok(moved.map_or(Ok(()), |line| sum.add(&line))?)
        })?;
        Ok(sum.payable()?)
    }

    /// The credits of a day of the bank.
    fn credit(
        &mut self,
        reports: &mut dyn Reports,
        (file, layout): (FileNo, &Layout),
        early: &HashSet<u64>,
    ) -> Result<(), SettleError> {
        each_line(reports, file, &mut |line| {
            let dong = match line.movement {
                Some(Movement::Payment) => line.amount,
                Some(Movement::Reversal) => line.amount.saturating_neg(),
                None => return Ok(()),
            };
            let named = if layout.order.is_some() { line.references.order } else { line.references.invoice };
            // Credits that name nothing stand together by their day.
            let batch = if named == 0 { key(&format!("\0{}", line.day)) } else { named };
            if named == 0 {
                self.nameless.insert(batch);
            }
            if !early.contains(&batch) {
                self.credits.push(Credit { line: line.no, batch, dong, on: line.day });
            }
            Ok(())
        })
    }

    fn open_breaks(&mut self, reports: &mut dyn Reports) -> Result<(), StoreError> {
        let (kind, partner, mut after) = (StatementKind::Bank, self.asked.profile.code(), 0);
        loop {
            let page = reports.leg_breaks(&LegBreaks { kind, partner, until: self.as_of, after, limit: PAGE })?;
            after = page.last().map_or(after, |open| open.no);
            self.open.extend(page.iter().map(|open| (open.mark, open.no)));
            if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// What should come.
    pub(super) fn expected(&self) -> Vec<Expected> {
        let owed = self.owed.iter();
        owed.map(|(batch, owed)| Expected { batch: *batch, dong: owed.payable.expected, due: owed.due }).collect()
    }

    /// Every batch as it stands now, by day; also one that was known of credits which the bank has taken out of its file.
    pub(super) fn batches(&self, settled: &[Settlement], by: (&Author, Timestamp)) -> Vec<Batch> {
        let mut batches: Vec<Batch> = settled.iter().map(|one| self.batch(one, by)).collect();
        let known: HashSet<i64> = batches.iter().map(|batch| batch.batch).collect();
        let gone = self.kept.values().filter(|kept| kept.file.is_none() && !known.contains(&kept.batch));
        batches.extend(gone.map(|kept| Batch {
            credited: 0,
            credits: 0,
            full_on: None,
            class: None,
            as_of: self.as_of,
            author: by.0.clone(),
            at: by.1,
            ..kept.clone()
        }));
        batches.sort_by_key(|batch| (batch.day, batch.batch));
        batches
    }

    fn batch(&self, one: &Settlement, (author, at): (&Author, Timestamp)) -> Batch {
        let nothing;
        let owed = match self.owed.get(&one.batch) {
            Some(owed) => owed,
            None => {
                nothing = self.nothing(one);
                &nothing
            }
        };
        let Payable { gross, discount, utility, fee, fee_stated, expected } = owed.payable;
        Batch {
            partner: self.asked.profile.code().clone(),
            batch: one.batch.cast_signed(),
            name: owed.name.clone(),
            day: owed.day,
            file: owed.file,
            due: owed.due,
            calendar_known: owed.calendar_known,
            net: owed.net,
            gross,
            discount,
            utility,
            fee,
            fee_stated,
            expected,
            credited: one.credited,
            credits: u32::try_from(one.credits.len()).unwrap_or(u32::MAX),
            full_on: one.full_on,
            class: one.class,
            as_of: self.as_of,
            author: author.clone(),
            at,
        }
    }

    /// Credits of no batch that was expected: of the day of the first.
    fn nothing(&self, one: &Settlement) -> Owed {
        let first: Option<&LineNo> = one.credits.first();
        let day = self.credits.iter().find(|credit| Some(&credit.line) == first).map_or(self.as_of, |c| c.on);
        let name = if self.nameless.contains(&one.batch) { String::new() } else { format!("#{:016x}", one.batch) };
        let payable = Payable::default();
        Owed { name, day, file: None, net: false, payable, due: day, calendar_known: true }
    }
}

fn payable_of(kept: &Batch) -> Payable {
    let Batch { gross, discount, utility, fee, fee_stated, expected, .. } = *kept;
    Payable { gross, discount, utility, fee, fee_stated, expected }
}

/// A batch's key: as a statement's references are hashed.
fn key(name: &str) -> u64 {
    reference_hash(Some(name))
}

fn each_line(
    reports: &mut dyn Reports,
    file: FileNo,
    each: &mut dyn FnMut(&DayLine) -> Result<(), SettleError>,
) -> Result<(), SettleError> {
    let mut after = LineNo::of(file, 0);
    loop {
        let page = reports.day_lines(after, PAGE)?;
        after = page.last().map_or(after, |line| line.no);
        page.iter().try_for_each(&mut *each)?;
        if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}
