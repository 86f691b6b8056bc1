//! What runs beside the listeners: the forwarder, seals, counts, signals.

use super::{AppError, Start};
use crate::domain::ids::Generation;
use crate::domain::secret::Secret;
use crate::inquiry::readers::Readers;
use crate::intake::Intake;
use crate::ledger::writer::{Writer, moment};
use crate::ledger::{Slices, audit};
use crate::outbox::{CoreClient, CoreOptions, Forwarder, ForwarderOptions, ahead, overdue, watch};
use crate::reconcile::desk;
use crate::seen::Generations;
use crate::store::reports::SlowPlace;
use crate::store::{Lead, StoreError};
use crate::telemetry;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How often counts are written and the outbox is looked at.
const MINUTE: Duration = Duration::from_secs(60);

/// How often the slow lane is walked through.
const LANES: Duration = Duration::from_secs(300);

/// How often a broken storage is noticed.
const BROKEN_LOOK: Duration = Duration::from_millis(100);

/// The forwarder's thread of work, where there is a billing core.
pub(super) struct Forwarding(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Forwarding {
    pub(super) fn start(start: &Start, writer: Arc<Writer>) -> Result<Self, AppError> {
        let Some(core) = &start.config.core else { return Ok(Self(None)) };
        let options = ForwarderOptions::default();
        let client = CoreClient::new(&CoreOptions {
            url: core.url.clone(),
            secret: core.secret.clone(),
            timeout_ms: options.timeout_ms,
            trust_pem: core.trust_pem.clone(),
        })?;
        let committing = Arc::clone(&writer);
        let forwarder = Forwarder::new(writer, Arc::new(client), Arc::clone(&start.clock), options);
        let waker = forwarder.waker();
        committing.on_posted(move || waker.wake());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async {
                // A dropped handle stops it as well.
                stopped.await.ok();
            };
            forwarder.run(stopped).await;
        });
        Ok(Self(Some((stop, task))))
    }

    /// Lets flights land and gives leases back.
    pub(super) async fn stop(self) {
        if let Some((stop, task)) = self.0 {
            // It may have ended already.
            stop.send(()).ok();
            if task.await.is_err() {
                tracing::error!("The forwarder did not end in order; its leases run out");
            }
        }
    }
}

/// Work that one instance at a time does for all: done twice it is wasted.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// Signing the heads of all chains.
    Seals,
    /// Walking through the slow lane.
    Lanes,
    /// Carrying out what was approved and stopped on the way.
    Desk,
    /// Looking into the inbox.
    Inbox,
}

/// Who leads: this start of this instance, or nobody where there are no others.
pub(super) type Leader = Option<Generation>;

/// Is this work ours this time? It stays ours until the next time is due; when we are gone, another takes it then.
pub(super) async fn leads(intake: &Intake, leader: Leader, work: Work, lasts: Duration) -> bool {
    let Some(holder) = leader else { return true };
    let word = match work {
        Work::Seals => "seals",
        Work::Lanes => "lanes",
        Work::Desk => "desk",
        Work::Inbox => "inbox",
    };
    let lasts_ms = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
    let lead = Lead { work: word, holder, now: intake.clock().now(), lasts_ms };
    let asked = intake.queue().run(move |store| {
        let mut ours = false;
        store.transact(&mut |tx| tx.lead(&lead).map(|answer| ours = answer)).map(|()| ours)
    });
    match asked {
        // Whoever is not answered does nothing: the work is done the next time, by somebody.
        Ok(answer) => matches!(answer.await, Ok(Ok(true))),
        Err(_busy) => false,
    }
}

/// Lets another instance take what was ours, at the end.
pub(super) async fn give_up_leads(intake: &Intake, leader: Leader) {
    for work in [Work::Seals, Work::Lanes, Work::Desk, Work::Inbox] {
        leads(intake, leader, work, Duration::ZERO).await;
    }
}

/// A little longer than until the next time.
pub(super) fn until_next(every: Duration) -> Duration {
    every.saturating_add(every / 2)
}

