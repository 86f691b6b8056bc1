//! `thuho demo`: a whole day on an embedded database in a temporary folder. The real gateway, between sandbox
//! collectors that misbehave and a sandbox billing core that fails; the next morning their statements are compared and
//! the day is signed off; then everybody's own journal is compared with the books. Needs nothing but the folder of
//! profiles.

mod stage;

use self::stage::{Folder, config, grudges, load, people, random, register, share_out, staff};
use super::{Exit, Failure, Outcome, out};
use crate::app::{Running, Start};
use crate::domain::ids::PartnerCode;
use crate::domain::invoice::Invoice;
use crate::domain::secret::Secret;
use crate::domain::time::{BUSINESS_ZONE, Clock, Timestamp};
use crate::ledger::certificate::{self, Certificate};
use crate::outbox::signing::SigningKey;
use crate::partner::{Partners, Profile};
use crate::sandbox::chance::Chance;
use crate::sandbox::clock::{DEMO_DAY_MS, DayClock};
use crate::sandbox::collector::{Collector, Payment};
use crate::sandbox::core::{SandboxCore, SandboxCoreOptions};
use crate::sandbox::core_book::Behaviour;
use crate::sandbox::evening::{Evening, OnTheWay, Past, Staff};
use crate::sandbox::journal::Journal;
use crate::sandbox::keys::SandboxKeys;
use crate::sandbox::speech::Speech;
use crate::sandbox::tie_out::{self, CollectorSide, CoreSide, TieOut};
use crate::sandbox::{bills, summary};
use crate::store::reports::Reports;
use crate::store::sqlite;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Stories that one collector tells at once.
const AT_ONCE: usize = 8;

/// Of a hundred first attempts, how many fail at the core.
const CORE_FAILS_PERCENT: u32 = 15;

/// How long the last messages may take to reach the core.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the gateway may take until its next seal: it makes one a second.
const SEAL_TIMEOUT: Duration = Duration::from_secs(20);

/// Arguments of `demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ends after the summary, with exit code 1 if it does not tie out.
    #[arg(long)]
    pub exit: bool,
    /// How many payments the day has.
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub payments: u64,
    /// What the day is drawn from: one seed, one day.
    #[arg(long, value_name = "S", default_value_t = 7)]
    pub seed: u64,
    /// The port of the page; any free one otherwise.
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub port: u16,
    /// The folder of profiles.
    #[arg(long, value_name = "DIR", default_value = "config/partners")]
    pub partners: PathBuf,
}

/// Plays the day and says what came of it.
///
/// # Errors
/// Wrong arguments, or what the machine could not do.
pub fn run(args: &Args) -> Outcome {
    crate::telemetry::start_logs(crate::telemetry::Format::Text, "off").map_err(Failure::Wrong)?;
    let stage = Stage::set(args)?;
    out::note(format!("{} payments through {} partners ...", args.payments, stage.collectors.len()));
    let began = Instant::now();
    let faults = stage.play();
    let evening = stage.evening(&|_, _, file| file)?;
    let tie = stage.compare(faults, &evening)?;
    let mut page = String::new();
    summary::write(&mut page, &tie, &evening)
        .map_err(|_fmt| Failure::Failed("the summary could not be written".to_owned()))?;
    out::note(format!("played in {} ms\n", began.elapsed().as_millis()));
    let exit = if tie.ties_out() { Exit::Done } else { Exit::No };
    if args.exit {
        stage.gateway.stop()?;
        out::raw(&page);
        return Ok(exit);
    }
    let internal = stage.gateway.internal();
    let public = stage.gateway.public();
    out::raw(format!(
        "collectors call  http://{public}/webhooks/<partner>\nopen             http://{internal}/\n\
         log in as        demo-maker, demo-checker, demo-admin, demo-ops or demo-viewer\n\
         password         {}\n\n{page}",
        stage.password
    ));
    stage.gateway.wait()?;
    Ok(exit)
}

/// Everybody who takes part, before the first word.
pub struct Stage {
    /// The gateway.
    pub gateway: Running,
    /// The billing core.
    pub core: SandboxCore,
    /// The collectors, by name.
    pub collectors: Vec<Arc<Collector>>,
    /// All bills.
    pub bills: Vec<Invoice>,
    payments: Vec<Vec<Payment>>,
    profiles: Vec<Arc<Profile>>,
    password: String,
    clock: Arc<DayClock>,
    day: Date,
    chance: Chance,
    staff: Staff,
    seal_key: Secret,
    database: PathBuf,
    runtime: Runtime,
    _folder: Folder,
}

