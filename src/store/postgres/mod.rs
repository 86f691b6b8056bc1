//! PostgreSQL, for several instances on one database. Each has one writer, which owns a lane by a lock of its session;
//! PostgreSQL decides between them, by unique keys, by locks of invoices and by rows that are changed only as they were
//! read. A commit that returned is flushed there (I4). What a lost connection leaves open is settled by the database
//! alone: a transaction whose COMMIT was not sent may be run again, one whose COMMIT got no answer is unknown, and is
//! never run again by us. Knows nothing of what the rows mean.

mod asking;
mod breaks;
mod checks;
mod closes;
mod desk;
mod events;
mod failure;
mod invoices;
mod lane;
mod locks;
mod migrate;
mod outbox;
mod pages;
mod periods;
mod place;
mod position;
mod proof;
mod reports;
mod retention;
mod row;
mod session;
mod settlements;
mod statements;
mod tls;
mod tx;
mod users;
mod write;

pub use asking::PostgresReports;
pub use place::{PostgresPlace, Privacy};
pub use tx::LeaseClock;

use super::{Store, StoreError, Work};
use lane::Head;
use session::{Purpose, Session};
use std::time::{Duration, Instant};
use tx::{Numbers, PostgresTx};

/// The wait before the second attempt to connect; it doubles from there.
const WAIT_FIRST: Duration = Duration::from_millis(100);

/// The longest wait between two attempts: until the next one every caller hears the retry word, and one attempt a second
/// of each instance is nothing to a server.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// How long a lane may be somebody else's after the connection was lost, before this instance gives up and is started
/// again on a free one. The server notices a dead peer by then.
const LANE_WAIT: Duration = Duration::from_secs(60);

/// How a writer uses its database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The first lane to try; the first free one from there is taken.
    pub lane: u32,
    /// By which clock leases end.
    pub lease_clock: LeaseClock,
    /// Commits are not flushed: loses acknowledged payments. Only for the rigs, whose crash test must be able to fail.
    pub unflushed: bool,
    /// A server that itself flushes nothing is taken. Only for the rigs.
    pub unsafe_server: bool,
}

impl PostgresOptions {
    fn purpose(&self) -> Purpose {
        Purpose { reads_only: false, unflushed: self.unflushed, unsafe_server: self.unsafe_server }
    }
}

/// The one writer of a lane.
#[derive(Debug)]
pub struct PostgresStore {
    place: PostgresPlace,
    options: PostgresOptions,
    session: Option<Session>,
    lane: u32,
    head: Head,
    numbers: Numbers,
    retry: Retry,
}

/// When to try to connect again.
#[derive(Debug, Default)]
struct Retry {
    failed: u32,
    not_before: Option<Instant>,
    /// Since when the lane is somebody else's.
    lane_gone: Option<Instant>,
}

impl Retry {
    fn failed(&mut self, now: Instant) {
        let wait = WAIT_FIRST.saturating_mul(1_u32.checked_shl(self.failed).unwrap_or(u32::MAX)).min(WAIT_MAX);
        self.failed = self.failed.saturating_add(1);
        self.not_before = Some(now + wait);
    }
}

impl PostgresStore {
    /// Connects, brings the schema up and takes a lane.
    ///
    /// # Errors
    /// [`StoreError::Away`] when it is not reached, [`StoreError::Schema`] when the database is newer or not ours or
    /// the server would lose what it acknowledged, [`StoreError::Fault`] when no lane is free.
    pub fn open(place: &PostgresPlace, options: &PostgresOptions) -> Result<Self, StoreError> {
        let mut session = Session::open(place, options.purpose())?;
        migrate::bring_up(&mut session, &place.to_string())?;
        let lane = lane::take_free(&mut session, options.lane)?;
        let head = lane::head(&mut session, lane)?;
        Ok(Self {
            place: place.clone(),
            options: options.clone(),
            session: Some(session),
            lane,
            head,
            numbers: Numbers::default(),
            retry: Retry::default(),
        })
    }

    /// A session that holds the lane: the one there is, or a new one.
    fn ready(&mut self) -> Result<Session, StoreError> {
        if let Some(session) = self.session.take_if(|session| !session.is_lost()) {
            return Ok(session);
        }
        self.session = None;
        let now = Instant::now();
        if self.retry.not_before.is_some_and(|at| now < at) {
            return Err(failure::away("waiting before the next attempt to connect"));
        }
        match self.connect_again(now) {
            Ok((session, head)) => {
                tracing::info!(lane = self.lane, "The database answers again");
                (self.head, self.retry) = (head, Retry::default());
                Ok(session)
            }
            Err(error) => {
                self.retry.failed(now);
                // Nobody's fault: there is no session to be at fault in.
                Err(if let StoreError::Fault(why) = error { failure::away(why) } else { error })
            }
        }
    }

    fn connect_again(&mut self, now: Instant) -> Result<(Session, Head), StoreError> {
        // Only while the server answers does it tell whose the lane is.
        let lane_gone = self.retry.lane_gone.take();
        let mut session = Session::open(&self.place, self.options.purpose())?;
        migrate::check_current(&mut session, &self.place.to_string())?;
        if !lane::take(&mut session, self.lane)? {
            let since = *self.retry.lane_gone.insert(lane_gone.unwrap_or(now));
            let text = format!("lane {} is another session's", self.lane);
            return Err(if now.duration_since(since) < LANE_WAIT {
                failure::away(text)
            } else {
                failure::broken(text)
            });
        }
        lane::prove(&mut session, self.lane, &self.head)?;
        let head = lane::head(&mut session, self.lane)?;
        lane::goes_on(self.lane, &self.head, &head)?;
        // Another server may have come up under the same name.
        self.numbers = Numbers::default();
        Ok((session, head))
    }
}

impl Store for PostgresStore {
    fn lane(&self) -> u32 {
        self.lane
    }

    fn transact(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let session = self.ready()?;
        let session = self.session.insert(session);
        let mut tx = Ended { numbers: &mut self.numbers, committed: false };
        let mut open = PostgresTx::new(session, tx.numbers, (self.lane, self.head), self.options.lease_clock);
        work(&mut open)?;
        self.head = open.commit()?;
        tx.committed = true;
        Ok(())
    }
}

/// Forgets what a transaction that was not kept had looked up, whatever the reason.
struct Ended<'n> {
    numbers: &'n mut Numbers,
    committed: bool,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.numbers.end_transaction(self.committed);
    }
}

/// A reading session.
///
/// # Errors
/// [`StoreError::Away`] when it is not reached, [`StoreError::Schema`] when the database is not ours, older or newer.
pub fn open_reports(place: &PostgresPlace) -> Result<PostgresReports, StoreError> {
    PostgresReports::open(place)
}

/// Brings the schema up; says what it did.
///
/// # Errors
/// As [`PostgresStore::open`].
pub fn migrate(place: &PostgresPlace) -> Result<Vec<String>, StoreError> {
    let purpose = Purpose { reads_only: false, unflushed: false, unsafe_server: false };
    migrate::bring_up(&mut Session::open(place, purpose)?, &place.to_string())
}
