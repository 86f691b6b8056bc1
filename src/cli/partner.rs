//! The integrator's tools: which partners there are, how a call's signature comes about, a signed call to try.
//! They work on the examples' keys and need no live secret, unless one is named. Nothing here is sent: `send`
//! prints the command that would.

use crate::domain::notice::{Method, Notice, RawNotice};
use crate::domain::outcome::{Outcome, Refusal};
use crate::domain::time::Timestamp;
use crate::partner::forge::{Forged, Wanted};
use crate::partner::{Example, ExampleCall, Partners, Profile, Reply, ReplyContext};
use crate::partner::{SecretSource, SigningKey};
use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use clap::{Args, Subcommand};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// The largest request file read, in bytes: as large as any body that the gateway takes, and its head.
const REQUEST_MAX_BYTES: u64 = 1 << 20;

/// `thuho partner ..`, without pause and resume, which need a gateway.
#[derive(Clone, Debug, Subcommand)]
pub enum PartnerArgs {
    /// Lists the partners.
    List(Folder),
    /// Shows how a call is proved, read and answered.
    Explain(ExplainArgs),
    /// Prints a signed call.
    Sign(SignArgs),
    /// Prints a curl command that sends a signed call.
    Send(SendArgs),
}

/// Where the profiles are.
#[derive(Clone, Debug, Args)]
pub struct Folder {
    /// The folder of profiles.
    #[arg(long, value_name = "DIR", default_value = "config/partners")]
    pub partners: PathBuf,
}

/// What to explain.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The partner.
    pub name: String,
    /// The number of an example, from 1.
    #[arg(long, conflicts_with = "request")]
    pub example: Option<usize>,
    /// A recorded HTTP request: request line, headers, an empty line, the body.
    #[arg(long, value_name = "FILE")]
    pub request: Option<PathBuf>,
    /// With the live keys instead of the examples' (the secrets must be set).
    #[arg(long)]
    pub live: bool,
    #[command(flatten)]
    folder: Folder,
}

/// What to sign.
#[derive(Clone, Debug, Args)]
pub struct SignArgs {
    /// The partner.
    pub name: String,
    /// A field and its value: event, reverses, effect, status, account, invoice, order, customer, amount, discount,
    /// fee, paid_at.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The example to start from.
    #[arg(long)]
    pub example: Option<usize>,
    /// The secret that plays the partner, as ID=env:NAME or ID=file:PATH: an HMAC secret or a private key. The
    /// example's key by default.
    #[arg(long, value_name = "ID=SECRET")]
    pub key: Option<String>,
    #[command(flatten)]
    folder: Folder,
}

/// Where to send.
#[derive(Clone, Debug, Args)]
pub struct SendArgs {
    /// The gateway's public address, without a path.
    #[arg(long)]
    pub url: String,
    #[command(flatten)]
    sign: SignArgs,
}

/// Runs one of them. Returns the exit code: 0, or 1 when the explained call is refused against its example.
///
/// # Errors
/// Wrong arguments or profiles, in words for people.
pub fn run(args: &PartnerArgs, out: &mut dyn Write, secrets: &dyn SecretSource, now: Timestamp) -> anyhow::Result<i32> {
    match args {
        PartnerArgs::List(folder) => list(folder, out),
        PartnerArgs::Explain(args) => explain(args, out, secrets, now),
        PartnerArgs::Sign(args) => {
            let forged = forged(args, secrets, now)?;
            out.write_all(&dump(&forged))?;
            Ok(0)
        }
        PartnerArgs::Send(args) => {
            writeln!(out, "{}", forged(&args.sign, secrets, now)?.to_curl(&args.url))?;
            Ok(0)
        }
    }
}

fn list(folder: &Folder, out: &mut dyn Write) -> anyhow::Result<i32> {
    for profile in Partners::load_without_secrets(&folder.partners)?.iter() {
        let protocol = if profile.is_protocol() { " (protocol)" } else { "" };
        writeln!(out, "{:<16}{}{protocol}", profile.code().as_str(), profile.about())?;
        if let Some(why) = profile.provisional() {
            writeln!(out, "{:<16}PROVISIONAL: {why}", "")?;
        }
        let inquiries = [(profile.has_bills(), "bills"), (profile.has_status(), "status")];
        let inquiries: Vec<&str> = inquiries.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
        let also = if inquiries.is_empty() { String::new() } else { format!(", asks for {}", inquiries.join(" and ")) };
        let number = profile.examples().len();
        writeln!(out, "{:<16}{} calls{also}; {number} examples proved", "", profile.method().word())?;
    }
    Ok(0)
}

