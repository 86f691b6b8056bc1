//! What people may do with a break. Money moves only by a [`Resolution`] that one person proposes and another one
//! approves (I13); the list that is approved is the list that was proposed, to the byte ([`frozen`]).

use super::ids::InvoiceId;
use super::money::{AMOUNT_MAX_DONG, Money, NotMoney};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The longest reason, comment or note that is kept, in bytes.
pub const TEXT_MAX_BYTES: usize = 1_000;

/// Breaks in one proposal, at most.
pub const ITEMS_MAX: usize = 10_000;

/// Invoices that one payment may be put on by hand.
pub const SHARES_MAX: usize = 500;

/// The store's number of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProposalNo(pub i64);

/// What a resolution does: the word under which people are given authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Books a payment that only the statement has.
    Create,
    /// Puts a payment's money where it belongs.
    Allocate,
    /// Changes what the partner owes us for a payment.
    Adjust,
    /// Takes a payment back.
    Reverse,
    /// Ends a break without moving money.
    Close,
    /// Signs a day or a month off: measured by what goes on open. No resolution does it.
    Seal,
    /// Opens a sealed day or month again. No resolution does it.
    Reopen,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Allocate, Self::Adjust, Self::Reverse, Self::Close, Self::Seal, Self::Reopen];

    /// The word on the command line, in the API and in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Allocate => "allocate",
            Self::Adjust => "adjust",
            Self::Reverse => "reverse",
            Self::Close => "close",
            Self::Seal => "seal",
            Self::Reopen => "reopen",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }
}

/// One invoice's part of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Which invoice.
    pub invoice: InvoiceId,
    /// How much of it, in dong.
    pub dong: i64,
}

/// Why the partner owes us another sum than its notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// We give it up; a gain where it is negative.
    WriteOff,
    /// It charges more than its notice said.
    Fee,
    /// More of it is a discount that its sponsor pays.
    Promotion,
    /// It gave the money back to the customer.
    Refund,
}

/// What is to be done with one break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Resolution {
    /// Books the payment of the break's statement line, under the key that the partner's late notice would claim.
    Create {
        /// The partner's id of the event, as a person learned it: only for a line that names none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        event: Vec<String>,
        /// The line as it stood when the list was frozen: a break may be about another one by the time it is approved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<i64>,
    },
    /// Says on which invoices the payment shall be: it is taken off all others, into suspense.
    Allocate {
        /// All of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        invoices: Vec<Share>,
        /// From suspense to what is given back to the customer, in dong; the other way where it is negative.
        #[serde(default, skip_serializing_if = "is_zero")]
        refund: i64,
        /// From suspense to what we keep, in dong.
        #[serde(default, skip_serializing_if = "is_zero")]
        write_off: i64,
    },
    /// The partner owes us `dong` less for the payment; more where it is negative.
    Adjust {
        /// Why.
        because: Because,
        /// How much less, in dong.
        dong: i64,
    },
    /// Takes the payment back from wherever its money is.
    Reverse {},
    /// Nothing is to be moved.
    Close {},
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(dong: &i64) -> bool {
    *dong == 0
}

/// Why a resolution can never be carried out, whatever the books say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadResolution {
    /// Money out of range, negative where it may not be, or nothing at all.
    #[error("{0}: expected {1}")]
    Money(&'static str, &'static str),
    /// One invoice twice, or too many.
    #[error("invoices: expected at most {SHARES_MAX}, each once")]
    Shares,
}

