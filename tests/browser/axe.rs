//! axe-core's judgement of a page: what keeps people with a screen reader, with a keyboard or with weak eyes out.

use crate::page::Page;
use serde_json::{Value, json};
use std::fmt;

/// The levels A and AA of WCAG up to 2.2. Best practices are a matter of taste.
const RULES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/// Runs it in the page and hands its violations over, one a place.
const RUN: &str = "
    const [tags, done] = arguments;
    axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })
        .then(found => done(found.violations.flatMap(v => v.nodes.map(n =>
            ({ rule: v.id, impact: n.impact || v.impact, place: n.target.flat().join(' '), why: n.failureSummary })))))
        .catch(e => done(String(e)));";

/// One place that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub rule: String,
    pub impact: String,
    /// Its selector.
    pub place: String,
    why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = self.why.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(f, "{} ({}) at {}: {why}", self.rule, self.impact, self.place)
    }
}

/// What is serious or critical on the page as it is now.
pub struct Axe {
    source: String,
}

impl Axe {
    /// `None` (said aloud) where it is not installed.
    pub fn load(test: &str) -> Option<Self> {
        let Ok(path) = std::env::var("TEST_AXE") else {
            eprintln!("SKIPPED browser, {test}: TEST_AXE names no axe.min.js");
            return None;
        };
        let source = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("TEST_AXE, {path}: {e}"));
        Some(Self { source })
    }

    #[track_caller]
    pub fn faults(&self, page: &Page) -> Vec<Fault> {
        page.script(&self.source, Vec::new());
        let found = page.script_that_calls_back(RUN, vec![json!(RULES)]);
        let Some(found) = found.as_array() else { panic!("axe failed: {found}") };
        let mut faults: Vec<Fault> = found.iter().map(fault).collect();
        faults.retain(|fault| matches!(fault.impact.as_str(), "serious" | "critical"));
        faults
    }

    #[track_caller]
    pub fn assert_none(&self, page: &Page) {
        let listed: Vec<String> = self.faults(page).iter().map(ToString::to_string).collect();
        assert!(listed.is_empty(), "{} keeps people out:\n  {}", page.url(), listed.join("\n  "));
    }
}

fn fault(found: &Value) -> Fault {
    let word = |key: &str| found.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Fault { rule: word("rule"), impact: word("impact"), place: word("place"), why: word("why") }
}
