//! The minutes of a period (biên bản đối soát): what a partner and the company sign. Plain data with its own checks, filled
//! from the books by [`gather()`], printed by `page`. Figures that do not tie out are never printed (I14).

mod figures;
mod gather;
mod page;

pub use gather::{PERIOD_DAYS_MAX, Wanted, gather};
pub use page::html;

use crate::domain::ids::{InvoiceId, PartnerCode};
use crate::domain::resolution::BreakState;
use crate::domain::review::BreakClass;
use crate::domain::statement::Sum;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// What two parties sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minutes {
    /// The document's number.
    pub number: String,
    /// The first business day.
    pub from: Date,
    /// The last one, included.
    pub to: Date,
    /// With whom.
    pub partner: Party,
    /// When what was collected is paid over, as the contract calls it: `T+1` and the like.
    pub cycle: Option<String>,
    /// A. What was collected, by service.
    pub services: Vec<Service>,
    /// Payments that were taken back in the period, by what their bills were reduced by.
    pub refunded: Sum,
    /// Fees that the partner does not keep back but invoices apart, in dong.
    pub fees_apart: i64,
    /// Discounts in what was collected, less those that were taken back, in dong.
    pub discounts: i64,
    /// B. What the partner owes.
    pub owed: Owed,
    /// Days of the period that no comparison with the bank has reckoned yet: their fees are those of the notices.
    pub unsettled: Vec<Date>,
    /// How many such days there are before it.
    pub unsettled_before: u64,
    /// What the days' comparisons came to.
    pub compared: Comparisons,
    /// C. What the two sides differ in: the first of them.
    pub differences: Vec<Difference>,
    /// How many there are.
    pub differences_in_all: u64,
    /// Nothing while it is a draft.
    pub sealed: Option<Sealed>,
    /// When it was made.
    pub made_at: Timestamp,
    /// By whom.
    pub author: String,
}

/// The partner, as the contract calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its code here.
    pub code: PartnerCode,
    /// Its name.
    pub name: Option<String>,
    /// The contract's number.
    pub contract_no: Option<String>,
    /// The contract's date.
    pub contract_date: Option<Date>,
}

/// One service of the contract. Amounts are dong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What it is called.
    pub name: String,
    /// What it costs, VAT included, as the contract says it.
    pub fee_rate: Option<String>,
    /// How many payments.
    pub count: u64,
    /// What bills were reduced by: what customers paid, and the discounts.
    pub value: i64,
    /// The fee, less what was given back with payments.
    pub fee: i64,
    /// The fee with all that comes on top of it.
    pub total_fee: i64,
    /// The part of it that is the partner's.
    pub partner_fee: i64,
}

/// What the partner owes, in dong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owed {
    /// I. Before the period.
    pub opening: i64,
    /// II. Collected: what bills were reduced by.
    pub collected: i64,
    /// III. Paid over to the company's bank account.
    pub withdrawn: i64,
    /// IV.1. Taken back, by what bills were reduced by.
    pub refunded: i64,
    /// IV.2. Corrections of other kinds.
    pub adjusted: i64,
    /// IV.3. Discounts that others pay than the partner.
    pub discounted: i64,
    /// V. The partner's fee, kept from what it pays over.
    pub fees: i64,
    /// VI. After the period, summed by days.
    pub closing: i64,
}

/// What the comparisons of the period's days came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparisons {
    /// Days that were compared.
    pub days: u32,
    /// Days that were not.
    pub missing: Vec<Date>,
    /// What the statements say.
    pub statement: Sum,
    /// What the books say of the same days.
    pub books: Sum,
    /// The statement less the books in what was matched to earlier days, in dong.
    pub carried: i64,
    /// The same in what only one side has.
    pub alone: i64,
    /// The same in what both have and differ in.
    pub mismatched: i64,
}

