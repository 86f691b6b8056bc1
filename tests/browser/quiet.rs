//! What a good page never does: an error in the console, a breach of its own policy, a dialog.

use crate::commands;
use crate::tab::Tab;
use fantoccini::error::CmdError;
use serde_json::Value;
use std::fmt;

/// How many dialogs may follow each other: a page may open one whenever the last is closed.
const DIALOGS_MAX: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noise {
    /// An error in the console, uncaught ones and answers that are errors among them.
    Console(String),
    /// Something that the page's content security policy refused.
    Policy(String),
    /// A dialog of a script.
    Dialog(String),
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Console(text) => write!(f, "console: {text}"),
            Self::Policy(text) => write!(f, "policy: {text}"),
            Self::Dialog(text) => write!(f, "dialog: {text}"),
        }
    }
}

/// Everything since it was last asked. Dialogs are closed.
pub fn listen(tab: &Tab) -> Result<Vec<Noise>, CmdError> {
    let mut noise = Vec::new();
    for _ in 0..DIALOGS_MAX {
        match tab.attempt(tab.client().get_alert_text()) {
            Ok(text) => noise.push(Noise::Dialog(text)),
            Err(none) if none.is_no_such_alert() => break,
            Err(other) => return Err(other),
        }
        match tab.attempt(tab.client().dismiss_alert()) {
            Err(other) if !other.is_no_such_alert() => return Err(other),
            _ => {}
        }
    }
    let said = tab.attempt(tab.client().issue_cmd(commands::console()))?;
    noise.extend(said.as_array().into_iter().flatten().filter_map(heard));
    Ok(noise)
}

#[track_caller]
pub fn noise(tab: &Tab) -> Vec<Noise> {
    listen(tab).unwrap_or_else(|e| panic!("the console does not answer: {e}"))
}

/// One entry of the console's log, if it is noise. A policy that only reports is heard too.
fn heard(entry: &Value) -> Option<Noise> {
    let word = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    let text = word("message").to_owned();
    if text.contains("Content Security Policy") {
        Some(Noise::Policy(text))
    } else if word("level") == "SEVERE" {
        Some(Noise::Console(text))
    } else {
        None
    }
}

#[track_caller]
pub fn assert_none(noise: &[Noise]) {
    let listed: Vec<String> = noise.iter().map(ToString::to_string).collect();
    assert!(listed.is_empty(), "the page was not quiet:\n  {}", listed.join("\n  "));
}
