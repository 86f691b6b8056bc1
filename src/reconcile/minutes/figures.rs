//! What a partner owes over a period. The books say by how much it reduced bills; who pays a discount and what is kept as a
//! fee is said by its terms, as the comparison with the bank reckons them ([`crate::reconcile::settlement`]): of days
//! whose money came in full nothing is left over. Pure: sums in, figures out.

use super::{MinutesError, Owed, Service};
use crate::domain::posting::{Account, PostingKind};
use crate::domain::statement::Sum;
use crate::partner::settlement::{Fees, Terms};
use crate::reconcile::settlement::fees::shares;
use crate::store::periods::{DayBooks, Moved, Period, PeriodBooks};
use crate::store::settlements::Batch;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// The one service there is.
const COLLECTING: &str = "Thu hộ tiền điện";

/// A period by the lines of the minutes.
#[derive(Debug, Default)]
pub(super) struct Figures {
    payments: u64,
    pub(super) refunded: Sum,
    pub(super) fees_apart: i64,
    pub(super) discounts: i64,
    pub(super) owed: Owed,
    pub(super) unsettled: Vec<Date>,
    pub(super) unsettled_before: u64,
}

/// Who pays what of a day's discounts and fees, in dong.
#[derive(Clone, Copy, Debug, Default)]
struct Reckoned {
    fees_kept: i64,
    fees_apart: i64,
    discounts: i64,
    /// Of the discounts, what the partner does not pay over.
    discounted: i64,
}

/// Sums over days, in dong.
#[derive(Clone, Copy, Debug, Default)]
struct Days {
    bills: i64,
    reckoned: Reckoned,
    credited: i64,
}

impl Figures {
    /// From the books and the batches of all days up to the period's last one.
    pub(super) fn of(
        books: &PeriodBooks,
        batches: &[Batch],
        terms: &Terms,
        period: &Period<'_>,
    ) -> Result<Self, MinutesError> {
        let (mut before, mut within) = (Days::default(), Days::default());
        for batch in batches {
            let days = if batch.day < period.from { &mut before } else { &mut within };
            days.credited = plus(days.credited, batch.credited)?;
        }
        let mut figures = Self::default();
        let settled = settled(batches, terms);
        for (day, books) in by_day(books, &settled) {
            let batch = settled.get(&day).copied();
            let days = if day < period.from { &mut before } else { &mut within };
            days.add(&books, &reckoned(&books, batch, terms)?)?;
            if batch.is_none() && terms.settlement_on(day).is_some() && books.is_something() {
                if day < period.from {
                    figures.unsettled_before = figures.unsettled_before.saturating_add(1);
                } else {
                    figures.unsettled.push(day);
                }
            }
        }
        figures.owed.opening = before.owed()?;
        figures.owed.closing = plus(before.owed()?, within.owed()?)?;
        figures.owed.discounted = within.reckoned.discounted;
        figures.owed.fees = within.reckoned.fees_kept;
        figures.fees_apart = within.reckoned.fees_apart;
        figures.discounts = within.reckoned.discounts;
        figures.moved(books, period, within.credited)?;
        Ok(figures)
    }

    /// What came, what went back and what was corrected, as bills were reduced by it: who pays a discount or a fee is kept
    /// out of these lines, so that a correction which only moves money between them moves nothing here.
    fn moved(&mut self, books: &PeriodBooks, period: &Period<'_>, credited: i64) -> Result<(), MinutesError> {
        let (clearing, fee) = (Account::Clearing(period.partner.clone()), Account::Fee(period.partner.clone()));
        let sum = |moved: &dyn Fn(&Moved) -> bool| {
            books.moved.iter().filter(|one| moved(one)).try_fold(0_i64, |sum, one| plus(sum, one.dong))
        };
        let postings = |kind: PostingKind| {
            let its = books.moved.iter().filter(|one| one.kind == kind);
            its.map(|one| one.postings).max().unwrap_or_default()
        };
        let came = |one: &Moved| matches!(one.kind, PostingKind::Settle | PostingKind::Park);
        let back = |one: &Moved| one.kind == PostingKind::Reverse;
        let bills =
            |one: &Moved| one.account == clearing || one.account == fee || matches!(one.account, Account::Promotion(_));
        self.payments = postings(PostingKind::Settle).saturating_add(postings(PostingKind::Park));
        self.owed.collected = sum(&|one| came(one) && bills(one))?;
        self.owed.refunded = negated(sum(&|one| back(one) && bills(one))?)?;
        self.refunded = Sum { count: postings(PostingKind::Reverse), dong: self.owed.refunded };
        let bank = sum(&|one| one.account == Account::Bank)?;
        // Credits of the bank are kept with the batches that they pay, not in the ledger.
        self.owed.withdrawn = plus(bank, credited)?;
        // What neither came, nor went back, nor went to the bank.
        self.owed.adjusted = negated(plus(sum(&|one| !came(one) && !back(one) && bills(one))?, bank)?)?;
        Ok(())
    }

