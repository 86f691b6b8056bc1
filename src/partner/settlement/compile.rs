//! From the entries to [`Terms`], with the rules that can be known before any money comes.

use super::file::{FeeFile, PromotionFile, SettlementFile, TierFile};
use super::{Cycle, FeeSchedule, Fees, Promotion, SettlementTerms, Terms, Tier};
use crate::domain::money::AMOUNT_MAX_DONG;
use crate::domain::statement::StatementKind;
use crate::partner::faults::Faults;
use crate::partner::statement::Layout;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

/// The longest cycle, in days: three months.
const CYCLE_MAX_DAYS: u16 = 92;

/// The longest name of a batch, in bytes.
const BATCH_MAX_BYTES: usize = 64;

/// Digits behind the point of a fee's percentage, and of a tax's. With them the fee of the largest amount is exact.
const PERCENT_DIGITS: u32 = 4;
const VAT_DIGITS: u32 = 2;

/// What the rest of the profile says.
#[derive(Clone, Copy, Debug)]
pub(in crate::partner) struct Known<'p> {
    pub(in crate::partner) layouts: &'p [Layout],
}

/// Compiles all entries.
pub(in crate::partner) fn compile(
    faults: &mut Faults<'_>,
    (fees, settlements): (&[FeeFile], &[SettlementFile]),
    known: Known<'_>,
) -> Terms {
    let mut terms = Terms::default();
    for (n, file) in (1..).zip(fees) {
        let at = format!("fee[{n}]");
        let before = terms.schedules.last().map(|schedule| schedule.from);
        terms.schedules.extend(Entry { faults, at }.fee(file, before));
    }
    for (n, file) in (1..).zip(settlements) {
        let at = format!("settlement[{n}]");
        let before = terms.settlements.last().map(|settlement| settlement.from);
        let compiled = Entry { faults, at }.settlement(file, before);
        terms.settlements.extend(compiled);
    }
    together(faults, &terms, known);
    terms
}

/// The rules across entries and sections.
fn together(faults: &mut Faults<'_>, terms: &Terms, known: Known<'_>) {
    let layout = |kind| known.layouts.iter().find(|layout| layout.kind == kind);
    let discounts = layout(StatementKind::Partner)
        .is_some_and(|layout| !layout.discount.is_empty() || layout.amount.customer_paid.is_some());
    for (n, settlement) in (1..).zip(&terms.settlements) {
        if settlement.fees == Fees::Net && terms.schedule_on(settlement.from).is_none() {
            let message = format!("expected a [[fee]] from {} or before beside \"net\"", settlement.from);
            faults.add(&format!("settlement[{n}].fees"), message);
        }
        if discounts && settlement.promotion.is_none() {
            let message = "expected promotion = { partner, utility }: the statement states discounts";
            faults.add(&format!("settlement[{n}]"), message);
        }
    }
    if terms.settlements.is_empty() {
        return;
    }
    if layout(StatementKind::Partner).is_none() {
        faults.add("settlement[1]", "expected a [statement] beside it: what is paid out is its sum");
    }
    if layout(StatementKind::Bank).is_some_and(|bank| bank.order.is_none() && bank.invoice.is_none()) {
        faults.add("statement_bank", "expected order or invoice: the column that names the batch of a credit");
    }
}

struct Entry<'e, 't> {
    faults: &'e mut Faults<'t>,
    at: String,
}

impl Entry<'_, '_> {
    fn fault(&mut self, key: &str, message: impl Into<String>) {
        self.faults.add(&format!("{}.{key}", self.at), message);
    }

    fn from(&mut self, text: &str, before: Option<Date>) -> Option<Date> {
        let Ok(from) = text.parse::<Date>() else {
            self.fault("from", "expected a day such as 2026-01-01");
            return None;
        };
        if let Some(before) = before.filter(|before| *before >= from) {
            self.fault("from", format!("expected a later day than {before}, that of the entry above"));
        }
        Some(from)
    }

    /// Between nothing and everything.
    fn percent(&mut self, key: &str, text: Option<&String>, digits: u32) -> Decimal {
        let Some(text) = text else { return Decimal::ZERO };
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let percent = Decimal::from_str_exact(text).ok().filter(|_| plain);
        match percent.filter(|percent| *percent <= Decimal::ONE_HUNDRED && percent.scale() <= digits) {
            Some(percent) => percent,
            None => {
                self.fault(key, format!("expected \"0\" to \"100\" with at most {digits} digits behind the point"));
                Decimal::ZERO
            }
        }
    }

    fn dong(&mut self, key: &str, dong: i64) -> i64 {
        if !(0..=AMOUNT_MAX_DONG).contains(&dong) {
            self.fault(key, format!("expected 0 to {AMOUNT_MAX_DONG} dong"));
        }
        dong
    }

