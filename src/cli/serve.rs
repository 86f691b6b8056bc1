//! `thuho serve`: the gateway, until a signal.

use super::{Exit, Failure, Outcome};
use crate::app::{Running, Start};
use crate::config::{Config, EnvSecrets};
use crate::domain::time::SystemClock;
use crate::telemetry::{self, Format};
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config/gateway.toml")]
    config: PathBuf,
    /// How logs are written; the configuration's `log.format` otherwise.
    #[arg(long, value_name = "FORMAT", value_parser = ["json", "text"])]
    log: Option<String>,
}

/// Runs until a signal or until the storage fails.
///
/// # Errors
/// What is wrong with the configuration, or what the machine could not do.
pub fn run(args: &Args) -> Outcome {
    let config = Config::load(&args.config)?;
    let format = match args.log.as_deref() {
        Some("text") => Format::Text,
        Some(_) => Format::Json,
        None => config.log_format,
    };
    telemetry::start_logs(format, &config.file.log.level).map_err(Failure::Wrong)?;
    let start = Start { config, clock: Arc::new(SystemClock), secrets: Arc::new(EnvSecrets), signals: true };
    Running::start(start)?.wait()?;
    Ok(Exit::Done)
}
