//! On which days banks work: weekends are free, unless a year's list says otherwise. Pure: a text in, days out. A year
//! without a list is never taken for one without holidays: [`Due::unknown`] names it.

use crate::partner::settlement::{Counted, Cycle};
use jiff::civil::{Date, Weekday};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use toml::Spanned;

/// The days of the years that it has lists for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    years: BTreeSet<i16>,
    holidays: BTreeMap<Date, String>,
    working: BTreeMap<Date, String>,
}

/// What is wrong with a calendar's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarError {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What was expected.
    pub message: String,
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for CalendarError {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarFile {
    #[serde(default)]
    year: Vec<YearFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct YearFile {
    year: Spanned<i16>,
    holidays: Vec<DayFile>,
    #[serde(default)]
    working: Vec<DayFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DayFile {
    date: Spanned<String>,
    name: String,
}

/// When something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last day on which it is in time.
    pub on: Date,
    /// The first year between the business day and this day whose holidays are not known.
    pub unknown: Option<i16>,
}

impl Calendar {
    /// From its file's text.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(file: &str, text: &str) -> Result<Self, CalendarError> {
        let wrong = |at: usize, message: String| {
            let line = text.get(..at).map_or(0, |before| before.matches('\n').count()).saturating_add(1);
            CalendarError { file: file.to_owned(), line, message }
        };
        let read: CalendarFile =
            toml::from_str(text).map_err(|e| wrong(e.span().map_or(0, |span| span.start), e.message().to_owned()))?;
        let mut calendar = Self::default();
        for year in &read.year {
            let at = year.year.span().start;
            let number = *year.year.get_ref();
            if !calendar.years.insert(number) {
                return Err(wrong(at, format!("year: expected {number} once")));
            }
            if year.holidays.is_empty() {
                return Err(wrong(at, format!("year: expected the holidays of {number}: no year is without")));
            }
            for (days, free) in [(&year.holidays, true), (&year.working, false)] {
                for day in days {
                    calendar.add(number, day, free).map_err(|message| wrong(day.date.span().start, message))?;
                }
            }
        }
        Ok(calendar)
    }

    fn add(&mut self, year: i16, file: &DayFile, free: bool) -> Result<(), String> {
        let day: Date = file.date.get_ref().parse().map_err(|_no_day| "date: expected YYYY-MM-DD".to_owned())?;
        if day.year() != year {
            return Err(format!("date: expected a day of {year}"));
        }
        if file.name.trim().is_empty() {
            return Err("name: expected why".to_owned());
        }
        if self.holidays.contains_key(&day) || self.working.contains_key(&day) {
            return Err(format!("date: expected {day} once"));
        }
        if !free && !weekend(day) {
            return Err(format!("date: expected a Saturday or a Sunday, {day} is worked on anyway"));
        }
        let days = if free { &mut self.holidays } else { &mut self.working };
        days.insert(day, file.name.clone());
        Ok(())
    }

    /// Do banks work on this day?
    #[must_use]
    pub fn works(&self, day: Date) -> bool {
        !self.holidays.contains_key(&day) && (!weekend(day) || self.working.contains_key(&day))
    }

    /// Are the holidays of this year known?
    #[must_use]
    pub fn covers(&self, year: i16) -> bool {
        self.years.contains(&year)
    }

    /// The years whose holidays are known.
    pub fn years(&self) -> impl Iterator<Item = i16> {
        self.years.iter().copied()
    }

    /// When the money of a business day is due; `None` outside the calendar's range of years.
    #[must_use]
    pub fn due(&self, business_day: Date, cycle: Cycle) -> Option<Due> {
        let mut on = business_day;
        match cycle.counted {
            Counted::Working => {
                for _ in 0..cycle.days {
                    on = self.next_working(on.tomorrow().ok()?)?;
                }
            }
            Counted::Calendar => {
                for _ in 0..cycle.days {
                    on = on.tomorrow().ok()?;
                }
                on = self.next_working(on)?;
            }
        }
        let unknown = (business_day.year()..=on.year()).find(|year| !self.covers(*year));
        Some(Due { on, unknown })
    }

    fn next_working(&self, mut day: Date) -> Option<Date> {
        while !self.works(day) {
            day = day.tomorrow().ok()?;
        }
        Some(day)
    }
}

fn weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}
