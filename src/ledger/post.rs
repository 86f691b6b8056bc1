//! One batch of arrivals, decided in order. It reads what all of them need at once, folds (each decision sees what
//! the ones before it did), and writes once. Not the transaction itself, which is the caller's: whatever is
//! answered here may be said only after that transaction is on disk (I4). Keeps I2 and I3.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![deny(clippy::wildcard_enum_match_arm)]

use super::arrival::{Arrival, Call, Item, UnreadKind, record, unbookable};
use super::book::{About, Book, LaneContext, fault};
use super::compose::{self, ReversalFacts};
use super::recent::Mark;
use crate::domain::decision::{Decision, ParkReason};
use crate::domain::ids::{EventKey, InvoiceId, Movement, PartnerCode, PostingNo};
use crate::domain::notice::{Effect, NoEffect, Notice, OnMismatch, ReferenceText, Wanted};
use crate::domain::outcome::Outcome;
use crate::domain::receipt::{Answer, HashedEvidence, Verdict};
use crate::domain::review::BreakClass;
use crate::matching::{self, Rules};
use crate::seen::Marker;
use crate::store::rows::{EventRecord, EventState};
use crate::store::{StoreError, Tx};
use jiff::civil::Date;

/// What one arrival is answered, once committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The word, and our id of the payment.
    pub answer: Answer,
    /// What may be remembered outside the ledger; only of a payment that is settled.
    pub marker: Option<Marker>,
}

impl Posted {
    /// Nothing was written: the sender says it again.
    #[must_use]
    pub fn try_again() -> Self {
        answer(Outcome::TryAgain, None)
    }
}

/// A repeat that wrote nothing: counted beside the chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repeat {
    /// Whose.
    pub partner: PartnerCode,
    /// The business day it was said on.
    pub day: Date,
}

/// What a batch came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostedBatch {
    /// An answer for each arrival, in order.
    pub posted: Vec<Posted>,
    /// Breaks to remember once committed.
    pub opened: Vec<Mark>,
    /// Repeats to count once committed.
    pub repeats: Vec<Repeat>,
    /// The last posting written, if any.
    pub last: Option<PostingNo>,
}

/// Decides and writes a batch, in order. `still_waits` says of an arrival's place whether its sender does.
///
/// # Errors
/// The machine's; a [`StoreError::Fault`] is one arrival's, and the caller finds whose by running them singly.
pub fn post(
    tx: &mut dyn Tx,
    lane: &LaneContext,
    arrivals: &[Arrival],
    still_waits: &dyn Fn(usize) -> bool,
) -> Result<PostedBatch, StoreError> {
    let items: Vec<Item<'_>> = arrivals.iter().map(Item::of).collect();
    let mut fold = Fold { book: load(tx, lane, &items)?, repeats: Vec::new() };
    let mut posted = Vec::with_capacity(arrivals.len());
    for (n, item) in items.iter().enumerate() {
        // Its event is locked by now: whoever asks for its state hears of it, or came before and was told of none.
        let given_up = fold.may_be_withdrawn(item) && !still_waits(n);
        posted.push(if given_up { Posted::try_again() } else { fold.item(item)? });
    }
    let (last, opened) = fold.book.write(tx, lane)?;
    Ok(PostedBatch { posted, opened, repeats: fold.repeats, last })
}

