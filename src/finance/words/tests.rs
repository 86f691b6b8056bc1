//! The catalogue is whole: each word in both languages, each of them used, and no page says anything by itself.

use std::path::{Path, PathBuf};

const LISTS: &[&[(&str, &str, &str)]] = &[
    super::approvals::APPROVALS,
    super::audit::AUDIT,
    super::breaks::BREAKS,
    super::closes::CLOSES,
    super::common::COMMON,
    super::customer::CUSTOMER,
    super::files::FILES,
    super::matching::MATCHING,
    super::minutes::MINUTES,
    super::one_break::ONE_BREAK,
    super::outbox::OUTBOX,
    super::partners::PARTNERS,
    super::rules::RULES,
    super::settlement::SETTLEMENT,
    super::today::TODAY,
    super::users::USERS,
];

/// Words that are the same in both languages.
const SAME: &[&str] = &["app_name", "break_csv", "break_xlsx", "language_vi", "language_en"];

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).expect("a folder of ours") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => open.push(path),
                false if path.extension().is_some_and(|e| e == ending) => {
                    let text = std::fs::read_to_string(&path).expect("a file of ours");
                    found.push((path, text));
                }
                false => {}
            }
        }
    }
    found
}

/// The text of a template that people would read: without tags, expressions, statements and comments.
fn literal(template: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['<', '{']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let end = match from.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => "#}",
            _ if from.starts_with('<') => ">",
            _ => "",
        };
        let skip = if end.is_empty() { 1 } else { from.find(end).map_or(from.len(), |at| at + end.len()) };
        text.push(' ');
        rest = from.get(skip..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

#[test]
fn each_word_is_there_in_both_languages() {
    for (name, vi, en) in LISTS.iter().copied().flatten() {
        assert!(!vi.trim().is_empty() && !en.trim().is_empty(), "{name} is missing in a language");
        assert!(vi != en || SAME.contains(name), "{name} is the same in both languages: {vi}");
    }
}

#[test]
fn each_word_is_said_somewhere() {
    let mut said = String::new();
    for (_, text) in files("src/finance/templates", "html").into_iter().chain(files("src/finance", "rs")) {
        said.push_str(&text);
    }
    let unused: Vec<&str> = LISTS
        .iter()
        .copied()
        .flatten()
        .map(|(name, _, _)| *name)
        .filter(|name| !said.contains(&format!(".{name}()")) && !said.contains(&format!("Words::{name}")))
        .collect();
    assert_eq!(unused, Vec::<&str>::new(), "words that no page says");
}

#[test]
fn no_page_says_a_word_by_itself() {
    let said = |text: &str| literal(text).split_whitespace().any(|word| word.chars().any(char::is_alphabetic));
    assert!(said("<p>{{ w.today() }} hello"), "the control is found");
    let own: Vec<String> = files("src/finance/templates", "html")
        .into_iter()
        .flat_map(|(path, text)| {
            let words: Vec<String> = literal(&text)
                .split_whitespace()
                .filter(|w| w.chars().any(char::is_alphabetic))
                .map(str::to_owned)
                .collect();
            words.into_iter().map(move |word| format!("{}: {word}", path.display()))
        })
        .collect();
    assert_eq!(own, Vec::<String>::new(), "texts outside the catalogue");
}

#[test]
fn no_page_writes_a_text_as_it_is() {
    let bad =
        |text: &str| ["safe", "style=", " onclick", " onload", "javascript:"].iter().any(|word| text.contains(word));
    assert!(bad("{{ text|safe }}"), "the control is found");
    let raw: Vec<PathBuf> = files("src/finance/templates", "html")
        .into_iter()
        .filter(|(_, text)| bad(text))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(raw, Vec::<PathBuf>::new(), "no escaping is switched off, and the security policy refuses inline code");
}
