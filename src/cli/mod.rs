//! The command line: one file a subcommand. Exit codes: 0 done; 1 the answer is "no" (a check or an audit found
//! something, rows were rejected, an operation was refused); 2 wrong arguments or configuration.

mod api;
mod check;
mod close;
pub mod demo;
mod desk;
mod invoice;

mod keep;
mod minutes;
mod ops;
pub mod out;
pub mod partner;
mod retain;
mod sandbox;
mod serve;
mod settlement;
mod statement;
mod user;

use crate::config::{Config, ConfigError, EnvSecrets};
use crate::domain::time::{Clock as _, SystemClock};
use crate::telemetry;
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// The answer is "no".
    No,
}

/// Wrong arguments or configuration, or what the machine could not do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Exit code 2: the caller must change something.
    #[error("{0}")]
    Wrong(String),
    /// Exit code 1: it was tried and could not be done.
    #[error("{0}")]
    Failed(String),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl From<crate::app::AppError> for Failure {
    fn from(error: crate::app::AppError) -> Self {
        use crate::app::AppError;
        match error {
            AppError::Config(_) | AppError::Profiles(_) | AppError::Core(_) => Self::Wrong(error.to_string()),
            // An address may be there a moment later, as after a reboot: whoever starts us again should.
            AppError::Listen { .. } | AppError::Store { .. } | AppError::Machine(_) | AppError::Broken => {
                Self::Failed(error.to_string())
            }
        }
    }
}

/// What a command comes to.
pub type Outcome = Result<Exit, Failure>;

/// The gateway between an electricity company's payment collectors and its billing core.
#[derive(Debug, Parser)]
#[command(name = "thuho", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
pub struct ConfigArg {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config/gateway.toml")]
    pub config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays a whole day with fake collectors and a fake billing core, and shows that every dong ties out.
    Demo(demo::Args),
    /// A fake billing core, fake collectors and made-up bills, to try a gateway against.
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),
    /// Runs the gateway; SIGTERM drains it, SIGHUP reads profiles and keys again.
    Serve(serve::Args),
    /// Loads the configuration and the profiles, proves every example, reaches database and Redis.
    Check(ConfigArg),
    /// Brings the database's schema up.
    Migrate(ConfigArg),
    /// Partners' profiles, for integrators and operators.
    #[command(subcommand)]
    Partner(PartnerCommand),
    /// Invoices of the billing core.
    #[command(subcommand)]
    Invoice(invoice::Command),
    /// Statements of partners, of the billing core and of the bank.
    #[command(subcommand)]
    Statement(statement::Command),
    /// Compares a partner's day with the statement that was taken, and keeps what differs as breaks.
    Reconcile(statement::ReconcileArgs),
    /// Differences that wait for a person.
    #[command(subcommand)]
    Breaks(desk::BreaksCommand),
    /// What people propose about breaks, and other people decide.
    #[command(subcommand)]
    Proposal(desk::ProposalCommand),
    /// Lets a rule propose what it finds; approved as far as somebody gave rules authority.
    Rule(desk::RuleArgs),
    /// What is to be given back through a partner, and the file that asks it to.
    Refunds(desk::RefundsArgs),
    /// Who may approve how much.
    #[command(subcommand)]
    Authority(desk::AuthorityCommand),
    /// Who may log in to the finance desk.
    #[command(subcommand)]
    User(user::Command),
    /// Signs a partner's day or month off.
    #[command(subcommand)]
    Close(close::Command),
    /// Lists what a partner's days should bring at the bank and what they brought, as last compared.
    Settlement(settlement::Args),
    /// Prints the minutes of a partner's period: a page of HTML, for A4.
    Minutes(minutes::Args),
    /// Stored notices.
    #[command(subcommand)]
    Notice(ops::NoticeCommand),
    /// Messages to the billing core.
    #[command(subcommand)]
    Outbox(ops::OutboxCommand),
    /// Proves the books: chains, seals, balances; or that a certificate is signed and the books still say the same.
    Audit(keep::AuditArgs),
    /// Certifies that every proved call of a partner's day is in exactly one place.
    Certificate(keep::CertificateArgs),
    /// Erases old bytes that nobody needs any more; receipts, keys and money stay.
    Retain(retain::Args),
    /// Copies the database, also beside a running gateway.
    Backup(keep::BackupArgs),
    /// Puts a copy back; no gateway may hold the file.
    Restore(keep::RestoreArgs),
}

/// `thuho partner ..`
#[derive(Debug, Subcommand)]
enum PartnerCommand {
    #[command(flatten)]
    Tool(partner::PartnerArgs),
    /// Answers a partner with the retry word until it is resumed.
    Pause(ops::PauseArgs),
    /// Takes a partner's notices again.
    Resume(ops::PauseArgs),
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            error.print().ok();
            return code;
        }
    };
    match run(cli.command) {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::No) => ExitCode::from(1),
        Err(failure) => {
            out::note(format!("thuho: {failure}"));
            match failure {
                Failure::Wrong(_) => ExitCode::from(2),
                Failure::Failed(_) => ExitCode::from(1),
            }
        }
    }
}

fn run(command: Command) -> Outcome {
    // One provider of cryptography for every TLS connection of the process; a second call changes nothing.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Sandbox(command) => sandbox::run(&command),
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args.config),
        Command::Migrate(args) => keep::migrate(&args.config),
        Command::Partner(PartnerCommand::Tool(args)) => partner_tool(&args),
        Command::Partner(PartnerCommand::Pause(args)) => ops::pause(&args, true),
        Command::Partner(PartnerCommand::Resume(args)) => ops::pause(&args, false),
        Command::Invoice(command) => invoice::run(&command),
        Command::Statement(command) => statement::run(&command),
        Command::Reconcile(args) => statement::reconcile(&args),
        Command::Breaks(command) => desk::breaks(&command),
        Command::Proposal(command) => desk::proposal(&command),
        Command::Rule(args) => desk::rule(&args),
        Command::Refunds(args) => desk::refunds(&args),
        Command::Authority(command) => desk::authority(&command),
        Command::User(command) => user::run(&command),
        Command::Close(command) => close::run(&command),
        Command::Settlement(args) => settlement::run(&args),
        Command::Minutes(args) => minutes::run(&args),
        Command::Notice(command) => ops::notice(&command),
        Command::Outbox(command) => ops::outbox(&command),
        Command::Audit(args) => keep::audit(&args),
        Command::Certificate(args) => keep::certify(&args),
        Command::Retain(args) => retain::run(&args),
        Command::Backup(args) => keep::backup(&args),
        Command::Restore(args) => keep::restore(&args),
    }
}

/// The configuration, for commands other than `serve`: with warnings on standard error as text.
fn load(path: &Path) -> Result<Config, Failure> {
    telemetry::start_logs(telemetry::Format::Text, "warn").map_err(Failure::Wrong)?;
    Ok(Config::load(path)?)
}

fn partner_tool(args: &partner::PartnerArgs) -> Outcome {
    let mut text = Vec::new();
    let ended = partner::run(args, &mut text, &EnvSecrets, SystemClock.now());
    out::raw(&text);
    match ended {
        Ok(0) => Ok(Exit::Done),
        Ok(_) => Ok(Exit::No),
        Err(error) => Err(Failure::Wrong(format!("{error:#}"))),
    }
}
