//! What people make of breaks, as the finance desk hands it over: notes, proposals with their frozen lists, decisions,
//! authorities. The database holds the rules itself: nobody approves their own proposal, nobody beyond their authority,
//! nothing is carried out that is not approved, and no item twice.

mod filter;
mod proposal_filter;
mod verbs;

pub(in crate::store) use filter::Asked;
pub use filter::{BreakFilter, BreakOrder, Found};
pub use proposal_filter::{ProposalFilter, ProposalOrder};
pub use verbs::{DeskReports, DeskTx};

use crate::domain::ids::{Author, DispatchKey, EventKey, InvoiceId, Movement, PartnerCode, PostingNo};
use crate::domain::money::Money;
use crate::domain::notice::References;
use crate::domain::resolution::{Action, BreakState, Item, ProposalNo};
use crate::domain::review::{BreakClass, Leg};
use crate::domain::statement::LineNo;
use crate::domain::time::Timestamp;
use jiff::civil::Date;

/// What a note in a break's history says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteKind {
    /// A remark.
    Comment,
    /// A file.
    Attached,
    /// Somebody looks at it, or nobody any more.
    Assigned,
    /// Somebody said that it may go on open over its day's close.
    Accepted,
    /// Somebody proposed what to do.
    Proposed,
    /// Somebody else agreed.
    Approved,
    /// Somebody else did not agree.
    Rejected,
    /// The proposer took it back.
    Withdrawn,
    /// It was carried out.
    Done,
    /// It could not be carried out.
    Refused,
}

impl NoteKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Comment,
        Self::Attached,
        Self::Assigned,
        Self::Accepted,
        Self::Proposed,
        Self::Approved,
        Self::Rejected,
        Self::Withdrawn,
        Self::Done,
        Self::Refused,
    ];

    /// The word in the database and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Attached => "attached",
            Self::Assigned => "assigned",
            Self::Accepted => "accepted",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A file beside a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// What it was called.
    pub name: String,
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What one person does with breaks that are not closed, without moving money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Says something.
    Comment(String),
    /// Adds a file, with what it is.
    Attach(String, Attachment),
    /// Gives it to somebody, or to nobody.
    Assign(Option<Author>),
    /// Says why it may go on open over its day's close.
    Accept(String),
}

impl Mark {
    /// What the history says of it.
    pub(super) fn said(&self) -> (NoteKind, String) {
        match self {
            Self::Comment(text) => (NoteKind::Comment, text.clone()),
            Self::Attach(text, _) => (NoteKind::Attached, text.clone()),
            Self::Assign(to) => {
                (NoteKind::Assigned, to.as_ref().map_or_else(|| "nobody".to_owned(), Author::to_string))
            }
            Self::Accept(text) => (NoteKind::Accepted, text.clone()),
        }
    }
}

/// A list of resolutions that one person proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProposal {
    /// What all of them do.
    pub action: Action,
    /// Who.
    pub maker: Author,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Each break once.
    pub items: Vec<Item>,
    /// The sum that authorities are measured by.
    pub dong: i64,
    /// Of the list.
    pub hash: [u8; 32],
}

/// What became of a proposal to propose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// It waits for another person.
    Waits(ProposalNo),
    /// These breaks are closed, or are in a proposal already, or are not there.
    NotFree(Vec<i64>),
}

/// Somebody's word on a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Yes.
    Approve,
    /// No.
    Reject,
    /// By its maker: not any more.
    Withdraw,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDecision<'d> {
    /// Which proposal.
    pub proposal: ProposalNo,
    /// What.
    pub verb: Verb,
    /// Who.
    pub by: &'d Author,
    /// The list that was read: another one is not decided.
    pub hash: [u8; 32],
    /// In a sentence.
    pub words: &'d str,
    /// When.
    pub at: Timestamp,
}

/// What one person makes and another one decides on, as the database names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// A proposal.
    Proposal(ProposalNo),
    /// A day or month that is drawn up.
    Close(i64),
}

impl Made {
    /// Its table, and its number in it.
    pub(super) fn row(self) -> (&'static str, i64) {
        match self {
            Self::Proposal(no) => ("proposals", no.0),
            Self::Close(no) => ("closes", no),
        }
    }
}

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It counts.
    Done,
    /// No such proposal.
    NotFound,
    /// Somebody decided before.
    Late,
    /// It is another list.
    OtherList,
    /// Nobody approves or rejects their own; nobody withdraws another's.
    NotYours,
    /// The sum is beyond what this person may approve.
    BeyondAuthority,
}

/// How far a proposal got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProposalState {
    /// It waits for another person.
    Proposed,
    /// It is being carried out.
    Approved,
    /// All of its items have ended.
    Done,
    /// Somebody else said no.
    Rejected,
    /// Its maker took it back.
    Withdrawn,
}

