//! The finance desk over the store in memory: only the breaks that were opened. The simulated days end before anybody
//! proposes anything.
#![expect(clippy::unwrap_used, reason = "a test's own mistake may panic")]

use super::reports::MemoryReports;
use super::tx::{MemoryTx, no_statements};
use thuho::domain::ids::{Author, EventKey, PartnerCode};
use thuho::domain::resolution::{BreakState, ProposalNo};
use thuho::domain::review::{BreakClass, NewBreak};
use thuho::domain::statement::{FileNo, LineNo, Sum};
use thuho::domain::time::{BUSINESS_ZONE, Timestamp};
use thuho::store::desk::{
    Attachment, Authority, BreakFilter, BreakView, Decided, DeskReports, DeskTx, DueProposal, EndedItem, ItemView,
    Mark, NewDecision, NewProposal, NoteView, ProposalFilter, ProposalView, Proposed, RefundView, StoredLine,
};
use thuho::store::reports::LaneRange;
use thuho::store::statements::Closing;
use thuho::store::{Position, StoreError};

impl DeskTx for MemoryTx<'_> {
    fn mark_breaks(&mut self, _: &[i64], _: &Mark, _: &Author, _: Timestamp) -> Result<u64, StoreError> {
        Err(no_statements())
    }

    fn propose(&mut self, _: &NewProposal) -> Result<Proposed, StoreError> {
        Err(no_statements())
    }

    fn decide(&mut self, _: &NewDecision<'_>) -> Result<Decided, StoreError> {
        Err(no_statements())
    }

    fn due(&mut self, _: Option<ProposalNo>, _: u32) -> Result<Option<DueProposal>, StoreError> {
        Err(no_statements())
    }

    fn end_items(&mut self, _: &ProposalView, _: &[EndedItem], _: Timestamp) -> Result<(), StoreError> {
        Err(no_statements())
    }

    fn statement_line(&mut self, _: LineNo) -> Result<Option<StoredLine>, StoreError> {
        Err(no_statements())
    }

    fn grant(&mut self, _: &Authority) -> Result<bool, StoreError> {
        Err(no_statements())
    }

    fn close_breaks_about(&mut self, about: &[(EventKey, BreakClass)], _: &Closing<'_>) -> Result<u64, StoreError> {
        let before = self.db.over.clone();
        let is_about = |b: &NewBreak| about.iter().any(|(event, class)| b.event == Some(*event) && b.class == *class);
        let over = self.db.breaks.iter().enumerate().filter(|(_, b)| is_about(b)).map(|(at, _)| at);
        let over: Vec<usize> = over.collect();
        self.db.over.extend(over);
        let closed = self.db.over.len() - before.len();
        self.undo.push(Box::new(move |db| db.over = before));
        Ok(u64::try_from(closed).unwrap())
    }

    fn told_to_wait(&mut self, _: &[EventKey]) -> Result<Vec<EventKey>, StoreError> {
        Err(no_statements())
    }

    fn stays_taken_back(&mut self, _: &[EventKey]) -> Result<Vec<EventKey>, StoreError> {
        Err(no_statements())
    }

    fn listed_at(&mut self, _: &EventKey) -> Result<Option<LineNo>, StoreError> {
        Err(no_statements())
    }
}

impl DeskReports for MemoryReports {
    fn breaks(&mut self, filter: &BreakFilter) -> Result<Vec<BreakView>, StoreError> {
        let db = self.db();
        let zone = jiff::tz::TimeZone::get(BUSINESS_ZONE).unwrap();
        let open = db.breaks.iter().enumerate().filter(|(at, _)| !db.over.contains(at));
        let numbered = open.map(|(at, b)| (i64::try_from(at).unwrap() + 1, b)).collect::<Vec<_>>();
        let newest_first = numbered.into_iter().rev().take(usize::try_from(filter.limit).unwrap());
        Ok(newest_first
            .map(|(no, b)| BreakView {
                no,
                class: b.class,
                partner: b.partner.clone(),
                event: b.event,
                invoice: b.invoice.clone(),
                dispatch: b.dispatch.clone(),
                amount: b.amount,
                detail: b.detail.clone(),
                opened_at: b.opened_at,
                leg: b.leg,
                aged_from: b.opened_at.day_in(&zone).unwrap(),
                accepted: false,
                state: BreakState::Open,
                assignee: None,
                proposal: None,
                closed_at: None,
                closed_by: None,
                close_reason: None,
            })
            .collect())
    }

    fn one_break(&mut self, _: i64) -> Result<Option<BreakView>, StoreError> {
        Err(no_statements())
    }

    fn is_settled_difference(&mut self, _: &EventKey) -> Result<bool, StoreError> {
        Err(no_statements())
    }

    fn notes(&mut self, _: i64) -> Result<Vec<NoteView>, StoreError> {
        Err(no_statements())
    }

    fn attachment(&mut self, _: i64) -> Result<Option<Attachment>, StoreError> {
        Err(no_statements())
    }

    fn proposals(&mut self, _: ProposalFilter) -> Result<Vec<ProposalView>, StoreError> {
        Err(no_statements())
    }

    fn waiting_proposals(&mut self) -> Result<Sum, StoreError> {
        Err(no_statements())
    }

    fn standing(&mut self, _: &EventKey) -> Result<Position, StoreError> {
        Err(no_statements())
    }

    fn proposal(&mut self, _: ProposalNo) -> Result<Option<ProposalView>, StoreError> {
        Err(no_statements())
    }

    fn items(&mut self, _: ProposalNo, _: u32, _: u32) -> Result<Vec<ItemView>, StoreError> {
        Err(no_statements())
    }

    fn refunds(&mut self, _: &PartnerCode, _: (ProposalNo, u32), _: u32) -> Result<Vec<RefundView>, StoreError> {
        Err(no_statements())
    }

    fn authorities(&mut self) -> Result<Vec<Authority>, StoreError> {
        Err(no_statements())
    }

    fn receipts_about(&mut self, _: &EventKey, _: &[LaneRange]) -> Result<Vec<(u32, i64)>, StoreError> {
        Err(no_statements())
    }

    fn could_have_brought(&mut self, _: &Author, _: &[FileNo]) -> Result<bool, StoreError> {
        Err(no_statements())
    }

    fn shown_lines(&mut self, _: &[LineNo]) -> Result<Vec<StoredLine>, StoreError> {
        Err(no_statements())
    }
}