    /// The one line of what was collected. Fees that are invoiced apart are the partner's, too.
    pub(super) fn service(&self) -> Result<Service, MinutesError> {
        let fee = plus(self.owed.fees, self.fees_apart)?;
        Ok(Service {
            name: COLLECTING.to_owned(),
            fee_rate: None,
            count: self.payments,
            value: self.owed.collected,
            fee,
            total_fee: fee,
            partner_fee: fee,
        })
    }
}

impl Days {
    fn add(&mut self, books: &DayBooks, day: &Reckoned) -> Result<(), MinutesError> {
        let sum = &mut self.reckoned;
        self.bills = plus(self.bills, bills(books)?)?;
        sum.fees_kept = plus(sum.fees_kept, day.fees_kept)?;
        sum.fees_apart = plus(sum.fees_apart, day.fees_apart)?;
        sum.discounts = plus(sum.discounts, day.discounts)?;
        sum.discounted = plus(sum.discounted, day.discounted)?;
        Ok(())
    }

    /// What should have come, less what came.
    fn owed(&self) -> Result<i64, MinutesError> {
        let Reckoned { fees_kept, discounted, .. } = self.reckoned;
        [fees_kept, discounted, self.credited].into_iter().try_fold(self.bills, |rest, less| plus(rest, negated(less)?))
    }
}

/// By how much a day's postings reduced bills.
fn bills(books: &DayBooks) -> Result<i64, MinutesError> {
    plus(plus(books.clearing, books.fee)?, books.promotion)
}

/// The batch of each day. A name that the profile once had may have left another one behind: what it has by now counts, and
/// the latest of others.
fn settled<'b>(batches: &'b [Batch], terms: &Terms) -> BTreeMap<Date, &'b Batch> {
    let named = |batch: &Batch| {
        let name = terms.settlement_on(batch.day).and_then(|terms| terms.batch_of(batch.day));
        name.is_some_and(|name| name == batch.name)
    };
    let mut settled: BTreeMap<Date, &Batch> = BTreeMap::new();
    for batch in batches.iter().filter(|batch| batch.file.is_some()) {
        let rank = |batch: &Batch| (named(batch), batch.at);
        let kept = settled.entry(batch.day).or_insert(batch);
        if rank(batch) > rank(kept) {
            *kept = batch;
        }
    }
    settled
}

/// Every day that the books or a batch know.
fn by_day(books: &PeriodBooks, settled: &BTreeMap<Date, &Batch>) -> BTreeMap<Date, DayBooks> {
    let nothing = settled.keys().map(|day| (*day, DayBooks::nothing(*day)));
    nothing.chain(books.days.iter().map(|books| (books.day, *books))).collect()
}

/// A day by its batch; until there is one by the terms, and by what the notices say of fees and discounts. Where nothing was
/// agreed the notices count alone, and discounts are their sponsors'.
fn reckoned(books: &DayBooks, batch: Option<&Batch>, terms: &Terms) -> Result<Reckoned, MinutesError> {
    if let Some(Batch { net, discount, utility, fee, fee_stated, .. }) = batch {
        let apart = fee.or(*fee_stated).unwrap_or(books.fee);
        return Ok(Reckoned {
            fees_kept: if *net { fee.unwrap_or(0) } else { 0 },
            fees_apart: if *net { 0 } else { apart },
            discounts: *discount,
            discounted: *utility,
        });
    }
    let discounts = books.promotion;
    let Some(terms) = terms.settlement_on(books.day) else {
        return Ok(Reckoned { fees_kept: books.fee, fees_apart: 0, discounts, discounted: discounts });
    };
    let discounted = match terms.promotion {
        Some(promotion) => shares(promotion, discounts).ok_or_else(beyond)?.1,
        None => 0,
    };
    let (fees_kept, fees_apart) = match terms.fees {
        Fees::Net => (books.fee, 0),
        Fees::Gross => (0, books.fee),
    };
    Ok(Reckoned { fees_kept, fees_apart, discounts, discounted })
}

