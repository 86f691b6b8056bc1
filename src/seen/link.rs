//! One worker's connection to Redis: recalls in batches, markers in pipelines, a breaker for each. Nothing here ever
//! fails a request or holds it beyond the time limit (I7, I10).

use super::breaker::{Breaker, Permit};
use super::marker::Value;
use super::place::{Node, Place};
use super::{Health, Options};
use crate::domain::ids::EventKey;
use redis::aio::MultiplexedConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{AsyncConnectionConfig, ConnectionAddr, IntoConnectionInfo, TlsCertificates};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Keys in one `MGET`, and markers in one pipeline. Enough for every connection of a busy worker.
const BATCH_MAX: usize = 512;

/// Recalls that may wait at one worker; further ones ask the ledger.
const RECALLS_MAX: usize = 8_192;

/// What all workers share: how to connect, and how it goes.
pub(super) struct Redis {
    options: Options,
    target: Target,
    down: AtomicBool,
}

enum Target {
    Single(redis::Client),
    Sentinel(tokio::sync::Mutex<SentinelClient>),
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("place", &self.options.place).finish_non_exhaustive()
    }
}

impl Redis {
    pub(super) fn new(options: Options) -> Result<Self, String> {
        let target = Target::of(&options).map_err(|e| format!("seen.url: {}", reason(&e)))?;
        Ok(Self { options, target, down: AtomicBool::new(false) })
    }

    pub(super) fn health(&self) -> Health {
        if self.down.load(Ordering::Relaxed) { Health::Down } else { Health::Up }
    }

    pub(super) async fn ping(&self) -> Result<(), String> {
        let mut connection = self.connect().await?;
        redis::cmd("PING").query_async::<()>(&mut connection).await.map_err(|e| reason(&e))
    }

    async fn connect(&self) -> Result<MultiplexedConnection, String> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.options.connect))
            .set_response_timeout(Some(self.options.timeout));
        let connecting = async {
            match &self.target {
                Target::Single(client) => client.get_multiplexed_async_connection_with_config(&config).await,
                Target::Sentinel(client) => client.lock().await.get_async_connection_with_config(&config).await,
            }
        };
        // Sentinels are asked one after the other, so the whole has a limit as well.
        match tokio::time::timeout(self.options.connect, connecting).await {
            Ok(connected) => connected.map_err(|e| reason(&e)),
            Err(_elapsed) => Err("no connection in time".to_owned()),
        }
    }

    fn redis_key(&self, key: &EventKey) -> String {
        format!("thuho:{}:{key}", self.options.environment)
    }

    /// Says once that it went down or came back.
    fn note(&self, result: &Result<(), String>) {
        match result {
            Ok(()) => {
                if self.down.swap(false, Ordering::Relaxed) {
                    tracing::info!("Redis answers again; repeats are fast");
                }
            }
            Err(problem) => {
                metrics::counter!("thuho_seen_failures_total").increment(1);
                if !self.down.swap(true, Ordering::Relaxed) {
                    tracing::warn!(problem, "Redis does not answer; the ledger answers repeats");
                }
            }
        }
    }
}

/// The kind of a failure; never the server's text, which may quote a command.
fn reason(error: &redis::RedisError) -> String {
    error.code().map_or_else(|| format!("{:?}", error.kind()), str::to_owned)
}

