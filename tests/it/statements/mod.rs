//! Statements as they come, read by layouts: files made by an independent writer (Python's openpyxl and csv), every trap
//! that such files are known for, hostile archives, and arbitrary bytes.

mod lines;
mod loading;
mod shapes;
mod traps;
mod wild;
mod workbook;
mod written;

use serde_json::{Value, json};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use thuho::domain::ids::Movement;
use thuho::domain::notice::{Effect, NoEffect};
use thuho::domain::statement::{StatementKind, StatementLine};
use thuho::partner::{Partners, Profile};
use thuho::reconcile::read::{Job, Limits, Place, ReadError, Summary, read};

const PROFILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/partners");
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/statements");

/// The profile of our own protocol with these sections instead of its own.
pub fn profile_with(sections: &str) -> Result<Profile, String> {
    let text = std::fs::read_to_string(format!("{PROFILES}/standard.toml")).unwrap();
    let (head, rest) = text.split_once("# --- statements").expect("the profile's own sections begin");
    let (_, examples) = rest.split_once("# --- examples").expect("and end");
    let text = format!("{head}\n{sections}\n# --- examples{examples}");
    Partners::compile("config/partners/standard.toml", &text, None).map_err(|errors| errors.to_string())
}

pub fn shipped(partner: &str) -> Profile {
    let file = format!("{PROFILES}/{partner}.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    Partners::compile(&file, &text, None).unwrap_or_else(|errors| panic!("{errors}"))
}

/// One of the layouts that are kept with the tests.
pub fn kept(name: &str) -> Profile {
    let text = std::fs::read_to_string(format!("{HERE}/layouts/{name}.toml")).unwrap();
    profile_with(&text).unwrap_or_else(|errors| panic!("{name}: {errors}"))
}

pub fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

/// What a file came to.
#[derive(Debug)]
pub struct Told {
    pub lines: Vec<(StatementLine, Option<Place>)>,
    pub end: Result<Summary, ReadError>,
}

/// Reads a file by a profile's section.
pub fn told(profile: &Profile, kind: StatementKind, date: &str, path: &Path) -> Told {
    told_within(profile, kind, date, (path, &Limits::default()))
}

pub fn told_within(profile: &Profile, kind: StatementKind, date: &str, (path, limits): (&Path, &Limits)) -> Told {
    let layout = profile.statement(kind).expect("the profile has the section");
    let mut lines = Vec::new();
    let end = read(Job { layout, day: day(date), limits }, path, &mut |_progress| {}, &mut |line, place| {
        lines.push((line, place));
        ControlFlow::Continue(())
    });
    Told { lines, end }
}

impl Told {
    /// Lines and summary for people, or the faults.
    pub fn text(&self) -> String {
        let summary = match &self.end {
            Ok(summary) => summary,
            Err(error) => return error.to_string(),
        };
        let mut text = String::new();
        for (line, _) in &self.lines {
            text.push_str(&line_text(line));
            text.push('\n');
        }
        let (payments, reversals, ignored) = (summary.payments, summary.reversals, summary.ignored);
        text.push_str(&format!(
            "{}: {} of {} rows; payments {}/{}, reversals {}/{}, ignored {}/{}",
            summary.format.word(),
            summary.lines,
            summary.rows,
            payments.count,
            payments.dong,
            reversals.count,
            reversals.dong,
            ignored.count,
            ignored.dong,
        ));
        if let (Some(first), Some(last)) = (summary.first_day, summary.last_day) {
            text.push_str(&format!("; {first} to {last}"));
        }
        text
    }
}

fn line_text(line: &StatementLine) -> String {
    let effect = match line.effect {
        Effect::Moves(Movement::Payment) => "payment",
        Effect::Moves(Movement::Reversal) => "reversal",
        Effect::None(NoEffect::Pending) => "pending",
        Effect::None(NoEffect::Failed) => "failed",
        Effect::None(NoEffect::Probe) => "probe",
    };
    let mut text = format!("{} {effect} {}", line.row, line.amount);
    if !line.discount.is_zero() {
        text.push_str(&format!(" discount {}", line.discount));
    }
    if !line.fee.is_zero() {
        text.push_str(&format!(" fee {}", line.fee));
    }
    if let Some(event) = &line.event {
        text.push_str(&format!(" [{event}]"));
    }
    let references = &line.references;
    for (word, reference) in
        [("invoice", &references.invoice), ("order", &references.order), ("customer", &references.customer)]
    {
        if let Some(reference) = reference {
            text.push_str(&format!(" {word}={}", reference.as_str()));
        }
    }
    text.push_str(&format!(" {} day {}", line.paid_at, line.day));
    text
}

/// A Python with openpyxl, or none.
pub fn python() -> Option<&'static str> {
    static PYTHON: OnceLock<Option<String>> = OnceLock::new();
    let found = PYTHON.get_or_init(|| {
        let named = std::env::var("TEST_PYTHON").ok();
        let known = ["python3", "/usr/bin/python3"].map(str::to_owned);
        named.into_iter().chain(known).find(|program| {
            let import = Command::new(program).args(["-c", "import openpyxl"]).stderr(Stdio::null()).status();
            import.is_ok_and(|status| status.success())
        })
    });
    found.as_deref()
}

/// A file that the independent writer made; `None` where it cannot be had, which is said.
pub struct Written {
    dir: tempfile::TempDir,
    pub path: PathBuf,
}

pub fn write(test: &str, kind: &str, sheets: &Value, more: &Value) -> Option<Written> {
    let Some(python) = python() else {
        eprintln!("SKIPPED {test}: no python3 with openpyxl, and it cannot be installed here");
        return None;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("statement.{kind}"));
    let mut said = json!({ "path": path, "kind": kind, "sheets": sheets });
    for (key, value) in more.as_object().into_iter().flatten() {
        said[key] = value.clone();
    }
    let mut child = Command::new(python)
        .arg(format!("{HERE}/write.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(said.to_string().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(Written { dir, path })
}

/// A workbook of one sheet.
pub fn workbook(test: &str, rows: &Value) -> Option<Written> {
    write(test, "xlsx", &json!([{ "title": "Sheet1", "rows": rows }]), &json!({}))
}

/// A file with these bytes.
pub fn bytes(content: &[u8]) -> Written {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("statement");
    std::fs::write(&path, content).unwrap();
    Written { dir, path }
}

impl Written {
    /// Reads it and compares lines and summary, or the faults, with what is expected.
    #[track_caller]
    pub fn check(&self, profile: &Profile, kind: StatementKind, date: &str, expected: &str) {
        assert!(self.dir.path().exists());
        let text = told(profile, kind, date, &self.path).text();
        assert_eq!(text, expected, "\n--- is\n{text}\n--- expected\n{expected}");
    }
}
