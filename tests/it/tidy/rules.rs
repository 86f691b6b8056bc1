//! The rules of `tidy`, each a pure function from text to findings. Not a parser of Rust: comments and strings are
//! blanked where a rule is about code, and the rest is words.

use std::fmt;

/// The longest file in lines. Beyond it a file holds two things.
pub const LINES_MAX: usize = 500;

/// The invariants, each cited by a test that shows it.
pub const INVARIANTS: &[&str] =
    &["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14"];

/// One file.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// One breach of a rule.
#[derive(Debug)]
pub struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

const BASE: &[&str] = &["domain"];
const SIDE: &[&str] = &["domain", "partner", "matching", "store", "seen"];
const LEDGER: &[&str] = &["domain", "partner", "matching", "store", "seen", "ledger"];
const FLOWS: &[&str] = &[
    "domain",
    "partner",
    "matching",
    "store",
    "seen",
    "ledger",
    "intake",
    "outbox",
    "inquiry",
    "reconcile",
    "telemetry",
];
const PAGES: &[&str] = &[
    "domain",
    "partner",
    "matching",
    "store",
    "seen",
    "ledger",
    "intake",
    "outbox",
    "inquiry",
    "reconcile",
    "telemetry",
    "http",
];
const EDGES: &[&str] = &[
    "domain",
    "partner",
    "matching",
    "store",
    "seen",
    "ledger",
    "intake",
    "outbox",
    "inquiry",
    "reconcile",
    "http",
    "finance",
    "sandbox",
    "telemetry",
    "app",
    "cli",
    "config",
];

/// What each top-level module may name besides itself.
fn may_import(module: &str) -> Option<&'static [&'static str]> {
    match module {
        "domain" => Some(&[]),
        "partner" | "matching" | "store" | "seen" => Some(BASE),
        "telemetry" => Some(BASE),
        "ledger" => Some(SIDE),
        "intake" | "outbox" | "inquiry" | "reconcile" => Some(LEDGER),
        "http" | "sandbox" | "config" => Some(FLOWS),
        // A page asks the same questions as the API and calls its verbs.
        "finance" => Some(PAGES),
        "app" | "cli" | "lib" | "main" => Some(EDGES),
        _ => None,
    }
}

/// The top-level module of a file: `src/ledger/post.rs` is of `ledger`.
fn module_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let first = inside.split('/').next().unwrap_or(inside);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// How many modules deep a file is: `src/ledger/mod.rs` is 1, `src/ledger/post.rs` is 2.
fn depth_of(path: &str) -> usize {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let parts = inside.split('/').count();
    if inside.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// Imports only point down.
pub fn arrows(source: &Source) -> Vec<Finding> {
    let module = module_of(&source.path);
    let Some(allowed) = may_import(module) else {
        return vec![Finding::new(&source.path, 1, format!("`{module}` has no place in the table of arrows"))];
    };
    if matches!(module, "lib" | "main") {
        return Vec::new();
    }
    let code = blank(&source.text, true);
    let mut findings = Vec::new();
    for (at, named) in named_from_root(&code, depth_of(&source.path)) {
        let known = may_import(&named).is_some();
        if known && named != module && !allowed.contains(&named.as_str()) {
            findings.push(Finding::new(&source.path, line_of(&code, at), format!("`{module}` names `{named}`")));
        }
    }
    findings
}

/// Every top-level module named through `crate::` or a chain of `super::` that reaches the root.
fn named_from_root(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code.get(..at).and_then(|c| c.chars().next_back()).is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        heads(code, at + "crate::".len(), &mut named);
    }
    let chain = "super::".repeat(depth);
    for (at, _) in code.match_indices(&chain) {
        let after = at + chain.len();
        if !code.get(after..).is_some_and(|c| c.starts_with("super::")) {
            heads(code, after, &mut named);
        }
    }
    named
}

