//! From the cells of a moment to an instant and a business day. What a zone says of a date is kept from row to row: the
//! rows of a statement are of one day or two.

use super::cells::{Cell, Cells};
use crate::domain::time::Timestamp;
use crate::partner::statement::{Layout, Moment, MomentFormat, Written, serial};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// A day has so many milliseconds where no clock is turned.
const DAY_MS: i64 = 86_400_000;

/// The first moment that is believed: nothing was paid through this gateway before.
const FIRST_YEAR: i16 = 2000;

/// The last one.
const LAST_YEAR: i16 = 2199;

/// A moment as a row states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) instant: Timestamp,
    /// By the clock on the wall there.
    pub(super) local: DateTime,
    /// Does it say the time of day?
    pub(super) timed: bool,
}

/// Reads moments in one zone.
#[derive(Debug)]
pub(super) struct Moments {
    zone: TimeZone,
    pub(super) from_1904: bool,
    known: Option<(Date, i64)>,
}

impl Moments {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { zone, from_1904: false, known: None }
    }

    /// The moment of a row; `None` where nothing stands.
    pub(super) fn read<C: Cells>(&mut self, moment: &Moment, at: &[usize], cells: &C) -> Result<Option<At>, ()> {
        let cell = |column: usize| at.get(column).map_or(Cell::Empty, |at| cells.cell(*at));
        let date = cell(moment.column);
        if date.is_empty() {
            return Ok(None);
        }
        let written = match moment.time.map(cell) {
            None => self.written(date, &moment.formats),
            Some(time) => self.joined(date, time, &moment.formats),
        };
        written.and_then(|written| self.at(written)).map(Some).ok_or(())
    }

    fn written(&self, cell: Cell<'_>, formats: &[MomentFormat]) -> Option<Written> {
        let by_formats = |text: &str| formats.iter().find_map(|format| format.read(text));
        match cell {
            Cell::Text(text) => by_formats(text),
            Cell::Number(text) if formats.iter().any(MomentFormat::is_serial) => self.serial(text, formats),
            Cell::Number(text) => by_formats(text),
            Cell::Serial(text) => self.serial(text, formats),
            Cell::Empty | Cell::Error(_) => None,
        }
    }

    /// A typed date is at midnight if its time is: only a layout of bare dates says that it has none.
    fn serial(&self, text: &str, formats: &[MomentFormat]) -> Option<Written> {
        match serial(text, self.from_1904)? {
            Written::Local { at, timed } => {
                Some(Written::Local { at, timed: timed || formats.iter().any(MomentFormat::is_timed) })
            }
            instant @ Written::Instant(_) => Some(instant),
        }
    }

    /// A date and a time of day in two cells: two texts joined by a space, or a typed date and a time.
    fn joined(&self, date: Cell<'_>, time: Cell<'_>, formats: &[MomentFormat]) -> Option<Written> {
        let local = |written| match written {
            Written::Local { at, .. } => Some(at),
            Written::Instant(_) => None,
        };
        if let Cell::Text(date) = date {
            let joined = match time {
                Cell::Serial(time) => format!("{date} {}", local(serial(time, false)?)?.time()),
                other => format!("{date} {}", other.written()),
            };
            return formats.iter().find_map(|format| format.read(&joined));
        }
        let time = match time {
            Cell::Serial(time) => local(serial(time, false)?)?.time(),
            Cell::Text(time) if time.len() == 8 => Time::strptime("%H:%M:%S", time).ok()?,
            _ => return None,
        };
        let Cell::Serial(date) = date else { return None };
        let date = local(serial(date, self.from_1904)?)?.date();
        Some(Written::Local { at: date.to_datetime(time), timed: true })
    }

    fn at(&mut self, written: Written) -> Option<At> {
        let at = match written {
            Written::Local { at: local, timed } => {
                At { instant: Timestamp::from_unix_ms(self.instant(local)?), local, timed }
            }
            Written::Instant(instant) => At { instant, local: self.local(instant)?, timed: true },
        };
        (FIRST_YEAR..=LAST_YEAR).contains(&at.local.year()).then_some(at)
    }

    fn local(&mut self, instant: Timestamp) -> Option<DateTime> {
        let known = self.known.and_then(|(date, start)| Some((date, instant.unix_ms().checked_sub(start)?)));
        if let Some((date, ms)) = known.filter(|(_, ms)| (0..DAY_MS).contains(ms)) {
            let (seconds, millis) = (ms / 1000, i32::try_from(ms % 1000).ok()?);
            let part = |number: i64| i8::try_from(number).ok();
            let (hour, minute, second) = (part(seconds / 3600)?, part(seconds / 60 % 60)?, part(seconds % 60)?);
            return Some(date.at(hour, minute, second, millis * 1_000_000));
        }
        let at = jiff::Timestamp::from_millisecond(instant.unix_ms()).ok()?;
        let local = at.to_zoned(self.zone.clone()).datetime();
        // So that the next one of the day is known.
        self.instant(local)?;
        Some(local)
    }

    fn instant(&mut self, local: DateTime) -> Option<i64> {
        if let Some((_, start)) = self.known.filter(|(date, _)| *date == local.date()) {
            return Some(start + since_midnight(local.time()));
        }
        let ms = |at: DateTime| Some(at.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond());
        let start = ms(local.date().to_datetime(Time::midnight()))?;
        let next = ms(local.date().tomorrow().ok()?.to_datetime(Time::midnight()))?;
        // On a day on which the clock is turned each moment is asked for.
        if next - start == DAY_MS {
            self.known = Some((local.date(), start));
            return Some(start + since_midnight(local.time()));
        }
        ms(local)
    }

    /// The first moment of a business day and the first after it, by the day's end of a layout.
    pub(super) fn window(&mut self, layout: &Layout, day: Date) -> Option<(i64, i64)> {
        let first = if layout.day_ends_on_the_next() { day } else { day.yesterday().ok()? };
        let start = self.instant(first.to_datetime(layout.day_ends))?;
        let end = self.instant(first.tomorrow().ok()?.to_datetime(layout.day_ends))?;
        Some((start, end))
    }
}

/// The business day of a moment. A bare date is its own.
pub(super) fn business_day(layout: &Layout, at: At) -> Option<Date> {
    let date = at.local.date();
    let passed = at.local.time() >= layout.day_ends;
    match (at.timed, layout.day_ends_on_the_next(), passed) {
        (true, true, false) => date.yesterday().ok(),
        (true, false, true) => date.tomorrow().ok(),
        (false, ..) | (true, true, true) | (true, false, false) => Some(date),
    }
}

fn since_midnight(time: Time) -> i64 {
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    seconds * 1000 + i64::from(time.millisecond())
}
