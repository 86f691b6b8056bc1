//! The desk's verbs and questions: supertraits of a transaction and of the reports.

use super::{
    Attachment, Authority, BreakFilter, BreakView, Decided, DueProposal, EndedItem, ItemView, Mark, NewDecision,
    NewProposal, NoteView, ProposalFilter, ProposalView, Proposed, RefundView, StoredLine,
};
use crate::domain::ids::{Author, EventKey, PartnerCode};
use crate::domain::resolution::ProposalNo;
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, LineNo, Sum};
use crate::domain::time::Timestamp;
use crate::store::reports::LaneRange;
use crate::store::statements::Closing;
use crate::store::{Position, StoreError};

/// The desk's verbs of a transaction.
pub trait DeskTx {
    /// One person's word on breaks; says how many of them were not closed.
    ///
    /// # Errors
    /// The machine's.
    fn mark_breaks(&mut self, breaks: &[i64], mark: &Mark, by: &Author, at: Timestamp) -> Result<u64, StoreError>;

    /// Keeps a proposal, if none of its breaks is closed or in another one.
    ///
    /// # Errors
    /// The machine's.
    fn propose(&mut self, new: &NewProposal) -> Result<Proposed, StoreError>;

    /// Keeps a decision.
    ///
    /// # Errors
    /// The machine's.
    fn decide(&mut self, decision: &NewDecision<'_>) -> Result<Decided, StoreError>;

    /// An approved proposal that has not ended, this one or the oldest, with some of its items. Nobody else carries it out
    /// before this transaction ends.
    ///
    /// # Errors
    /// The machine's.
    fn due(&mut self, proposal: Option<ProposalNo>, limit: u32) -> Result<Option<DueProposal>, StoreError>;

    /// Ends items: the break of one that was carried out is closed, the break of another one is free again. A proposal
    /// without further items is done.
    ///
    /// # Errors
    /// The machine's.
    fn end_items(&mut self, proposal: &ProposalView, items: &[EndedItem], at: Timestamp) -> Result<(), StoreError>;

    /// A line, if its file still says something.
    ///
    /// # Errors
    /// The machine's.
    fn statement_line(&mut self, no: LineNo) -> Result<Option<StoredLine>, StoreError>;

    /// Gives somebody an authority, or takes it: the last word counts. `false`: one person may stand behind whoever would give
    /// it and that user, since the one added the other or last gave a password, or somebody gave it to both, and so could
    /// use it alone. Anybody takes one.
    ///
    /// # Errors
    /// The machine's.
    fn grant(&mut self, authority: &Authority) -> Result<bool, StoreError>;

    /// Closes the open breaks of these classes about these events; says how many.
    ///
    /// # Errors
    /// The machine's.
    fn close_breaks_about(
        &mut self,
        about: &[(EventKey, BreakClass)],
        closing: &Closing<'_>,
    ) -> Result<u64, StoreError>;

    /// Those of these payments of which an open break says that money of theirs waits ([`BreakClass::WAITING`]): one that
    /// no comparison opened. Asked behind the locks of the payments.
    ///
    /// # Errors
    /// The machine's.
    fn told_to_wait(&mut self, payments: &[EventKey]) -> Result<Vec<EventKey>, StoreError>;

    /// Those of these payments, which were taken back, that people may not book again: their partner took them back, or said
    /// so after people had, over the same sum; or what the partner owes for them had been adjusted, which the payment itself
    /// does not say.
    ///
    /// # Errors
    /// The machine's.
    fn stays_taken_back(&mut self, payments: &[EventKey]) -> Result<Vec<EventKey>, StoreError>;

    /// The line of its partner's statement that a payment is matched to.
    ///
    /// # Errors
    /// The machine's.
    fn listed_at(&mut self, payment: &EventKey) -> Result<Option<LineNo>, StoreError>;
}

/// The desk's questions.
pub trait DeskReports {
    /// Breaks, newest first.
    ///
    /// # Errors
    /// The machine's.
    fn breaks(&mut self, filter: &BreakFilter) -> Result<Vec<BreakView>, StoreError>;

    /// One break.
    ///
    /// # Errors
    /// The machine's.
    fn one_break(&mut self, no: i64) -> Result<Option<BreakView>, StoreError>;

    /// Have two people settled a difference between this event, as our books have it, and its partner's statement?
    ///
    /// # Errors
    /// The machine's.
    fn is_settled_difference(&mut self, event: &EventKey) -> Result<bool, StoreError>;

    /// A break's history, in order.
    ///
    /// # Errors
    /// The machine's.
    fn notes(&mut self, break_no: i64) -> Result<Vec<NoteView>, StoreError>;

    /// The file beside a note.
    ///
    /// # Errors
    /// The machine's.
    fn attachment(&mut self, note: i64) -> Result<Option<Attachment>, StoreError>;

    /// A page of proposals.
    ///
    /// # Errors
    /// The machine's.
    fn proposals(&mut self, filter: ProposalFilter) -> Result<Vec<ProposalView>, StoreError>;

    /// How many proposals wait for another person, and over which sum.
    ///
    /// # Errors
    /// The machine's.
    fn waiting_proposals(&mut self) -> Result<Sum, StoreError>;

    /// Where a payment's money is now.
    ///
    /// # Errors
    /// The machine's.
    fn standing(&mut self, payment: &EventKey) -> Result<Position, StoreError>;

    /// One proposal.
    ///
    /// # Errors
    /// The machine's.
    fn proposal(&mut self, no: ProposalNo) -> Result<Option<ProposalView>, StoreError>;

    /// A page of a proposal's list, after this place.
    ///
    /// # Errors
    /// The machine's.
    fn items(&mut self, no: ProposalNo, after: u32, limit: u32) -> Result<Vec<ItemView>, StoreError>;

    /// A page of a partner's refunds, after this place.
    ///
    /// # Errors
    /// The machine's.
    fn refunds(
        &mut self,
        partner: &PartnerCode,
        after: (ProposalNo, u32),
        limit: u32,
    ) -> Result<Vec<RefundView>, StoreError>;

    /// The authorities as they stand.
    ///
    /// # Errors
    /// The machine's.
    fn authorities(&mut self) -> Result<Vec<Authority>, StoreError>;

    /// Could whoever is behind this name have brought one of these statements under another one: by the passwords that were
    /// given, now or when it was brought?
    ///
    /// # Errors
    /// The machine's.
    fn could_have_brought(&mut self, name: &Author, files: &[FileNo]) -> Result<bool, StoreError>;

    /// Of these lines of statements those whose files still say something, in the order of their numbers.
    ///
    /// # Errors
    /// The machine's.
    fn shown_lines(&mut self, numbers: &[LineNo]) -> Result<Vec<StoredLine>, StoreError>;

    /// One of them.
    ///
    /// # Errors
    /// The machine's.
    fn shown_line(&mut self, no: LineNo) -> Result<Option<StoredLine>, StoreError> {
        Ok(self.shown_lines(&[no])?.pop())
    }

    /// The receipts about an event in these ranges: lane and place.
    ///
    /// # Errors
    /// The machine's.
    fn receipts_about(&mut self, event: &EventKey, ranges: &[LaneRange]) -> Result<Vec<(u32, i64)>, StoreError>;
}
