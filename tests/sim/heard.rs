//! What must hold of each answer, at once: the word is borne out by the books, what was proved is kept, and the reply
//! that the partner reads as success is one for money that the books have. Judges by the rows and by what the caller
//! meant, never by the gateway's own decisions.

use crate::collectors::{Call, Said};
use crate::faults::Fault;
use crate::speech::{WALLET, speech};
use crate::world::{Mistake, World};
use thuho::domain::ids::{Movement, PartnerCode};
use thuho::domain::notice::{Effect, Notice, OnMismatch};
use thuho::domain::outcome::Outcome;
use thuho::domain::time::Timestamp;
use thuho::intake::Heard;
use thuho::partner::ReplyContext;
use thuho::store::rows::{EventRecord, EventState};

impl World {
    /// A caller hears an answer; `before` is what the books said of its event before they took the call.
    pub fn heard(&mut self, call: &Call, heard: Heard, before: Option<EventState>) -> Result<(), String> {
        let outcome = heard.outcome;
        let again = outcome == Outcome::TryAgain;
        match call.said {
            Said::Notice => self.answered(&call.notice, outcome)?,
            Said::Forged if outcome == Outcome::BadSignature && !self.is_kept(call) => {}
            Said::Stale if again || (outcome == Outcome::Stale && self.is_kept(call)) => {}
            Said::Nonsense if again || (outcome == Outcome::Malformed && self.is_kept(call)) => {}
            Said::Forged | Said::Stale | Said::Nonsense => {
                return Err(format!("{} heard {outcome}, kept: {}", call.name(), self.is_kept(call)));
            }
        }
        let paid = call.notice.reversed_key().unwrap_or_else(|| call.notice.payment_key());
        if heard.payment.is_some_and(|payment| payment != paid) {
            return Err(format!("{} heard of another payment", call.name()));
        }
        self.read_reply(call, heard, before)
    }

    /// The end of the line: what the partner reads in the reply's own bytes.
    fn read_reply(&mut self, call: &Call, heard: Heard, before: Option<EventState>) -> Result<(), String> {
        let profile = speech().profile(&call.notice.partner);
        let wallet = PartnerCode::parse(WALLET).unwrap();
        let speaks = if self.mistake == Mistake::WalletsWords { speech().profile(&wallet) } else { profile };
        let now = Timestamp::from_unix_ms(self.now);
        let context = ReplyContext { raw: Some(&call.signed.raw), payment: heard.payment, now };
        let success = profile.reads_as_success(&speaks.reply(heard.outcome, &context));
        if !success {
            let done = matches!(heard.outcome, Outcome::Accepted | Outcome::Duplicate | Outcome::NotAPayment);
            return if done { Err(format!("{} is not read as success", call.name())) } else { Ok(()) };
        }
        self.faults.hit(Fault::SuccessRead);
        let row = call.notice.key().and_then(|key| self.db.db().events.get(&key).cloned());
        if call.said == Said::Notice && bears_out(&call.notice, row.as_ref(), before) {
            return Ok(());
        }
        let state = row.map(|row| row.state);
        Err(format!("{} reads success, and the books say {state:?}, before {before:?}", call.name()))
    }

    /// Is a receipt of exactly these bytes there?
    fn is_kept(&self, call: &Call) -> bool {
        let sent = &call.signed.raw;
        self.db.db().links.iter().rev().any(|link| {
            let kept = &link.receipt.evidence;
            kept.body == sent.body && kept.headers.iter().all(|header| sent.headers.contains(header))
        })
    }

    /// A stored call was read again; nobody hears it but ops.
    pub fn redone(&mut self, call: &Call, outcome: Outcome) -> Result<(), String> {
        match (call.said, outcome) {
            (Said::Nonsense, Outcome::Malformed) => Ok(()),
            (Said::Notice | Said::Stale, Outcome::NotAPayment) if call.is_from_bank() && call.is_payment() => Ok(()),
            (Said::Notice | Said::Stale, outcome) => {
                self.faults.hit(Fault::ReadAgain);
                self.answered(&call.notice, outcome)
            }
            (Said::Forged | Said::Nonsense, outcome) => Err(format!("{} was read again as {outcome}", call.name())),
        }
    }

