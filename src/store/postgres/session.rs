//! One session with the server, used by one thread: statements are prepared once, and those that do not wait for one
//! another go out together and come back together. Owns the runtime that drives its connection, so that whoever calls
//! is as synchronous as the rest of the core. Every wait has a limit (I10).

use super::failure::{self, Failure};
use super::place::{CONNECT_TIMEOUT, PostgresPlace};
use super::row::RowCells;
use crate::store::StoreError;
use futures_util::future::{BoxFuture, FutureExt, join_all, poll_fn};
use futures_util::stream::TryStreamExt;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Connection, Error, NoTls, Row, Statement};

/// What the server may take for one statement.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a statement may wait for a lock: another instance's transaction takes milliseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// A transaction that nobody goes on with, such as that of a machine that is gone, gives its locks back before those who
/// wait for them lose their patience.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// How much longer than the server we wait for it to say that it took too long.
const PATIENCE: Duration = Duration::from_secs(5);

/// A writer's statements name rows by their keys. Plans are made once, when the tables may still be empty, and a scan that
/// is the cheapest then reads whole tables at every batch until somebody gathers statistics.
const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// The oldest server: 13 is out of support.
const VERSION_MIN: i32 = 140_000;

/// A parameter.
pub(super) type Param<'a> = &'a (dyn ToSql + Sync);

/// A statement with its parameters.
pub(super) struct Ask<'a> {
    sql: &'static str,
    params: Vec<Param<'a>>,
}

impl<'a> Ask<'a> {
    pub(super) fn new(sql: &'static str, params: Vec<Param<'a>>) -> Self {
        Self { sql, params }
    }
}

/// A row that is streamed into a table.
pub(super) trait CopyRow {
    /// `COPY table (columns) FROM STDIN (FORMAT binary)`.
    const SQL: &'static str;
    /// Of the columns.
    const TYPES: &'static [Type];

    /// In the order of the columns.
    fn params(&self) -> Vec<Param<'_>>;
}

/// What a statement came to.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) sql: &'static str,
    pub(super) rows: Vec<Row>,
    /// Rows written, or read.
    pub(super) count: u64,
}

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purpose {
    /// Only questions: the server refuses anything else.
    pub(super) reads_only: bool,
    /// Not flushed at each commit: loses acknowledged payments. Only for the rigs.
    pub(super) unflushed: bool,
    /// A server that may lose what it acknowledged is taken all the same. Only for the rigs.
    pub(super) unsafe_server: bool,
}

impl Purpose {
    pub(super) const READING: Self = Self { reads_only: true, unflushed: false, unsafe_server: true };
}