/// Everything the batch may look at: rows of the keys, money of payments to be undone, bills.
fn load(tx: &mut dyn Tx, lane: &LaneContext, items: &[Item<'_>]) -> Result<Book, StoreError> {
    let mut book = Book::open(tx, lane)?;
    let calls = || {
        items.iter().filter_map(|item| match item {
            Item::Call(call) => Some(call),
            Item::Unread { .. } => None,
        })
    };
    let keys: Vec<EventKey> = calls().flat_map(|call| [Some(call.key), call.reversed]).flatten().collect();
    book.load_events(tx, &keys)?;
    let mut undone: Vec<EventKey> = calls()
        .filter_map(|call| call.reversed)
        .filter(|key| book.event(key).is_some_and(|record| holds_money(record.state)))
        .collect();
    undone.sort_unstable();
    undone.dedup();
    book.load_positions(tx, &undone)?;
    let mut wanted = Wanted { invoices: book.positioned_invoices().cloned().collect(), customers: Vec::new() };
    for call in calls().filter(|call| book.event(&call.key).is_none()) {
        let more = call.reading.wanted();
        wanted.invoices.extend(more.invoices);
        wanted.customers.extend(more.customers);
    }
    book.load_bills(tx, wanted)?;
    Ok(book)
}

fn holds_money(state: EventState) -> bool {
    match state {
        EventState::Settled | EventState::Parked(_) => true,
        EventState::Reversed
        | EventState::Expected { .. }
        | EventState::Applied
        | EventState::Waiting
        | EventState::Refused => false,
    }
}

struct Fold {
    book: Book,
    repeats: Vec<Repeat>,
}

impl Fold {
    /// A payment that its sender has not debited yet and that is not in the books: who stops waiting for the answer drops
    /// it. Everybody else's money is taken already, and is booked whoever listens.
    fn may_be_withdrawn(&self, item: &Item<'_>) -> bool {
        let Item::Call(call) = item else { return false };
        let asks = call.notice.on_mismatch == OnMismatch::Refuse;
        let pays = call.notice.effect == Effect::Moves(Movement::Payment);
        let known =
            || self.book.event(&call.key).is_some_and(|record| !matches!(record.state, EventState::Expected { .. }));
        asks && pays && !known()
    }

    fn item(&mut self, item: &Item<'_>) -> Result<Posted, StoreError> {
        match item {
            Item::Unread { evidence, verdict, detail } => Ok(self.unread(evidence, *verdict, detail)),
            Item::Call(call) => {
                if let Some(why) = unbookable(call.notice) {
                    return Ok(self.unread(call.evidence, UnreadKind::Unreadable, why));
                }
                match call.notice.effect {
                    Effect::None(why) => Ok(self.no_payment(call, why)),
                    Effect::Moves(Movement::Payment) => self.payment(call),
                    Effect::Moves(Movement::Reversal) => self.reversal(call),
                }
            }
        }
    }

    /// Not taken: a receipt, and a break for each body.
    fn unread(&mut self, evidence: &HashedEvidence, kind: UnreadKind, detail: &str) -> Posted {
        let (verdict, class, outcome) = match kind {
            UnreadKind::Stale => (Verdict::Stale, BreakClass::Stale, Outcome::Stale),
            UnreadKind::Unreadable => (Verdict::Unreadable, BreakClass::Unreadable, Outcome::Malformed),
            UnreadKind::Paused => (Verdict::Paused, BreakClass::Paused, Outcome::TryAgain),
        };
        self.book.receipt(evidence, verdict, None, None);
        if self.book.first_time(Mark::unread(class, evidence)) {
            let about = About {
                partner: &evidence.partner,
                event: None,
                invoice: None,
                amount: crate::domain::money::Money::ZERO,
                mark: None,
            };
            self.book.open_break(about, class, detail.to_owned());
        }
        answer(outcome, None)
    }

    /// Pending, failed or a probe: a receipt that claims nothing.
    fn no_payment(&mut self, call: &Call<'_>, why: NoEffect) -> Posted {
        let key = call.key;
        self.book.receipt(call.evidence, Verdict::NotAPayment, Some(key), Some(call.notice.amount.dong()));
        let took = self.book.event(&key).is_some_and(|record| holds_money(record.state));
        let mark = Mark::failed(&key);
        if why == NoEffect::Failed && took && self.book.first_time(mark) {
            let detail = "the partner says failed; the payment is in the books".to_owned();
            let about = About { mark: Some(mark), ..about(call.notice, Some(key), None) };
            self.book.open_break(about, BreakClass::StatusMismatch, detail);
        }
        answer(Outcome::NotAPayment, None)
    }

    fn payment(&mut self, call: &Call<'_>) -> Result<Posted, StoreError> {
        let key = call.key;
        let Some(record) = self.book.event(&key).cloned() else {
            return self.first_payment(call, key);
        };
        if let EventState::Expected { reversal } = record.state {
            return self.expected_payment(call, key, reversal, record.content.amount == call.notice.amount);
        }
        if !says_the_same(&record, call.notice) {
            return Ok(self.conflict(call, key));
        }
        self.repeat(call);
        match record.state {
            EventState::Parked(reason) => Ok(answer(reason.outcome(), Some(key))),
            EventState::Settled => {
                let marker = self.marker(call.notice, key);
                Ok(Posted { marker, ..answer(Outcome::Duplicate, Some(key)) })
            }
            EventState::Reversed => Ok(answer(given_back(call.notice, Outcome::Duplicate), Some(key))),
            EventState::Expected { .. } | EventState::Applied | EventState::Waiting | EventState::Refused => {
                Ok(answer(Outcome::Duplicate, Some(key)))
            }
        }
    }

    fn first_payment(&mut self, call: &Call<'_>, key: EventKey) -> Result<Posted, StoreError> {
        match matching::decide(call.notice.amount, &call.reading, &self.book, Rules::default()) {
            Decision::Settle { parts, out_of_order } => {
                let mut record = record(call, key, EventState::Settled);
                let lines = self.book.lines(&parts)?;
                let composed = compose::settle(&record, &lines, None, self.book.moment()).map_err(fault)?;
                self.book.enter(composed)?;
                record.postings = 1;
                self.book.claim(record);
                self.book.receipt(call.evidence, Verdict::Settled, Some(key), Some(call.notice.amount.dong()));
                if out_of_order {
                    let invoice = parts.first().map(|part| &part.invoice);
                    let detail = "an older bill of the customer stays open".to_owned();
                    self.book.open_break(about(call.notice, Some(key), invoice), BreakClass::OutOfOrder, detail);
                }
                let marker = self.marker(call.notice, key);
                Ok(Posted { marker, ..answer(Outcome::Accepted, Some(key)) })
            }
            Decision::Park(reason) if call.notice.on_mismatch == OnMismatch::Refuse => {
                Ok(self.refuse(call, key, reason))
            }
            Decision::Park(reason) => {
                let mut record = record(call, key, EventState::Parked(reason));
                self.park(call, &mut record, reason)?;
                self.book.claim(record);
                Ok(answer(reason.outcome(), Some(key)))
            }
        }
    }

    /// The partner asks before it debits: no claim, no entries, decided afresh when it comes again.
    fn refuse(&mut self, call: &Call<'_>, key: EventKey, reason: ParkReason) -> Posted {
        self.book.receipt(call.evidence, Verdict::Refused, Some(key), Some(call.notice.amount.dong()));
        answer(reason.outcome(), None)
    }

    /// Posts the payment whole to suspense with a receipt and a break; the caller writes the record.
    fn park(&mut self, call: &Call<'_>, record: &mut EventRecord, reason: ParkReason) -> Result<(), StoreError> {
        let composed = compose::park(record, None, self.book.moment()).map_err(fault)?;
        self.book.enter(composed)?;
        record.postings = record.postings.saturating_add(1);
        self.book.receipt(call.evidence, Verdict::Parked, Some(record.key), Some(call.notice.amount.dong()));
        let about = about(call.notice, Some(record.key), record.names_invoice.as_ref());
        self.book.open_break(about, class_of(reason), format!("parked: {}", reason.word()));
        Ok(())
    }

    /// The payment of a reversal that came first. The same amount: both post, net zero, nothing to the core.
    /// Another: the payment parks, the reversal is refused.
    fn expected_payment(
        &mut self,
        call: &Call<'_>,
        key: EventKey,
        reversal: EventKey,
        same_amount: bool,
    ) -> Result<Posted, StoreError> {
        if !same_amount {
            let reason = ParkReason::ReversedOtherAmount;
            if call.notice.on_mismatch == OnMismatch::Refuse {
                return Ok(self.refuse(call, key, reason));
            }
            let mut record = record(call, key, EventState::Parked(reason));
            self.park(call, &mut record, reason)?;
            self.book.fulfil(record);
            self.book.restate(reversal, EventState::Refused, 0);
            let detail = "the payment came after its reversal, over another amount".to_owned();
            self.book.open_break(about(call.notice, Some(reversal), None), BreakClass::ReversalRefused, detail);
            return Ok(answer(reason.outcome(), Some(key)));
        }
        let mut record = record(call, key, EventState::Reversed);
        let first = self
            .book
            .event(&reversal)
            .map(|r| ReversalFacts {
                event: r.event.clone(),
                paid_at: r.paid_at,
                business_day: r.business_day,
                author: None,
            })
            .ok_or_else(|| StoreError::Fault(format!("reversal {reversal} is named and has no row")))?;
        let parked = compose::park(&record, None, self.book.moment()).map_err(fault)?;
        self.book.enter(parked)?;
        record.postings = 1;
        let position = self.book.position(&key);
        let undone = compose::reverse(&record, &position, &[], &first, self.book.moment()).map_err(fault)?;
        self.book.enter(undone)?;
        record.postings = 2;
        self.book.fulfil(record);
        self.book.restate(reversal, EventState::Applied, 0);
        self.book.receipt(call.evidence, Verdict::Parked, Some(key), Some(call.notice.amount.dong()));
        Ok(answer(given_back(call.notice, Outcome::Accepted), Some(key)))
    }

    /// The same event with other content: the first value stands, a person looks.
    fn conflict(&mut self, call: &Call<'_>, key: EventKey) -> Posted {
        self.book.receipt(call.evidence, Verdict::Conflict, Some(key), Some(call.notice.amount.dong()));
        let mark = Mark::conflict(&key, &call.notice.content());
        if self.book.first_time(mark) {
            let detail = "the same event was said before with other content".to_owned();
            let about = About { mark: Some(mark), ..about(call.notice, Some(key), None) };
            self.book.open_break(about, BreakClass::Conflict, detail);
        }
        answer(Outcome::Conflict, Some(key))
    }

    fn reversal(&mut self, call: &Call<'_>) -> Result<Posted, StoreError> {
        let (key, Some(payment)) = (call.key, call.reversed) else {
            return Ok(self.unread(call.evidence, UnreadKind::Unreadable, "reverses: expected the payment's event id"));
        };
        if let Some(own) = self.book.event(&key).cloned() {
            if own.content != call.notice.content() {
                self.conflict(call, key);
                return Ok(answer(Outcome::Conflict, Some(payment)));
            }
            self.repeat(call);
            let refused = own.state == EventState::Refused;
            let outcome = if refused { Outcome::ReversalRefused } else { Outcome::Duplicate };
            return Ok(answer(outcome, Some(payment)));
        }
        let Some(paid) = self.book.event(&payment).cloned() else {
            self.await_payment(call, key, payment);
            return Ok(answer(Outcome::Accepted, Some(payment)));
        };
        if let Some(why) = not_reversible(&paid, call) {
            self.book.claim(record(call, key, EventState::Refused));
            self.book.receipt(call.evidence, Verdict::ReversalRefused, Some(key), Some(call.notice.amount.dong()));
            self.book.open_break(about(call.notice, Some(key), None), BreakClass::ReversalRefused, why.to_owned());
            return Ok(answer(Outcome::ReversalRefused, Some(payment)));
        }
        self.undo(call, key, &paid)?;
        Ok(answer(Outcome::Accepted, Some(payment)))
    }

    /// The reversal came first: it makes the payment's row, so that whoever brings the payment meets it.
    fn await_payment(&mut self, call: &Call<'_>, key: EventKey, payment: EventKey) {
        let expected = EventRecord {
            event: call.notice.reverses.as_ref().map(ToString::to_string).unwrap_or_default(),
            movement: Movement::Payment,
            ..record(call, payment, EventState::Expected { reversal: key })
        };
        self.book.claim(record(call, key, EventState::Waiting));
        self.book.claim(expected);
        self.book.receipt(call.evidence, Verdict::Reversal, Some(key), Some(call.notice.amount.dong()));
    }

    /// Takes the money back from wherever it is now, and tells the core of every invoice that is open again.
    fn undo(&mut self, call: &Call<'_>, key: EventKey, paid: &EventRecord) -> Result<(), StoreError> {
        let position = self.book.position(&paid.key);
        let undone = self.book.undone(&position)?;
        let facts = ReversalFacts {
            event: call.notice.event.to_string(),
            paid_at: call.notice.paid_at,
            business_day: call.business_day,
            author: None,
        };
        let mut postings = paid.postings;
        // Where people ended its refund by hand, nothing is left of it: the reversal is booked all the same.
        if !position.entries.is_empty() {
            let composed = compose::reverse(paid, &position, &undone, &facts, self.book.moment()).map_err(fault)?;
            self.book.enter(composed)?;
            postings = postings.saturating_add(1);
        }
        self.book.restate(paid.key, EventState::Reversed, postings);
        // What of it waited for people waits no more.
        if let EventState::Parked(reason) = paid.state {
            self.book.over((paid.key, class_of(reason)));
        }
        if paid.postings > 1 {
            self.book.over((paid.key, BreakClass::Overpaid));
        }
        self.book.claim(record(call, key, EventState::Applied));
        self.book.receipt(call.evidence, Verdict::Reversal, Some(key), Some(call.notice.amount.dong()));
        Ok(())
    }

    fn repeat(&mut self, call: &Call<'_>) {
        self.repeats.push(Repeat { partner: call.notice.partner.clone(), day: call.business_day });
    }

    /// To be trusted only where the ledger knows this writer's generation up to a posting that was written after the
    /// payment was seen: a database that does has this payment.
    /// Nothing is remembered of a sender that asks before it debits: its repeat must hear of a reversal, and only the
    /// books know that.
    fn marker(&self, notice: &Notice, key: EventKey) -> Option<Marker> {
        match notice.on_mismatch {
            OnMismatch::Keep => Some(Marker {
                key,
                posting: self.book.proving_posting(),
                reached: self.book.reached(),
                content: notice.content(),
            }),
            OnMismatch::Refuse => None,
        }
    }
}

/// Is it what the books have of the event? What was made from a statement line has only the references that the line
/// states: those that the late notice states besides are no other content.
fn says_the_same(record: &EventRecord, notice: &Notice) -> bool {
    let (kept, told) = (&record.content, notice.content());
    if record.made_from.is_none() {
        return *kept == told;
    }
    let agrees = |kept: &Option<ReferenceText>, told: &Option<ReferenceText>| {
        kept.as_ref().zip(told.as_ref()).is_none_or(|(kept, told)| kept == told)
    };
    let (ours, theirs) = (&kept.references, &told.references);
    (kept.amount, kept.discount, kept.reverses) == (told.amount, told.discount, told.reverses)
        && agrees(&ours.invoice, &theirs.invoice)
        && agrees(&ours.order, &theirs.order)
        && agrees(&ours.customer, &theirs.customer)
}

/// The word for a payment that is given back already. A sender that asks before it debits must not read success: it
/// would take the customer's money for a payment that the books have undone.
fn given_back(notice: &Notice, kept: Outcome) -> Outcome {
    match notice.on_mismatch {
        OnMismatch::Keep => kept,
        OnMismatch::Refuse => Outcome::Conflict,
    }
}

/// Why a reversal cannot be booked; `None` when it can.
fn not_reversible(paid: &EventRecord, call: &Call<'_>) -> Option<&'static str> {
    match paid.state {
        EventState::Settled | EventState::Parked(_) => {
            let late = |window| call.notice.paid_at.ms_since(paid.paid_at) > window;
            if paid.content.amount != call.notice.amount {
                Some("the payment is over another amount")
            } else if call.reversal_window_ms.is_some_and(late) {
                Some("past the partner's reversal window")
            } else {
                None
            }
        }
        EventState::Reversed | EventState::Expected { .. } => Some("another reversal has undone the payment"),
        EventState::Applied | EventState::Waiting | EventState::Refused => Some("it names a reversal"),
    }
}

fn about<'a>(notice: &'a Notice, event: Option<EventKey>, invoice: Option<&'a InvoiceId>) -> About<'a> {
    About { partner: &notice.partner, event, invoice, amount: notice.amount, mark: None }
}

fn answer(outcome: Outcome, payment: Option<EventKey>) -> Posted {
    Posted { answer: Answer { outcome, payment }, marker: None }
}

/// The class of a parked payment's break.
pub(super) fn class_of(reason: ParkReason) -> BreakClass {
    match reason {
        ParkReason::ContradictoryReference => BreakClass::ContradictoryRef,
        ParkReason::UnknownInvoice => BreakClass::UnknownRef,
        ParkReason::TakenOff => BreakClass::WrongCustomer,
        ParkReason::AlreadyPaid => BreakClass::DuplicatePayment,
        ParkReason::Cancelled => BreakClass::CancelledInvoice,
        ParkReason::WrongAmount | ParkReason::ReversedOtherAmount => BreakClass::AmountMismatch,
    }
}
