//! `thuho demo`: a whole day on an embedded database in a temporary folder. The real gateway, between sandbox
//! collectors that misbehave and a sandbox billing core that fails; then everybody's own journal is compared with the
//! books. Needs nothing but the folder of profiles.

use super::{Exit, Failure, Outcome, out};
use crate::app::{Running, Start};
use crate::config::Config;
use crate::domain::ids::PartnerCode;
use crate::domain::invoice::Invoice;
use crate::domain::secret::Secret;
use crate::domain::time::{BUSINESS_ZONE, Clock, Timestamp};
use crate::outbox::signing::SigningKey;
use crate::partner::Partners;
use crate::sandbox::chance::Chance;
use crate::sandbox::clock::{DEMO_DAY_MS, DayClock};
use crate::sandbox::collector::{Collector, Payment};
use crate::sandbox::core::{SandboxCore, SandboxCoreOptions};
use crate::sandbox::core_book::{Act, Behaviour, Order};
use crate::sandbox::journal::Journal;
use crate::sandbox::keys::SandboxKeys;
use crate::sandbox::scenario::Scenario;
use crate::sandbox::speech::Speech;
use crate::sandbox::tie_out::{self, CollectorSide, CoreSide, TieOut};
use crate::sandbox::{bills, summary};
use crate::store::reports::Reports;
use crate::store::sqlite;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
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

