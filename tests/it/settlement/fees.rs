//! Laws of fees and of promotion shares, beside arithmetic in whole numbers that knows no decimals.

use jiff::civil::date;
use proptest::prelude::*;
use rust_decimal::Decimal;
use thuho::domain::ids::Movement;
use thuho::domain::money::AMOUNT_MAX_DONG;
use thuho::partner::settlement::{
    Counted, Cycle, FeeSchedule, Fees, Promotion, Reversals, Rounding, SettlementTerms, Tier,
};
use thuho::reconcile::settlement::expected::{Day, Line};
use thuho::reconcile::settlement::fees::{DayFees, exact, rounded, shares};

/// A tier in whole numbers: fixed dong, ten-thousandths of a percent.
type Plain = (i64, i64);

fn tier(up_to: Option<i64>, (fixed, percent): Plain) -> Tier {
    Tier { up_to, fixed, percent: Decimal::new(percent, 4) }
}

fn flat(plain: Plain, vat: i64, rounding: Rounding) -> FeeSchedule {
    FeeSchedule {
        from: date(2026, 1, 1),
        tiers: vec![tier(None, plain)],
        minimum: 0,
        maximum: None,
        vat: Decimal::new(vat, 2),
        rounding,
        reversals: Reversals::Keep,
    }
}

/// The fee with its tax in units of a ten-thousand-millionth of a dong.
const UNIT: i128 = 10_000_000_000;

fn plainly(plain: Plain, (minimum, maximum): (i64, i64), vat: i64, amount: i64) -> i128 {
    let fee = i128::from(plain.0) * 1_000_000 + i128::from(amount) * i128::from(plain.1);
    let fee = fee.max(i128::from(minimum) * 1_000_000).min(i128::from(maximum) * 1_000_000);
    fee * i128::from(10_000 + vat)
}

fn half_up(units: i128) -> i64 {
    i64::try_from((units + UNIT / 2).div_euclid(UNIT)).unwrap()
}

fn plain() -> impl Strategy<Value = Plain> {
    (0..50_000_i64, 0..=1_000_000_i64)
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![0..20_000_i64, 0..5_000_000_000_i64, Just(AMOUNT_MAX_DONG), AMOUNT_MAX_DONG - 99..AMOUNT_MAX_DONG]
}

