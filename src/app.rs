//! The composition root: puts the parts together, starts them, and stops them in order. The only place that knows
//! all of them. Decides nothing.
//!
//! Start: profiles and their examples, the writer's store, the hint with the generations that the database knows, the
//! intake, both listeners, the forwarder, the housekeeping. Stop: not ready, wait until load balancers have seen it,
//! accept no more, answer all that is queued, give leases back, end the writer.

mod inbox;
mod parts;
mod supervisor;
mod tasks;

pub use parts::{open_readers, open_store, store_options};

use crate::config::{Config, ConfigError};
use crate::domain::ids::Generation;
use crate::domain::time::Clock;
use crate::finance;
use crate::http::body::Bounds;
use crate::http::health::Health;
use crate::http::internal::Internal;
use crate::http::public::Public;
use crate::http::{internal, public};
use crate::intake::{Intake, IntakeOptions};
use crate::ledger::writer::Writer;
use crate::partner::{Partners, ProfileErrors, SecretSource};
use crate::seen::Seen;
use crate::store::{Place, StoreError};
use crate::telemetry;
use actix_web::dev::{Server, ServerHandle};
use actix_web::{App as WebApp, HttpServer, web};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long an idle connection of a collector or a load balancer is kept.
/// Long questions of finance at once.
const DESK_WORK_MAX: usize = 4;

const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long the head of a request may take.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// Why the gateway did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The profiles.
    #[error(transparent)]
    Profiles(#[from] ProfileErrors),
    /// The storage.
    #[error("{place}: {source}")]
    Store {
        /// Where.
        place: String,
        /// What.
        source: StoreError,
    },
    /// The billing core's address or secret.
    #[error(transparent)]
    Core(#[from] crate::outbox::core_client::BadCore),
    /// An address that cannot be listened on.
    #[error("{key}: cannot listen on {address}: {kind}")]
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        kind: std::io::ErrorKind,
    },
    /// Something of the machine's.
    #[error("{0}")]
    Machine(String),
    /// The storage failed while running: what was not answered is not known to be kept; recover at the next start.
    #[error("the storage failed; start again to recover")]
    Broken,
}

/// What a gateway is started with.
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Where profiles' secrets come from.
    pub secrets: Arc<dyn SecretSource + Send + Sync>,
    /// Is the process this gateway's own: does it listen to SIGTERM, SIGINT and SIGHUP, and tell a service manager?
    pub signals: bool,
}

/// What may be asked of a running gateway.
#[derive(Debug)]
enum Order {
    /// Stop in order.
    Stop,
    /// Read the profiles and keys again, all or none.
    Reload(oneshot::Sender<Result<(), String>>),
}

/// A gateway that is running on a thread of its own. Dropping it stops it in order.
pub struct Running {
    public: SocketAddr,
    internal: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<Result<(), AppError>>>,
}

impl Running {
    /// Starts a gateway; returns when both listeners are bound.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn start(start: Start) -> Result<Self, AppError> {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("gateway".to_owned())
            .spawn(move || actix_web::rt::System::new().block_on(run(start, inbox, tell)))
            .map_err(|e| AppError::Machine(format!("cannot start a thread: {}", e.kind())))?;
        match told.recv() {
            Ok((public, internal)) => Ok(Self { public, internal, orders, thread: Some(thread) }),
            // It ended before it listened: its result says why.
            Err(_ended) => Err(join(thread).err().unwrap_or(AppError::Broken)),
        }
    }

    /// Where collectors call.
    #[must_use]
    pub fn public(&self) -> SocketAddr {
        self.public
    }

    /// Where our own side calls.
    #[must_use]
    pub fn internal(&self) -> SocketAddr {
        self.internal
    }

    /// Reads profiles and keys again; on an error the old ones stay, all of them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn reload(&self) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(Order::Reload(answer)).map_err(|_ended| "the gateway has ended".to_owned())?;
        answered.blocking_recv().map_err(|_ended| "the gateway has ended".to_owned())?
    }

    /// Stops in order and waits for the end.
    ///
    /// # Errors
    /// [`AppError::Broken`] when the storage failed.
    pub fn stop(mut self) -> Result<(), AppError> {
        drop(self.orders.send(Order::Stop));
        self.thread.take().map_or(Ok(()), join)
    }

    /// Waits until it ends by itself or by a signal.
    ///
    /// # Errors
    /// [`AppError::Broken`] when the storage failed.
    pub fn wait(mut self) -> Result<(), AppError> {
        self.thread.take().map_or(Ok(()), join)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.orders.send(Order::Stop));
        if let Some(thread) = self.thread.take()
            && let Err(error) = join(thread)
        {
            tracing::error!(error = %error, "The gateway ended with an error");
        }
    }
}

fn join(thread: JoinHandle<Result<(), AppError>>) -> Result<(), AppError> {
    thread.join().unwrap_or_else(|_panic| Err(AppError::Machine("the gateway's thread panicked".to_owned())))
}

/// The parts of one gateway.
struct Gateway {
    start: Start,
    writer: Arc<Writer>,
    intake: Arc<Intake>,
    desks: parts::Desks,
    health: Health,
    seen: Arc<Seen>,
}