/// How long the gateway may take over the import.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(60);

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
    let tie = stage.compare(faults)?;
    let mut page = String::new();
    summary::write(&mut page, &tie).map_err(|_fmt| Failure::Failed("the summary could not be written".to_owned()))?;
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
        "collectors call  http://{public}/webhooks/<partner>\nopen             http://{internal}/\n\n{page}"
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
        let clock: Arc<dyn Clock> = Arc::new(DayClock::begins(Timestamp::from_unix_ms(DEMO_DAY_MS)));
        let today = clock.now().day_in(&zone()).unwrap_or_default();
        let bills = bills::bills(args.seed, args.payments, today).map_err(failed)?;
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

        let token = hex::encode(random()?);
        let config = config(&folder, args, &core.url(), [&whsec, &token])?;
        let (seal_key, database) = (config.seal_secret.clone(), folder.0.join("books.db"));
        let secrets = Arc::clone(&keys);
        let gateway = Running::start(Start { config, clock: Arc::clone(&clock), secrets, signals: !args.exit })?;
        runtime.block_on(register(&gateway, &token, &bills))?;

        let base = format!("http://{}", gateway.public());
        let mut collectors = Vec::new();
        for profile in partners.iter() {
            let speech = Speech::learn(profile, keys.signers(profile.code()), clock.now()).map_err(Failure::Wrong)?;
            let stranger = keys.stranger(profile.code()).cloned();
            let collector = Collector::new(speech, stranger, &base, Arc::clone(&clock), Journal::default());
            collectors.push(Arc::new(collector.map_err(Failure::Failed)?));
        }
        Ok(Self { gateway, core, collectors, bills, payments, seal_key, database, runtime, _folder: folder })
    }

    /// Plays the whole day, until the core has heard what it will hear. Says what went wrong with the collectors.
    pub fn play(&self) -> Vec<String> {
        self.runtime.block_on(async {
            let days = self.collectors.iter().zip(&self.payments).map(|(collector, payments)| {
                let told = futures_util::stream::iter(payments).map(|payment| collector.tell(payment));
                told.buffer_unordered(AT_ONCE).filter_map(|told| async { told.err() }).collect::<Vec<String>>()
            });
            let mut faults = futures_util::future::join_all(days).await.concat();
            let began = Instant::now();
            while self.waiting() > 0 && began.elapsed() < DELIVERY_TIMEOUT {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let late = self.waiting();
            if late > 0 {
                faults.push(format!("{late} messages did not reach the core in time"));
            }
            faults
        })
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

    fn compare(&self, faults: Vec<String>) -> Result<TieOut, Failure> {
        let mut tie = self.compare_with(&self.collector_sides()?, &self.core_side())?;
        tie.differences.extend(faults);
        Ok(tie)
    }
}

/// Payments take turns through the collectors; each bill is in one story only, so the order in which the stories
/// are told changes no sum.
fn share_out(args: &Args, bills: &[Invoice], collectors: usize) -> Vec<Vec<Payment>> {
    let mut shares = vec![Vec::new(); collectors];
    let mut turn = (0..collectors).cycle();
    for (n, bill) in (1..).zip(bills) {
        let payment = Payment { n, scenario: Scenario::of(Chance(args.seed), n), bill: bill.clone() };
        if let Some(share) = turn.next().and_then(|collector| shares.get_mut(collector)) {
            share.push(payment);
        }
    }
    shares
}

/// Two bills that the core will not take without a person: one it refuses, one it says somebody else has cleared.
fn grudges(payments: &[Vec<Payment>]) -> Vec<Order> {
    let plain = payments.iter().flatten().filter(|payment| payment.scenario == Scenario::Plain);
    let acts = [Act::Status { code: 422, retry_after_s: None }, Act::ClearedByOther];
    plain
        .zip(acts)
        .map(|(payment, act)| Order { invoice: Some(payment.bill.id.to_string()), times: None, act })
        .collect()
}

fn load(dir: &Path) -> Result<Partners, Failure> {
    let partners = Partners::load_without_secrets(dir).map_err(|errors| {
        Failure::Wrong(format!("{errors}\nrun this in the project's folder, or name the profiles with --partners DIR"))
    })?;
    if partners.iter().next().is_none() {
        let dir = dir.display();
        return Err(Failure::Wrong(format!("{dir}: expected at least one profile, or --partners DIR")));
    }
    Ok(partners)
}

fn config(folder: &Folder, args: &Args, core_url: &str, secrets: [&str; 2]) -> Result<Config, Failure> {
    let [whsec, token] = secrets;
    let seal = hex::encode(random()?);
    let mut names = Vec::new();
    for (name, secret) in [("core", whsec), ("token", token), ("seal", seal.as_str())] {
        let path = folder.0.join(name);
        std::fs::write(&path, secret).map_err(failed)?;
        names.push(toml::Value::String(format!("file:{}", path.display())));
    }
    let quoted = |path: &Path| toml::Value::String(path.display().to_string());
    let store = toml::Value::String(format!("sqlite://{}", folder.0.join("books.db").display()));
    let [core, token, seal] = names.try_into().unwrap_or_else(|_three| std::array::from_fn(|_| quoted(&folder.0)));
    let text = format!(
        "[listen]\npublic = \"127.0.0.1:0\"\ninternal = \"127.0.0.1:{}\"\nworkers = 2\n\
         [server]\nenvironment = \"demo\"\n\
         [limits]\npeer_per_second = 1000000\npeer_burst = 1000000\ntotal_per_second = 1000000\ntotal_burst = 1000000\n\
         [store]\nurl = {store}\n[seal]\nsecret = {seal}\n[core]\nurl = \"{core_url}\"\nsecret = {core}\n\
         [partners]\ndir = {}\n[drain]\nready_ms = 0\n\
         [[token]]\nname = \"demo\"\nscope = [\"invoices\", \"read\", \"ops\"]\nsecret = {token}\n",
        args.port,
        quoted(&args.partners),
    );
    Ok(Config::of(Path::new("the demo's configuration"), &text, [])?)
}

/// Tells the gateway of the bills, as the billing core does.
async fn register(gateway: &Running, token: &str, bills: &[Invoice]) -> Result<(), Failure> {
    let url = format!("http://{}/api/v1/invoices", gateway.internal());
    let http = crate::sandbox::collector::http_client(IMPORT_TIMEOUT).map_err(Failure::Failed)?;
    let answer = http
        .put(url)
        .bearer_auth(token)
        .header("content-type", "application/x-ndjson")
        .body(bills::to_ndjson(bills))
        .send()
        .await
        .map_err(|error| Failure::Failed(format!("the bills could not be registered: {error}")))?;
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    if status.is_success() {
        Ok(())
    } else {
        Err(Failure::Failed(format!("the bills were not taken: {status} {text}")))
    }
}

/// A folder of its own, gone when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, Failure> {
        let [a, b, c, d, ..] = random()?;
        let path = std::env::temp_dir().join(format!("thuho-demo-{}", hex::encode([a, b, c, d])));
        std::fs::create_dir(&path).map_err(failed)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whoever cleans temporary folders will find what could not be removed.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn zone() -> TimeZone {
    TimeZone::get(BUSINESS_ZONE).unwrap_or(TimeZone::UTC)
}

fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_none| Failure::Failed("the machine gives no random numbers".to_owned()))?;
    Ok(bytes)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

fn wrong(error: impl std::fmt::Display) -> Failure {
    Failure::Wrong(error.to_string())
}
