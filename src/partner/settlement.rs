//! What a partner charges and when it pays what it collected: what a profile's `[[fee]]` and `[[settlement]]` entries say,
//! compiled at load. Each entry has a first day; the last one that began counts, by the business day of the money.

mod compile;
mod file;

pub(super) use compile::{Known, compile};
pub(super) use file::{FeeFile, SettlementFile};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;

/// All that was agreed, by its first day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Schedules of fees, the earliest first.
    pub schedules: Vec<FeeSchedule>,
    /// How the money comes, the earliest first.
    pub settlements: Vec<SettlementTerms>,
}

impl Terms {
    /// The schedule in force on a business day.
    #[must_use]
    pub fn schedule_on(&self, day: Date) -> Option<&FeeSchedule> {
        self.schedules.iter().rfind(|schedule| schedule.from <= day)
    }

    /// How the money of a business day comes.
    #[must_use]
    pub fn settlement_on(&self, day: Date) -> Option<&SettlementTerms> {
        self.settlements.iter().rfind(|terms| terms.from <= day)
    }
}

/// What the partner charges for a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeeSchedule {
    /// The first business day it holds for.
    pub from: Date,
    /// By the payment's amount, the lowest first; the last one has no end.
    pub tiers: Vec<Tier>,
    /// The least for a payment, in dong, before tax.
    pub minimum: i64,
    /// The most for a payment, in dong, before tax.
    pub maximum: Option<i64>,
    /// Tax on top, in percent.
    pub vat: Decimal,
    /// When a fraction of a dong is rounded, half a dong up.
    pub rounding: Rounding,
    /// What a reversal does to the fee of its payment.
    pub reversals: Reversals,
}

/// The fee of payments up to an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The largest amount it is for, in dong; any for the last tier.
    pub up_to: Option<i64>,
    /// In dong.
    pub fixed: i64,
    /// Of the amount.
    pub percent: Decimal,
}

/// When a fraction of a dong is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// Each payment's fee.
    PerTransaction,
    /// The day's exact sum.
    PerDay,
}

/// What a reversal does to the fee of its payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reversals {
    /// Nothing: the payment was made.
    #[default]
    Keep,
    /// It is given back.
    Return,
}

/// How the money of a business day comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementTerms {
    /// The first business day they hold for.
    pub from: Date,
    /// What becomes of the fees.
    pub fees: Fees,
    /// By when.
    pub cycle: Cycle,
    /// How the bank's credit of a day names it: a strftime pattern.
    pub batch: String,
    /// Who pays what part of a discount.
    pub promotion: Option<Promotion>,
}

impl SettlementTerms {
    /// The name of a day's batch; `None` where the pattern cannot be written, which loading refuses.
    #[must_use]
    pub fn batch_of(&self, day: Date) -> Option<String> {
        jiff::fmt::strtime::format(self.batch.as_bytes(), day).ok()
    }
}

/// What becomes of the fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fees {
    /// Kept back from what is paid out.
    Net,
    /// Everything is paid out; fees are invoiced apart.
    Gross,
}

impl Fees {
    /// The word in the profile, the database and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Net => "net",
            Self::Gross => "gross",
        }
    }
}

/// By when the money of a business day is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// How many days after the business day.
    pub days: u16,
    /// Which days are counted.
    pub counted: Counted,
}

/// Which days of a cycle are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// Those on which banks work.
    #[default]
    Working,
    /// All; a due day on which banks do not work moves to the next on which they do.
    Calendar,
}

/// Who pays what part of a discount, in percent; together all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The partner's part: it pays it out like collected money.
    pub partner: Decimal,
    /// The utility's part: it is less than what the bill is reduced by.
    pub utility: Decimal,
}
