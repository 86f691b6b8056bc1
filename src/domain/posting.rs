//! Double entry. A posting is a balanced set of entries; entries are only ever added (I5).

use super::ids::{Author, DispatchKey, EventKey, Funder, InvoiceId, PartnerCode, UnitCode};
use super::money::{Money, NotMoney};
use super::time::Timestamp;
use jiff::civil::Date;
use std::fmt;

/// The chart of accounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What customers of a district unit owe.
    Receivable(UnitCode),
    /// What a partner collected and owes us.
    Clearing(PartnerCode),
    /// Money of a partner's payments that sits on no invoice.
    Suspense(PartnerCode),
    /// What a sponsor owes for discounts.
    Promotion(Funder),
    /// What a partner charges us.
    Fee(PartnerCode),
    /// What we owe back to a partner's customers.
    RefundDue(PartnerCode),
    /// What we gave up of a partner's payments, or kept.
    WriteOff(PartnerCode),
    /// Our bank account.
    Bank,
}

impl Account {
    /// From its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, of) = name.split_once(':').unwrap_or((name, ""));
        let partner = || PartnerCode::parse(of).ok();
        match kind {
            "receivable" => UnitCode::parse(of).ok().map(Self::Receivable),
            "clearing" => partner().map(Self::Clearing),
            "suspense" => partner().map(Self::Suspense),
            "promotion" => Funder::parse(of).ok().map(Self::Promotion),
            "fee" => partner().map(Self::Fee),
            "refund_due" => partner().map(Self::RefundDue),
            "write_off" => partner().map(Self::WriteOff),
            "bank" if of.is_empty() => Some(Self::Bank),
            _ => None,
        }
    }
}

/// The account's name in the database and in reports.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receivable(unit) => write!(f, "receivable:{unit}"),
            Self::Clearing(partner) => write!(f, "clearing:{partner}"),
            Self::Suspense(partner) => write!(f, "suspense:{partner}"),
            Self::Promotion(funder) => write!(f, "promotion:{funder}"),
            Self::Fee(partner) => write!(f, "fee:{partner}"),
            Self::RefundDue(partner) => write!(f, "refund_due:{partner}"),
            Self::WriteOff(partner) => write!(f, "write_off:{partner}"),
            Self::Bank => f.write_str("bank"),
        }
    }
}

/// One line of a posting: debit positive, credit negative, never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub account: Account,
    /// How much: debit positive, credit negative.
    pub amount: Money,
}

/// What a posting does to one invoice: settles it (positive) or takes that back (negative). Each one is told to
/// the billing core under its own key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Which invoice.
    pub invoice: InvoiceId,
    /// Positive settles, negative undoes.
    pub amount: Money,
    /// Rises per invoice; the core ignores an older one.
    pub sequence: u32,
    /// Under which key the core hears of it.
    pub key: DispatchKey,
    /// What of it is the sponsor's part, as the core was told; of an undoing, of what it takes back.
    pub discount: Money,
}

/// What a posting is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PostingKind {
    /// A payment, on invoices.
    Settle,
    /// A payment, in suspense.
    Park,
    /// A payment's money moved to where it belongs: by an import that brought its invoice, or by two people.
    Rematch,
    /// A payment undone, from wherever its money was.
    Reverse,
}

impl PostingKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Settle, Self::Park, Self::Rematch, Self::Reverse];

    /// The word in the database and in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Settle => "settle",
            Self::Park => "park",
            Self::Rematch => "rematch",
            Self::Reverse => "reverse",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }
}

/// A balanced posting. Made by [`Posting::new`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    event: EventKey,
    kind: PostingKind,
    author: Option<Author>,
    posted_at: Timestamp,
    business_day: Date,
    entries: Vec<Entry>,
    allocations: Vec<Allocation>,
}

/// What a posting is made from.
#[derive(Clone, Debug)]
pub struct PostingDraft {
    /// The payment whose money moves. A reversal's posting belongs to the payment that it undoes.
    pub event: EventKey,
    /// What for.
    pub kind: PostingKind,
    /// Who, when it was not a notice.
    pub author: Option<Author>,
    /// When it was written.
    pub posted_at: Timestamp,
    /// The partner's business day it belongs to.
    pub business_day: Date,
    /// At least two lines.
    pub entries: Vec<Entry>,
    /// What it does to invoices.
    pub allocations: Vec<Allocation>,
}

/// Why a draft is no posting. Each of them is a fault of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPosting {
    /// Debits and credits differ.
    #[error("debits and credits differ")]
    Unbalanced,
    /// An entry or an allocation of nothing.
    #[error("a line of zero dong")]
    EmptyLine,
    /// What left or entered the receivables is not what the invoices say.
    #[error("receivables moved by another amount than the invoices")]
    ReceivablesDisagree,
    /// A sum left the range of money.
    #[error(transparent)]
    Sum(#[from] NotMoney),
}

impl Posting {
    /// Checks that debits equal credits, no line is empty, and what the receivables moved by is what the invoices
    /// are settled by.
    ///
    /// # Errors
    /// [`BadPosting`]; each one is a fault of ours, and nothing is written.
    pub fn new(draft: PostingDraft) -> Result<Self, BadPosting> {
        if draft.entries.iter().any(|e| e.amount.is_zero()) || draft.allocations.iter().any(|a| a.amount.is_zero()) {
            return Err(BadPosting::EmptyLine);
        }
        if draft.entries.is_empty() || !Money::sum(draft.entries.iter().map(|e| e.amount))?.is_zero() {
            return Err(BadPosting::Unbalanced);
        }
        let receivables = draft.entries.iter().filter(|e| matches!(e.account, Account::Receivable(_)));
        let allocated = Money::sum(draft.allocations.iter().map(|a| a.amount))?;
        if Money::sum(receivables.map(|e| e.amount))? != allocated.negated() {
            return Err(BadPosting::ReceivablesDisagree);
        }
        let PostingDraft { event, kind, author, posted_at, business_day, entries, allocations } = draft;
        Ok(Self { event, kind, author, posted_at, business_day, entries, allocations })
    }

    /// The payment whose money moves.
    #[must_use]
    pub fn event(&self) -> &EventKey {
        &self.event
    }

    /// What for.
    #[must_use]
    pub fn kind(&self) -> PostingKind {
        self.kind
    }

    /// Who, when it was not a notice.
    #[must_use]
    pub fn author(&self) -> Option<&Author> {
        self.author.as_ref()
    }

    /// When it was written.
    #[must_use]
    pub fn posted_at(&self) -> Timestamp {
        self.posted_at
    }

    /// The business day it belongs to.
    #[must_use]
    pub fn business_day(&self) -> Date {
        self.business_day
    }

    /// The lines.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What it does to invoices.
    #[must_use]
    pub fn allocations(&self) -> &[Allocation] {
        &self.allocations
    }
}