impl Comparisons {
    /// The statements less the books, in dong.
    #[must_use]
    pub fn difference(&self) -> i64 {
        self.statement.dong.saturating_sub(self.books.dong)
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The break's number.
    pub no: i64,
    /// Its class.
    pub class: BreakClass,
    /// Of which day.
    pub day: Date,
    /// The partner's own id of the payment.
    pub payment: Option<String>,
    /// The invoice.
    pub invoice: Option<InvoiceId>,
    /// What our books say, in dong.
    pub ours: Option<i64>,
    /// What the statement says, in dong.
    pub theirs: Option<i64>,
    /// Where it stands.
    pub state: BreakState,
    /// What was decided.
    pub resolution: Option<String>,
    /// When.
    pub agreed_on: Option<Date>,
}

/// The figures stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Hash of the figures as they were sealed.
    pub hash: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Why there are no minutes.
#[derive(Debug, thiserror::Error)]
pub enum MinutesError {
    /// No such days.
    #[error("expected a first day, a last one not before it, and {PERIOD_DAYS_MAX} days at most")]
    Period,
    /// A mistake of ours: nothing is printed.
    #[error("the minutes do not tie out: {0}")]
    Untied(String),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The page cannot be made.
    #[error("the page cannot be made: {0}")]
    Page(#[from] askama::Error),
}

impl Minutes {
    /// Do all figures agree with one another?
    ///
    /// # Errors
    /// The first that do not.
    pub fn ties_out(&self) -> Result<(), MinutesError> {
        let owed = &self.owed;
        let sum = |amounts: &[i64]| amounts.iter().try_fold(0_i64, |sum, amount| sum.checked_add(*amount));
        let minus = |amount: i64| amount.checked_neg().unwrap_or(i64::MIN);
        let over = |amount: fn(&Service) -> i64| sum(&self.services.iter().map(amount).collect::<Vec<_>>());
        let taken = [owed.withdrawn, owed.refunded, owed.adjusted, owed.discounted, owed.fees].map(minus);
        let closing = sum(&[owed.opening, owed.collected]).zip(sum(&taken)).and_then(|(a, b)| a.checked_add(b));
        let fees = over(|service| service.partner_fee).and_then(|fees| fees.checked_sub(self.fees_apart));
        let parts = sum(&[self.compared.carried, self.compared.alone, self.compared.mismatched]);
        let checks = [
            ("the services' value", over(|service| service.value), owed.collected),
            ("what was paid back", Some(self.refunded.dong), owed.refunded),
            ("the fees", fees, owed.fees),
            ("the balance after the period", closing, owed.closing),
            ("the parts of what differs", parts, self.compared.difference()),
        ];
        for (what, is, said) in checks {
            if is != Some(said) {
                let is = is.map_or_else(|| "beyond what can be counted".to_owned(), |is| is.to_string());
                return Err(MinutesError::Untied(format!("{what}: {is}, elsewhere {said}")));
            }
        }
        Ok(())
    }

    /// Hash of all that two parties sign: the same figures have the same one, whenever and by whomever they are printed.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut text = String::new();
        let owed = &self.owed;
        // Writing to a text does not fail.
        writeln!(text, "{} {} {}", self.partner.code, self.from, self.to).ok();
        for service in &self.services {
            let Service { name, count, value, fee, total_fee, partner_fee, .. } = service;
            writeln!(text, "service {count} {value} {fee} {total_fee} {partner_fee} {name}").ok();
        }
        writeln!(text, "back {} {}", self.refunded.count, self.refunded.dong).ok();
        writeln!(text, "apart {} {}", self.discounts, self.fees_apart).ok();
        let Owed { opening, collected, withdrawn, refunded, adjusted, discounted, fees, closing } = owed;
        writeln!(text, "owed {opening} {collected} {withdrawn} {refunded} {adjusted} {discounted} {fees} {closing}")
            .ok();
        writeln!(text, "unsettled {} {}", self.unsettled.len(), self.unsettled_before).ok();
        let Comparisons { days, statement, books, carried, alone, mismatched, .. } = &self.compared;
        let [statement, books] = [statement, books].map(|sum| format!("{} {}", sum.count, sum.dong));
        writeln!(text, "days {days} {statement} {books} {carried} {alone} {mismatched}").ok();
        for one in &self.differences {
            let (ours, theirs) = (one.ours.unwrap_or_default(), one.theirs.unwrap_or_default());
            writeln!(text, "break {} {} {ours} {theirs} {}", one.no, one.class.code(), one.state.word()).ok();
        }
        writeln!(text, "breaks {}", self.differences_in_all).ok();
        Sha256::digest(text.as_bytes()).into()
    }
}