fn profile_of(partners: &Partners, name: &str) -> anyhow::Result<std::sync::Arc<Profile>> {
    partners.get(name).cloned().ok_or_else(|| {
        let known: Vec<String> = partners.iter().map(|profile| profile.code().to_string()).collect();
        anyhow!("{name}: expected one of {}", known.join(", "))
    })
}

fn explain(args: &ExplainArgs, out: &mut dyn Write, secrets: &dyn SecretSource, now: Timestamp) -> anyhow::Result<i32> {
    let folder = &args.folder.partners;
    let partners = if args.live { Partners::load(folder, secrets)? } else { Partners::load_without_secrets(folder)? };
    let profile = profile_of(&partners, &args.name)?;
    let mut page = Page { out, profile: &profile, live: args.live };
    if let Some(path) = &args.request {
        let size = std::fs::metadata(path).with_context(|| format!("{}", path.display()))?.len();
        if size > REQUEST_MAX_BYTES {
            bail!("{}: expected at most {REQUEST_MAX_BYTES} bytes", path.display());
        }
        let raw = request(&std::fs::read(path)?, now).with_context(|| format!("{}", path.display()))?;
        return page.request(&raw, now);
    }
    let number = args.example.unwrap_or(1);
    let example = number.checked_sub(1).and_then(|n| profile.examples().get(n));
    let example = example.ok_or_else(|| anyhow!("--example: expected 1 to {}", profile.examples().len()))?;
    page.example(number, example)
}

struct Page<'a> {
    out: &'a mut dyn Write,
    profile: &'a Profile,
    live: bool,
}

