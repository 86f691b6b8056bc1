//! `thuho breaks`, `thuho proposal`, `thuho rule` and `thuho authority`: the finance desk on the command line. All of it
//! goes through a running gateway: who proposes and who approves is who the token says, and never a name that somebody
//! typed.

use super::api::{Remote, RemoteArgs};
use super::{Exit, Failure, Outcome, out};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The largest file that is sent, in bytes: what the gateway takes.
const FILE_MAX: u64 = 5 << 20;

/// A gateway, which every one of these commands needs.
#[derive(Debug, clap::Args)]
pub struct Gateway {
    #[command(flatten)]
    remote: RemoteArgs,
}

impl Gateway {
    /// The gateway.
    ///
    /// # Errors
    /// None is named, or its token is not there.
    pub(super) fn open(&self) -> Result<Remote, Failure> {
        let named = self.remote.remote()?;
        named.ok_or_else(|| {
            Failure::Wrong(
                "this goes through a running gateway, which knows who you are: give --url and --token".to_owned(),
            )
        })
    }
}

/// `thuho breaks ..`
#[derive(Debug, clap::Subcommand)]
pub enum BreaksCommand {
    /// Breaks, newest first.
    List(ListArgs),
    /// One break: its class, history, both sides, and the bytes that came.
    Show {
        /// Its number.
        no: i64,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Says something about a break.
    Comment {
        /// Its number.
        no: i64,
        /// What.
        text: String,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Gives a break to somebody, or to nobody.
    Assign {
        /// Its number.
        no: i64,
        /// To whom.
        #[arg(long, default_value = "")]
        to: String,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Says why a break may go on open over its day's close, such as a difference of timing.
    Accept {
        /// Its number.
        no: i64,
        /// Why.
        text: String,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Keeps a file with a break.
    Attach {
        /// Its number.
        no: i64,
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Proposes what to do with breaks; another person decides.
    Propose(ProposeArgs),
}

/// Arguments of `breaks list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Only in this state: open, investigating, proposed, approved, carried, closed.
    #[arg(long)]
    state: Option<String>,
    /// Only of this class, such as MISSING_WEBHOOK.
    #[arg(long)]
    class: Option<String>,
    /// Only of this partner.
    #[arg(long)]
    partner: Option<String>,
    /// Only this person's.
    #[arg(long)]
    assignee: Option<String>,
    /// Only of this age in days: 0, 1, 2-3, 4-7, 8-15, 16-30, >30.
    #[arg(long)]
    age: Option<String>,
    /// Only those below this number: the next page.
    #[arg(long)]
    before: Option<i64>,
    /// At most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// How to print them; csv and xlsx are all that fit the filter, with a head.
    #[arg(long, default_value = "table", value_parser = ["table", "json", "csv", "xlsx"])]
    format: String,
    /// Where to; standard output if nothing is said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    gateway: Gateway,
}

/// Arguments of `breaks propose`.
#[derive(Debug, clap::Args)]
pub struct ProposeArgs {
    /// Which breaks: the same is proposed for each.
    #[arg(required_unless_present = "list")]
    breaks: Vec<i64>,
    /// What to do, as openapi.yaml's Resolution: {"action":"create"}, {"action":"allocate","invoices":[{"invoice":"HD-1",
    /// "dong":150000}]}, {"action":"adjust","because":"fee","dong":1100}, {"action":"reverse"}, {"action":"close"}.
    #[arg(long = "do", value_name = "JSON", required_unless_present = "list")]
    what: Option<String>,
    /// A file with a list instead: [{"break": 1, "resolution": {..}}, ..].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["breaks", "what"])]
    list: Option<PathBuf>,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Shows the list and its hash, and proposes nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    gateway: Gateway,
}

/// `thuho proposal ..`
#[derive(Debug, clap::Subcommand)]
pub enum ProposalCommand {
    /// Proposals, newest first.
    List {
        /// Only in this state: proposed, approved, done, rejected, withdrawn.
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// One proposal with its list.
    Show {
        /// Its number.
        no: i64,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Agrees with another person's proposal; it is carried out at once.
    Approve(DecideArgs),
    /// Does not agree with another person's proposal.
    Reject(DecideArgs),
    /// Takes back one's own.
    Withdraw(DecideArgs),
}

/// Arguments of a decision.
#[derive(Debug, clap::Args)]
pub struct DecideArgs {
    /// Its number.
    no: i64,
    /// The hash of the list that was read.
    #[arg(long, value_name = "HEX")]
    sha256: String,
    /// In a sentence.
    #[arg(long, default_value = "")]
    words: String,
    #[command(flatten)]
    gateway: Gateway,
}

/// Arguments of `rule`.
#[derive(Debug, clap::Args)]
pub struct RuleArgs {
    /// create-missing or refund-later.
    name: String,
    /// Only of this partner.
    #[arg(long)]
    partner: Option<String>,
    /// Shows what it would propose, and proposes nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    gateway: Gateway,
}

/// Arguments of `refunds`.
#[derive(Debug, clap::Args)]
pub struct RefundsArgs {
    /// The partner's name.
    #[arg(long, value_name = "NAME")]
    partner: String,
    /// Also those that are done.
    #[arg(long)]
    all: bool,
    /// json, or request: the CSV that the partner is asked by, in its own columns.
    #[arg(long, default_value = "json", value_parser = ["json", "request"])]
    format: String,
    /// Where to; standard output if nothing is said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    gateway: Gateway,
}

/// `thuho authority ..`
#[derive(Debug, clap::Subcommand)]
pub enum AuthorityCommand {
    /// Who may approve how much.
    List {
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Lets somebody approve an action up to a sum; 0 dong for what is over no money only, -1 for nothing any more.
    Grant {
        /// Who: a token's name, or system:rules.
        person: String,
        /// What: create, allocate, adjust, reverse, close, seal, reopen.
        action: String,
        /// Up to this sum of a proposal, in dong.
        #[arg(allow_negative_numbers = true)]
        dong: i64,
        #[command(flatten)]
        gateway: Gateway,
    },
}

/// Runs one of `breaks`.
///
/// # Errors
/// Wrong arguments, or the gateway's refusal.
pub fn breaks(command: &BreaksCommand) -> Outcome {
    match command {
        BreaksCommand::List(args) => list(args),
        BreaksCommand::Show { no, gateway } => show(gateway, &format!("/api/v1/breaks/{no}")),
        BreaksCommand::Comment { no, text, gateway } => say(gateway, *no, "comment", &json!({ "text": text })),
        BreaksCommand::Assign { no, to, gateway } => say(gateway, *no, "assign", &json!({ "to": to })),
        BreaksCommand::Accept { no, text, gateway } => say(gateway, *no, "accept", &json!({ "text": text })),
        BreaksCommand::Attach { no, file, gateway } => attach(gateway, *no, file),
        BreaksCommand::Propose(args) => propose(args),
    }
}

fn show(gateway: &Gateway, path: &str) -> Outcome {
    let json = gateway.open()?.command("GET", path, &Value::Null)?;
    out::line(serde_json::to_string_pretty(&json).unwrap_or_default());
    Ok(Exit::Done)
}

fn say(gateway: &Gateway, no: i64, action: &str, body: &Value) -> Outcome {
    gateway.open()?.command("POST", &format!("/api/v1/breaks/{no}/{action}"), body)?;
    out::line(format!("break {no}: {action} done"));
    Ok(Exit::Done)
}

fn attach(gateway: &Gateway, no: i64, file: &PathBuf) -> Outcome {
    let read = |e: std::io::Error| Failure::Wrong(format!("{}: {}", file.display(), e.kind()));
    if std::fs::metadata(file).map_err(read)?.len() > FILE_MAX {
        return Err(Failure::Wrong(format!("{}: expected at most {FILE_MAX} bytes", file.display())));
    }
    let bytes = std::fs::read(file).map_err(read)?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = format!("/api/v1/breaks/{no}/files?name={}", super::statement::encoded(&name));
    let (status, json) = gateway.open()?.call("POST", &path, "application/octet-stream", bytes)?;
    if !(200..300).contains(&status) {
        return Err(super::api::refused(status, &json));
    }
    out::line(format!("break {no}: {name} is kept"));
    Ok(Exit::Done)
}

fn list(args: &ListArgs) -> Outcome {
    let fields = [
        ("state", args.state.clone()),
        ("class", args.class.clone()),
        ("partner", args.partner.clone()),
        ("assignee", args.assignee.clone()),
        ("age", args.age.clone()),
        ("before", args.before.map(|no| no.to_string())),
        ("limit", Some(args.limit.to_string())),
    ];
    let said =
        fields.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", super::statement::encoded(&value?))));
    if matches!(args.format.as_str(), "csv" | "xlsx") {
        let said: Vec<String> = said.filter(|said| !said.starts_with("limit=")).collect();
        let path = format!("/api/v1/breaks/export?format={}&{}", args.format, said.join("&"));
        let bytes = args.gateway.open()?.bytes(&path)?;
        out::written(args.out.as_deref(), &mut |out| Ok(out.write_all(&bytes)?))?;
        return Ok(Exit::Done);
    }
    let path = format!("/api/v1/breaks?{}", said.collect::<Vec<_>>().join("&"));
    let json = args.gateway.open()?.command("GET", &path, &Value::Null)?;
    if args.format == "json" {
        out::line(json.to_string());
        return Ok(Exit::Done);
    }
    let text = |row: &Value, field: &str| row.get(field).and_then(Value::as_str).unwrap_or("-").to_owned();
    let whole = |row: &Value, field: &str| row.get(field).and_then(Value::as_i64).unwrap_or_default();
    for row in json.as_array().map(Vec::as_slice).unwrap_or_default() {
        out::line(format!(
            "{:>8} {:<22}{:<14}{:<12}{:>16} {:>6} {:<10} {}",
            whole(row, "no"),
            text(row, "class"),
            text(row, "state"),
            text(row, "partner"),
            whole(row, "amount"),
            text(row, "age"),
            text(row, "assignee"),
            text(row, "detail")
        ));
    }
    Ok(Exit::Done)
}

fn propose(args: &ProposeArgs) -> Outcome {
    let items = match (&args.list, &args.what) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file)
                .map_err(|e| Failure::Wrong(format!("{}: {}", file.display(), e.kind())))?;
            serde_json::from_str(&text).map_err(|e| Failure::Wrong(format!("{}: {e}", file.display())))?
        }
        (None, what) => {
            let what: Value = serde_json::from_str(what.as_deref().unwrap_or_default())
                .map_err(|e| Failure::Wrong(format!("--do: {e}")))?;
            args.breaks.iter().map(|no| json!({ "break": no, "resolution": what })).collect()
        }
    };
    let body = json!({ "reason": args.reason, "items": items, "dry_run": args.dry_run });
    let Value::Array(_) = items else {
        return Err(Failure::Wrong("expected a list: [{\"break\": .., \"resolution\": {..}}, ..]".to_owned()));
    };
    let json = args.gateway.open()?.command("POST", "/api/v1/proposals", &body)?;
    out::line(serde_json::to_string_pretty(&json).unwrap_or_default());
    Ok(Exit::Done)
}

/// A proposal with all of its list: whoever approves it has seen it.
fn whole(gateway: &Gateway, no: i64) -> Outcome {
    let remote = gateway.open()?;
    let (mut list, mut proposal) = (Vec::new(), Value::Null);
    loop {
        let path = format!("/api/v1/proposals/{no}?limit=1000&after={}", list.len());
        let mut page = remote.command("GET", &path, &Value::Null)?;
        let rows = page.get_mut("list").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
        let over = rows.is_empty();
        list.extend(rows);
        proposal = if proposal.is_null() { page } else { proposal };
        if over {
            break;
        }
    }
    let json = crate::reconcile::desk::views::with(proposal, [("list", Value::Array(list))]);
    out::line(serde_json::to_string_pretty(&json).unwrap_or_default());
    Ok(Exit::Done)
}

/// Runs one of `proposal`.
///
/// # Errors
/// Wrong arguments, or the gateway's refusal.
pub fn proposal(command: &ProposalCommand) -> Outcome {
    let (args, verb) = match command {
        ProposalCommand::List { state, gateway } => {
            let state = state.as_deref().map(|state| format!("?state={}", super::statement::encoded(state)));
            return show(gateway, &format!("/api/v1/proposals{}", state.unwrap_or_default()));
        }
        ProposalCommand::Show { no, gateway } => return whole(gateway, *no),
        ProposalCommand::Approve(args) => (args, "approve"),
        ProposalCommand::Reject(args) => (args, "reject"),
        ProposalCommand::Withdraw(args) => (args, "withdraw"),
    };
    let body = json!({ "sha256": args.sha256, "words": args.words });
    let json = args.gateway.open()?.command("POST", &format!("/api/v1/proposals/{}/{verb}", args.no), &body)?;
    out::line(json.to_string());
    let refused = json.get("refused").and_then(Value::as_u64).unwrap_or_default();
    Ok(if refused == 0 { Exit::Done } else { Exit::No })
}

/// Runs `rule`.
///
/// # Errors
/// Wrong arguments, or the gateway's refusal.
pub fn rule(args: &RuleArgs) -> Outcome {
    let body = json!({ "partner": args.partner, "dry_run": args.dry_run });
    let path = format!("/api/v1/rules/{}", super::statement::encoded(&args.name));
    let json = args.gateway.open()?.command("POST", &path, &body)?;
    out::line(serde_json::to_string_pretty(&json).unwrap_or_default());
    Ok(Exit::Done)
}

/// Runs `refunds`.
///
/// # Errors
/// Wrong arguments, or the gateway's refusal.
pub fn refunds(args: &RefundsArgs) -> Outcome {
    let partner = super::statement::encoded(&args.partner);
    let path = format!("/api/v1/refunds/{partner}?all={}&format={}", args.all, args.format);
    let bytes = args.gateway.open()?.bytes(&path)?;
    out::written(args.out.as_deref(), &mut |out| Ok(out.write_all(&bytes)?))?;
    Ok(Exit::Done)
}

/// Runs one of `authority`.
///
/// # Errors
/// Wrong arguments, or the gateway's refusal.
pub fn authority(command: &AuthorityCommand) -> Outcome {
    match command {
        AuthorityCommand::List { gateway } => show(gateway, "/api/v1/authorities"),
        AuthorityCommand::Grant { person, action, dong, gateway } => {
            let body = json!({ "person": person, "action": action, "dong": dong });
            gateway.open()?.command("POST", "/api/v1/authorities", &body)?;
            out::line(format!("{person} may approve {action} up to {dong} dong"));
            Ok(Exit::Done)
        }
    }
}