impl Resolution {
    /// Its word.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::Create { .. } => Action::Create,
            Self::Allocate { .. } => Action::Allocate,
            Self::Adjust { .. } => Action::Adjust,
            Self::Reverse {} => Action::Reverse,
            Self::Close {} => Action::Close,
        }
    }

    /// Can it be carried out at all?
    ///
    /// # Errors
    /// The field and what it should be.
    pub fn check(&self) -> Result<(), BadResolution> {
        let within = 0..=AMOUNT_MAX_DONG;
        match self {
            Self::Create { .. } | Self::Reverse {} | Self::Close {} => Ok(()),
            Self::Adjust { dong, .. } => {
                let right = *dong != 0 && dong.unsigned_abs() <= AMOUNT_MAX_DONG.unsigned_abs();
                if right { Ok(()) } else { Err(BadResolution::Money("dong", "a sum, not zero")) }
            }
            Self::Allocate { invoices, refund, write_off } => {
                if refund.unsigned_abs() > AMOUNT_MAX_DONG.unsigned_abs() || !within.contains(write_off) {
                    return Err(BadResolution::Money("refund, write_off", "sums in range, write_off zero or more"));
                }
                if invoices.iter().any(|share| share.dong <= 0 || !within.contains(&share.dong)) {
                    return Err(BadResolution::Money("invoices", "each with more than zero"));
                }
                let each: BTreeSet<&InvoiceId> = invoices.iter().map(|share| &share.invoice).collect();
                let once = each.len() == invoices.len() && invoices.len() <= SHARES_MAX;
                if once { Ok(()) } else { Err(BadResolution::Shares) }
            }
        }
    }

    /// The sum that an authority is measured by, for a break over `amount`.
    #[must_use]
    pub fn weight(&self, amount: Money) -> i64 {
        match self {
            Self::Adjust { dong, .. } => dong.saturating_abs(),
            Self::Create { .. } | Self::Allocate { .. } | Self::Reverse {} | Self::Close {} => {
                amount.dong().saturating_abs()
            }
        }
    }
}

/// One line of a proposal's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which break.
    pub break_no: i64,
    /// What to do with it.
    pub what: Resolution,
    /// What it is about, in dong: how an authority is measured.
    pub dong: i64,
}

/// SHA-256 of a list: whoever approves names it, so that nothing else is approved.
#[must_use]
pub fn frozen(items: &[Item]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for item in items {
        // A resolution is plain data: it always has a JSON.
        let what = serde_json::to_string(&item.what).unwrap_or_default();
        hasher.update(item.break_no.to_be_bytes());
        hasher.update(item.dong.to_be_bytes());
        hasher.update(u64::try_from(what.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(what.as_bytes());
    }
    hasher.finalize().into()
}

/// The sum of a list's weights.
///
/// # Errors
/// [`NotMoney::OutOfRange`].
pub fn weight(items: &[Item]) -> Result<i64, NotMoney> {
    items.iter().try_fold(0_i64, |sum, item| sum.checked_add(item.dong)).ok_or(NotMoney::OutOfRange)
}

/// Where a break stands. Follows from what is written of it, never written itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakState {
    /// Nobody looks at it yet.
    Open,
    /// Somebody does.
    Investigating,
    /// Somebody proposed what to do.
    Proposed,
    /// Somebody else approved it; it is being carried out.
    Approved,
    /// It waits for the next day's statement.
    Carried,
    /// It is over.
    Closed,
}

impl BreakState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Investigating, Self::Proposed, Self::Approved, Self::Carried, Self::Closed];

    /// The word in the API and in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Investigating => "investigating",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Carried => "carried",
            Self::Closed => "closed",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// How old a break is, in the buckets that finance counts by: days since its accounting day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age {
    /// Days since then, at least.
    pub from_days: i32,
    /// At most; `None` for the oldest.
    pub to_days: Option<i32>,
}

impl Age {
    /// 0, 1, 2 to 3, 4 to 7, 8 to 15, 16 to 30, and more. 15 is the law's notice before a power cut.
    pub const BUCKETS: [Self; 7] = [
        Self { from_days: 0, to_days: Some(0) },
        Self { from_days: 1, to_days: Some(1) },
        Self { from_days: 2, to_days: Some(3) },
        Self { from_days: 4, to_days: Some(7) },
        Self { from_days: 8, to_days: Some(15) },
        Self { from_days: 16, to_days: Some(30) },
        Self { from_days: 31, to_days: None },
    ];