impl Stage {
    /// Starts everybody and registers the bills.
    ///
    /// # Errors
    /// Wrong arguments, or what the machine could not do.
    pub fn set(args: &Args) -> Result<Self, Failure> {
        let folder = Folder::make()?;
        let known = load(&args.partners)?;
        let keys = Arc::new(SandboxKeys::generate(&known).map_err(Failure::Failed)?);
        let the_clock = Arc::new(DayClock::begins(Timestamp::from_unix_ms(DEMO_DAY_MS)));
        let clock: Arc<dyn Clock> = Arc::<DayClock>::clone(&the_clock);
        let day = clock.now().day_in(&zone()).unwrap_or_default();
        let bills = bills::bills(args.seed, args.payments, day).map_err(failed)?;
        let partners = Partners::load(&args.partners, keys.as_ref()).map_err(wrong)?;
        let payments = share_out(args, &bills, partners.iter().count());

        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
        let whsec = format!("whsec_{}", STANDARD.encode(random()?));
        let core_key = SigningKey::parse(&Secret::new(whsec.clone().into_bytes())).map_err(failed)?;
        let core = {
            let _inside = runtime.enter();
            let behaviour = Behaviour { fail_percent: CORE_FAILS_PERCENT, orders: grudges(&payments) };
            let options = SandboxCoreOptions {
                port: 0,
                key: core_key,
                seed: args.seed,
                behaviour,
                journal: None,
                clock: Arc::clone(&clock),
            };
            SandboxCore::start(options).map_err(failed)?
        };

        let tokens = [random()?, random()?, random()?, random()?].map(hex::encode);
        let config = config(&folder, args, (&core.url(), &whsec), &tokens)?;
        let (seal_key, database) = (config.seal_secret.clone(), folder.0.join("books.db"));
        let password = people(&config, clock.now())?;
        let secrets = Arc::clone(&keys);
        let gateway = Running::start(Start { config, clock: Arc::clone(&clock), secrets, signals: !args.exit })?;
        let [token, people @ ..] = tokens;
        runtime.block_on(register(&gateway, &token, &bills))?;
        let staff = staff(&gateway, people)?;

        let base = format!("http://{}", gateway.public());
        let mut collectors = Vec::new();
        for profile in partners.iter() {
            let speech = Speech::learn(profile, keys.signers(profile.code()), clock.now()).map_err(Failure::Wrong)?;
            let stranger = keys.stranger(profile.code()).cloned();
            let collector = Collector::new(speech, stranger, &base, Arc::clone(&clock), Journal::default());
            collectors.push(Arc::new(collector.map_err(Failure::Failed)?));
        }
        Ok(Self {
            gateway,
            core,
            collectors,
            bills,
            payments,
            profiles: partners.iter().map(Arc::clone).collect(),
            password,
            clock: the_clock,
            day,
            chance: Chance(args.seed),
            staff,
            seal_key,
            database,
            runtime,
            _folder: folder,
        })
    }

    /// Plays the whole day, until the core has heard what it will hear. Says what went wrong with the collectors.
    pub fn play(&self) -> Vec<String> {
        self.runtime.block_on(async {
            let days = self.collectors.iter().zip(&self.payments).map(|(collector, payments)| {
                let told = futures_util::stream::iter(payments).map(|payment| collector.tell(payment));
                told.buffer_unordered(AT_ONCE).filter_map(|told| async { told.err() }).collect::<Vec<String>>()
            });
            let mut faults = futures_util::future::join_all(days).await.concat();
            faults.extend(self.delivered().await.err());
            faults
        })
    }

    /// Waits until the core has heard what it will hear.
    async fn delivered(&self) -> Result<(), String> {
        if within(DELIVERY_TIMEOUT, || self.waiting() == 0).await {
            return Ok(());
        }
        Err(format!("{} messages did not reach the core in time", self.waiting()))
    }

    /// Waits for a seal that is made at this moment or later.
    async fn sealed_at(&self, at: Timestamp) -> Result<(), Failure> {
        let sealed = || {
            let seals = self.reports().and_then(|mut reports| reports.seals(at.plus_ms(-1), 1).map_err(failed));
            seals.is_ok_and(|seals| !seals.is_empty())
        };
        let late = || Failure::Failed("the chains were not sealed in time".to_owned());
        within(SEAL_TIMEOUT, sealed).await.then_some(()).ok_or_else(late)
    }

