//! What must hold: after each answer, after each step, and at the end of the day. Judges by the rows and by what
//! collectors and the core believe, never by the gateway's own decisions.

use crate::faults::Fault;
use crate::memory::{Db, MemoryReports};
use crate::world::{Mistake, World};
use thuho::domain::ids::Movement;
use thuho::domain::notice::{Effect, Notice, OnMismatch};
use thuho::domain::outcome::Outcome;
use thuho::domain::posting::PostingKind;
use thuho::domain::secret::Secret;
use thuho::ledger::{Arrival, audit};
use thuho::store::rows::{EventRecord, EventState};

/// Steps of one day, each a few calls.
const STEPS: usize = 70;

/// Lives one day; says what was wrong with it, and what happened.
pub fn live(seed: u64, mistake: Mistake, traced: bool) -> (Result<(), String>, World) {
    let mut world = World::new(seed, mistake, traced);
    let result = day(&mut world);
    (result, world)
}

fn day(world: &mut World) -> Result<(), String> {
    for _ in 0..4 {
        world.import()?;
    }
    for _ in 0..STEPS {
        world.step()?;
        world.sound()?;
        world.now += 1_000;
    }
    world.heal()?;
    world.sound()?;
    world.close()
}

impl World {
    /// A collector heard `outcome`: the books must bear it out now (I2, I3, I4), and from now on.
    pub fn answered(&mut self, notice: &Notice, outcome: Outcome) -> Result<(), String> {
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

    /// Evidence of money that was not taken is kept (I3).
    pub fn answered_unread(&mut self, arrival: &Arrival, outcome: Outcome) -> Result<(), String> {
        let Arrival::Unread { evidence, .. } = arrival else { return Ok(()) };
        let hash = evidence.raw_hash();
        let kept = self.db.db().links.iter().rev().any(|link| link.receipt.raw_hash == hash);
        match outcome {
            Outcome::Stale | Outcome::Malformed if kept => Ok(()),
            Outcome::TryAgain => Ok(()),
            other => Err(format!("an unread call heard {other}, kept: {kept}")),
        }
    }

    /// After each step: what was acknowledged is in the books, once, as it was said; no bill is settled beyond what
    /// it ever was.
    pub fn sound(&self) -> Result<(), String> {
        let db = self.db.db();
        for (key, content) in &self.acked {
            let row = db.events.get(key).ok_or_else(|| format!("{key} was acknowledged and is gone"))?;
            if row.content != *content {
                return Err(format!("{} was acknowledged and says something else now", row.event));
            }
            let came_in = incoming(&db, row);
            let expected = usize::from(row.movement == Movement::Payment);
            if came_in != expected {
                return Err(format!("{} is booked {came_in} times", row.event));
            }
        }
        for account in db.invoices.values() {
            let highest = self.highest.get(account.invoice.id.as_str()).copied().unwrap_or_default();
            if account.settled.dong() < 0 || account.settled.dong() > highest {
                return Err(format!("{} is settled by {} of {highest}", account.invoice.id, account.settled));
            }
        }
        Ok(())
    }

    /// At the end of the day: the books prove themselves, and the core believes what they say (I5, I6).
    pub fn close(&mut self) -> Result<(), String> {
        let audited = audit::audit(&mut MemoryReports(self.db.clone()), &Secret::new(vec![1; 32]))
            .map_err(|e| format!("the audit fails: {e}"))?;
        if !audited.ok {
            return Err(audited.findings.join("; "));
        }
        let db = self.db.db();
        for message in &db.messages {
            if !self.core.taken.contains_key(message.dispatch.key.as_str()) {
                return Err(format!("{} counts as delivered and the core does not have it", message.dispatch.key));
            }
        }
        if self.core.restored {
            return Ok(());
        }
        let core = self.core.on_invoice();
        for account in db.invoices.values() {
            let theirs = core.get(account.invoice.id.as_str()).copied().unwrap_or_default();
            if theirs != account.settled.dong() {
                return Err(format!("{}: the core has {theirs}, we {}", account.invoice.id, account.settled));
            }
        }
        for notice in self.said.iter().filter(|n| n.on_mismatch == OnMismatch::Keep) {
            let key = notice.key().ok_or("a notice without a key was said")?;
            if !db.events.contains_key(&key) {
                return Err(format!("{} was said until it was heard and is in no book", notice.event));
            }
        }
        Ok(())
    }
}

fn incoming(db: &Db, row: &EventRecord) -> usize {
    let of = db.postings_of.get(&row.key).into_iter().flatten();
    let comes_in = |kind| matches!(kind, PostingKind::Settle | PostingKind::Park);
    of.filter(|at| comes_in(db.postings[**at].posting.kind())).count()
}

fn wrong_unless(right: bool, notice: &Notice, outcome: Outcome, row: Option<&EventRecord>) -> Result<(), String> {
    if right {
        return Ok(());
    }
    let state = row.map(|row| (row.state, &row.content));
    Err(format!("{} {:?} heard {outcome}, and the books say {state:?}", notice.event, notice.effect))
}
