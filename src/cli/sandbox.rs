//! `thuho sandbox`: a billing core and collectors to try a gateway against, and bills for them to pay. Never part of
//! a gateway that serves.

use super::{Exit, Failure, Outcome, out};
use crate::config::EnvSecrets;
use crate::domain::time::{BUSINESS_ZONE, Clock, SystemClock};
use crate::outbox::signing;
use crate::partner::{Partners, SigningKey};
use crate::sandbox::bills;
use crate::sandbox::chance::Chance;
use crate::sandbox::collector::{Collector, Line, Payment};
use crate::sandbox::core::{SandboxCore, SandboxCoreOptions};
use crate::sandbox::core_book::Behaviour;
use crate::sandbox::journal::Journal;
use crate::sandbox::keys::SandboxKeys;
use crate::sandbox::scenario::Scenario;
use crate::sandbox::speech::Speech;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Stories told at once, at most: a slow gateway makes the collector slower, not larger.
const AT_ONCE_MAX: usize = 256;

/// `thuho sandbox ..`
#[derive(Clone, Debug, clap::Subcommand)]
pub enum SandboxCommand {
    /// A billing core that proves our signature, takes each message once, and can be told to misbehave.
    Core(CoreArgs),
    /// Prints made-up bills as a CSV file for `invoice import`.
    Bills(BillsArgs),
    /// A collector that pays the bills of `sandbox bills` with the same seed and count.
    Collector(CollectorArgs),
}

/// Arguments of `sandbox core`.
#[derive(Clone, Debug, clap::Args)]
pub struct CoreArgs {
    /// Its port on the loopback.
    #[arg(long, value_name = "P")]
    port: u16,
    /// The name of the key it is told under, `core.secret` of the gateway: env:NAME or file:PATH.
    #[arg(long, value_name = "NAME", default_value = "env:THUHO_CORE_SECRET")]
    secret: String,
    /// Of a hundred first and second attempts of a message, how many fail.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    fail_rate: u32,
    /// What its failures are drawn from.
    #[arg(long, value_name = "S", default_value_t = 7)]
    seed: u64,
    /// Appends its journal here, as NDJSON.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Waits for the disk at each line of the journal.
    #[arg(long, requires = "journal")]
    fsync: bool,
}

/// Arguments of `sandbox bills`.
#[derive(Clone, Debug, clap::Args)]
pub struct BillsArgs {
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    count: u64,
    /// What they are drawn from.
    #[arg(long, value_name = "S", default_value_t = 7)]
    seed: u64,
}