impl Page<'_> {
    fn example(&mut self, number: usize, example: &Example) -> anyhow::Result<i32> {
        writeln!(self.out, "{}, example {number}: {}", self.profile.code(), example.about)?;
        writeln!(self.out, "judged at   {}", example.at)?;
        self.call(&example.raw)?;
        self.signature(&example.raw)?;
        if example.call == ExampleCall::Notice {
            self.reading(&example.raw, example.at)?;
        }
        if let Some(reply) = example.reply(self.profile) {
            self.reply(&example.outcome, &reply)?;
        }
        Ok(0)
    }

    fn request(&mut self, raw: &RawNotice, now: Timestamp) -> anyhow::Result<i32> {
        writeln!(self.out, "{}, a recorded request", self.profile.code())?;
        self.call(raw)?;
        self.signature(raw)?;
        let outcome = self.reading(raw, now)?;
        let context = ReplyContext { raw: Some(raw), payment: None, now };
        self.reply(outcome.word(), &self.profile.reply(outcome, &context))?;
        Ok(i32::from(outcome != Outcome::Accepted))
    }

    fn call(&mut self, raw: &RawNotice) -> anyhow::Result<()> {
        let query = if raw.query.is_empty() { String::new() } else { format!("?{}", raw.query) };
        writeln!(self.out, "\ncall        {} {}{query}", raw.method.word(), raw.path)?;
        for (name, value) in &raw.headers {
            writeln!(self.out, "            {name}: {value}")?;
        }
        writeln!(self.out, "            {}", String::from_utf8_lossy(&raw.body))?;
        Ok(())
    }

    fn signature(&mut self, raw: &RawNotice) -> anyhow::Result<()> {
        let trace = self.profile.trace(raw, !self.live);
        match &trace.canonical {
            Ok(bytes) => {
                writeln!(self.out, "\nsigned      {} bytes", bytes.len())?;
                for line in String::from_utf8_lossy(bytes).lines() {
                    writeln!(self.out, "            {line}")?;
                }
            }
            Err(fault) => writeln!(self.out, "\nsigned      cannot be built: {fault}")?,
        }
        let given = trace.given.as_deref().unwrap_or("(none)");
        writeln!(self.out, "signature   given     {given}")?;
        for (key, expected) in &trace.expected {
            match expected {
                Some(expected) => writeln!(self.out, "            expected  {expected}  (key {key})")?,
                None => writeln!(self.out, "            expected  one that the public key {key} proves")?,
            }
        }
        Ok(())
    }

    fn reading(&mut self, raw: &RawNotice, at: Timestamp) -> anyhow::Result<Outcome> {
        let proved = if self.live { self.profile.prove(raw, at) } else { self.profile.prove_as_example(raw, at) };
        let read = proved.and_then(|proved| {
            let notice = self.profile.read(&proved, at)?;
            Ok::<_, Refusal>((proved.key_id().to_owned(), notice))
        });
        match read {
            Ok((key, notice)) => {
                writeln!(self.out, "            proved by {key}")?;
                self.notice(&notice)?;
                Ok(Outcome::Accepted)
            }
            Err(refusal) => {
                writeln!(self.out, "\nrefused     {}: {refusal}", refusal.outcome())?;
                Ok(refusal.outcome())
            }
        }
    }

    fn notice(&mut self, notice: &Notice) -> anyhow::Result<()> {
        let text = |reference: &Option<crate::domain::notice::ReferenceText>| {
            reference.as_ref().map_or_else(|| "-".to_owned(), |r| r.as_str().to_owned())
        };
        writeln!(self.out, "\nnotice      effect    {}", crate::partner::word_of(notice.effect))?;
        let rows = [
            ("event", notice.event.to_string()),
            ("account", notice.account.clone()),
            ("payment", notice.key().map_or_else(|| "-".to_owned(), |key| key.to_string())),
            ("reverses", notice.reverses.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)),
            ("invoice", text(&notice.references.invoice)),
            ("order", text(&notice.references.order)),
            ("customer", text(&notice.references.customer)),
            ("amount", notice.amount.to_string()),
            ("discount", notice.discount.to_string()),
            ("fee", notice.fee.to_string()),
            ("paid at", notice.paid_at.to_string()),
        ];
        for (name, value) in rows {
            writeln!(self.out, "            {name:<9} {value}")?;
        }
        Ok(())
    }

    fn reply(&mut self, word: &str, reply: &Reply) -> anyhow::Result<()> {
        let reads = if self.profile.reads_as_success(reply) { "success" } else { "no success" };
        writeln!(self.out, "\nreply       {word}, which the partner reads as {reads}")?;
        writeln!(self.out, "            {}", reply.status)?;
        for (name, value) in &reply.headers {
            writeln!(self.out, "            {name}: {value}")?;
        }
        writeln!(self.out, "            {}", String::from_utf8_lossy(&reply.body))?;
        Ok(())
    }
}

fn forged(args: &SignArgs, secrets: &dyn SecretSource, now: Timestamp) -> anyhow::Result<Forged> {
    let partners = Partners::load_without_secrets(&args.folder.partners)?;
    let profile = profile_of(&partners, &args.name)?;
    let mut wanted = Wanted { example: args.example, ..Wanted::default() };
    for setting in &args.set {
        let (name, value) = setting.split_once('=').ok_or_else(|| anyhow!("--set: expected KEY=VALUE"))?;
        wanted.set(name, value)?;
    }
    let key = match &args.key {
        Some(named) => named_key(&profile, named, secrets)?,
        None => {
            profile.example_signer().cloned().context("the profile's example keys cannot sign: name one by --key")?
        }
    };
    Ok(profile.forge(&key, &wanted, now)?)
}

fn named_key(profile: &Profile, named: &str, secrets: &dyn SecretSource) -> anyhow::Result<SigningKey> {
    let (id, name) = named.split_once('=').ok_or_else(|| anyhow!("--key: expected ID=env:NAME or ID=file:PATH"))?;
    let need = profile.key_needs().iter().find(|need| need.id == id && !need.ours);
    let need = need.ok_or_else(|| anyhow!("--key: {id} is none of the profile's [[key]] ids"))?;
    let secret = secrets.secret(name).map_err(|message| anyhow!("--key: {message}"))?;
    SigningKey::read(id, need.algorithm, need.encoding, &secret).map_err(|message| anyhow!("--key: {message}"))
}

