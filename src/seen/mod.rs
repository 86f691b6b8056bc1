//! The hint that makes a repeat fast: which settled events were seen, in this process or in Redis. Asked before the
//! ledger, told after the commit, never in between, and never believed alone: the unique key in the ledger decides
//! (I2), and with this module empty, stale or gone every answer stays the same (I7).
//!
//! What is remembered is a *marker*: the event key, and under it a generation and a posting of it that is there only
//! if the event is (the one that settled it, or a later one of a writer that met it again), with an HMAC of ours over
//! all of it and the content. It counts only when
//! - the HMAC fits, which also says that the content is the same: another content is a miss, and the ledger calls it
//!   a conflict;
//! - the ledger knows the generation up to that posting: a marker of a database that was restored to an older state
//!   names a posting which that state does not have, so it is a miss.
//!
//! On Redis:
//! - one connection for each worker thread, because one shared between runtimes costs half of the throughput;
//! - recalls that arrive while one `MGET` is in flight join the next one; markers are written in pipelines, bounded,
//!   and dropped when there are too many: a lost marker costs one question to the ledger;
//! - a short time limit, and a breaker that stops asking after a few failures and probes in the background, one for
//!   reading and one for writing, since a full Redis refuses writes and still answers;
//! - a Redis of its own is not needed: markers expire, and may be evicted;
//! - `redis://`, `rediss://` (TLS), and `redis+sentinel://`, where each new connection asks the sentinels again, so that
//!   a failover is one reconnection;
//! - a key is `thuho:<environment>:<event key>`, so that two installations never meet.

mod breaker;
mod generations;
mod link;
mod marker;
mod memory;
mod place;

pub use generations::Generations;
pub use marker::Marker;
pub use place::{Node, Place};

use crate::domain::ids::{EventKey, Generation};
use crate::domain::notice::Content;
use crate::domain::secret::Secret;
use std::sync::Arc;
use std::time::Duration;

/// What the hint needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where markers are.
    pub place: Place,
    /// Redis user.
    pub username: Option<String>,
    /// Redis password.
    pub password: Option<Secret>,
    /// PEM certificates that alone may vouch for a Redis over TLS; the public ones if `None`.
    pub trust_pem: Option<Vec<u8>>,
    /// Part of every key.
    pub environment: String,
    /// Markers are under an HMAC whose key is derived from it. The same on all instances.
    pub secret: Secret,
    /// Events kept in memory at most.
    pub entries: usize,
    /// How long Redis keeps a marker.
    pub ttl: Duration,
    /// For an answer.
    pub timeout: Duration,
    /// For a connection.
    pub connect: Duration,
    /// Failures in a row that open the breaker.
    pub breaker_failures: u32,
    /// How long it stays open.
    pub breaker_open: Duration,
    /// Markers that may wait to be written, per worker.
    pub pending: usize,
}

/// What is known of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// Settled, with the same content, by a posting that the ledger has.
    Settled,
    /// Nothing that counts. Ask the ledger.
    Unknown,
}

/// How the hint is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Answering, or in this process.
    Up,
    /// Not reached: everything works, repeats are slower.
    Down,
}

/// The hint of one instance.
#[derive(Debug)]
pub struct Seen {
    backend: Backend,
    generations: Arc<Generations>,
    mac: marker::MarkerMac,
}

#[derive(Debug)]
enum Backend {
    Memory(memory::Memory),
    Redis(Arc<link::Redis>),
    Shared(Arc<dyn SharedMarkers>),
}

/// Markers that instances share without a Redis, for a simulator: it may forget, refuse and bring back whatever it
/// likes, because nothing here believes what it says.
pub trait SharedMarkers: std::fmt::Debug + Send + Sync {
    /// What lies under a key.
    fn get(&self, key: &EventKey) -> Option<Vec<u8>>;

    /// Puts a marker's bytes there.
    fn put(&self, key: EventKey, value: Vec<u8>);
}

