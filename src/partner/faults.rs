//! What is wrong with a profile: file, line, key, and what was expected. All of it at once, not only the first.

use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    /// The file as it was named to us.
    pub file: String,
    /// The line, from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// The key, such as `notice.amount.at` or `example[2].notice`.
    pub key: String,
    /// What was expected.
    pub message: String,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.key, self.message)
    }
}

/// Why profiles did not load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileErrors(pub Vec<ProfileError>);

impl fmt::Display for ProfileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ProfileErrors {}

/// Collects the faults of one file and finds their lines.
pub(super) struct Faults<'t> {
    file: String,
    text: &'t str,
    table: Option<Spanned<DeTable<'t>>>,
    list: Vec<ProfileError>,
}

impl<'t> Faults<'t> {
    pub(super) fn new(file: &str, text: &'t str) -> Self {
        Self { file: file.to_owned(), text, table: DeTable::parse(text).ok(), list: Vec::new() }
    }

    /// Notes a fault of a key; the line is that of the key, or of its nearest parent that exists.
    pub(super) fn add(&mut self, key: &str, message: impl Into<String>) {
        let line = self.line_of_key(key);
        let error = ProfileError { file: self.file.clone(), line, key: key.to_owned(), message: message.into() };
        if !self.list.contains(&error) {
            self.list.push(error);
        }
    }

    /// Notes what the TOML reader says, with the key that stands there.
    pub(super) fn add_toml(&mut self, error: &toml::de::Error) {
        let start = error.span().map_or(0, |span| span.start);
        let key = self.table.as_ref().map(|table| key_at(table.get_ref(), start)).unwrap_or_default();
        let message = error.message().to_owned();
        let key = if key.is_empty() { "(top level)".to_owned() } else { key };
        let line = self.line_at(start);
        self.list.push(ProfileError { file: self.file.clone(), line, key, message });
    }

    /// Keeps the value or notes its fault.
    pub(super) fn take<T>(&mut self, key: &str, result: Result<T, impl Into<String>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(message) => {
                self.add(key, message);
                None
            }
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn into_list(self) -> Vec<ProfileError> {
        self.list
    }

    fn line_at(&self, offset: usize) -> usize {
        self.text.get(..offset).map_or(0, |before| before.matches('\n').count()) + 1
    }

    fn line_of_key(&self, key: &str) -> usize {
        let Some(table) = &self.table else { return 0 };
        let mut best: Option<usize> = None;
        let mut at = Place::Table(table.get_ref());
        for step in key.split('.') {
            let (name, index) = match step.strip_suffix(']').and_then(|s| s.split_once('[')) {
                Some((name, number)) => (name, number.parse::<usize>().ok().and_then(|n| n.checked_sub(1))),
                None => (step, None),
            };
            let Some((span, value)) = at.child(name) else { break };
            best = Some(span.start);
            at = Place::of(value);
            if let (Some(index), DeValue::Array(items)) = (index, value) {
                let Some(item) = items.get(index) else { break };
                best = Some(item.span().start);
                at = Place::of(item.get_ref());
            }
        }
        best.map_or(1, |start| self.line_at(start))
    }
}

#[derive(Clone, Copy)]
enum Place<'a, 't> {
    Table(&'a DeTable<'t>),
    Other,
}

impl<'a, 't> Place<'a, 't> {
    fn of(value: &'a DeValue<'t>) -> Self {
        value.as_table().map_or(Self::Other, Self::Table)
    }

    fn child(self, name: &str) -> Option<(Range<usize>, &'a DeValue<'t>)> {
        let Self::Table(table) = self else { return None };
        let found = |(key, _): &(&Spanned<DeString<'t>>, &Spanned<DeValue<'t>>)| key.get_ref() == name;
        table.iter().find(found).map(|(key, value)| (key.span(), value.get_ref()))
    }
}

/// The deepest key whose name or value spans the offset.
fn key_at(table: &DeTable<'_>, offset: usize) -> String {
    for (key, value) in table {
        if key.span().contains(&offset) {
            return key.get_ref().to_string();
        }
        let inner = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, offset),
            DeValue::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(n, item)| {
                    let inner = item.get_ref().as_table().map(|inner| key_at(inner, offset)).unwrap_or_default();
                    (!inner.is_empty()).then(|| format!("[{}].{inner}", n + 1))
                })
                .unwrap_or_default(),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => String::new(),
        };
        if !inner.is_empty() {
            let dot = if inner.starts_with('[') { "" } else { "." };
            return format!("{}{dot}{inner}", key.get_ref());
        }
        if value.span().contains(&offset) {
            return key.get_ref().to_string();
        }
    }
    String::new()
}