proptest! {
    #[test]
    fn fees_are_what_whole_numbers_say(
        plain in plain(), limits in (0..9_000_i64, 9_000..2_000_000_i64), vat in 0..=10_000_i64,
        amounts in prop::collection::vec(amount(), 1..40),
    ) {
        let with = |rounding| FeeSchedule {
            minimum: limits.0, maximum: Some(limits.1), ..flat(plain, vat, rounding)
        };
        let units: Vec<i128> = amounts.iter().map(|amount| plainly(plain, limits, vat, *amount)).collect();
        let total = |schedule: &FeeSchedule| {
            let mut day = DayFees::new(schedule);
            amounts.iter().for_each(|amount| day.add(Movement::Payment, *amount).unwrap());
            day.total().unwrap()
        };
        let each: i64 = units.iter().map(|units| half_up(*units)).sum();
        prop_assert_eq!(total(&with(Rounding::PerTransaction)), each);
        prop_assert_eq!(total(&with(Rounding::PerDay)), half_up(units.iter().sum()), "rounded once, the exact sum");
    }

    #[test]
    fn a_fee_is_never_negative_and_rises_with_its_tiers(
        mut tiers in prop::collection::vec(plain(), 1..5), ends in prop::collection::btree_set(1..4_000_000_i64, 4),
        (a, b) in (amount(), amount()), vat in 0..=2_000_i64,
    ) {
        // Each tier charges at least as much as the one below it, in both parts.
        tiers.sort_unstable();
        let mut percents: Vec<i64> = tiers.iter().map(|tier| tier.1).collect();
        percents.sort_unstable();
        let last = tiers.len() - 1;
        let tiers = tiers.iter().zip(percents).zip(ends).enumerate().map(|(n, ((plain, percent), end))| {
            tier((n < last).then_some(end), (plain.0, percent))
        });
        let schedule = FeeSchedule { tiers: tiers.collect(), ..flat((0, 0), vat, Rounding::PerTransaction) };
        let (low, high) = (a.min(b), a.max(b));
        let (cheap, dear) = (exact(&schedule, low).unwrap(), exact(&schedule, high).unwrap());
        prop_assert!(!cheap.is_sign_negative() && cheap <= dear, "{cheap} for {low}, {dear} for {high}");
        prop_assert!(rounded(cheap).unwrap() <= rounded(dear).unwrap());
    }

    #[test]
    fn shares_of_a_discount_are_all_of_it(discount in amount(), utility in 0..=1_000_000_i64) {
        let promotion = Promotion {
            partner: Decimal::new(1_000_000 - utility, 4), utility: Decimal::new(utility, 4),
        };
        let (theirs, ours) = shares(promotion, discount).unwrap();
        prop_assert_eq!(theirs + ours, discount);
        prop_assert!(theirs >= 0 && ours >= 0, "{theirs} and {ours} of {discount}");
        prop_assert_eq!(ours, half_up(i128::from(discount) * i128::from(utility) * 10_000));
    }

    #[test]
    fn what_should_come_is_what_was_collected_less_what_is_ours_to_bear(
        lines in prop::collection::vec((any::<bool>(), 0..9_000_000_i64, 0..90_000_i64, 0..9_000_i64), 0..30),
        net: bool, back: bool,
    ) {
        let schedule = FeeSchedule {
            reversals: if back { Reversals::Return } else { Reversals::Keep },
            ..flat((1_100, 2_200), 1_000, Rounding::PerDay)
        };
        let terms = SettlementTerms {
            from: date(2026, 1, 1),
            fees: if net { Fees::Net } else { Fees::Gross },
            cycle: Cycle { days: 1, counted: Counted::Working },
            batch: "B%Y%m%d".to_owned(),
            promotion: Some(Promotion { partner: Decimal::new(70, 0), utility: Decimal::new(30, 0) }),
        };
        let mut day = Day::new(&terms, Some(&schedule), true);
        let mut sums = [0_i64; 3];
        for (reversed, amount, discount, fee) in &lines {
            let movement = if *reversed { Movement::Reversal } else { Movement::Payment };
            day.add(&Line { movement, amount: *amount, discount: *discount, fee: *fee }).unwrap();
            let sign = if *reversed { -1 } else { 1 };
            [*amount, *discount, *fee].iter().zip(&mut sums).for_each(|(dong, sum)| *sum += sign * dong);
        }
        let payable = day.payable().unwrap();
        prop_assert_eq!([payable.gross, payable.discount, payable.fee_stated.unwrap()], sums);
        let kept = if net { payable.fee.unwrap() } else { 0 };
        prop_assert_eq!(payable.expected, payable.gross - payable.utility - kept);
        prop_assert!(back || payable.fee.unwrap() >= 0, "reversals that keep their fee take nothing off it");
    }
}

fn check(schedule: &FeeSchedule, amount: i64, fee: i64) {
    assert_eq!(exact(schedule, amount).and_then(rounded), Some(fee), "{amount}");
}

#[test]
fn a_tier_is_chosen_by_the_amount_and_half_a_dong_goes_up() {
    let tiers = vec![tier(Some(1_000_000), (1_100, 0)), tier(Some(10_000_000), (2_200, 0)), tier(None, (0, 300))];
    let schedule = FeeSchedule { tiers, maximum: Some(55_000), ..flat((0, 0), 0, Rounding::PerTransaction) };
    check(&schedule, 1_000_000, 1_100);
    check(&schedule, 1_000_001, 2_200);
    check(&schedule, 10_000_000, 2_200);
    check(&schedule, 10_000_001, 3_000);
    check(&schedule, 900_000_000, 55_000);
    let percent = flat((0, 5_000), 0, Rounding::PerTransaction);
    check(&percent, 100, 1);
    check(&percent, 99, 0);
    check(&percent, 300, 2);
    assert_eq!(exact(&percent, 300), Some(Decimal::new(15, 1)));
}

#[test]
fn a_fee_that_is_given_back_may_make_a_day_negative() {
    let schedule = FeeSchedule { reversals: Reversals::Return, ..flat((1_100, 0), 0, Rounding::PerDay) };
    let mut day = DayFees::new(&schedule);
    day.add(Movement::Reversal, 5).unwrap();
    assert_eq!(day.total(), Ok(-1_100));
}
