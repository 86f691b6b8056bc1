//! The finance desk: what one person proposes about breaks and another one approves is carried out, a slice a
//! transaction, so that it may stop anywhere and go on. What the books do not bear by then is refused, break by break.
//! Not the rule of two, which the database holds, and not the postings (`ledger::resolve`). Keeps I13.

pub mod evidence;
pub mod refunds;
pub mod rules;
pub mod suggest;
pub mod views;
mod weigh;

use crate::domain::ids::{Author, EventId, EventKey, Movement, PartnerCode};
use crate::domain::money::Money;
use crate::domain::notice::{Content, Method};
use crate::domain::receipt::{Evidence, HashedEvidence};
use crate::domain::resolution::{
    BadResolution, ITEMS_MAX, Item, ProposalNo, Resolution, TEXT_MAX_BYTES, frozen, weight,
};
use crate::domain::review::BreakClass;
use crate::domain::statement::{LineNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::ledger::compose::Moved;
use crate::ledger::resolve::{self, Made, Task, Todo};
use crate::ledger::{LaneContext, SliceError, Slices, left};
use crate::matching;
use crate::partner::Profile;
use crate::store::desk::{
    BreakView, Decided, DueItem, EndedItem, NewDecision, NewProposal, ProposalView, Proposed, StoredLine, Verb,
};
use crate::store::reports::Reports;
use crate::store::rows::{EventRecord, EventState};
use crate::store::{StoreError, Tx};
use bytes::Bytes;
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Items that are carried out in one transaction.
const SLICE: u32 = 20;

/// Approved proposals that are looked at in one go.
const PROPOSALS_MAX: u32 = 1_000;

/// Why nothing was proposed.
#[derive(Debug, thiserror::Error)]
pub enum NotProposed {
    /// Nothing, too much, or one break twice.
    #[error("items: expected 1 to {ITEMS_MAX}, each break once")]
    Items,
    /// Items that do different things: one authority is asked for one action.
    #[error("items: expected the same action in all of them")]
    Actions,
    /// No reason, or an essay.
    #[error("reason: expected 1 to {TEXT_MAX_BYTES} bytes")]
    Reason,
    /// Something that can never be carried out.
    #[error("break {0}: {1}")]
    Bad(i64, BadResolution),
    /// No such break.
    #[error("break {0}: there is no such break")]
    Unknown(i64),
    /// These are closed, or somebody else has proposed something.
    #[error("closed, or in another proposal: {}", numbers(.0))]
    NotFree(Vec<i64>),
    /// More than can be counted.
    #[error("the sum of the list is out of range")]
    Sum,
    /// The writer has no room, or the storage failed.
    #[error(transparent)]
    Slice(#[from] SliceError),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn numbers(breaks: &[i64]) -> String {
    breaks.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

/// A text that a person wrote, as it is kept; `None` for none, or an essay.
#[must_use]
pub fn text(written: &str) -> Option<String> {
    let text = written.trim();
    (!text.is_empty() && text.len() <= TEXT_MAX_BYTES && !text.contains('\0')).then(|| text.to_owned())
}

/// A list as it would be proposed, with its hash: what a dry run shows.
///
/// # Errors
/// [`NotProposed`].
pub fn draft(
    reports: &mut dyn Reports,
    wishes: Vec<(i64, Resolution)>,
    (maker, reason, at): (&Author, &str, Timestamp),
) -> Result<NewProposal, NotProposed> {
    let action = wishes.first().map(|(_, what)| what.action()).ok_or(NotProposed::Items)?;
    let each: BTreeSet<i64> = wishes.iter().map(|(no, _)| *no).collect();
    if each.len() != wishes.len() || wishes.len() > ITEMS_MAX {
        return Err(NotProposed::Items);
    }
    if wishes.iter().any(|(_, what)| what.action() != action) {
        return Err(NotProposed::Actions);
    }
    let mut items = Vec::with_capacity(wishes.len());
    for (no, what) in wishes {
        what.check().map_err(|bad| NotProposed::Bad(no, bad))?;
        let about = reports.one_break(no)?.ok_or(NotProposed::Unknown(no))?;
        let dong = weigh::dong(reports, &about, &what)?;
        let what = match what {
            Resolution::Create { event, .. } => Resolution::Create { event, line: line_of(&about).map(|line| line.0) },
            other => other,
        };
        items.push(Item { break_no: no, dong, what });
    }
    let dong = weight(&items).map_err(|_beyond| NotProposed::Sum)?;
    let reason = text(reason).ok_or(NotProposed::Reason)?;
    let hash = frozen(&items);
    Ok(NewProposal { action, maker: maker.clone(), reason, at, items, dong, hash })
}

/// Proposes a list.
///
/// # Errors
/// [`NotProposed`]; nothing is proposed then.
pub fn propose(slices: &mut Slices<'_>, new: NewProposal) -> Result<ProposalNo, NotProposed> {
    match slices.one(move |tx| tx.propose(&new))? {
        Proposed::Waits(no) => Ok(no),
        Proposed::NotFree(breaks) => Err(NotProposed::NotFree(breaks)),
    }
}

/// A decision on a proposal, as somebody makes it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Which proposal.
    pub proposal: ProposalNo,
    /// What.
    pub verb: Verb,
    /// Who.
    pub by: Author,
    /// The list that was read.
    pub hash: [u8; 32],
    /// In a sentence; may be empty.
    pub words: String,
    /// When.
    pub at: Timestamp,
}

/// Keeps a decision.
///
/// # Errors
/// [`SliceError`].
pub fn decide(slices: &mut Slices<'_>, made: Decision) -> Result<Decided, SliceError> {
    let by = made.by.clone();
    let (no, verb) = (made.proposal.0, made.verb);
    let decided = slices.one(move |tx| {
        let Decision { proposal, verb, by, hash, words, at } = &made;
        tx.decide(&NewDecision { proposal: *proposal, verb: *verb, by, hash: *hash, words, at: *at })
    })?;
    tracing::info!(proposal = no, by = %by, ?verb, ?decided, "A proposal was decided");
    Ok(decided)
}

/// What the desk needs to know of a partner to book a payment from its statement.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Our account at the partner, which its events' keys are made with.
    pub account: String,
    /// The zone of its business days.
    pub zone: TimeZone,
}

/// All partners.
pub type Senders = BTreeMap<PartnerCode, Sender>;

/// Of these profiles.
#[must_use]
pub fn senders<'p>(profiles: impl IntoIterator<Item = &'p Profile>) -> Senders {
    let sender = |profile: &Profile| Sender { account: profile.account().to_owned(), zone: profile.timezone().clone() };
    profiles.into_iter().map(|profile| (profile.code().clone(), sender(profile))).collect()
}

