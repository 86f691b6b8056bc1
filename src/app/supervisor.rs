//! What a service manager that asks is told: ready, stopping, alive. Elsewhere, and from a gateway inside another
//! program, nobody is told anything. It decides nothing: a message that is not taken is a log line.

use crate::ledger::writer::Writer;
use sd_notify::NotifyState;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// Signs of life within the time after which a silent process is ended.
const SIGNS: u32 = 3;

/// The way to whoever started the process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supervisor {
    /// Is the process ours to speak for?
    speaks: bool,
}

impl Supervisor {
    pub(super) fn new(speaks: bool) -> Self {
        Self { speaks }
    }

    fn tell(self, states: &[NotifyState<'_>]) {
        if self.speaks
            && let Err(error) = sd_notify::notify(states)
        {
            tracing::warn!(kind = %error.kind(), "The service manager does not hear");
        }
    }

    /// Calls are taken.
    pub(super) fn ready(self, public: SocketAddr) {
        let status = format!("takes calls at {public}");
        self.tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
    }

    /// The drain has begun.
    pub(super) fn stopping(self) {
        self.tell(&[NotifyState::Stopping, NotifyState::Status("answers what is queued, and ends")]);
    }

    /// Signs of life, each only after the writer's thread has answered: a gateway whose writer hangs serves nobody, and
    /// is better started again. Waiting for a database that is away is no hang. Runs until it is aborted.
    pub(super) async fn keep_alive(self, writer: Arc<Writer>) {
        let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| self.speaks && !limit.is_zero()) else { return };
        let mut often = tokio::time::interval((limit / SIGNS).max(Duration::from_millis(1)));
        often.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            often.tick().await;
            if let Ok(answer) = writer.run(|_store| ())
                && answer.await.is_ok()
            {
                self.tell(&[NotifyState::Watchdog]);
            }
        }
    }
}
