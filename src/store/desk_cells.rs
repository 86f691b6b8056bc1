//! Rows of the desk back into nouns, whichever database they come from.

use super::StoreError;
use super::cells::Cells;
use super::desk::{
    Authority, BreakView, ItemView, NoteKind, NoteView, ProposalState, ProposalView, RefundView, StoredLine,
};
use crate::domain::ids::{Author, DispatchKey, Movement, PartnerCode, PostingNo};
use crate::domain::notice::References;
use crate::domain::resolution::{Action, BreakState, Item, ProposalNo, Resolution};
use crate::domain::review::{BreakClass, Leg};
use crate::domain::statement::{LineNo, StatementKind, Sum};

/// The columns of a break, in the order that [`break_view`] reads them.
macro_rules! break_columns {
    () => {
        "b.no, b.class, b.partner, b.event_key, b.invoice, b.dispatch, b.amount, b.detail, b.opened_at, b.leg, b.aged_from, \
         b.line_no, b.ours, b.theirs, b.carried, b.accepted, b.state, b.assignee, b.proposal_no, b.closed_at, b.closed_by, b.close_reason"
    };
}
pub(super) use break_columns;

/// The columns of a proposal, in the order that [`proposal_view`] reads them.
macro_rules! proposal_columns {
    () => {
        "p.no, p.action, p.maker, p.reason, p.made_at, p.items, p.dong, p.hash, p.state, p.decided_by, p.decided_at, p.decision"
    };
}
pub(super) use proposal_columns;

/// The columns of an item, in the order that [`item_view`] reads them.
macro_rules! item_columns {
    () => {
        "t.place, t.break_no, t.what, t.dong, t.ended_at, t.refused, t.posting_no"
    };
}
pub(super) use item_columns;

/// The columns of a line and of its file, in the order that [`stored_line`] reads them.
macro_rules! stored_line_columns {
    () => {
        "l.no, l.row, f.name, f.hash, f.author, l.key, l.event, l.movement, l.amount, l.discount, l.fee, l.ref_invoice, l.ref_order, \
         l.ref_customer, l.paid_at"
    };
}
pub(super) use stored_line_columns;

fn author_some(cells: &mut impl Cells) -> Result<Option<Author>, StoreError> {
    cells.word_some(|text| Author::parse(text).ok())
}

fn author(cells: &mut impl Cells) -> Result<Author, StoreError> {
    cells.word(|text| Author::parse(text).ok())
}

/// A break as people see it.
pub(super) fn break_view(cells: &mut impl Cells) -> Result<BreakView, StoreError> {
    let (no, class) = (cells.whole()?, cells.word(BreakClass::parse)?);
    let partner = cells.word_some(|text| PartnerCode::parse(text).ok())?;
    let (event, invoice) = (cells.event_key_some()?, cells.invoice_id_some()?);
    let dispatch = cells.word_some(|text| DispatchKey::parse(text).ok())?;
    let (amount, detail, opened_at) = (cells.money()?, cells.text()?, cells.at()?);
    let kind = cells.word_some(StatementKind::parse)?;
    let aged_from = cells.day()?;
    let line = cells.whole_some()?.map(LineNo);
    let (ours, theirs, carried) = (cells.whole_some()?, cells.whole_some()?, cells.flag()?);
    Ok(BreakView {
        no,
        class,
        partner,
        event,
        invoice,
        dispatch,
        amount,
        detail,
        opened_at,
        leg: kind.map(|kind| Leg { kind, day: aged_from, line, ours, theirs, carried }),
        aged_from,
        accepted: cells.flag()?,
        state: cells.word(BreakState::parse)?,
        assignee: author_some(cells)?,
        proposal: cells.whole_some()?.map(ProposalNo),
        closed_at: cells.at_some()?,
        closed_by: author_some(cells)?,
        close_reason: cells.text_some()?,
    })
}

/// A proposal as people see it.
pub(super) fn proposal_view(cells: &mut impl Cells) -> Result<ProposalView, StoreError> {
    Ok(ProposalView {
        no: ProposalNo(cells.whole()?),
        action: cells.word(Action::parse)?,
        maker: author(cells)?,
        reason: cells.text()?,
        made_at: cells.at()?,
        items: cells.count()?,
        dong: cells.whole()?,
        hash: cells.hash()?,
        state: cells.word(ProposalState::parse)?,
        decided_by: author_some(cells)?,
        decided_at: cells.at_some()?,
        decision: cells.text_some()?,
    })
}

/// How many wait, and over which sum.
pub(super) fn waiting(cells: &mut impl Cells) -> Result<Sum, StoreError> {
    Ok(Sum { count: u64::try_from(cells.whole()?).unwrap_or_default(), dong: cells.whole()? })
}

/// An item as people see it.
pub(super) fn item_view(cells: &mut impl Cells) -> Result<ItemView, StoreError> {
    let place = cells.count()?;
    let break_no = cells.whole()?;
    let what: Resolution = cells.word(|json| serde_json::from_str(json).ok())?;
    Ok(ItemView {
        place,
        item: Item { break_no, what, dong: cells.whole()? },
        ended_at: cells.at_some()?,
        refused: cells.text_some()?,
        posting: cells.whole_some()?.map(PostingNo),
    })
}

/// A refund, of an item that has one.
pub(super) fn refund_view(cells: &mut impl Cells) -> Result<Option<RefundView>, StoreError> {
    let at = (ProposalNo(cells.whole()?), cells.count()?);
    let (payment, booked_at) = (cells.event_key()?, cells.at()?);
    let what: Resolution = cells.word(|json| serde_json::from_str(json).ok())?;
    Ok(match what {
        Resolution::Allocate { refund, .. } if refund != 0 => Some(RefundView { at, payment, dong: refund, booked_at }),
        _ => None,
    })
}

/// A note as people see it.
pub(super) fn note_view(cells: &mut impl Cells) -> Result<NoteView, StoreError> {
    let (no, at, author) = (cells.whole()?, cells.at()?, author(cells)?);
    let (what, text) = (cells.word(NoteKind::parse)?, cells.text()?);
    let name = cells.text_some()?;
    let hash = cells.bytes_some()?.and_then(|bytes| bytes.try_into().ok());
    Ok(NoteView { no, at, author, what, text, attachment: name.zip(hash) })
}

/// An authority.
pub(super) fn authority(cells: &mut impl Cells) -> Result<Authority, StoreError> {
    Ok(Authority {
        person: author(cells)?,
        action: cells.word(Action::parse)?,
        dong: cells.whole()?,
        granted_by: author(cells)?,
        at: cells.at()?,
    })
}

/// A line with its file.
pub(super) fn stored_line(cells: &mut impl Cells) -> Result<StoredLine, StoreError> {
    let (no, row) = (LineNo(cells.whole()?), cells.count()?);
    Ok(StoredLine {
        no,
        row,
        file: (cells.text()?, cells.hash()?),
        brought_by: author(cells)?,
        key: cells.event_key_some()?,
        event: cells.text_some()?,
        movement: cells.word_some(|word| Movement::ALL.into_iter().find(|movement| movement.word() == word))?,
        amount: cells.money()?,
        discount: cells.money()?,
        fee: cells.money()?,
        references: References { invoice: cells.reference()?, order: cells.reference()?, customer: cells.reference()? },
        paid_at: cells.at()?,
    })
}