/// What was carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CarriedOut {
    /// Breaks that are closed by it.
    pub done: u64,
    /// Breaks that are free again: the books did not bear it.
    pub refused: u64,
}

/// Carries out what is approved: this proposal, or all there are. Run again it goes on where it stopped.
///
/// # Errors
/// [`SliceError`]; what was carried out stays.
pub fn carry_out(
    slices: &mut Slices<'_>,
    proposal: Option<ProposalNo>,
    senders: &Senders,
    context: &dyn Fn() -> LaneContext,
) -> Result<CarriedOut, SliceError> {
    let mut all = CarriedOut::default();
    let (mut proposals, mut how) = (0, How::Many);
    loop {
        let (lane, known) = (context(), senders.clone());
        let slice = slices.one(move |tx| some(tx, (proposal, how), &known, &lane));
        let slice = match (slice, how) {
            // One of them is a fault of ours: it is found by itself, and must not hold up those behind it.
            (Err(SliceError::Store(StoreError::Fault(why))), How::Many | How::One) => {
                tracing::error!(why, "Alarm: something that was approved could not be booked");
                how = if how == How::Many { How::One } else { How::Refused };
                continue;
            }
            (slice, _) => slice?,
        };
        how = if how == How::Refused { How::Many } else { how };
        let Some((carried, over)) = slice else { return Ok(all) };
        all.done = all.done.saturating_add(carried.done);
        all.refused = all.refused.saturating_add(carried.refused);
        if over {
            proposals += 1;
            if proposal.is_some() || proposals >= PROPOSALS_MAX {
                return Ok(all);
            }
        }
    }
}

/// How items are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// As many as fit into a transaction.
    Many,
    /// One by one.
    One,
    /// The next one is refused: it could not be booked.
    Refused,
}