/// Signs the heads of the chains.
pub(super) async fn seal(intake: &Intake, key: &Secret) {
    let (key, clock) = (key.clone(), Arc::clone(intake.clock()));
    let sealed = intake.queue().run(move |store| {
        let now = clock.now();
        store.transact(&mut |tx| audit::seal(tx, &key, now).map(|_seal| ()))
    });
    let sealed = match sealed {
        Ok(answer) => answer.await.is_ok_and(|sealed| sealed.is_ok()),
        Err(_busy) => false,
    };
    if !sealed {
        tracing::warn!("The chains were not sealed this time");
    }
}

/// How the chains are sealed.
pub(super) struct Sealing {
    /// What the seals are signed with.
    pub(super) key: Secret,
    /// How often.
    pub(super) every: Duration,
    /// Whoever does it for all.
    pub(super) leader: Leader,
}

/// Runs until it is aborted.
pub(super) async fn housekeeping(intake: Arc<Intake>, readers: Readers, sealing: Sealing) {
    let Sealing { key, every: seal_every, leader } = sealing;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut minute = tokio::time::interval_at(tokio::time::Instant::now() + MINUTE, MINUTE);
    let mut seals = tokio::time::interval_at(tokio::time::Instant::now() + seal_every, seal_every);
    loop {
        tokio::select! {
            _ = second.tick() => intake.every_second(),
            _ = seals.tick() => if leads(&intake, leader, Work::Seals, until_next(seal_every)).await {
                seal(&intake, &key).await;
            },
            _ = minute.tick() => {
                intake.flush_repeats().await;
                // What nobody asks for must not gather for ever.
                telemetry::settle_metrics();
                let now = intake.clock().now();
                let limits = watch::AgeLimits::default();
                if let Err(error) = readers.ask(move |reports| watch::look(reports, now, &limits).map(|_alarms| ())).await {
                    tracing::warn!(error = %error, "The outbox could not be looked at");
                }
            }
        }
    }
}

/// Puts messages whose invoice became overdue while they waited into the fast lane, and makes due what a wrong clock put
/// hours ahead: at the start and every five minutes, so that a new day, a retry by hand, an import's new due date and a
/// clock that was set right are all seen soon. Runs until it is aborted.
pub(super) async fn keep_lanes(intake: Arc<Intake>, readers: Readers, leader: Leader) {
    let mut often = tokio::time::interval(LANES);
    often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        often.tick().await;
        if !leads(&intake, leader, Work::Lanes, until_next(LANES)).await {
            continue;
        }
        match bring_near(&intake).await {
            Ok(0) => {}
            Ok(moved) => tracing::warn!(moved, "Messages were due hours ahead: a clock of ours was wrong. They go now"),
            Err(why) => tracing::warn!(why, "Messages that are due hours ahead were not looked for; they are again"),
        }
        match raise_overdue(&intake, &readers).await {
            Ok(0) => {}
            Ok(raised) => tracing::info!(raised, "Messages of overdue invoices go to the fast lane"),
            Err(why) => tracing::warn!(why, "The slow lane was not walked to its end; it is walked again"),
        }
    }
}

/// Carries out what was approved and stopped on the way: whoever approved it was cut off, or the instance was. Runs until
/// it is aborted.
pub(super) async fn keep_desk(intake: Arc<Intake>, writer: Arc<Writer>, leader: Leader) {
    let mut often = tokio::time::interval(MINUTE);
    often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        often.tick().await;
        if !leads(&intake, leader, Work::Desk, until_next(MINUTE)).await {
            continue;
        }
        let (intake, writer) = (Arc::clone(&intake), Arc::clone(&writer));
        let carried = tokio::task::spawn_blocking(move || {
            let context = || writer.context(intake.clock().as_ref());
            let senders = desk::senders(intake.partners().iter().map(AsRef::as_ref));
            desk::carry_out(&mut Slices::between(writer.as_ref()), None, &senders, &context)
        });
        match carried.await {
            Ok(Ok(carried)) if carried == desk::CarriedOut::default() => {}
            Ok(Ok(carried)) => tracing::info!(carried.done, carried.refused, "What was approved is carried out"),
            Ok(Err(error)) => tracing::warn!(error = %error, "What was approved waits to be carried out"),
            Err(_panicked) => tracing::error!("What was approved was not carried out"),
        }
    }
}