fn dump(forged: &Forged) -> Vec<u8> {
    let query = if forged.query.is_empty() { String::new() } else { format!("?{}", forged.query) };
    let mut text = format!("{} {}{query} HTTP/1.1\n", forged.method.word(), forged.path);
    for (name, value) in &forged.headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&forged.body);
    bytes
}

/// Reads a recorded request. Lines of the head may end in CRLF; the body is taken byte for byte.
fn request(bytes: &[u8], now: Timestamp) -> anyhow::Result<RawNotice> {
    let expected = || anyhow!("expected a request line, headers, an empty line and the body");
    let mut rest = bytes;
    let mut lines = Vec::new();
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(expected)?;
        let (line, tail) = rest.split_at(end);
        rest = tail.get(1..).unwrap_or_default();
        let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line))?;
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let (first, headers) = lines.split_first().ok_or_else(expected)?;
    let mut words = first.split(' ');
    let method = match words.next() {
        Some("GET") => Method::Get,
        Some("POST") => Method::Post,
        _ => bail!("expected GET or POST"),
    };
    let target = words.next().ok_or_else(expected)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = headers.iter().map(|line| {
        let (name, value) = line.split_once(':').ok_or_else(expected)?;
        Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    Ok(RawNotice {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.collect::<anyhow::Result<_>>()?,
        body: Bytes::copy_from_slice(rest),
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        received_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        args: PartnerArgs,
    }

    struct NoSecrets;

    impl SecretSource for NoSecrets {
        fn secret(&self, name: &str) -> Result<Secret, String> {
            Err(format!("{name} is not set"))
        }
    }

    /// The protocol's profile is the one that tests may name.
    const AT_MS: i64 = 1_775_012_405_000;

    fn check(line: &[&str]) -> anyhow::Result<String> {
        let words = ["partner"].iter().chain(line).copied();
        let mut out = Vec::new();
        run(&Line::try_parse_from(words)?.args, &mut out, &NoSecrets, Timestamp::from_unix_ms(AT_MS))?;
        Ok(String::from_utf8(out)?)
    }

    #[test]
    fn an_example_is_explained_from_bytes_to_reply() {
        let page = check(&["explain", "standard", "--example", "4"]).unwrap();
        for part in ["signed      ", "msg_0001.1775012405.{", "given     v1,", "proved by vector-1", "amount    150000"]
        {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(page.contains("accepted, which the partner reads as success"), "{page}");
    }

    #[test]
    fn a_signed_call_is_one_that_explain_proves() {
        let call = check(&["sign", "standard", "--set", "amount=98765", "--set", "event=pay_9"]).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &call).unwrap();
        let page = check(&["explain", "standard", "--request", file.path().to_str().unwrap()]).unwrap();
        assert!(page.contains("amount    98765") && page.contains("event     pay_9"), "{page}");
        let tampered = call.replace("98765", "98766");
        std::fs::write(file.path(), tampered).unwrap();
        let page = check(&["explain", "standard", "--request", file.path().to_str().unwrap()]).unwrap();
        assert!(page.contains("refused     bad_signature: signature not proved: wrong"), "{page}");
    }

    #[test]
    fn a_curl_line_carries_the_call() {
        let line = check(&["send", "standard", "--url", "http://127.0.0.1:8080/"]).unwrap();
        assert!(line.starts_with("curl -sS -i -X POST 'http://127.0.0.1:8080/webhooks/standard' -H 'webhook-id: "));
        assert!(line.contains("--data-binary '{\"type\":\"payment.succeeded\""), "{line}");
    }

    #[test]
    fn wrong_arguments_are_named() {
        assert!(check(&["explain", "nobody"]).unwrap_err().to_string().starts_with("nobody: expected one of "));
        assert!(check(&["sign", "standard", "--set", "colour=red"]).unwrap_err().to_string().starts_with("colour: "));
        assert!(check(&["explain", "standard", "--example", "0"]).unwrap_err().to_string().contains("expected 1 to"));
    }
}