/// The first words at `from`: one, or those of a `{…}` group at its own level.
fn heads(code: &str, from: usize, named: &mut Vec<(usize, String)>) {
    let rest = code.get(from..).unwrap_or("");
    if !rest.trim_start().starts_with('{') {
        named.push((from, word(rest)));
        return;
    }
    let mut level = 0_usize;
    let mut fresh = false;
    for (offset, c) in rest.char_indices() {
        match c {
            '{' => {
                level += 1;
                fresh = level == 1;
            }
            '}' if level <= 1 => return,
            '}' => level -= 1,
            ',' => fresh = level == 1,
            c if c.is_whitespace() => {}
            _ if fresh => {
                named.push((from + offset, word(rest.get(offset..).unwrap_or(""))));
                fresh = false;
            }
            _ => {}
        }
    }
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// A crate is named only in the modules that own it; SQL is written only in `store`.
pub fn framework_words(source: &Source) -> Vec<Finding> {
    const OWNERS: &[(&str, &[&str])] = &[
        ("actix_web", &["http", "finance", "sandbox", "app"]),
        ("actix_http", &["http", "finance", "sandbox", "app"]),
        ("rusqlite", &["store"]),
        ("tokio_postgres", &["store"]),
        ("redis", &["seen"]),
        ("reqwest", &["outbox", "sandbox"]),
    ];
    const SQL: &[(&str, &str)] =
        &[("SELECT ", " FROM "), ("INSERT INTO ", " "), ("DELETE FROM ", ""), ("CREATE TABLE ", "")];
    let module = module_of(&source.path);
    let code = blank(&source.text, true);
    let mut findings = Vec::new();
    for (name, owners) in OWNERS {
        for (at, _) in code.match_indices(name) {
            if !owners.contains(&module) && names_a_crate(&code, at, name) {
                findings.push(Finding::new(&source.path, line_of(&code, at), format!("`{module}` knows `{name}`")));
            }
        }
    }
    let with_strings = blank(&source.text, false);
    if module != "store" && !source.path.ends_with("tests.rs") {
        for (number, line) in with_strings.lines().enumerate() {
            if SQL.iter().any(|(verb, then)| line.split_once(verb).is_some_and(|(_, rest)| rest.contains(then))) {
                findings.push(Finding::new(&source.path, number + 1, format!("`{module}` writes SQL")));
            }
        }
    }
    findings
}

/// `redis::X`, `use redis;`, `use redis as r`, but neither `seen::redis::X` nor `Seen::redis(url)`.
fn names_a_crate(code: &str, at: usize, name: &str) -> bool {
    let before = code.get(..at).unwrap_or("");
    let after = code.get(at + name.len()..).unwrap_or("");
    if before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '.') {
        return before.ends_with("(::") || before.ends_with(" ::");
    }
    after.starts_with("::") || (before.trim_end().ends_with("use") && after.starts_with([';', ' ']))
}

/// No float is read anywhere, and none is named where money or text is handled.
pub fn floats(source: &Source) -> Vec<Finding> {
    let strict = matches!(
        module_of(&source.path),
        "domain" | "partner" | "matching" | "store" | "ledger" | "intake" | "inquiry" | "reconcile"
    );
    let code = blank(&source.text, true);
    let mut findings = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let named = words(line).any(|w| w == "as_f64" || (strict && (w == "f64" || w == "f32")));
        if named {
            findings.push(Finding::new(&source.path, number + 1, "a float"));
        }
    }
    findings
}

/// Does a profile's text say `protocol = true`?
pub fn is_protocol(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.split('#').next().unwrap_or("");
        line.split_once('=').is_some_and(|(key, value)| key.trim() == "protocol" && value.trim() == "true")
    })
}

/// No partner's name, in any case, comments and strings included.
pub fn names(source: &Source, partners: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let line = line.to_lowercase();
        for name in partners.iter().filter(|n| line.contains(&n.to_lowercase())) {
            findings.push(Finding::new(&source.path, number + 1, format!("the name `{name}`")));
        }
    }
    let path = source.path.to_lowercase();
    findings.extend(partners.iter().filter(|n| path.contains(n.as_str())).map(|n| Finding::new(&source.path, 0, n)));
    findings
}

/// The pure modules take time as an argument and touch no socket and no thread. Only `partner` may read files, to
/// load its profiles.
pub fn impure_words(source: &Source) -> Vec<Finding> {
    let composing = source.path.starts_with("src/ledger/compose");
    let reading = source.path.starts_with("src/partner/");
    // Its threads share out the work and change no result.
    let comparing = source.path.starts_with("src/reconcile/compare");
    if !composing && !comparing && !matches!(module_of(&source.path), "domain" | "partner" | "matching") {
        return Vec::new();
    }
    const NEVER: &[&str] =
        &["::now()", "std::net::Tcp", "std::net::Udp", "tokio::", "std::env::", "std::thread", "async fn"];
    let code = blank(&source.text, true);
    let mut findings = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let file = !reading && (line.contains("std::fs") || line.contains("std::io"));
        // The one clock of the rim is defined beside the nouns it makes.
        let the_clock = source.path == "src/domain/time.rs" && line.contains("jiff::Timestamp::now()");
        let never = |w: &&str| line.contains(*w) && !(comparing && *w == "std::thread");
        if !the_clock && (file || NEVER.iter().any(never)) {
            findings.push(Finding::new(&source.path, number + 1, format!("impure: {}", line.trim())));
        }
    }
    findings
}

/// A header first, and not too many lines.
pub fn shape(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let first = source.text.lines().next().unwrap_or("");
    if !first.starts_with("//!") && !first.starts_with("#![doc") {
        findings.push(Finding::new(&source.path, 1, "no `//!` header"));
    }
    let lines = source.text.lines().count();
    if lines > LINES_MAX {
        findings.push(Finding::new(&source.path, lines, format!("{lines} lines, over {LINES_MAX}")));
    }
    findings
}