/// A random number from the machine.
///
/// # Errors
/// When the machine has none.
fn random() -> Result<u64, AppError> {
    getrandom::u64().map_err(|_no_chance| AppError::Machine("the machine gives no random numbers".to_owned()))
}

impl Gateway {
    /// Who leads here: nobody needs to where there are no other instances.
    fn leader(&self) -> tasks::Leader {
        (!self.writer.is_alone()).then(|| self.seen.generations().own())
    }

    fn build(start: Start) -> Result<Self, AppError> {
        telemetry::start_metrics();
        let config = &start.config;
        let partners = Partners::load(&config.partners_dir, start.secrets.as_ref())?;
        let generation = Generation(random()?);
        let parts = parts::Books::open(config, Arc::clone(&start.clock), generation)?;
        let seen = Seen::new(config.seen()?, parts.generations).map_err(AppError::Machine)?;
        let limits = &config.file.limits;
        let options = IntakeOptions {
            rates: crate::intake::limits::Rates {
                peer_per_second: limits.peer_per_second,
                peer_burst: limits.peer_burst,
                total_per_second: limits.total_per_second,
                total_burst: limits.total_burst,
                peers_max: limits.peers_max,
            },
            quarantine: limits.quarantine,
            quarantine_per_peer: limits.quarantine_per_peer,
            stale_alarm: limits.stale_alarm,
        };
        let (writer, clock) = (Arc::clone(&parts.writer), Arc::clone(&start.clock));
        let intake = Intake::new(partners, writer, Arc::clone(&seen), clock, &options);
        intake.set_paused(parts.paused);
        let health = Health::new(Arc::clone(&parts.writer), Arc::clone(&seen));
        Ok(Self { start, writer: parts.writer, intake, desks: parts.desks, health, seen })
    }

    fn listen_public(&self) -> Result<(Server, SocketAddr), AppError> {
        let config = &self.start.config;
        let limits = &config.file.limits;
        let bounds = Bounds { bytes: limits.body_bytes, deadline: Duration::from_millis(limits.body_deadline_ms) };
        let trusted: Arc<[_]> = config.trusted_proxies.clone().into();
        let (intake, writer) = (Arc::clone(&self.intake), Arc::clone(&self.writer));
        let readers = self.desks.collectors.clone();
        let mut server = HttpServer::new(move || {
            // Called once in each worker's thread: its own connection to Redis comes from here.
            let (door, readers, trusted) = (intake.door(), readers.clone(), Arc::clone(&trusted));
            actix_web::rt::spawn(door.hand_out());
            let data = Public { door, writer: Arc::clone(&writer), readers, trusted, bounds };
            WebApp::new().app_data(web::Data::new(data)).configure(public::routes)
        })
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_DEADLINE)
        // A bank that hangs up drops the payment that it asked for: its call must not live on.
        .h1_allow_half_closed(false)
        .max_connections(config.file.listen.connections_max)
        .shutdown_timeout(config.file.drain.finish_s)
        .disable_signals();
        if config.file.listen.workers > 0 {
            server = server.workers(config.file.listen.workers);
        }
        bound(server.bind(config.public), "listen.public", config.public)
            .map(|server| (server.addrs().first().copied().unwrap_or(config.public), server.run()))
            .map(|(address, server)| (server, address))
    }

    fn listen_internal(&self) -> Result<(Server, SocketAddr), AppError> {
        let config = &self.start.config;
        let data = web::Data::new(Internal {
            tokens: parts::tokens(config).into(),
            intake: Arc::clone(&self.intake),
            writer: Arc::clone(&self.writer),
            readers: self.desks.people.clone(),
            health: self.health.clone(),
            generations: Arc::clone(self.seen.generations()),
            import_bytes: config.file.limits.import_bytes,
            spool: parts::spool_of(&config.store),
            open_reports: parts::reports_of(config),
            calendar: config.calendar.clone(),
            seal_key: config.seal_secret.clone(),
            long_work: Arc::new(tokio::sync::Semaphore::new(1)),
            desk_work: Arc::new(tokio::sync::Semaphore::new(DESK_WORK_MAX)),
            metrics: telemetry::render_metrics,
        });
        let server = HttpServer::new(move || {
            WebApp::new().app_data(data.clone()).configure(finance::routes).configure(internal::routes)
        })
        .workers(1)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_DEADLINE)
        .shutdown_timeout(config.file.drain.finish_s)
        .disable_signals();
        bound(server.bind(config.internal), "listen.internal", config.internal)
            .map(|server| (server.addrs().first().copied().unwrap_or(config.internal), server.run()))
            .map(|(address, server)| (server, address))
    }

    /// Reads the profiles again; the old ones stay unless all of the new ones load.
    fn reload(&self) -> Result<(), String> {
        let config = &self.start.config;
        match Partners::load(&config.partners_dir, self.start.secrets.as_ref()) {
            Ok(partners) => {
                self.intake.replace_partners(partners);
                tracing::info!("Profiles and keys were read again");
                Ok(())
            }
            Err(errors) => {
                tracing::error!(errors = %errors, "The new profiles do not load; the old ones stay, all of them");
                Err(errors.to_string())
            }
        }
    }
}

