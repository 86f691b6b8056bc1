//! Where a call comes in: [`Intake`] is one instance's, [`Door`] one worker's.

use super::alarm::ClockAlarm;
use super::limits::{Limited, Limits, Rates};
use super::quarantine::Quarantine;
use super::repeats::Repeats;
use crate::domain::ids::{EventKey, Movement, PartnerCode};
use crate::domain::notice::{Effect, Notice, OnMismatch, RawNotice};
use crate::domain::outcome::{Outcome, Refusal};
use crate::domain::time::{Clock, Timestamp};
use crate::ledger::{Arrival, Pickup, PostJob, Posted, Queue, UnreadKind};
use crate::partner::{AuthenticNotice, Partners, Profile};
use crate::seen::{Recalled, Seen, SeenWorker};
use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use jiff::civil::Date;
use std::collections::HashSet;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The bounds of intake.
#[derive(Clone, Copy, Debug)]
pub struct IntakeOptions {
    /// Before the signature.
    pub rates: Rates,
    /// Unproved calls kept per partner and reason.
    pub quarantine: usize,
    /// Of one address a minute.
    pub quarantine_per_peer: u32,
    /// Stale calls of one partner a minute that raise the alarm.
    pub stale_alarm: u32,
}

/// What a collector is told of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The word.
    pub outcome: Outcome,
    /// Our id of the payment, where there is one.
    pub payment: Option<EventKey>,
}

impl Heard {
    /// A word about no payment of ours.
    #[must_use]
    pub fn just(outcome: Outcome) -> Self {
        Self { outcome, payment: None }
    }
}

