//! The outbox on a simulated day: the program's own transactions, with a billing core and a crash between them.

use crate::faults::Fault;
use crate::memory::CommitFate;
use crate::world::{Mistake, World};
use thuho::domain::dispatch::LeasedDispatch;
use thuho::domain::time::Timestamp;
use thuho::outbox::classify::Heard;
use thuho::outbox::desk::{Attempted, Take, Waits, exchange};
use thuho::store::{DispatchCommand, FoundDispatch, Store};

impl World {
    pub fn outbox(&mut self) -> Result<(), String> {
        let i = self.chance.below(self.instances.len());
        if self.instances[i].holding.is_empty() || self.chance.once_in(4) {
            return self.take(i);
        }
        let mut holding = std::mem::take(&mut self.instances[i].holding);
        for (message, heard) in holding.iter_mut().filter(|(_, heard)| heard.is_none()) {
            let key = match self.mistake {
                Mistake::RandomKey => format!("{}-{}", message.key, self.chance.next()),
                _ => message.key.to_string(),
            };
            *heard = Some(self.core.hear(&key, message, &mut self.chance, &mut self.faults)?);
            self.note(|| format!("core hears {key}: {heard:?}"));
        }
        // Between the core's yes and its row: the place where a second gateway or a crash steps in.
        if !self.healed && self.chance.once_in(8) {
            self.instances[i].holding = holding;
            self.pass(40_000);
            return Ok(());
        }
        self.put(i, &holding)
    }

    fn put(&mut self, i: usize, holding: &[(LeasedDispatch, Option<Heard>)]) -> Result<(), String> {
        let at = Timestamp::from_unix_ms(self.now);
        let attempts: Vec<Attempted> = holding
            .iter()
            .map(|(message, heard)| Attempted {
                message: message.clone(),
                heard: heard.clone(),
                probe: false,
                at,
                random: self.chance.next(),
            })
            .collect();
        let fate = self.fate();
        self.exchange(i, fate, &attempts, None)
    }

    fn take(&mut self, i: usize) -> Result<(), String> {
        let tokens = [self.next_token, self.next_token + 1].map(thuho::domain::dispatch::LeaseToken);
        self.next_token += 2;
        let now = Timestamp::from_unix_ms(self.now);
        let fate = self.fate();
        let request = Take { now, lease_ms: 30_000, fast: 2, normal: 4, tokens };
        self.exchange(i, fate, &[], Some(&request))
    }

    fn exchange(&mut self, i: usize, fate: CommitFate, put: &[Attempted], take: Option<&Take>) -> Result<(), String> {
        let instance = &mut self.instances[i];
        instance.store.next_commit(fate);
        let store = &mut instance.store;
        // The thread that runs other people's work outlives a panic of theirs.
        let done = crate::delivery::outlive(|| exchange(store, put, take, &Waits::default()));
        self.instances[i].store.next_commit(CommitFate::Works);
        match done {
            None => {}
            Some(Ok((written, taken))) => {
                if written.lost > 0 {
                    self.faults.hit(Fault::LeaseLost);
                }
                self.instances[i].holding.extend(taken.messages.into_iter().map(|message| (message, None)));
            }
            Some(Err(error)) if matches!(fate, CommitFate::Works) => return Err(format!("the outbox fails: {error}")),
            Some(Err(_)) if matches!(fate, CommitFate::DiesBefore | CommitFate::DiesAfter | CommitFate::Broken) => {
                self.restart(i);
            }
            Some(Err(_)) => {}
        }
        Ok(())
    }

    /// A person looks at what is parked and sends it again.
    pub fn person(&mut self) -> Result<(), String> {
        let parked: Vec<_> = {
            let db = self.db.db();
            let is_parked =
                |m: &&crate::memory::Message| matches!(m.state, thuho::domain::dispatch::DispatchState::Parked { .. });
            db.messages.iter().filter(is_parked).map(|m| m.dispatch.key.clone()).collect()
        };
        let at = Timestamp::from_unix_ms(self.now);
        self.db
            .transact(&mut |tx| {
                for key in &parked {
                    let message = FoundDispatch { key: key.clone(), no: 0 };
                    tx.command(&message, &DispatchCommand::Retry, at)?;
                }
                Ok(())
            })
            .map_err(|e| e.to_string())
    }
}