fn address(node: &Node, tls: bool) -> ConnectionAddr {
    if tls {
        ConnectionAddr::TcpTls { host: node.host.clone(), port: node.port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(node.host.clone(), node.port)
    }
}

impl Target {
    fn of(options: &Options) -> redis::RedisResult<Self> {
        let password = options.password.as_ref().and_then(|p| p.expose_text());
        let trusted = options.trust_pem.clone().map(|pem| TlsCertificates { client_tls: None, root_cert: Some(pem) });
        match &options.place {
            Place::Memory => Err((redis::ErrorKind::InvalidClientConfig, "no Redis").into()),
            Place::Redis { node, tls, db } => {
                let mut settings = redis::RedisConnectionInfo::default().set_db(*db);
                if let Some(username) = &options.username {
                    settings = settings.set_username(username);
                }
                if let Some(password) = password {
                    settings = settings.set_password(password);
                }
                let info = address(node, *tls).into_connection_info()?.set_redis_settings(settings);
                Ok(Self::Single(match trusted {
                    Some(trusted) => redis::Client::build_with_tls(info, trusted)?,
                    None => redis::Client::open(info)?,
                }))
            }
            Place::Sentinel { nodes, master, tls, db } => {
                let sentinels = nodes.iter().map(|node| address(node, false));
                let mut builder = SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?
                    .set_client_to_redis_db(*db);
                if *tls {
                    builder = builder.set_client_to_redis_tls_mode(redis::TlsMode::Secure);
                }
                if let Some(trusted) = trusted {
                    builder = builder.set_client_to_redis_certificates(trusted);
                }
                if let Some(username) = &options.username {
                    builder = builder.set_client_to_redis_username(username);
                }
                if let Some(password) = password {
                    builder = builder.set_client_to_redis_password(password);
                }
                Ok(Self::Sentinel(tokio::sync::Mutex::new(builder.build()?)))
            }
        }
    }
}

/// One worker's connection with what waits for it.
pub(super) struct Link {
    redis: Arc<Redis>,
    state: Mutex<State>,
}

struct State {
    connection: Option<MultiplexedConnection>,
    recalls: VecDeque<Recall>,
    recalling: bool,
    markers: VecDeque<(EventKey, Value)>,
    writing: bool,
    reads: Breaker,
    writes: Breaker,
}

struct Recall {
    key: EventKey,
    answer: oneshot::Sender<Option<Vec<u8>>>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("redis", &self.redis).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(redis: Arc<Redis>) -> Arc<Self> {
        let (failures, open) = (redis.options.breaker_failures, redis.options.breaker_open);
        let state = State {
            connection: None,
            recalls: VecDeque::new(),
            recalling: false,
            markers: VecDeque::new(),
            writing: false,
            reads: Breaker::new(failures, open),
            writes: Breaker::new(failures, open),
        };
        Arc::new(Self { redis, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value under a key, or nothing in time.
    pub(super) async fn get(self: &Arc<Self>, key: &EventKey) -> Option<Vec<u8>> {
        let waiting = self.enqueue(key)?;
        // Twice the answer's limit: the wait for the batch before, and one's own.
        let limit = self.redis.options.timeout.saturating_mul(2);
        tokio::time::timeout(limit, waiting).await.ok()?.ok()?
    }

    fn enqueue(self: &Arc<Self>, key: &EventKey) -> Option<oneshot::Receiver<Option<Vec<u8>>>> {
        let mut state = self.state();
        match state.reads.permit(Instant::now()) {
            Permit::Ask if state.recalls.len() < RECALLS_MAX => {}
            Permit::Ask | Permit::Skip => return None,
            Permit::Probe => {
                drop(state);
                tokio::spawn(Arc::clone(self).probe());
                return None;
            }
        }
        let (answer, waiting) = oneshot::channel();
        state.recalls.push_back(Recall { key: *key, answer });
        if !std::mem::replace(&mut state.recalling, true) {
            drop(state);
            tokio::spawn(Arc::clone(self).pump_recalls());
        }
        Some(waiting)
    }

    /// Remembers, later; drops the marker when too many wait or Redis does not take any.
    pub(super) fn put(self: &Arc<Self>, key: EventKey, value: Value) {
        let mut state = self.state();
        // The permit comes last: a probe of the writes is the next marker itself, so it must really be sent.
        let room = state.reads.is_closed() && state.markers.len() < self.redis.options.pending;
        if !room || state.writes.permit(Instant::now()) == Permit::Skip {
            metrics::counter!("thuho_seen_markers_dropped_total").increment(1);
            return;
        }
        state.markers.push_back((key, value));
        if !std::mem::replace(&mut state.writing, true) {
            drop(state);
            tokio::spawn(Arc::clone(self).pump_markers());
        }
    }

    async fn connection(&self) -> Result<MultiplexedConnection, String> {
        let existing = self.state().connection.clone();
        if let Some(connection) = existing {
            return Ok(connection);
        }
        let connection = self.redis.connect().await?;
        self.state().connection = Some(connection.clone());
        Ok(connection)
    }

    /// One question for all that wait, again and again until none does.
    async fn pump_recalls(self: Arc<Self>) {
        loop {
            let batch: Vec<Recall> = {
                let mut state = self.state();
                // Those that gave up are not asked for.
                state.recalls.retain(|recall| !recall.answer.is_closed());
                let count = state.recalls.len().min(BATCH_MAX);
                if count == 0 {
                    state.recalling = false;
                    return;
                }
                state.recalls.drain(..count).collect()
            };
            let answers = self.ask(&batch).await;
            self.note_read(&answers.as_ref().map(|_| ()).map_err(Clone::clone));
            let mut answers = answers.unwrap_or_default().into_iter();
            for recall in batch {
                // A failed send is a caller that gave up waiting.
                drop(recall.answer.send(answers.next().flatten()));
            }
        }
    }

    async fn ask(&self, batch: &[Recall]) -> Result<Vec<Option<Vec<u8>>>, String> {
        let mut connection = self.connection().await?;
        let mut command = redis::cmd("MGET");
        for recall in batch {
            command.arg(self.redis.redis_key(&recall.key));
        }
        limited(self.redis.options.timeout, command.query_async(&mut connection)).await
    }

    async fn pump_markers(self: Arc<Self>) {
        loop {
            let batch: Vec<(EventKey, Value)> = {
                let mut state = self.state();
                let count = state.markers.len().min(BATCH_MAX);
                if count == 0 {
                    state.writing = false;
                    return;
                }
                state.markers.drain(..count).collect()
            };
            let result = self.tell(&batch).await;
            let mut state = self.state();
            match result {
                Ok(()) => state.writes.succeeded(),
                Err(problem) => {
                    if state.writes.failed(Instant::now()) {
                        tracing::warn!(problem, "Redis takes no markers; the ledger answers repeats");
                    }
                }
            }
        }
    }

    async fn tell(&self, batch: &[(EventKey, Value)]) -> Result<(), String> {
        let mut connection = self.connection().await?;
        let mut pipe = redis::pipe();
        for (key, value) in batch {
            let key = self.redis.redis_key(key);
            pipe.cmd("SET").arg(key).arg(value.as_slice()).arg("EX").arg(self.redis.options.ttl.as_secs()).ignore();
        }
        // Writing holds nobody, so it may take longer than an answer.
        limited(self.redis.options.connect, pipe.query_async(&mut connection)).await
    }

    /// One sign of life while nobody waits for it.
    async fn probe(self: Arc<Self>) {
        let result = async {
            let mut connection = self.connection().await?;
            limited::<()>(self.redis.options.timeout, redis::cmd("PING").query_async(&mut connection)).await
        };
        let result = result.await;
        self.note_read(&result);
    }

    fn note_read(&self, result: &Result<(), String>) {
        let mut state = self.state();
        match result {
            Ok(()) => state.reads.succeeded(),
            Err(_) => {
                state.reads.failed(Instant::now());
                // What timed out may answer late; a new connection cannot mistake old answers for new ones.
                state.connection = None;
            }
        }
        drop(state);
        self.redis.note(result);
    }
}

async fn limited<T>(limit: Duration, asking: impl Future<Output = redis::RedisResult<T>>) -> Result<T, String> {
    match tokio::time::timeout(limit, asking).await {
        Ok(answer) => answer.map_err(|e| reason(&e)),
        Err(_elapsed) => Err("no answer in time".to_owned()),
    }
}