/// One instance's intake.
pub struct Intake {
    partners: ArcSwap<Partners>,
    paused: RwLock<HashSet<PartnerCode>>,
    queue: Arc<dyn Queue>,
    seen: Arc<Seen>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    quarantine: Quarantine,
    alarm: ClockAlarm,
    repeats: Repeats,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Intake {
    /// An intake in front of the one who writes.
    #[must_use]
    pub fn new(
        partners: Partners,
        queue: Arc<dyn Queue>,
        seen: Arc<Seen>,
        clock: Arc<dyn Clock>,
        options: &IntakeOptions,
    ) -> Arc<Self> {
        Arc::new(Self {
            partners: ArcSwap::from_pointee(partners),
            paused: RwLock::default(),
            queue,
            seen,
            clock,
            limits: Limits::new(&options.rates),
            quarantine: Quarantine::new(options.quarantine, options.quarantine_per_peer),
            alarm: ClockAlarm::new(options.stale_alarm),
            repeats: Repeats::default(),
        })
    }

    /// One worker's door. Call it once in each worker thread.
    #[must_use]
    pub fn door(self: &Arc<Self>) -> Door {
        Door { intake: Arc::clone(self), seen: self.seen.worker(), pickup: Arc::default() }
    }

    /// The profile of that name.
    #[must_use]
    pub fn profile(&self, code: &str) -> Option<Arc<Profile>> {
        self.partners.load().get(code).cloned()
    }

    /// All profiles, as they are now.
    #[must_use]
    pub fn partners(&self) -> Arc<Partners> {
        self.partners.load_full()
    }

    /// Takes new profiles and keys, all of them at once.
    pub fn replace_partners(&self, partners: Partners) {
        self.partners.store(Arc::new(partners));
    }

    /// Counts a call of this address before anything of it is looked at.
    ///
    /// # Errors
    /// [`Limited`]: too many.
    pub fn admit(&self, peer: IpAddr) -> Result<(), Limited> {
        self.limits.admit(peer).inspect_err(|limited| {
            metrics::counter!("thuho_limited_total", "by" => limited.by).increment(1);
        })
    }

    /// What is not proved.
    #[must_use]
    pub fn quarantine(&self) -> &Quarantine {
        &self.quarantine
    }

    /// Did ops pause this partner?
    #[must_use]
    pub fn is_paused(&self, code: &PartnerCode) -> bool {
        self.paused.read().unwrap_or_else(PoisonError::into_inner).contains(code)
    }

    /// Notes who is paused, as the database has it.
    pub fn set_paused(&self, paused: impl IntoIterator<Item = PartnerCode>) {
        *self.paused.write().unwrap_or_else(PoisonError::into_inner) = paused.into_iter().collect();
    }

    /// Did many calls of this partner lie outside the time tolerance within the last hour?
    #[must_use]
    pub fn clock_is_off(&self, code: &PartnerCode) -> bool {
        self.alarm.is_raised(code, self.clock.now(), 3_600_000)
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The way to the one who writes.
    #[must_use]
    pub fn queue(&self) -> &Arc<dyn Queue> {
        &self.queue
    }

    /// Every second: forgets callers that are idle.
    pub fn every_second(&self) {
        self.limits.forget_idle();
    }

    /// Every minute and at the end: writes the counts of repeats.
    pub async fn flush_repeats(&self) {
        self.repeats.flush(self.queue.as_ref()).await;
    }
}

/// One worker's way into the intake.
#[derive(Clone, Debug)]
pub struct Door {
    intake: Arc<Intake>,
    seen: SeenWorker,
    pickup: Arc<Pickup>,
}

impl Door {
    /// The instance's intake.
    #[must_use]
    pub fn intake(&self) -> &Arc<Intake> {
        &self.intake
    }

    /// Hands this worker's calls their answers, for ever. To be run as a task of the worker's.
    pub fn hand_out(&self) -> impl Future<Output = ()> + use<> {
        let pickup = Arc::clone(&self.pickup);
        async move { pickup.hand_out().await }
    }

    /// The whole walk of one call, which its collector waits for `since` then, by the clock of [`Queue::now`]. Never fails:
    /// what fails is the retry word.
    pub async fn submit(&self, profile: &Profile, raw: &RawNotice, since: Instant) -> Heard {
        let started = self.intake.queue.now();
        let walk = AssertUnwindSafe(self.walk(profile, raw, since)).catch_unwind();
        let heard = walk.await.unwrap_or_else(|_panic| Heard::just(Outcome::TryAgain));
        let labels = [("partner", profile.code().as_str().to_owned()), ("outcome", heard.outcome.word().to_owned())];
        metrics::counter!("thuho_notices_total", &labels).increment(1);
        metrics::histogram!("thuho_notice_seconds").record(self.intake.queue.now().saturating_duration_since(started));
        heard
    }

    async fn walk(&self, profile: &Profile, raw: &RawNotice, since: Instant) -> Heard {
        let intake = &self.intake;
        let now = intake.clock.now();
        let authentic = match profile.prove(raw, now) {
            Ok(authentic) => authentic,
            Err(refusal) => return intake.refuse(profile.code(), raw, &refusal),
        };
        let arrival = match profile.read(&authentic, now) {
            // Nobody was debited yet, so there is nothing to keep.
            Ok(notice) if intake.is_paused(profile.code()) && asks_first(&notice) => {
                return Heard::just(Outcome::TryAgain);
            }
            _ if intake.is_paused(profile.code()) => paused_arrival(profile, &authentic),
            Ok(notice) => {
                if let Some(heard) = self.recall(&notice, now, profile).await {
                    return heard;
                }
                notice_arrival(profile, &authentic, notice)
            }
            Err(refusal) => intake.unread_arrival(profile, &authentic, &refusal),
        };
        let deadline = since + Duration::from_millis(profile.answer_deadline_ms().unsigned_abs());
        self.post(arrival, deadline).await
    }

    /// A repeat of a settled payment, if the hint knows it.
    async fn recall(&self, notice: &Notice, now: Timestamp, profile: &Profile) -> Option<Heard> {
        // A sender that asks before it debits must hear of a reversal, which only the books know.
        if notice.on_mismatch == OnMismatch::Refuse {
            return None;
        }
        let key = notice.key()?;
        match self.seen.recall(&key, &notice.content()).await {
            Recalled::Unknown => None,
            Recalled::Settled => {
                self.intake.repeats.note(profile.code(), day_of(profile, now));
                Some(Heard { outcome: Outcome::Duplicate, payment: Some(key) })
            }
        }
    }

    /// Waits for the commit, but not longer than the collector does.
    async fn post(&self, arrival: Arrival, deadline: Instant) -> Heard {
        match post(self.intake.queue.as_ref(), Some(&self.pickup), arrival, deadline).await {
            Some(posted) => {
                if let Some(marker) = posted.marker {
                    self.seen.remember(&marker);
                }
                Heard { outcome: posted.answer.outcome, payment: posted.answer.payment }
            }
            None => Heard::just(Outcome::TryAgain),
        }
    }
}

/// Queues an arrival and waits for its answer; `None` when the queue is full, the time is up or the writer ended:
/// nothing is known to be on disk.
pub(super) async fn post(
    queue: &dyn Queue,
    pickup: Option<&Arc<Pickup>>,
    arrival: Arrival,
    deadline: Instant,
) -> Option<Posted> {
    let answer = queue
        .submit(PostJob { arrival, deadline, pickup: pickup.cloned() })
        .inspect_err(|busy| {
            metrics::counter!("thuho_turned_away_total", "why" => busy.to_string()).increment(1);
        })
        .ok()?;
    let answered = async {
        match pickup {
            Some(pickup) => pickup.wait(answer).await,
            None => answer.await.ok(),
        }
    };
    tokio::time::timeout_at(deadline.into(), answered).await.ok()?
}

/// A notice on its way into the books.
pub(super) fn notice_arrival(profile: &Profile, authentic: &AuthenticNotice<'_>, notice: Notice) -> Arrival {
    Arrival::Notice {
        business_day: day_of(profile, notice.paid_at),
        notice,
        evidence: profile.evidence(authentic),
        reversal_window_ms: profile.reversal_window_ms(),
    }
}

/// Does it speak of a payment whose sender waits for our word before it debits? What it undoes was debited.
fn asks_first(notice: &Notice) -> bool {
    notice.on_mismatch == OnMismatch::Refuse && notice.effect != Effect::Moves(Movement::Reversal)
}

/// A call of a paused partner: kept unread, because its money may be taken already, or given back.
fn paused_arrival(profile: &Profile, authentic: &AuthenticNotice<'_>) -> Arrival {
    Arrival::Unread {
        evidence: profile.evidence(authentic),
        verdict: UnreadKind::Paused,
        detail: "it came while the partner was paused".to_owned(),
    }
}

/// The partner's business day of an instant. Decoding keeps times within the calendar.
fn day_of(profile: &Profile, at: Timestamp) -> Date {
    at.day_in(profile.timezone()).unwrap_or(Date::MIN)
}

impl Intake {
    /// Not proved: to the quarantine, and nowhere else.
    fn refuse(&self, partner: &PartnerCode, raw: &RawNotice, refusal: &Refusal) -> Heard {
        if let Refusal::BadSignature(reason) = refusal {
            self.quarantine.note(partner, *reason, raw);
        }
        Heard::just(refusal.outcome())
    }

    /// Proved and not understood: evidence of money, kept as a receipt with a break.
    fn unread_arrival(&self, profile: &Profile, authentic: &AuthenticNotice<'_>, refusal: &Refusal) -> Arrival {
        let verdict = match refusal {
            Refusal::Stale { age_ms } => {
                if self.alarm.note(profile.code(), self.clock.now()) {
                    metrics::counter!("thuho_clock_alarms_total", "partner" => profile.code().as_str().to_owned())
                        .increment(1);
                    tracing::warn!(
                        partner = profile.code().as_str(),
                        age_ms,
                        "Many calls of {} are outside the time tolerance: a clock is wrong, ours or theirs",
                        profile.code()
                    );
                }
                UnreadKind::Stale
            }
            Refusal::Malformed { .. } | Refusal::BadSignature(_) => UnreadKind::Unreadable,
        };
        Arrival::Unread { evidence: profile.evidence(authentic), verdict, detail: refusal.to_string() }
    }
}