impl ProposalState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Proposed, Self::Approved, Self::Done, Self::Rejected, Self::Withdrawn];

    /// The word in the database and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A proposal as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalView {
    /// Its number.
    pub no: ProposalNo,
    /// What all of its items do.
    pub action: Action,
    /// Who.
    pub maker: Author,
    /// Why.
    pub reason: String,
    /// When.
    pub made_at: Timestamp,
    /// How many.
    pub items: u32,
    /// The sum that authorities are measured by.
    pub dong: i64,
    /// Of the list.
    pub hash: [u8; 32],
    /// How far it got.
    pub state: ProposalState,
    /// Who decided.
    pub decided_by: Option<Author>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// In a sentence.
    pub decision: Option<String>,
}

/// One line of a proposal's list as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemView {
    /// Its place, from 1.
    pub place: u32,
    /// What was proposed.
    pub item: Item,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it could not be carried out.
    pub refused: Option<String>,
    /// What it wrote.
    pub posting: Option<PostingNo>,
}

/// An item that is approved and has not ended, with its break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueItem {
    /// Its place.
    pub place: u32,
    /// What to do.
    pub item: Item,
    /// With which break.
    pub about: BreakView,
}

/// A proposal that is being carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueProposal {
    /// The proposal.
    pub view: ProposalView,
    /// Some of its items that have not ended, in their order; none when all have.
    pub items: Vec<DueItem>,
}

/// How an item ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedItem {
    /// Its place.
    pub place: u32,
    /// Its break.
    pub break_no: i64,
    /// What was written, or why nothing was.
    pub end: Result<Option<PostingNo>, String>,
}

/// A refund that two people decided, in the order of its proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundView {
    /// The proposal, and the place in its list.
    pub at: (ProposalNo, u32),
    /// Which payment.
    pub payment: EventKey,
    /// How much, in dong; back into suspense where it is negative.
    pub dong: i64,
    /// When it was booked.
    pub booked_at: Timestamp,
}

/// A line of a statement that still says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// Its place.
    pub no: LineNo,
    /// Its row in the file.
    pub row: u32,
    /// Its file: name and SHA-256.
    pub file: (String, [u8; 32]),
    /// Who brought the file.
    pub brought_by: Author,
    /// The event that it names, as a notice of it would be keyed.
    pub key: Option<EventKey>,
    /// The same, for people.
    pub event: Option<String>,
    /// What moves; `None` for one that is pending or failed.
    pub movement: Option<Movement>,
    /// What a bill is reduced by.
    pub amount: Money,
    /// The sponsor's part of it.
    pub discount: Money,
    /// What the partner charges for it.
    pub fee: Money,
    /// What it says the money is for.
    pub references: References,
    /// When the customer paid.
    pub paid_at: Timestamp,
}

/// Up to which sum somebody may approve what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Who.
    pub person: Author,
    /// What.
    pub action: Action,
    /// Up to this sum, in dong.
    pub dong: i64,
    /// By whose word.
    pub granted_by: Author,
    /// Since when.
    pub at: Timestamp,
}

/// A break as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakView {
    /// Its number.
    pub no: i64,
    /// The class.
    pub class: BreakClass,
    /// Whose.
    pub partner: Option<PartnerCode>,
    /// The payment.
    pub event: Option<EventKey>,
    /// The invoice.
    pub invoice: Option<InvoiceId>,
    /// The message to the core.
    pub dispatch: Option<DispatchKey>,
    /// How much.
    pub amount: Money,
    /// One sentence.
    pub detail: String,
    /// Since when.
    pub opened_at: Timestamp,
    /// What a comparison says of it, if one opened it.
    pub leg: Option<Leg>,
    /// The accounting day that its age is counted from.
    pub aged_from: Date,
    /// Did somebody say that it may go on open over the day's close?
    pub accepted: bool,
    /// Where it stands.
    pub state: BreakState,
    /// Who looks at it.
    pub assignee: Option<Author>,
    /// The proposal that it waits for, or was closed by.
    pub proposal: Option<ProposalNo>,
    /// When it was closed,
    pub closed_at: Option<Timestamp>,
    /// by whom or by which rule,
    pub closed_by: Option<Author>,
    /// and why.
    pub close_reason: Option<String>,
}

impl BreakView {
    /// May it go on open over its day's close? Only what waits for the next day anyway, or what somebody said so of.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.accepted || self.leg.is_some_and(|leg| leg.carried)
    }
}

/// One note of a break's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteView {
    /// Its number.
    pub no: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: Author,
    /// What.
    pub what: NoteKind,
    /// In words.
    pub text: String,
    /// The file beside it: name, SHA-256.
    pub attachment: Option<(String, [u8; 32])>,
}