/// Some items of a proposal, in one transaction; `None` when nothing is approved. Says whether it is over.
fn some(
    tx: &mut dyn Tx,
    (proposal, how): (Option<ProposalNo>, How),
    senders: &Senders,
    lane: &LaneContext,
) -> Result<Option<(CarriedOut, bool)>, StoreError> {
    let limit = if how == How::Many { SLICE } else { 1 };
    let Some(due) = tx.due(proposal, limit)? else { return Ok(None) };
    let now = lane.moment.now;
    if how == How::Refused {
        let refused: Vec<EndedItem> = due
            .items
            .iter()
            .map(|item| end(item, Err("it could not be booked: ask those who run this".to_owned())))
            .collect();
        tx.end_items(&due.view, &refused, now)?;
        let count = u64::try_from(refused.len()).unwrap_or(u64::MAX);
        return Ok(Some((CarriedOut { done: 0, refused: count }, refused.is_empty())));
    }
    let mut tasks = Vec::with_capacity(due.items.len());
    let mut ended: Vec<EndedItem> = Vec::with_capacity(due.items.len());
    for item in &due.items {
        match task(tx, (&due.view, item), senders, now)? {
            Ok(Some(task)) => tasks.push((item, task)),
            Ok(None) => ended.push(end(item, Ok(None))),
            Err(why) => ended.push(end(item, Err(why))),
        }
    }
    let (items, tasks): (Vec<&DueItem>, Vec<Task>) = tasks.into_iter().unzip();
    let mut touched = Vec::new();
    if !tasks.is_empty() {
        let done = resolve::resolve(tx, lane, &tasks)?;
        ended.extend(items.into_iter().zip(done.ended).map(|(item, done)| end(item, done.map(Some))));
        touched = done.left;
    }
    tx.end_items(&due.view, &ended, now)?;
    left::open(tx, lane, &touched)?;
    let done = u64::try_from(ended.iter().filter(|item| item.end.is_ok()).count()).unwrap_or(u64::MAX);
    let all = u64::try_from(ended.len()).unwrap_or(u64::MAX);
    let over = ended.len() < usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(Some((CarriedOut { done, refused: all.saturating_sub(done) }, over)))
}

fn end(item: &DueItem, end: Result<Option<crate::domain::ids::PostingNo>, String>) -> EndedItem {
    EndedItem { place: item.place, break_no: item.item.break_no, end }
}

/// An item as the ledger takes it; nothing where no money moves, or why it cannot be.
type Wanted = Result<Option<Task>, String>;

fn task(
    tx: &mut dyn Tx,
    (of, due): (&ProposalView, &DueItem),
    senders: &Senders,
    now: Timestamp,
) -> Result<Wanted, StoreError> {
    if due.about.closed_at.is_some() {
        return Ok(Err("it was closed meanwhile".to_owned()));
    }
    let author = of.maker.clone();
    let todo = match &due.item.what {
        Resolution::Close {} => return closed(tx, &due.about),
        Resolution::Create { event, line } => {
            if *line != line_of(&due.about).map(|line| line.0) {
                return Ok(Err("the break is about another line of the statement now".to_owned()));
            }
            return Ok(match made(tx, (of, due), (event, senders), now)? {
                Ok(made) => {
                    let (payment, over) = (made.record.key, made.record.content.amount);
                    Ok(Some(Task { payment, over: Some(over), todo: Todo::Create(Box::new(made)), author }))
                }
                Err(why) => Err(why),
            });
        }
        Resolution::Allocate { invoices, refund, write_off } => {
            let shares = invoices.iter().map(|share| Ok((share.invoice.clone(), Money::from_dong(share.dong)?)));
            let elsewhere =
                || Ok(Moved { refund: Money::from_dong(*refund)?, write_off: Money::from_dong(*write_off)? });
            match shares.collect::<Result<Vec<_>, crate::domain::money::NotMoney>>().and_then(|s| Ok((s, elsewhere()?)))
            {
                Ok((invoices, elsewhere)) => Todo::Allocate { invoices, elsewhere },
                Err(bad) => return Ok(Err(bad.to_string())),
            }
        }
        Resolution::Adjust { because, dong } => match Money::from_dong(*dong) {
            Ok(less) => Todo::Adjust(*because, less),
            Err(bad) => return Ok(Err(bad.to_string())),
        },
        Resolution::Reverse {} => Todo::Reverse { line: line_of(&due.about) },
    };
    let Some(payment) = due.about.event else {
        return Ok(Err("the break is about no payment".to_owned()));
    };
    // What was approved was approved over this sum. An adjustment has a sum of its own.
    let over = match &todo {
        Todo::Adjust(..) => None,
        Todo::Create(_) | Todo::Allocate { .. } | Todo::Reverse { .. } => Money::from_dong(due.item.dong).ok(),
    };
    Ok(Ok(Some(Task { payment, over, todo, author })))
}

/// Nothing is moved; but a break is not closed over money that would be in nobody's sight then.
fn closed(tx: &mut dyn Tx, about: &BreakView) -> Result<Wanted, StoreError> {
    let Some(event) = about.event else { return Ok(Ok(None)) };
    let Some(record) = tx.events(&[event])?.into_iter().flatten().next() else { return Ok(Ok(None)) };
    if !matches!(record.state, EventState::Parked(_) | EventState::Settled) {
        return Ok(Ok(None));
    }
    let waits = resolve::waiting(&record, &tx.positions(&[event])?.into_iter().next().unwrap_or_default());
    let only = about.leg.is_none();
    Ok(if only && waits.is_positive() {
        Err(format!("{waits} dong of the payment wait in suspense or to be given back: say where they go"))
    } else {
        Ok(None)
    })
}