impl Seen {
    /// Builds the hint; connects to nothing yet.
    ///
    /// # Errors
    /// An address or a TLS setting that Redis's client refuses, in words without a secret.
    pub fn new(options: Options, generations: Arc<Generations>) -> Result<Arc<Self>, String> {
        let mac = marker::MarkerMac::new(&options.secret);
        let backend = match options.place {
            Place::Memory => Backend::Memory(memory::Memory::new(options.entries)),
            Place::Redis { .. } | Place::Sentinel { .. } => Backend::Redis(Arc::new(link::Redis::new(options)?)),
        };
        Ok(Arc::new(Self { backend, generations, mac }))
    }

    /// A hint over markers that somebody else keeps.
    #[must_use]
    pub fn over(markers: Arc<dyn SharedMarkers>, secret: &Secret, generations: Arc<Generations>) -> Arc<Self> {
        Arc::new(Self { backend: Backend::Shared(markers), generations, mac: marker::MarkerMac::new(secret) })
    }

    /// The generations that markers are judged by.
    #[must_use]
    pub fn generations(&self) -> &Arc<Generations> {
        &self.generations
    }

    /// One worker's own access. Call it once in each worker thread.
    #[must_use]
    pub fn worker(self: &Arc<Self>) -> SeenWorker {
        let link = match &self.backend {
            Backend::Memory(_) | Backend::Shared(_) => None,
            Backend::Redis(redis) => Some(link::Link::new(Arc::clone(redis))),
        };
        SeenWorker { seen: Arc::clone(self), link }
    }

    /// Was the last exchange good?
    #[must_use]
    pub fn health(&self) -> Health {
        match &self.backend {
            Backend::Memory(_) | Backend::Shared(_) => Health::Up,
            Backend::Redis(redis) => redis.health(),
        }
    }

    /// Asks Redis for a sign of life, for `check`.
    ///
    /// # Errors
    /// In words without a secret.
    pub async fn ping(&self) -> Result<(), String> {
        match &self.backend {
            Backend::Memory(_) | Backend::Shared(_) => Ok(()),
            Backend::Redis(redis) => redis.ping().await,
        }
    }
}

/// One worker's access to the hint.
#[derive(Clone, Debug)]
pub struct SeenWorker {
    seen: Arc<Seen>,
    link: Option<Arc<link::Link>>,
}

impl SeenWorker {
    /// Is this event settled with this content, as far as is known without asking the ledger? Never fails and never
    /// waits longer than the time limit.
    pub async fn recall(&self, key: &EventKey, content: &Content) -> Recalled {
        let seen = &self.seen;
        let value = match (&seen.backend, &self.link) {
            (Backend::Memory(memory), _) => memory.get(key),
            (Backend::Shared(markers), _) => markers.get(key),
            (Backend::Redis(_), Some(link)) => link.get(key).await,
            (Backend::Redis(_), None) => None,
        };
        let counts = value
            .and_then(|bytes| seen.mac.open(key, content, &bytes))
            .is_some_and(|(generation, posting)| seen.generations.covers(generation, posting));
        let recalled = if counts { Recalled::Settled } else { Recalled::Unknown };
        metrics::counter!("thuho_seen_recalls_total", "answer" => if counts { "settled" } else { "unknown" })
            .increment(1);
        recalled
    }

    /// Remembers a settled event. Call it after the commit only. Never waits.
    pub fn remember(&self, marker: &Marker) {
        let seen = &self.seen;
        let own: Generation = seen.generations.own();
        seen.generations.advance(own, marker.reached);
        let value = seen.mac.seal(own, marker);
        match (&seen.backend, &self.link) {
            (Backend::Memory(memory), _) => memory.put(marker.key, value),
            (Backend::Shared(markers), _) => markers.put(marker.key, value.to_vec()),
            (Backend::Redis(_), Some(link)) => link.put(marker.key, value),
            (Backend::Redis(_), None) => {}
        }
    }
}

#[cfg(test)]
mod tests;