    /// The bucket of so many days; a day in the future is none old.
    #[must_use]
    pub fn of(days: i32) -> Self {
        let days = days.max(0);
        let holds = |age: &Self| age.from_days <= days && age.to_days.is_none_or(|to| days <= to);
        Self::BUCKETS.into_iter().find(holds).unwrap_or(Self { from_days: 31, to_days: None })
    }

    /// The bucket's name, such as `2-3` or `>30`.
    #[must_use]
    pub fn word(self) -> String {
        match self.to_days {
            None => format!(">{}", self.from_days.saturating_sub(1)),
            Some(to) if to == self.from_days => to.to_string(),
            Some(to) => format!("{}-{to}", self.from_days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(invoice: &str, dong: i64) -> Share {
        Share { invoice: InvoiceId::parse(invoice).unwrap(), dong }
    }

    fn allocate(invoices: Vec<Share>, refund: i64) -> Resolution {
        Resolution::Allocate { invoices, refund, write_off: 0 }
    }

    #[test]
    fn what_is_proposed_is_read_back_and_nothing_else_is() {
        for (text, what) in [
            (r#"{"action":"create"}"#, Resolution::Create { event: vec![], line: None }),
            (
                r#"{"action":"allocate","invoices":[{"invoice":"HD-1","dong":5}],"refund":3}"#,
                allocate(vec![share("HD-1", 5)], 3),
            ),
            (
                r#"{"action":"adjust","because":"write_off","dong":-7}"#,
                Resolution::Adjust { because: Because::WriteOff, dong: -7 },
            ),
            (r#"{"action":"reverse"}"#, Resolution::Reverse {}),
            (r#"{"action":"close"}"#, Resolution::Close {}),
        ] {
            assert_eq!(serde_json::from_str::<Resolution>(text).unwrap(), what);
            assert_eq!(serde_json::to_string(&what).unwrap(), text);
        }
        for bad in [
            r#"{"action":"pay"}"#,
            r#"{"action":"close","dong":1}"#,
            r#"{"action":"adjust","because":"gift","dong":1}"#,
            r#"{"action":"adjust","because":"fee","dong":1.5}"#,
        ] {
            assert!(serde_json::from_str::<Resolution>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn impossible_sums_are_refused() {
        for bad in [
            allocate(vec![share("HD-1", 0)], 0),
            allocate(vec![share("HD-1", -1)], 0),
            allocate(vec![share("HD-1", 1), share("HD-1", 1)], 0),
            Resolution::Allocate { invoices: vec![], refund: 0, write_off: -1 },
            allocate(vec![], i64::MIN),
            Resolution::Adjust { because: Because::Fee, dong: 0 },
            Resolution::Adjust { because: Because::Fee, dong: i64::MIN },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        allocate(vec![share("HD-1", 1), share("HD-2", 1)], 1).check().unwrap();
    }

    #[test]
    fn a_frozen_list_depends_on_each_of_its_parts() {
        let item = |break_no, dong, what| Item { break_no, what, dong };
        let list = [item(1, 5, Resolution::Close {}), item(2, 5, Resolution::Reverse {})];
        let kept = frozen(&list);
        let [one, two] = list.clone();
        for other in [
            vec![two.clone(), one.clone()],
            vec![one.clone()],
            vec![one.clone(), Item { dong: 6, ..two.clone() }],
            vec![one.clone(), Item { break_no: 3, ..two.clone() }],
            vec![one, Item { what: Resolution::Close {}, ..two }],
        ] {
            assert_ne!(frozen(&other), kept);
        }
        assert_eq!(weight(&list), Ok(10));
    }

    #[test]
    fn ages_fall_into_the_buckets_of_the_trade() {
        let words: Vec<String> = [-3, 0, 1, 2, 3, 4, 7, 8, 15, 16, 30, 31, 400].map(|days| Age::of(days).word()).into();
        assert_eq!(words, ["0", "0", "1", "2-3", "2-3", "4-7", "4-7", "8-15", "8-15", "16-30", "16-30", ">30", ">30"]);
    }
}
