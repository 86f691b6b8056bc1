//! A day or a month of a partner that is signed off. Its figures are a text that never changes, and each close commits to
//! the one before.

use jiff::civil::Date;
use sha2::{Digest, Sha256};

/// What is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// One business day.
    Day(Date),
    /// The month that begins on this day.
    Month(Date),
}

impl Period {
    /// From `YYYY-MM-DD` or `YYYY-MM`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(month) = (text.len() == 7).then(|| format!("{text}-01").parse().ok()).flatten() {
            return Some(Self::Month(month));
        }
        text.parse().ok().filter(|day: &Date| day.to_string() == text).map(Self::Day)
    }

    /// The word in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Day(_) => "day",
            Self::Month(_) => "month",
        }
    }

    /// Its first day.
    #[must_use]
    pub fn first(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Month(first) => first.first_of_month(),
        }
    }

    /// Its last day.
    #[must_use]
    pub fn last(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Month(first) => first.last_of_month(),
        }
    }
}

/// `2026-11-20`, or `2026-11`.
impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Month(first) => write!(f, "{}", first.strftime("%Y-%m")),
        }
    }
}

/// How far a close got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseState {
    /// One person drew it up.
    Draft,
    /// Another one signed it.
    Sealed,
    /// It was signed, and opened again.
    Reopened,
    /// It was never signed, and another draft took its place.
    Dropped,
}

impl CloseState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Sealed, Self::Reopened, Self::Dropped];

    /// The word in the API and in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sealed => "sealed",
            Self::Reopened => "reopened",
            Self::Dropped => "dropped",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// What is signed: SHA-256 over the hash of the partner's close before, and the figures.
#[must_use]
pub fn close_hash(previous: Option<&[u8; 32]>, figures: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"thuho-close-1");
    hasher.update([u8::from(previous.is_some())]);
    hasher.update(previous.unwrap_or(&[0; 32]));
    hasher.update(figures.as_bytes());
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_period_is_a_day_or_a_month() {
        for (text, period) in [
            ("2026-11-20", Some(Period::Day(date(2026, 11, 20)))),
            ("2026-02", Some(Period::Month(date(2026, 2, 1)))),
            ("2026-13", None),
            ("2026-2", None),
            ("2026-02-30", None),
            ("20261120", None),
            ("", None),
        ] {
            assert_eq!(Period::parse(text), period, "{text}");
            assert_eq!(period.map(|period| period.to_string()), period.map(|_| text.to_owned()));
        }
        let month = Period::Month(date(2024, 2, 1));
        assert_eq!((month.first(), month.last()), (date(2024, 2, 1), date(2024, 2, 29)));
    }

    #[test]
    fn a_close_commits_to_its_figures_and_to_the_one_before() {
        let kept = close_hash(None, "{}");
        assert_ne!(close_hash(Some(&[0; 32]), "{}"), kept);
        assert_ne!(close_hash(None, "{ }"), kept);
    }
}