    /// Ends the day: its last calls come under a seal, the clock is set to the next morning for everybody, and files are
    /// taken, compared and signed off. Files may be changed on their way.
    ///
    /// # Errors
    /// What the machine could not do. Whatever else is wrong is in the [`Evening`].
    pub fn evening(&self, on_the_way: OnTheWay<'_>) -> Result<Evening, Failure> {
        let mut evening = Evening::default();
        let lines = self.collectors.iter().map(|collector| collector.lines());
        let past = Past {
            day: self.day,
            chance: self.chance,
            collectors: self.profiles.iter().cloned().zip(lines).collect(),
            core: self.core.with_book(|book| book.journal().lines().to_vec()),
            on_the_way,
        };
        let morning = self.day.tomorrow().map_err(failed)?.at(6, 0, 0, 0).to_zoned(zone()).map_err(failed)?;
        let morning = Timestamp::from_unix_ms(morning.timestamp().as_millisecond());
        self.runtime.block_on(async {
            self.sealed_at(self.clock.now()).await?;
            self.clock.skip_to(morning);
            evening.begin(&self.staff, &past).await;
            evening.differences.extend(self.delivered().await.err());
            evening.sign_off(&self.staff, &past).await;
            self.sealed_at(morning).await?;
            for (partner, end) in &mut evening.days {
                match self.certified(partner).await {
                    Ok(certificate) => end.certified = Some(certificate),
                    Err(why) => evening.differences.push(format!("{partner}: no valid certificate: {why}")),
                }
            }
            Ok(evening)
        })
    }

    /// The certificate of a partner's day, verified beside the books.
    async fn certified(&self, partner: &str) -> Result<Certificate, String> {
        let certificate = Evening::certificate(&self.staff, partner, self.day).await?;
        let mut reports = self.reports().map_err(|failure| failure.to_string())?;
        match certificate::verify(&mut reports, &self.seal_key, &certificate) {
            Ok(None) => Ok(certificate),
            Ok(Some(wrong)) => Err(wrong),
            Err(error) => Err(error.to_string()),
        }
    }

    fn waiting(&self) -> i64 {
        self.reports().and_then(|mut reports| reports.outbox_depth().map_err(failed)).map_or(i64::MAX, |d| d.waiting)
    }

    /// A reading connection to the gateway's books.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub fn reports(&self) -> Result<impl Reports, Failure> {
        sqlite::open_reports(&self.database).map_err(failed)
    }

    /// The file of the books.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// What the collectors wrote down.
    ///
    /// # Errors
    /// None in practice: a name that was a partner's code stays one.
    pub fn collector_sides(&self) -> Result<Vec<CollectorSide>, Failure> {
        let side = |collector: &Arc<Collector>| {
            let partner = PartnerCode::parse(collector.name()).map_err(failed)?;
            Ok(CollectorSide { partner, lines: collector.lines() })
        };
        self.collectors.iter().map(side).collect()
    }

    /// What the core believes.
    #[must_use]
    pub fn core_side(&self) -> CoreSide {
        self.core.with_book(|book| CoreSide { invoices: book.invoices().clone(), totals: book.totals().clone() })
    }

    /// Compares the books with these journals.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn compare_with(&self, collectors: &[CollectorSide], core: &CoreSide) -> Result<TieOut, Failure> {
        tie_out::compare(&mut self.reports()?, collectors, core, &self.bills, &self.seal_key).map_err(failed)
    }

    fn compare(&self, faults: Vec<String>, evening: &Evening) -> Result<TieOut, Failure> {
        let mut tie = self.compare_with(&self.collector_sides()?, &self.core_side())?;
        tie.differences.extend(faults);
        tie_out::with_evening(&mut tie, evening);
        Ok(tie)
    }
}

/// Does it come true before this time is over?
async fn within(time: Duration, mut come_true: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if come_true() {
            return true;
        }
        if began.elapsed() > time {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn zone() -> TimeZone {
    TimeZone::get(BUSINESS_ZONE).unwrap_or(TimeZone::UTC)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

fn wrong(error: impl std::fmt::Display) -> Failure {
    Failure::Wrong(error.to_string())
}
