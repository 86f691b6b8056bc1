//! What must hold after each step and at the end of the day. Judges by the rows and by what collectors and the core
//! believe, never by the gateway's own decisions.

use crate::memory::{Db, MemoryReports};
use crate::world::{Mistake, World};
use thuho::domain::ids::Movement;
use thuho::domain::notice::OnMismatch;
use thuho::domain::posting::PostingKind;
use thuho::domain::secret::Secret;
use thuho::ledger::audit;
use thuho::store::rows::EventRecord;

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
        world.pass(1_000);
    }
    world.heal()?;
    world.sound()?;
    world.close()
}

impl World {
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