    /// A collector heard `outcome`: the books must bear it out now (I2, I3, I4), and from now on.
    fn answered(&mut self, notice: &Notice, outcome: Outcome) -> Result<(), String> {
        let Some(key) = notice.key() else {
            return wrong_unless(matches!(outcome, Outcome::NotAPayment | Outcome::TryAgain), notice, outcome, None);
        };
        let row = self.db.db().events.get(&key).cloned();
        let same = row.as_ref().is_some_and(|row| row.content == notice.content());
        let state = row.as_ref().map(|row| row.state);
        let payment = notice.effect == Effect::Moves(Movement::Payment);
        let asks_first = notice.on_mismatch == OnMismatch::Refuse;
        let right = match outcome {
            Outcome::Accepted | Outcome::Duplicate if payment => {
                same && matches!(state, Some(EventState::Settled | EventState::Reversed))
            }
            // A later call of the same batch may have refused a reversal that was waiting.
            Outcome::Accepted | Outcome::Duplicate => {
                same && matches!(state, Some(EventState::Applied | EventState::Waiting | EventState::Refused))
            }
            Outcome::AlreadyPaid | Outcome::UnknownInvoice | Outcome::WrongAmount if payment && asks_first => {
                self.faults.hit(Fault::Refused);
                return Ok(());
            }
            Outcome::AlreadyPaid | Outcome::UnknownInvoice | Outcome::WrongAmount => {
                let fault = if outcome == Outcome::WrongAmount { Fault::WrongAmount } else { Fault::UnknownInvoice };
                self.faults.hit(fault);
                payment && same && matches!(state, Some(EventState::Parked(_) | EventState::Reversed))
            }
            Outcome::ReversalRefused => !payment && same && state == Some(EventState::Refused),
            Outcome::Conflict => {
                // Whoever asks before the debit must not read success for what was given back.
                let given_back = payment && asks_first && state == Some(EventState::Reversed);
                return wrong_unless(row.is_some() && (!same || given_back), notice, outcome, row.as_ref());
            }
            Outcome::TryAgain => {
                return if self.healed { wrong_unless(false, notice, outcome, row.as_ref()) } else { Ok(()) };
            }
            Outcome::BadSignature | Outcome::Stale | Outcome::Malformed | Outcome::NotAPayment => false,
        };
        self.acked.insert(key, notice.content());
        wrong_unless(right, notice, outcome, row.as_ref())
    }
}

/// May its sender believe that all is done? A wallet: when the books have its money, wherever. A bank that asks before
/// it debits: only when the bill is paid by it, and not when that was undone before it asked.
fn bears_out(notice: &Notice, row: Option<&EventRecord>, before: Option<EventState>) -> bool {
    let Effect::Moves(movement) = notice.effect else { return true };
    let Some(row) = row.filter(|row| row.content == notice.content()) else { return false };
    match (movement, notice.on_mismatch, row.state) {
        (Movement::Payment, OnMismatch::Keep, state) => {
            matches!(state, EventState::Settled | EventState::Parked(_) | EventState::Reversed)
        }
        (Movement::Payment, OnMismatch::Refuse, EventState::Settled) => true,
        (Movement::Payment, OnMismatch::Refuse, EventState::Reversed) => before != Some(EventState::Reversed),
        (Movement::Payment, OnMismatch::Refuse, _) => false,
        (Movement::Reversal, _, EventState::Applied | EventState::Waiting) => true,
        (Movement::Reversal, _, EventState::Refused) => before != Some(EventState::Refused),
        (Movement::Reversal, _, _) => false,
    }
}

fn wrong_unless(right: bool, notice: &Notice, outcome: Outcome, row: Option<&EventRecord>) -> Result<(), String> {
    if right {
        return Ok(());
    }
    let state = row.map(|row| (row.state, &row.content));
    Err(format!("{} {:?} heard {outcome}, and the books say {state:?}", notice.event, notice.effect))
}