fn plus(a: i64, b: i64) -> Result<i64, MinutesError> {
    a.checked_add(b).ok_or_else(beyond)
}

fn negated(a: i64) -> Result<i64, MinutesError> {
    a.checked_neg().ok_or_else(beyond)
}

pub(super) fn beyond() -> MinutesError {
    MinutesError::Untied("days beyond what can be counted".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Author, Funder, PartnerCode};
    use crate::domain::statement::FileNo;
    use crate::domain::time::Timestamp;
    use crate::partner::settlement::{Counted, Cycle, Promotion, SettlementTerms};
    use jiff::civil::date;
    use rust_decimal::Decimal;

    const DAY: Date = date(2026, 4, 2);

    fn partner() -> PartnerCode {
        PartnerCode::parse("standard").unwrap()
    }

    /// In force from the year's beginning.
    fn terms(fees: Fees, utility: i64) -> Terms {
        let promotion = Promotion { partner: Decimal::from(100 - utility), utility: Decimal::from(utility) };
        let terms = SettlementTerms {
            from: date(2026, 1, 1),
            fees,
            cycle: Cycle { days: 1, counted: Counted::Working },
            batch: "STD%Y%m%d".to_owned(),
            promotion: Some(promotion),
        };
        Terms { schedules: Vec::new(), settlements: vec![terms] }
    }

    /// A batch of the day that is full.
    fn full(net: bool, (gross, discount, utility): (i64, i64, i64), fee: Option<i64>) -> Batch {
        let expected = gross - utility - if net { fee.unwrap_or(0) } else { 0 };
        Batch {
            partner: partner(),
            batch: 5,
            name: "STD20260402".to_owned(),
            day: DAY,
            file: Some(FileNo(1)),
            due: date(2026, 4, 3),
            calendar_known: true,
            net,
            gross,
            discount,
            utility,
            fee,
            fee_stated: None,
            expected,
            credited: expected,
            credits: 1,
            full_on: Some(date(2026, 4, 3)),
            class: None,
            as_of: date(2026, 4, 3),
            author: Author::parse("an").unwrap(),
            at: Timestamp::from_unix_ms(7),
        }
    }

    /// What the postings of the day moved: kind, clearing, fee, promotion.
    fn books(moved: &[(PostingKind, i64, i64, i64)]) -> PeriodBooks {
        let mut day = DayBooks::nothing(DAY);
        let mut books = PeriodBooks::default();
        for (kind, clearing, fee, promotion) in moved {
            day.clearing += clearing;
            day.fee += fee;
            day.promotion += promotion;
            let sponsor = Account::Promotion(Funder::parse("standard").unwrap());
            let entries =
                [(Account::Clearing(partner()), *clearing), (Account::Fee(partner()), *fee), (sponsor, *promotion)];
            books.moved.extend(entries.map(|(account, dong)| Moved { account, kind: *kind, postings: 1, dong }));
        }
        books.days.push(day);
        books
    }

    fn of(books: &PeriodBooks, batches: &[Batch], terms: &Terms, from: Date) -> Figures {
        let partner = partner();
        let moved = if from > DAY { Vec::new() } else { books.moved.clone() };
        let books = PeriodBooks { days: books.days.clone(), moved };
        Figures::of(&books, batches, terms, &Period { partner: &partner, from, to: date(2026, 4, 30) }).unwrap()
    }

    /// A payment of 150,000 with a discount of 20,000 and, where it is stated, a fee of 1,100; another one taken back.
    fn noticed(discount: i64, fee: i64) -> PeriodBooks {
        books(&[
            (PostingKind::Settle, 150_000 - discount - fee, fee, discount),
            (PostingKind::Park, 60_000 - discount - fee, fee, discount),
            (PostingKind::Reverse, discount + fee - 60_000, -fee, -discount),
        ])
    }

    #[test]
    fn nothing_is_owed_of_a_day_whose_money_came_in_full() {
        for (discount, fee) in [(0, 0), (0, 1_100), (20_000, 0), (20_000, 1_100)] {
            for (net, utility) in [(true, 0), (true, 40), (true, 100), (false, 0), (false, 40), (false, 100)] {
                for charged in [None, Some(0), Some(1_650)] {
                    // Also where only the statement knows of the discount.
                    let borne = 20_000 * utility / 100;
                    let batch = full(net, (150_000, 20_000, borne), charged);
                    let terms = terms(if net { Fees::Net } else { Fees::Gross }, utility);
                    let (noticed, batches) = (noticed(discount, fee), [batch]);
                    let figures = of(&noticed, &batches, &terms, DAY);
                    let kept = if net { charged.unwrap_or(0) } else { 0 };
                    let expected = Owed {
                        opening: 0,
                        collected: 210_000,
                        withdrawn: 150_000 - borne - kept,
                        refunded: 60_000,
                        adjusted: 0,
                        discounted: borne,
                        fees: kept,
                        closing: 0,
                    };
                    assert_eq!(figures.owed, expected, "{discount} {fee} {net} {utility} {charged:?}");
                    assert_eq!((figures.unsettled, figures.unsettled_before), (vec![], 0));
                    assert_eq!(of(&noticed, &batches, &terms, date(2026, 4, 3)).owed, Owed::default(), "a day later");
                }
            }
        }
    }

    #[test]
    fn a_day_without_a_batch_counts_by_the_terms_and_is_named() {
        let check = |terms: &Terms, (discounted, fees, apart): (i64, i64, i64), unsettled: usize| {
            let figures = of(&noticed(20_000, 1_100), &[], terms, DAY);
            let owed = figures.owed;
            assert_eq!((owed.discounted, owed.fees, figures.fees_apart), (discounted, fees, apart));
            assert_eq!(owed.closing, 150_000 - discounted - fees);
            assert_eq!((figures.unsettled.len(), figures.unsettled_before), (unsettled, 0));
            let later = of(&noticed(20_000, 1_100), &[], terms, date(2026, 4, 3));
            assert_eq!((later.owed.opening, later.owed.closing), (owed.closing, owed.closing));
            assert_eq!((later.unsettled.len(), later.unsettled_before), (0, u64::try_from(unsettled).unwrap()));
        };
        check(&terms(Fees::Net, 0), (0, 1_100, 0), 1);
        check(&terms(Fees::Net, 100), (20_000, 1_100, 0), 1);
        check(&terms(Fees::Gross, 40), (8_000, 0, 1_100), 1);
        // Nothing was agreed: what the books say.
        check(&Terms::default(), (20_000, 1_100, 0), 0);
    }

    /// Who pays a fee or a discount is the terms' to say; what is given up is taken off what is owed.
    #[test]
    fn a_correction_by_hand_is_taken_off_where_it_is_no_fee_and_no_discount() {
        let by_hand = |clearing, fee, promotion| {
            let mut both = noticed(20_000, 1_100);
            let more = books(&[(PostingKind::Rematch, clearing, fee, promotion)]);
            both.moved.extend(more.moved);
            let day = &mut both.days[0];
            (day.clearing, day.fee, day.promotion) =
                (day.clearing + clearing, day.fee + fee, day.promotion + promotion);
            let batch = full(true, (150_000, 20_000, 0), Some(1_650));
            let owed = of(&both, &[batch], &terms(Fees::Net, 0), DAY).owed;
            (owed.adjusted, owed.fees, owed.closing)
        };
        assert_eq!(by_hand(-550, 550, 0), (0, 1_650, 0));
        assert_eq!(by_hand(-10, 0, 10), (0, 1_650, 0));
        assert_eq!(by_hand(-7, 0, 0), (7, 1_650, -7));
    }

    #[test]
    fn a_batch_that_an_earlier_name_left_behind_counts_once() {
        let batch = full(true, (150_000, 20_000, 20_000), Some(1_100));
        let old = Batch { batch: 6, name: "STX20260402".to_owned(), credited: 0, ..batch.clone() };
        let later = Batch { at: Timestamp::from_unix_ms(9), ..old.clone() };
        for batches in [[batch.clone(), old.clone()], [old, batch.clone()], [later, batch]] {
            let owed = of(&noticed(20_000, 1_100), &batches, &terms(Fees::Net, 100), DAY).owed;
            assert_eq!((owed.discounted, owed.fees, owed.closing), (20_000, 1_100, 0));
        }
    }
}