/// How often it is read what other instances did.
const OTHERS: Duration = Duration::from_secs(2);

/// Learns from other instances how far they have come, because their markers count only up to there, and which partners
/// are paused. Runs until it is aborted.
pub(super) async fn keep_up_with_others(intake: Arc<Intake>, generations: Arc<Generations>, readers: Readers) {
    let mut often = tokio::time::interval(OTHERS);
    often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        often.tick().await;
        // Without an answer their repeats are asked of the ledger meanwhile.
        generations.replace_others(readers.ask(|reports| reports.generations()).await.unwrap_or_default());
        let paused = intake.queue().run(|store| {
            let mut paused = Vec::new();
            store.transact(&mut |tx| {
                paused = tx.paused_partners()?;
                Ok(())
            })?;
            Ok::<_, StoreError>(paused)
        });
        // Without an answer, whoever is paused stays so.
        if let Ok(answer) = paused
            && let Ok(Ok(paused)) = answer.await
        {
            intake.set_paused(paused);
        }
    }
}

async fn bring_near(intake: &Intake) -> Result<u64, String> {
    let mut moved = 0_u64;
    loop {
        let now = intake.clock().now();
        let done = intake.queue().run(move |store| ahead::bring_near(store, now)).map_err(|busy| busy.to_string())?;
        let done = done.await.map_err(|_not_run| "not run".to_owned())?.map_err(|error| error.to_string())?;
        moved = moved.saturating_add(done);
        if done < u64::from(ahead::SLICE) {
            return Ok(moved);
        }
    }
}

async fn raise_overdue(intake: &Intake, readers: &Readers) -> Result<u64, String> {
    let today = moment(intake.clock().as_ref()).today;
    let (mut raised, mut from) = (0_u64, Some(SlowPlace::default()));
    while let Some(place) = from {
        let page = readers.ask(move |reports| overdue::look(reports, today, place)).await.map_err(|e| e.to_string())?;
        for slice in page.overdue.chunks(overdue::SLICE) {
            let slice = slice.to_vec();
            let done = intake.queue().run(move |store| overdue::raise(store, &slice, today));
            let done = done.map_err(|busy| busy.to_string())?.await.map_err(|_not_run| "not run".to_owned())?;
            raised = raised.saturating_add(done.map_err(|error| error.to_string())?);
        }
        from = page.next;
    }
    Ok(raised)
}

/// Done when the storage failed.
pub(super) async fn until_broken(writer: &Writer) {
    while !writer.status().broken {
        tokio::time::sleep(BROKEN_LOOK).await;
    }
}

/// What the machine asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Stop,
    Reload,
}

/// The machine's signals, or silence.
pub(super) struct Signals(Option<[unix::Signal; 3]>);

impl Signals {
    pub(super) fn new(listen: bool) -> Result<Self, AppError> {
        if !listen {
            return Ok(Self(None));
        }
        let of =
            |kind| unix::signal(kind).map_err(|e| AppError::Machine(format!("cannot wait for signals: {}", e.kind())));
        Ok(Self(Some([of(SignalKind::terminate())?, of(SignalKind::interrupt())?, of(SignalKind::hangup())?])))
    }

    pub(super) async fn next(&mut self) -> Signal {
        match &mut self.0 {
            None => std::future::pending().await,
            Some([terminate, interrupt, hangup]) => tokio::select! {
                _ = terminate.recv() => Signal::Stop,
                _ = interrupt.recv() => Signal::Stop,
                _ = hangup.recv() => Signal::Reload,
            },
        }
    }
}