fn bound<T>(result: std::io::Result<T>, key: &'static str, address: SocketAddr) -> Result<T, AppError> {
    result.map_err(|e| AppError::Listen { key, address, kind: e.kind() })
}

/// The gateway's whole life.
async fn run(
    start: Start,
    mut inbox: mpsc::UnboundedReceiver<Order>,
    tell: std::sync::mpsc::Sender<(SocketAddr, SocketAddr)>,
) -> Result<(), AppError> {
    let gateway = Gateway::build(start)?;
    let forwarding = tasks::Forwarding::start(&gateway.start, Arc::clone(&gateway.writer))?;
    let (internal, internal_at) = gateway.listen_internal()?;
    let (public, public_at) = gateway.listen_public()?;
    let (internal_handle, public_handle) = (internal.handle(), public.handle());
    let internal = actix_web::rt::spawn(internal);
    let public = actix_web::rt::spawn(public);
    let (leader, people) = (gateway.leader(), &gateway.desks.people);
    let sealing = tasks::Sealing {
        key: gateway.start.config.seal_secret.clone(),
        every: Duration::from_secs(gateway.start.config.file.seal.every_s),
        leader,
    };
    let housekeeping = actix_web::rt::spawn(tasks::housekeeping(Arc::clone(&gateway.intake), people.clone(), sealing));
    let lanes = actix_web::rt::spawn(tasks::keep_lanes(Arc::clone(&gateway.intake), people.clone(), leader));
    let desk = actix_web::rt::spawn(tasks::keep_desk(Arc::clone(&gateway.intake), Arc::clone(&gateway.writer), leader));
    let dropped = gateway.start.config.inbox.clone().map(|folder| {
        let books = (Arc::clone(&gateway.writer), parts::reports_of(&gateway.start.config));
        actix_web::rt::spawn(inbox::watch(Arc::clone(&gateway.intake), books, folder, leader))
    });
    // A file has one instance.
    let others = matches!(gateway.start.config.store, Place::Postgres(_)).then(|| {
        let (generations, readers) = (Arc::clone(gateway.seen.generations()), gateway.desks.people.clone());
        actix_web::rt::spawn(tasks::keep_up_with_others(Arc::clone(&gateway.intake), generations, readers))
    });
    let supervisor = supervisor::Supervisor::new(gateway.start.signals);
    let alive = actix_web::rt::spawn(supervisor.keep_alive(Arc::clone(&gateway.writer)));
    tracing::info!(public = %public_at, internal = %internal_at, "The gateway listens");
    // Nobody may be waiting to be told any more.
    tell.send((public_at, internal_at)).ok();
    let mut signals = tasks::Signals::new(gateway.start.signals)?;
    supervisor.ready(public_at);
    let broken = loop {
        tokio::select! {
            order = inbox.recv() => match order {
                Some(Order::Reload(answer)) => drop(answer.send(gateway.reload())),
                Some(Order::Stop) | None => break false,
            },
            signal = signals.next() => match signal {
                // The log says what is wrong; the old ones stay.
                tasks::Signal::Reload => drop(gateway.reload()),
                tasks::Signal::Stop => break false,
            },
            () = tasks::until_broken(&gateway.writer) => break true,
        }
    };
    lanes.abort();
    desk.abort();
    dropped.inspect(actix_web::rt::task::JoinHandle::abort);
    others.inspect(actix_web::rt::task::JoinHandle::abort);
    supervisor.stopping();
    drain(&gateway, broken, &public_handle, &internal_handle, forwarding).await;
    housekeeping.abort();
    alive.abort();
    for server in [public, internal] {
        if !matches!(server.await, Ok(Ok(()))) {
            tracing::warn!("A listener ended with an error");
        }
    }
    tracing::info!("The gateway has ended");
    if broken || gateway.writer.status().broken { Err(AppError::Broken) } else { Ok(()) }
}

/// Not ready, wait out the load balancers, accept no more, answer what is queued, give leases back.
async fn drain(
    gateway: &Gateway,
    broken: bool,
    public: &ServerHandle,
    internal: &ServerHandle,
    forwarding: tasks::Forwarding,
) {
    gateway.health.start_draining();
    tracing::info!(broken, "The gateway stops: it is not ready any more");
    // A broken storage acknowledges nothing, so there is nobody to wait for.
    if !broken {
        tokio::time::sleep(Duration::from_millis(gateway.start.config.file.drain.ready_ms)).await;
    }
    public.stop(true).await;
    forwarding.stop().await;
    gateway.intake.flush_repeats().await;
    tasks::seal(&gateway.intake, &gateway.start.config.seal_secret).await;
    tasks::give_up_leads(&gateway.intake, gateway.leader()).await;
    internal.stop(true).await;
    let writer = Arc::clone(&gateway.writer);
    if tokio::task::spawn_blocking(move || writer.drain()).await.is_err() {
        tracing::error!("The writer did not end in order");
    }
}