/// Marks of unfinished work.
pub fn left_overs(source: &Source) -> Vec<Finding> {
    const MARKS: &[&str] = &["TODO", "FIXME", "XXX:", "todo!(", "unimplemented!(", "dbg!(", "#[allow(", "#![allow("];
    let mut findings = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        for mark in MARKS.iter().filter(|m| line.contains(*m)) {
            findings.push(Finding::new(&source.path, number + 1, format!("`{mark}`")));
        }
    }
    findings
}

/// Invariants that no test names: a file under `tests/`, a `tests.rs`, or a file from its `mod tests` on.
pub fn uncited(sources: &[Source], invariants: &[&str]) -> Vec<Finding> {
    let mut texts = String::new();
    for source in sources.iter().filter(|s| !s.path.ends_with("tidy/rules.rs")) {
        let whole =
            source.path.starts_with("tests/") || source.path.ends_with("tests.rs") || source.path.contains("/tests/");
        let text = source.text.as_str();
        texts.push_str(if whole { text } else { text.split_once("mod tests {").map_or("", |(_, tests)| tests) });
        texts.push('\n');
    }
    let cited: std::collections::HashSet<&str> = words(&texts).collect();
    let missing = invariants.iter().filter(|i| !cited.contains(**i));
    missing.map(|i| Finding::new("tests", 0, format!("{i} is cited by no test"))).collect()
}

/// What may stand beside Cargo.toml. Dot-files are configuration of tools.
pub fn top_level(names: &[String]) -> Vec<Finding> {
    const ALLOWED: &[&str] = &[
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "tests",
        "config",
        "deploy",
        "openapi.yaml",
        "README.md",
        "target",
        "LICENSE",
    ];
    let strange = names.iter().filter(|n| !n.starts_with('.') && !ALLOWED.contains(&n.as_str()));
    strange.map(|n| Finding::new(n, 0, "does not belong at the top")).collect()
}

/// Crates that were ruled out, and one major of those that sign and store.
pub fn lock(text: &str) -> Vec<Finding> {
    const BANNED: &[&str] = &["actix-governor", "rsa", "openssl", "native-tls", "serde_yaml", "serde_yml"];
    const SINGLE: &[&str] = &["redis", "hmac", "sha2", "digest", "rustls", "rusqlite", "tokio-postgres"];
    const INFLATERS: &[&str] = &["\"brotli\"", "\"zstd\"", "\"flate2\"", "\"h2\"", "\"h2 0."];
    let mut findings = Vec::new();
    let mut seen = std::collections::HashMap::<&str, usize>::new();
    for package in text.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find_map(|l| l.strip_prefix(key)?.trim().strip_prefix('='));
            line.map_or("", |l| l.trim().trim_matches('"'))
        };
        let (name, version) = (value("name"), value("version"));
        *seen.entry(name).or_default() += 1;
        if BANNED.contains(&name) || (name == "h2" && version.starts_with("0.3")) {
            findings.push(Finding::new("Cargo.lock", 0, format!("{name} {version} was ruled out")));
        }
        if name == "actix-http" && INFLATERS.iter().any(|d| package.contains(d)) {
            findings.push(Finding::new("Cargo.lock", 0, "actix-http inflates bodies or speaks HTTP/2"));
        }
    }
    for name in SINGLE.iter().filter(|n| seen.get(**n).is_some_and(|count| *count > 1)) {
        findings.push(Finding::new("Cargo.lock", 0, format!("two versions of {name}")));
    }
    findings
}

/// Crates that can only be had under the GPL or one of its kin.
pub fn copyleft(licences: &[(String, String)]) -> Vec<Finding> {
    let only = |l: &str| !l.is_empty() && l.replace('/', " OR ").split(" OR ").all(|choice| choice.contains("GPL"));
    let found = licences.iter().filter(|(_, licence)| only(licence));
    found.map(|(name, licence)| Finding::new(name, 0, format!("is under {licence}"))).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty())
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or("").matches('\n').count() + 1
}

/// The same text with comments, and strings if asked, as blanks. Lines keep their numbers.
fn blank(text: &str, strings: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |n| n + 2)
        } else if let Some(length) = string_length(rest, out.chars().next_back()) {
            if !strings {
                out.push_str(rest.get(..length).unwrap_or(""));
                rest = rest.get(length..).unwrap_or("");
                continue;
            }
            length
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or("");
            continue;
        };
        let gone = rest.get(..taken).unwrap_or("");
        out.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = rest.get(taken..).unwrap_or("");
    }
    out
}

/// The length of the string or quote character that starts here.
fn string_length(text: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if let Some(raw) = text.strip_prefix('r').filter(|_| !in_word) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw.get(hashes..).is_some_and(|q| q.starts_with('"')) {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = raw.get(hashes + 1..).unwrap_or("");
            return Some(1 + hashes + 1 + body.find(&end).map_or(body.len(), |n| n + end.len()));
        }
        return None;
    }
    if text.starts_with("'\"'") {
        return Some(3);
    }
    let body = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 2),
            _ => {}
        }
    }
    Some(text.len())
}
