//! `thuho close`: signs a partner's day or month off, through the gateway that knows who does it.

use super::desk::Gateway;
use super::statement::encoded;
use super::{Exit, Outcome, out};
use serde_json::{Value, json};

/// Whose day or month.
#[derive(Debug, clap::Args)]
pub struct Of {
    /// The partner's name.
    #[arg(long, value_name = "NAME")]
    partner: String,
    /// The business day, or the month.
    #[arg(long, value_name = "YYYY-MM-DD|YYYY-MM")]
    period: String,
    #[command(flatten)]
    gateway: Gateway,
}

/// `thuho close ..`
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The draft or the sealed close, with its figures.
    Show {
        #[command(flatten)]
        of: Of,
    },
    /// Draws it up as it stands; another person signs.
    Draft {
        #[command(flatten)]
        of: Of,
        /// Why what is still open may go on open, and why closes begin with a partner's first one.
        #[arg(long, value_name = "REASON")]
        accept: Option<String>,
    },
    /// Signs what another person drew up.
    Sign {
        #[command(flatten)]
        of: Of,
        /// The hash of the draft that was read.
        #[arg(long, value_name = "HEX")]
        sha256: String,
    },
    /// Opens the last sealed day again, or the month.
    Reopen {
        #[command(flatten)]
        of: Of,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Runs one of them.
///
/// # Errors
/// Wrong arguments, or the gateway's refusal.
pub fn run(command: &Command) -> Outcome {
    let path = |of: &Of| format!("/api/v1/closes/{}/{}", encoded(&of.partner), encoded(&of.period));
    let (of, verb, body) = match command {
        Command::Show { of } => {
            let json = of.gateway.open()?.command("GET", &path(of), &Value::Null)?;
            out::line(serde_json::to_string_pretty(&json).unwrap_or_default());
            return Ok(Exit::Done);
        }
        Command::Draft { of, accept } => (of, "draft", json!({ "accept": accept })),
        Command::Sign { of, sha256 } => (of, "sign", json!({ "sha256": sha256 })),
        Command::Reopen { of, reason } => (of, "reopen", json!({ "reason": reason })),
    };
    let json = of.gateway.open()?.command("POST", &format!("{}/{verb}", path(of)), &body)?;
    let hash = json.get("sha256").and_then(Value::as_str).map(|hash| format!(", sha256 {hash}"));
    out::line(format!("{} {}: {verb} done{}", of.partner, of.period, hash.unwrap_or_default()));
    Ok(Exit::Done)
}