/// The payment of a break's line, as its late notice would be booked.
fn made(
    tx: &mut dyn Tx,
    (of, due): (&ProposalView, &DueItem),
    (named, senders): (&[String], &Senders),
    now: Timestamp,
) -> Result<Result<Made, String>, StoreError> {
    let refused = |why: &str| Ok(Err(why.to_owned()));
    let Some(partner) = &due.about.partner else { return refused("the break is about no partner") };
    if !matches!(due.about.class, BreakClass::MissingWebhook | BreakClass::CutoffTiming) {
        return refused("only a payment that is missing in the books is booked from its line");
    }
    let Some(sender) = senders.get(partner) else { return refused("the partner has no profile") };
    let Some(line) = line_of(&due.about) else {
        return refused("the break is about no line of the partner's statement");
    };
    let Some(line) = tx.statement_line(line)? else { return refused("a corrected statement took the line's place") };
    if line.movement != Some(Movement::Payment) {
        return refused("the line is not a payment");
    }
    if !line.amount.is_positive() {
        return refused("the line is over no money");
    }
    if line.amount.dong() != due.item.dong {
        return refused("the line is over another sum than was approved");
    }
    if line.discount > line.amount || line.fee > line.amount {
        return refused("the line's discount or fee is more than its amount");
    }
    let (key, event) = match identity(partner, sender, &line, named) {
        Ok(identity) => identity,
        Err(why) => return refused(why),
    };
    if due.about.event.is_some_and(|event| event != key) {
        return refused("the break is about another payment than the line");
    }
    let Some(business_day) = line.paid_at.day_in(&sender.zone) else { return refused("the line is of no day") };
    let reading = matching::read(&line.references);
    let record = EventRecord {
        key,
        partner: partner.clone(),
        account: sender.account.clone(),
        event,
        movement: Movement::Payment,
        content: Content {
            amount: line.amount,
            discount: line.discount,
            references: line.references.clone(),
            reverses: None,
        },
        fee: line.fee,
        funder: None,
        channel: None,
        paid_at: line.paid_at,
        business_day,
        // Decided when it is booked.
        state: EventState::Settled,
        names_invoice: reading.names_invoice().cloned(),
        postings: 0,
        made_from: Some(line.no),
    };
    let evidence = HashedEvidence::of(evidence((of, due), partner, &line, now));
    Ok(Ok(Made { record, evidence }))
}

/// The line of a break that may be a payment: only the partner's own word is.
fn line_of(about: &BreakView) -> Option<LineNo> {
    about.leg.filter(|leg| leg.kind == StatementKind::Partner).and_then(|leg| leg.line)
}

/// The key that the late notice would claim: by the line's own name of the event or, where it has none, by the name that
/// a person learned.
fn identity(
    partner: &PartnerCode,
    sender: &Sender,
    line: &StoredLine,
    named: &[String],
) -> Result<(EventKey, String), &'static str> {
    match (line.key, named.is_empty()) {
        (Some(key), true) => Ok((key, line.event.clone().unwrap_or_default())),
        (Some(_), false) => Err("the line names its event itself"),
        (None, true) => Err("the line names no event: the partner's id of it is needed"),
        (None, false) => {
            let id = EventId::parse(named.to_vec()).map_err(|_bad_id| "event: expected the partner's id of it")?;
            Ok((EventKey::of(partner, &sender.account, &id, Movement::Payment), id.to_string()))
        }
    }
}

/// What stands in the chain for a payment that nobody signed: the line, its file, and who decided.
fn evidence(
    (of, due): (&ProposalView, &DueItem),
    partner: &PartnerCode,
    line: &StoredLine,
    now: Timestamp,
) -> Evidence {
    let text = |of: &Option<crate::domain::notice::ReferenceText>| of.as_ref().map(|t| t.as_str().to_owned());
    let body = json!({
        "proposal": of.no.0, "item": due.place, "break": due.about.no, "reason": of.reason,
        "maker": of.maker.as_str(), "checker": of.decided_by.as_ref().map(Author::as_str),
        "list_sha256": hex::encode(of.hash),
        "file": line.file.0, "file_sha256": hex::encode(line.file.1), "line": line.no.place(), "row": line.row,
        "event": line.event, "amount": line.amount.dong(), "discount": line.discount.dong(), "fee": line.fee.dong(),
        "invoice": text(&line.references.invoice), "order": text(&line.references.order),
        "customer": text(&line.references.customer), "paid_at": line.paid_at.to_string(),
    });
    Evidence {
        partner: partner.clone(),
        key_id: "statement".to_owned(),
        method: Method::Post,
        path: format!("/statements/{}/{}", line.no.file().0, line.no.place()),
        query: String::new(),
        headers: Vec::new(),
        body: Bytes::from(body.to_string()),
        received_at: now,
    }
}