    fn fee(&mut self, file: &FeeFile, before: Option<Date>) -> Option<FeeSchedule> {
        let from = self.from(&file.from, before);
        let flat = file.fixed.is_some() || file.percent.is_some();
        if flat != file.tiers.is_empty() {
            self.fault("tiers", "expected either tiers, or fixed, percent or both");
        }
        let tiers = if flat {
            let fixed = self.dong("fixed", file.fixed.unwrap_or(0));
            let percent = self.percent("percent", file.percent.as_ref(), PERCENT_DIGITS);
            vec![Tier { up_to: None, fixed, percent }]
        } else {
            self.tiers(&file.tiers)
        };
        let minimum = self.dong("minimum", file.minimum);
        let maximum = file.maximum.map(|maximum| self.dong("maximum", maximum));
        if maximum.is_some_and(|maximum| maximum < minimum) {
            self.fault("maximum", "expected at least the minimum");
        }
        let vat = self.percent("vat", file.vat.as_ref(), VAT_DIGITS);
        let (rounding, reversals) = (file.rounding, file.reversals);
        Some(FeeSchedule { from: from?, tiers, minimum, maximum, vat, rounding, reversals })
    }

    fn tiers(&mut self, files: &[TierFile]) -> Vec<Tier> {
        let mut tiers: Vec<Tier> = Vec::with_capacity(files.len());
        for (n, file) in (1..).zip(files) {
            let key = |of: &str| format!("tiers[{n}].{of}");
            let last = n == files.len();
            match (file.up_to, tiers.last().and_then(|tier| tier.up_to)) {
                (None, _) if last => {}
                (Some(_), _) if last => self.fault(&key("up_to"), "expected none in the last tier: it has no end"),
                (None, _) => self.fault(&key("up_to"), "expected the largest amount of the tier"),
                (Some(up_to), before) if up_to <= before.unwrap_or(0) => {
                    self.fault(&key("up_to"), "expected more than in the tier above, and more than 0");
                }
                (Some(up_to), _) => {
                    self.dong(&key("up_to"), up_to);
                }
            }
            let fixed = self.dong(&key("fixed"), file.fixed);
            let percent = self.percent(&key("percent"), file.percent.as_ref(), PERCENT_DIGITS);
            tiers.push(Tier { up_to: file.up_to, fixed, percent });
        }
        tiers
    }

    fn settlement(&mut self, file: &SettlementFile, before: Option<Date>) -> Option<SettlementTerms> {
        let from = self.from(&file.from, before);
        let days = file.cycle.strip_prefix("T+").filter(|days| days.bytes().all(|b| b.is_ascii_digit()));
        let days = days.and_then(|days| days.parse().ok()).filter(|days| (1..=CYCLE_MAX_DAYS).contains(days));
        if days.is_none() {
            self.fault("cycle", format!("expected T+1 to T+{CYCLE_MAX_DAYS}"));
        }
        let promotion = file.promotion.as_ref().map(|promotion| self.promotion(promotion));
        let cycle = days.map(|days| Cycle { days, counted: file.counted });
        let terms =
            SettlementTerms { from: from?, fees: file.fees, cycle: cycle?, batch: file.batch.clone(), promotion };
        self.batch(&terms);
        Some(terms)
    }

    /// Each day must have a name of its own.
    fn batch(&mut self, terms: &SettlementTerms) {
        let some = [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 8), date(2026, 2, 1), date(2027, 1, 1)];
        let mut names: Vec<Option<String>> = some.iter().map(|day| terms.batch_of(*day)).collect();
        let fits = |name: &Option<String>| {
            name.as_ref().is_some_and(|name| {
                (1..=BATCH_MAX_BYTES).contains(&name.len())
                    && name.trim() == name
                    && !name.chars().any(char::is_control)
            })
        };
        let right = names.iter().all(fits);
        names.sort();
        names.dedup();
        if !right || names.len() < some.len() {
            let message = format!("expected a pattern such as ABC%Y%m%d that names each day, {BATCH_MAX_BYTES} bytes");
            self.fault("batch", message);
        }
    }

    fn promotion(&mut self, file: &PromotionFile) -> Promotion {
        let partner = self.percent("promotion.partner", Some(&file.partner), PERCENT_DIGITS);
        let utility = self.percent("promotion.utility", Some(&file.utility), PERCENT_DIGITS);
        if partner.checked_add(utility) != Some(Decimal::ONE_HUNDRED) {
            self.fault("promotion", "expected parts that are 100 together");
        }
        Promotion { partner, utility }
    }
}