/// Arguments of `sandbox collector`.
#[derive(Clone, Debug, clap::Args)]
pub struct CollectorArgs {
    /// The partner it plays.
    name: String,
    /// The gateway's public address, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    url: String,
    /// The name of the key it signs with, env:NAME or file:PATH: the secret itself for HMAC, the private half else.
    #[arg(long, value_name = "NAME")]
    key: String,
    /// Which key of the profile that is; the first one otherwise.
    #[arg(long, value_name = "ID")]
    key_id: Option<String>,
    /// The folder of profiles.
    #[arg(long, value_name = "DIR", default_value = "config/partners")]
    partners: PathBuf,
    /// Payments a second.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    rate: u32,
    /// How many payments.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    count: u64,
    /// What bills and stories are drawn from.
    #[arg(long, value_name = "S", default_value_t = 7)]
    seed: u64,
    /// Tells each payment plainly, but this many of a hundred twice; without it, every kind of misbehaviour happens.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    duplicates: Option<u32>,
    /// Appends what it believes here, as NDJSON.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// Runs one of them.
///
/// # Errors
/// Wrong arguments, or what the machine could not do.
pub fn run(command: &SandboxCommand) -> Outcome {
    crate::telemetry::start_logs(crate::telemetry::Format::Text, "warn").map_err(Failure::Wrong)?;
    match command {
        SandboxCommand::Core(args) => core(args),
        SandboxCommand::Bills(args) => {
            let bills = bills::bills(args.seed, args.count, today()?).map_err(failed)?;
            out::raw(bills::to_csv(&bills));
            Ok(Exit::Done)
        }
        SandboxCommand::Collector(args) => collector(args),
    }
}

fn core(args: &CoreArgs) -> Outcome {
    let secret = EnvSecrets::read(&args.secret).map_err(Failure::Wrong)?;
    let key = signing::SigningKey::parse(&secret).map_err(|error| Failure::Wrong(error.to_string()))?;
    let options = SandboxCoreOptions {
        port: args.port,
        key,
        seed: args.seed,
        behaviour: Behaviour { fail_percent: args.fail_rate, orders: Vec::new() },
        journal: args.journal.clone().map(|path| (path, args.fsync)),
        clock: Arc::new(SystemClock),
    };
    runtime()?.block_on(async {
        let core = SandboxCore::start(options).map_err(failed)?;
        out::line(core.url());
        tokio::signal::ctrl_c().await.map_err(failed)?;
        Ok(Exit::Done)
    })
}

fn collector(args: &CollectorArgs) -> Outcome {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let speech = speech(args, clock.as_ref())?;
    let journal: Journal<Line> = match &args.journal {
        Some(path) => Journal::appending(path, false).map_err(failed)?,
        None => Journal::default(),
    };
    let bills = bills::bills(args.seed, args.count, today()?).map_err(failed)?;
    let chance = Chance(args.seed);
    let collector = Arc::new(Collector::new(speech, None, &args.url, clock, journal).map_err(Failure::Failed)?);
    let (told, faults) = runtime()?.block_on(async {
        let mut beat = tokio::time::interval(Duration::from_secs(1) / args.rate.max(1));
        let mut stories = tokio::task::JoinSet::new();
        let mut faults = Vec::new();
        for (n, bill) in (1_u64..).zip(bills) {
            beat.tick().await;
            while stories.len() >= AT_ONCE_MAX {
                faults.extend(stories.join_next().await.and_then(fault));
            }
            let scenario = match args.duplicates {
                None => Scenario::of(chance, n),
                Some(percent) if chance.happens("duplicate", n, percent) => Scenario::Repeated,
                Some(_) => Scenario::Plain,
            };
            let (payment, collector) = (Payment { n, scenario, bill }, Arc::clone(&collector));
            stories.spawn(async move { collector.tell(&payment).await });
        }
        while let Some(told) = stories.join_next().await {
            faults.extend(fault(told));
        }
        (collector.lines(), faults)
    });
    faults.iter().for_each(out::note);
    let calls: u32 = told.iter().map(|line| line.calls).sum();
    let yes = told.iter().filter(|line| line.yes).count();
    let till: i64 = told.iter().map(|line| line.till).sum();
    out::line(format!("{} events, {calls} calls, {yes} heard yes, {till} dong in the till", told.len()));
    Ok(if faults.is_empty() { Exit::Done } else { Exit::No })
}

fn fault(told: Result<Result<(), String>, tokio::task::JoinError>) -> Option<String> {
    match told {
        Ok(told) => told.err(),
        Err(_panic) => Some("a story ended in a panic".to_owned()),
    }
}

/// The partner's way of speaking, in the voice of the given key. What it says is understood by fresh keys of its own,
/// so the gateway's half of the key is not needed here.
fn speech(args: &CollectorArgs, clock: &dyn Clock) -> Result<Speech, Failure> {
    let wrong = |error: String| Failure::Wrong(error);
    let known = Partners::load_without_secrets(&args.partners).map_err(|errors| wrong(errors.to_string()))?;
    let keys = SandboxKeys::generate(&known).map_err(Failure::Failed)?;
    let partners = Partners::load(&args.partners, &keys).map_err(|errors| wrong(errors.to_string()))?;
    let profile = partners.get(&args.name).ok_or_else(|| wrong(format!("{}: no such profile", args.name)))?;
    let mut needs = profile.key_needs().iter().filter(|need| !need.ours);
    let need = needs.find(|need| args.key_id.as_ref().is_none_or(|id| *id == need.id));
    let need = need.ok_or_else(|| wrong("--key-id: the profile has no such key".to_owned()))?;
    let secret = EnvSecrets::read(&args.key).map_err(wrong)?;
    let voice = SigningKey::read(&need.id, need.algorithm, need.encoding, &secret)
        .map_err(|problem| wrong(format!("--key: {problem}")))?;
    let speech = Speech::learn(profile, keys.signers(profile.code()), clock.now()).map_err(wrong)?;
    Ok(speech.in_the_voice_of(voice))
}

fn today() -> Result<Date, Failure> {
    let zone = TimeZone::get(BUSINESS_ZONE).unwrap_or(TimeZone::UTC);
    SystemClock.now().day_in(&zone).ok_or_else(|| Failure::Failed("the machine's clock is off".to_owned()))
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}