/// A connection and what was prepared on it.
pub(super) struct Session {
    // Before the runtime that drives its connection.
    client: Client,
    runtime: Runtime,
    statements: HashMap<&'static str, Statement>,
    warnings: Arc<AtomicU64>,
    limit: Duration,
    lost: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl Session {
    /// Connects, and refuses a server that may lose what it acknowledged.
    pub(super) fn open(place: &PostgresPlace, purpose: Purpose) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| StoreError::Fault(format!("store.connect: no runtime ({})", e.kind())))?;
        let warnings = Arc::<AtomicU64>::default();
        let connecting = connect(place, Arc::clone(&warnings));
        let limit = CONNECT_TIMEOUT.saturating_mul(place.hosts());
        let connected = runtime.block_on(async { tokio::time::timeout(limit, connecting).await });
        let (client, driver) = match connected {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return Err(failure::no_connection(&error)),
            Err(_elapsed) => return Err(failure::away("no connection in time")),
        };
        runtime.spawn(driver);
        let mut session =
            Self { client, runtime, statements: HashMap::new(), warnings, limit: STATEMENT_TIMEOUT, lost: false };
        session.tune(purpose)?;
        session.judge(purpose)?;
        Ok(session)
    }

    fn tune(&mut self, purpose: Purpose) -> Result<(), StoreError> {
        self.simple(&format!(
            "-- store.tune\nSET synchronous_commit = {}; SET default_transaction_read_only = {};
             SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {};
             SET default_transaction_isolation = 'read committed'; SET client_min_messages = 'warning';
             SET plan_cache_mode = {plans}; SET jit = off;
             SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 2;
             SET tcp_user_timeout = 15000; SET client_connection_check_interval = 2000;
             SET max_parallel_workers_per_gather = {}; {planner}",
            if purpose.unflushed { "off" } else { "on" },
            if purpose.reads_only { "on" } else { "off" },
            STATEMENT_TIMEOUT.as_millis(),
            LOCK_TIMEOUT.as_millis(),
            IDLE_TIMEOUT.as_millis(),
            // A batch's questions are look-ups; the audit's read whole tables.
            if purpose.reads_only { 2 } else { 0 },
            // Only a plan that knows a filter leaves out what is not set in it, and the server may make one; a batch's questions
            // are always the same.
            plans = if purpose.reads_only { "auto" } else { "force_generic_plan" },
            planner = if purpose.reads_only { "" } else { BY_INDEX },
        ))
    }

    /// Refuses what would make a promise of ours untrue.
    fn judge(&mut self, purpose: Purpose) -> Result<(), StoreError> {
        const SQL: &str = "-- store.server\nSELECT current_setting('fsync'), current_setting('full_page_writes'),
            current_setting('synchronous_commit'), current_setting('server_encoding'),
            current_setting('server_version_num')::integer";
        let answer = self.ask_one(Ask::new(SQL, Vec::new()))?;
        let row = answer.rows.first().ok_or_else(|| StoreError::Fault("store.server: no answer".to_owned()))?;
        let text = |n: usize| row.try_get::<_, &str>(n).unwrap_or_default();
        let refuse = |why: &str| Err(StoreError::Schema(format!("the PostgreSQL server {why}")));
        if row.try_get::<_, i32>(4).unwrap_or_default() < VERSION_MIN {
            return refuse("is older than version 14");
        }
        if text(3) != "UTF8" {
            return refuse("does not keep texts as UTF8");
        }
        if purpose.unsafe_server {
            return Ok(());
        }
        if text(0) != "on" || text(1) != "on" {
            return refuse("runs with fsync or full_page_writes off: it would lose acknowledged payments");
        }
        if !purpose.unflushed && text(2) != "on" {
            return refuse("does not let this user set synchronous_commit to on");
        }
        Ok(())
    }

    /// From now on a statement may take so long.
    pub(super) fn allow(&mut self, limit: Duration) -> Result<(), StoreError> {
        if self.limit == limit {
            return Ok(());
        }
        self.limit = limit;
        self.simple(&format!("-- store.allow\nSET statement_timeout = {}", limit.as_millis()))
    }

    fn patience(&self) -> Duration {
        self.limit.saturating_add(PATIENCE)
    }

    /// Is it of no more use?
    pub(super) fn is_lost(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    fn fail(&mut self, failure: Failure) -> StoreError {
        self.lost |= failure.lost;
        failure.error
    }

    /// Statements without parameters, such as a schema.
    pub(super) fn simple(&mut self, sql: &str) -> Result<(), StoreError> {
        let (limit, sent) = (self.patience(), self.client.batch_execute(sql));
        let done = self.runtime.block_on(async { tokio::time::timeout(limit, sent).await });
        match done {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let failure = failure::of(sql, &error);
                Err(self.fail(failure))
            }
            Err(_elapsed) => Err(self.silent()),
        }
    }

    fn silent(&mut self) -> StoreError {
        self.lost = true;
        failure::away("no answer in time")
    }

    /// One statement.
    pub(super) fn ask_one(&mut self, ask: Ask<'_>) -> Result<Answer, StoreError> {
        Ok(self.ask(None, &[ask])?.pop().unwrap_or_default())
    }

    /// One question of many rows: each is read while the server makes the next.
    pub(super) fn each<T>(
        &mut self,
        ask: &Ask<'_>,
        mut read: impl FnMut(&mut RowCells<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let statement = self.prepared(std::slice::from_ref(ask))?.pop();
        let statement = statement.ok_or_else(|| StoreError::Fault(format!("{}: not prepared", ask.sql)))?;
        let client = &self.client;
        let all = async {
            let mut rows = std::pin::pin!(client.query_raw(&statement, ask.params.iter().copied()).await?);
            let mut all = Vec::new();
            while let Some(row) = rows.try_next().await? {
                match read(&mut RowCells::of(ask.sql, &row)) {
                    Ok(one) => all.push(one),
                    Err(bad) => return Ok(Err(bad)),
                }
            }
            Ok(Ok(all))
        };
        let limit = self.patience();
        match self.runtime.block_on(async { tokio::time::timeout(limit, all).await }) {
            Ok(Ok(all)) => all,
            Ok(Err(error)) => {
                let failure = failure::of(ask.sql, &error);
                Err(self.fail(failure))
            }
            Err(_elapsed) => Err(self.silent()),
        }
    }

    /// Statements that do not wait for one another, in order, behind `before`; the first failure is theirs.
    pub(super) fn ask(&mut self, before: Option<&'static str>, asks: &[Ask<'_>]) -> Result<Vec<Answer>, StoreError> {
        let statements = self.prepared(asks)?;
        let client = &self.client;
        let all = async {
            let begin = async {
                match before {
                    Some(sql) => client.batch_execute(sql).await.map_err(|error| failure::of(sql, &error)),
                    None => Ok(()),
                }
            };
            futures_util::future::join(begin, answers(client, asks, &statements)).await
        };
        let limit = self.patience();
        let done = self.runtime.block_on(async { tokio::time::timeout(limit, all).await });
        let Ok((begun, answers)) = done else { return Err(self.silent()) };
        let answers = begun.and_then(|()| answers.into_iter().collect::<Result<Vec<_>, _>>());
        answers.map_err(|failure| self.fail(failure))
    }

    /// Streams rows into a table, for less than half of what they cost as a statement with arrays, and makes each while the
    /// server takes those before. `None`: one of them is there already, and its transaction has failed.
    pub(super) fn copy<R: CopyRow>(&mut self, rows: impl Iterator<Item = R>) -> Result<Option<u64>, StoreError> {
        let statement = self.prepared(&[Ask::new(R::SQL, Vec::new())])?.pop();
        let statement = statement.ok_or_else(|| StoreError::Fault(format!("{}: not prepared", R::SQL)))?;
        let client = &self.client;
        let all = async {
            let writer = BinaryCopyInWriter::new(client.copy_in(&statement).await?, R::TYPES);
            let mut writer = std::pin::pin!(writer);
            for row in rows {
                writer.as_mut().write(&row.params()).await?;
            }
            writer.finish().await
        };
        let limit = self.patience();
        match self.runtime.block_on(async { tokio::time::timeout(limit, all).await }) {
            Ok(Ok(count)) => Ok(Some(count)),
            Ok(Err(error)) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(None),
            Ok(Err(error)) => {
                let failure = failure::of(R::SQL, &error);
                Err(self.fail(failure))
            }
            Err(_elapsed) => Err(self.silent()),
        }
    }

    /// The last statements of a transaction, and its COMMIT with them.
    pub(super) fn commit(&mut self, last: &[Ask<'_>]) -> Result<(), StoreError> {
        const COMMIT: &str = "-- store.commit\nCOMMIT";
        let statements = self.prepared(last)?;
        let warned = self.warnings.load(Ordering::Acquire);
        let client = &self.client;
        let all = async {
            futures_util::future::join(answers(client, last, &statements), client.batch_execute(COMMIT)).await
        };
        let limit = self.patience();
        let done = self.runtime.block_on(async { tokio::time::timeout(limit, all).await });
        let Ok((answers, committed)) = done else {
            self.lost = true;
            return Err(failure::unknown("no answer in time"));
        };
        for answer in answers {
            if let Err(failure) = answer {
                self.lost |= failure.lost;
                // A refused statement turns COMMIT into a rollback; a lost connection tells nothing of either.
                return Err(if failure.lost { failure::unknown("the connection was lost") } else { failure.error });
            }
        }
        if let Err(error) = committed {
            let failure = failure::at_commit(COMMIT, &error);
            return Err(self.fail(failure));
        }
        if self.warnings.load(Ordering::Acquire) != warned {
            // Such as a wait for a standby that was given up: on this disk, and perhaps nowhere else.
            self.lost = true;
            return Err(failure::unknown("the server warned"));
        }
        Ok(())
    }

    /// Ends a transaction without keeping it. A session that cannot even do that is lost.
    pub(super) fn roll_back(&mut self) {
        if self.is_lost() || self.simple("-- store.rollback\nROLLBACK").is_err() {
            self.lost = true;
        }
    }

    fn prepared(&mut self, asks: &[Ask<'_>]) -> Result<Vec<Statement>, StoreError> {
        let mut missing: Vec<&'static str> =
            asks.iter().map(|ask| ask.sql).filter(|sql| !self.statements.contains_key(sql)).collect();
        missing.dedup();
        if !missing.is_empty() {
            let (client, limit) = (&self.client, self.patience());
            let all = join_all(missing.iter().map(|sql| client.prepare(sql)));
            let done = self.runtime.block_on(async { tokio::time::timeout(limit, all).await });
            let Ok(prepared) = done else { return Err(self.silent()) };
            for (sql, statement) in missing.into_iter().zip(prepared) {
                match statement {
                    Ok(statement) => drop(self.statements.insert(sql, statement)),
                    Err(error) => {
                        let failure = failure::of(sql, &error);
                        return Err(self.fail(failure));
                    }
                }
            }
        }
        Ok(asks.iter().filter_map(|ask| self.statements.get(ask.sql).cloned()).collect())
    }
}

/// All of them are sent before the first is waited for.
async fn answers(client: &Client, asks: &[Ask<'_>], statements: &[Statement]) -> Vec<Result<Answer, Failure>> {
    let one = async |ask: &Ask<'_>, statement: &Statement| -> Result<Answer, Error> {
        let stream = client.query_raw(statement, ask.params.iter().copied()).await?;
        let mut stream = std::pin::pin!(stream);
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            rows.push(row);
        }
        Ok(Answer { sql: ask.sql, rows, count: stream.rows_affected().unwrap_or_default() })
    };
    let all = asks.iter().zip(statements).map(|(ask, statement)| {
        let asked = one(ask, statement);
        async move { asked.await.map_err(|error| failure::of(ask.sql, &error)) }
    });
    join_all(all).await
}

type Connected = (Client, BoxFuture<'static, ()>);

async fn connect(place: &PostgresPlace, warnings: Arc<AtomicU64>) -> Result<Connected, Error> {
    match &place.tls {
        None => {
            let (client, connection) = place.config.connect(NoTls).await?;
            Ok((client, drive(connection, warnings).boxed()))
        }
        Some(tls) => {
            let tls = tokio_postgres_rustls::MakeRustlsConnect::new(tls.clone());
            let (client, connection) = place.config.connect(tls).await?;
            Ok((client, drive(connection, warnings).boxed()))
        }
    }
}

/// Moves bytes while somebody waits, and counts what the server warns of.
async fn drive<S, T>(mut connection: Connection<S, T>, warnings: Arc<AtomicU64>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.parsed_severity() == Some(Severity::Warning)
        {
            warnings.fetch_add(1, Ordering::AcqRel);
        }
    }
}
