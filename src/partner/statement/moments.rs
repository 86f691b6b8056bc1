//! Moments as statements write them. The usual patterns are read digit by digit; the rest of strftime by the library.

use crate::domain::time::Timestamp;
use crate::partner::times;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;

/// The longest written moment, in bytes.
const TEXT_MAX_BYTES: usize = 40;

/// A way to write a moment.
#[derive(Clone, Debug)]
pub struct MomentFormat(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// Fixed widths only.
    Digits { items: Vec<Item>, timed: bool },
    /// Any other pattern.
    Pattern { text: String, timed: bool },
    /// An instant: it says its zone, or needs none.
    Instant(times::Format),
    /// Days since 1899-12-30, as spreadsheets count.
    Serial,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    /// A dot and three digits.
    Millis,
    Is(u8),
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// By the clock on the wall; `timed` if it says an hour, else it is a date.
    Local {
        /// The moment.
        at: DateTime,
        /// Does it say the time of day?
        timed: bool,
    },
    /// An instant.
    Instant(Timestamp),
}

impl MomentFormat {
    /// Reads a profile's word or pattern.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(match text {
            "unix-s" | "unix-ms" | "rfc3339" => Kind::Instant(times::Format::parse(text, &TimeZone::UTC)?),
            "excel" => Kind::Serial,
            pattern if pattern.contains('%') => pattern_of(pattern)?,
            _ => {
                let words = "expected unix-s, unix-ms, rfc3339, excel or a pattern such as %d/%m/%Y %H:%M:%S";
                return Err(words.to_owned());
            }
        }))
    }

    /// Reads a text. `None` for an impossible moment, or one in another spelling.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Written> {
        if text.len() > TEXT_MAX_BYTES {
            return None;
        }
        match &self.0 {
            Kind::Digits { items, timed } => {
                digits(items, text.as_bytes()).map(|at| Written::Local { at, timed: *timed })
            }
            Kind::Pattern { text: pattern, timed } => by_pattern(pattern, *timed, text),
            Kind::Instant(times::Format::Rfc3339) => {
                with_offset(text).or_else(|| times::Format::Rfc3339.read(text)).map(Written::Instant)
            }
            Kind::Instant(format) => format.read(text).map(Written::Instant),
            Kind::Serial => serial(text, false),
        }
    }

    /// Writes what the clock on the wall of `zone` shows, as [`read`](Self::read) takes it. `None` outside the calendar.
    #[must_use]
    pub fn write(&self, at: DateTime, zone: &TimeZone) -> Option<String> {
        match &self.0 {
            Kind::Digits { items, .. } => Some(items.iter().map(|item| item.write(at)).collect()),
            Kind::Pattern { text, .. } => strtime::format(text, at).ok(),
            Kind::Instant(format) => {
                let at = at.to_zoned(zone.clone()).ok()?.timestamp();
                Some(format.write(Timestamp::from_unix_ms(at.as_millisecond())))
            }
            Kind::Serial => day_number(at),
        }
    }

    /// Does it say the time of day?
    #[must_use]
    pub fn is_timed(&self) -> bool {
        match &self.0 {
            Kind::Digits { timed, .. } | Kind::Pattern { timed, .. } => *timed,
            Kind::Instant(_) | Kind::Serial => true,
        }
    }

    /// May a number that is no text be read by it?
    #[must_use]
    pub fn is_serial(&self) -> bool {
        matches!(self.0, Kind::Serial)
    }
}

/// The local moment of a spreadsheet's day number, to the millisecond. `from_1904` counts from the other epoch.
#[must_use]
pub fn serial(text: &str, from_1904: bool) -> Option<Written> {
    use rust_decimal::Decimal;
    use rust_decimal::prelude::ToPrimitive;
    let value = Decimal::from_str_exact(text.get(..text.len().min(24))?).ok()?;
    let value = value.checked_add(Decimal::from(if from_1904 { 1462 } else { 0 }))?;
    let fraction = value.checked_sub(value.trunc())?.checked_mul(Decimal::from(86_400_000))?.round().to_i64()?;
    let days = value.trunc().to_i64()?;
    // Before March 1900 spreadsheets count a day that never was.
    if !(0..=2_958_465).contains(&days) || fraction < 0 || (days < 61 && days != 0) {
        return None;
    }
    let epoch = Date::new(1899, 12, 30).ok()?;
    let at = epoch.to_datetime(Time::midnight()).checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    let at = at.checked_add(jiff::Span::new().try_milliseconds(fraction).ok()?).ok()?;
    Some(Written::Local { at, timed: fraction != 0 })
}

/// The spreadsheet's day number of a local moment, to the millisecond.
fn day_number(at: DateTime) -> Option<String> {
    use rust_decimal::Decimal;
    let days = Date::new(1899, 12, 30).ok()?.until(at.date()).ok()?.get_days();
    let time = at.time();
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let ms = Decimal::from(seconds * 1000 + i64::from(time.millisecond()));
    let fraction = ms.checked_div(Decimal::from(86_400_000))?.round_dp(11);
    Some(Decimal::from(days).checked_add(fraction)?.normalize().to_string())
}

/// The usual spelling of RFC 3339: whole seconds, and a capital T. `None` for any other, right or wrong.
fn with_offset(text: &str) -> Option<Timestamp> {
    const ITEMS: [Item; 11] = [
        Item::Year,
        Item::Is(b'-'),
        Item::Month,
        Item::Is(b'-'),
        Item::Day,
        Item::Is(b'T'),
        Item::Hour,
        Item::Is(b':'),
        Item::Minute,
        Item::Is(b':'),
        Item::Second,
    ];
    let (head, offset) = text.split_at_checked(19)?;
    let mut offset = offset.as_bytes();
    let offset_minutes = match offset {
        b"Z" => 0,
        _ => {
            let east = match offset.split_off_first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let hours = take(&mut offset, 2)?;
            offset = offset.strip_prefix(b":")?;
            let minutes = take(&mut offset, 2)?;
            if !offset.is_empty() || hours > 23 || minutes > 59 {
                return None;
            }
            east * (i64::from(hours) * 60 + i64::from(minutes))
        }
    };
    let at = digits(&ITEMS, head.as_bytes())?;
    let seconds = i64::from(at.hour()) * 3600 + i64::from(at.minute()) * 60 + i64::from(at.second());
    let seconds = days_since_1970(at.date()) * 86_400 + seconds - offset_minutes * 60;
    Some(Timestamp::from_unix_ms(seconds * 1000))
}

/// Days of the Gregorian calendar, counted in years that begin in March so that a leap day is the last.
fn days_since_1970(date: Date) -> i64 {
    let month = i64::from(date.month());
    let year = i64::from(date.year()) - i64::from(month <= 2);
    let months = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (months * 153 + 2) / 5 + i64::from(date.day()) - 719_469
}

/// Checks that a pattern writes whole dates, and finds the quick way to read it.
fn pattern_of(pattern: &str) -> Result<Kind, String> {
    let date = jiff::civil::date(2024, 2, 29);
    let samples = [(date.at(23, 58, 57, 0), true), (date.at(23, 58, 0, 0), true), (date.at(0, 0, 0, 0), false)];
    let written = strtime::format(pattern, samples[0].0).map_err(|error| format!("expected a pattern: {error}"))?;
    let found = samples.into_iter().find(|(sample, timed)| {
        by_pattern(pattern, *timed, &written) == Some(Written::Local { at: *sample, timed: *timed })
    });
    let Some((sample, timed)) = found else {
        return Err("expected a pattern that writes year, month and day".to_owned());
    };
    let quick = items(pattern).filter(|items| digits(items, written.as_bytes()) == Some(sample));
    Ok(match quick {
        Some(items) => Kind::Digits { items, timed },
        None => Kind::Pattern { text: pattern.to_owned(), timed },
    })
}

fn by_pattern(pattern: &str, timed: bool, text: &str) -> Option<Written> {
    let parsed = BrokenDownTime::parse(pattern, text).ok()?;
    let at = if timed { parsed.to_datetime().ok()? } else { parsed.to_date().ok()?.to_datetime(Time::midnight()) };
    // The parser forgives missing zeros; another spelling of a time is not the partner's format.
    (strtime::format(pattern, at).ok()? == text).then_some(Written::Local { at, timed })
}

fn items(pattern: &str) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    let mut rest = pattern.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if let Some(more) = rest.strip_prefix(b"%.3f") {
            items.push(Item::Millis);
            rest = more;
            continue;
        }
        let Some((word, more)) = more.split_first().filter(|_| *first == b'%') else {
            items.push(Item::Is(*first));
            rest = more;
            continue;
        };
        match word {
            b'T' => {
                items.extend([Item::Hour, Item::Is(b':'), Item::Minute, Item::Is(b':'), Item::Second]);
            }
            b'F' => {
                items.extend([Item::Year, Item::Is(b'-'), Item::Month, Item::Is(b'-'), Item::Day]);
            }
            b'Y' => items.push(Item::Year),
            b'm' => items.push(Item::Month),
            b'd' => items.push(Item::Day),
            b'H' => items.push(Item::Hour),
            b'M' => items.push(Item::Minute),
            b'S' => items.push(Item::Second),
            _ => return None,
        }
        rest = more;
    }
    Some(items)
}

impl Item {
    fn write(self, at: DateTime) -> String {
        let two = |part: i8| format!("{part:02}");
        match self {
            Self::Year => format!("{:04}", at.year()),
            Self::Month => two(at.month()),
            Self::Day => two(at.day()),
            Self::Hour => two(at.hour()),
            Self::Minute => two(at.minute()),
            Self::Second => two(at.second()),
            Self::Millis => format!(".{:03}", at.millisecond()),
            Self::Is(byte) => char::from(byte).to_string(),
        }
    }
}

fn digits(items: &[Item], mut text: &[u8]) -> Option<DateTime> {
    let (mut year, mut month, mut day) = (0_i16, 0_i8, 0_i8);
    let (mut hour, mut minute, mut second, mut millis) = (0_i8, 0_i8, 0_i8, 0_i32);
    for item in items {
        match item {
            Item::Is(byte) => text = text.strip_prefix(&[*byte])?,
            Item::Year => year = take(&mut text, 4)?,
            Item::Month => month = take(&mut text, 2)?.try_into().ok()?,
            Item::Day => day = take(&mut text, 2)?.try_into().ok()?,
            Item::Hour => hour = take(&mut text, 2)?.try_into().ok()?,
            Item::Minute => minute = take(&mut text, 2)?.try_into().ok()?,
            Item::Second => second = take(&mut text, 2)?.try_into().ok()?,
            Item::Millis => {
                text = text.strip_prefix(b".")?;
                millis = take(&mut text, 3)?.into();
            }
        }
    }
    if !text.is_empty() {
        return None;
    }
    DateTime::new(year, month, day, hour, minute, second, millis * 1_000_000).ok()
}

fn take(text: &mut &[u8], width: usize) -> Option<i16> {
    let (head, rest) = text.split_at_checked(width)?;
    *text = rest;
    head.iter().try_fold(
        0_i16,
        |number, byte| {
            if byte.is_ascii_digit() { Some(number * 10 + i16::from(byte - b'0')) } else { None }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn read(format: &str, text: &str) -> Option<(DateTime, bool)> {
        match MomentFormat::parse(format).unwrap().read(text)? {
            Written::Local { at, timed } => Some((at, timed)),
            Written::Instant(at) => {
                let at = jiff::Timestamp::from_millisecond(at.unix_ms()).unwrap();
                Some((at.to_zoned(TimeZone::UTC).datetime(), true))
            }
        }
    }

    #[test]
    fn moments_are_read_in_their_one_spelling() {
        let noon = date(2026, 4, 1).at(12, 5, 9, 0);
        assert_eq!(read("%d/%m/%Y %H:%M:%S", "01/04/2026 12:05:09"), Some((noon, true)));
        assert_eq!(read("%d/%m/%Y %H:%M:%S", "1/4/2026 12:05:09"), None);
        assert_eq!(read("%-d/%-m/%Y %T", "1/4/2026 12:05:09"), Some((noon, true)));
        assert_eq!(read("%-d/%-m/%Y %T", "01/4/2026 12:05:09"), None);
        assert_eq!(read("%d/%m/%Y %H:%M", "01/04/2026 12:05"), Some((date(2026, 4, 1).at(12, 5, 0, 0), true)));
        assert_eq!(read("%d/%m/%Y", "31/04/2026"), None);
        assert_eq!(read("%d/%m/%Y", "30/04/2026"), Some((date(2026, 4, 30).at(0, 0, 0, 0), false)));
        let exact = date(2026, 4, 1).at(23, 59, 59, 999_000_000);
        assert_eq!(read("%Y-%m-%d %H:%M:%S%.3f", "2026-04-01 23:59:59.999"), Some((exact, true)));
        assert_eq!(read("%d-%b-%y %I:%M:%S %p", "01-Apr-26 12:05:09 PM"), Some((noon, true)));
        assert_eq!(read("rfc3339", "2026-04-01T19:05:09+07:00"), Some((noon, true)));
        assert_eq!(read("%d/%m/%Y %H:%M:%S", "01/04/2026 12:05:09 "), None);
        assert_eq!(read("%d/%m/%Y", "०१/०४/२०२६"), None);
    }

    #[test]
    fn the_quick_way_to_read_an_instant_is_the_librarys() {
        let mut date = jiff::civil::date(1899, 12, 30);
        for n in 0..200_000_i64 {
            let offset = ["Z", "+07:00", "-11:30"][usize::try_from(n % 3).unwrap()];
            let text = format!("{date}T{:02}:{:02}:{:02}{offset}", n % 24, n % 60, n % 59);
            assert_eq!(with_offset(&text), times::rfc3339(&text), "{text}");
            assert!(with_offset(&text).is_some());
            date = date.tomorrow().unwrap();
        }
        for other in
            ["2026-04-01T10:00:00.5Z", "2026-04-01t10:00:00z", "2026-04-01 10:00:00Z", "2026-02-30T10:00:00Z", "đ"]
        {
            assert_eq!(with_offset(other), None, "{other}");
        }
    }

    #[test]
    fn a_spreadsheets_day_number_is_read_without_a_float() {
        assert_eq!(read("excel", "46113"), Some((date(2026, 4, 1).at(0, 0, 0, 0), false)));
        assert_eq!(read("excel", "46113.999988425923"), Some((date(2026, 4, 1).at(23, 59, 59, 0), true)));
        assert_eq!(read("excel", "46113.99999999999"), Some((date(2026, 4, 2).at(0, 0, 0, 0), true)));
        assert_eq!(read("excel", "-1"), None);
        assert_eq!(read("excel", "99999999"), None);
        assert_eq!(read("excel", "4e4"), None);
    }

    #[test]
    fn what_is_written_is_read_as_it_was_meant() {
        let at = date(2026, 4, 1).at(23, 5, 9, 0);
        for (format, expected) in [
            ("%d/%m/%Y %H:%M:%S", "01/04/2026 23:05:09"),
            ("%d/%m/%Y", "01/04/2026"),
            ("%Y-%m-%d %H:%M:%S%.3f", "2026-04-01 23:05:09.000"),
            ("%-d/%-m/%Y %T", "1/4/2026 23:05:09"),
            ("rfc3339", "2026-04-01T23:05:09.000Z"),
            ("unix-s", "1775084709"),
            ("excel", "46113.96190972222"),
        ] {
            let known = MomentFormat::parse(format).unwrap();
            let written = known.write(at, &TimeZone::UTC).unwrap();
            assert_eq!(written, expected, "{format}");
            let meant = if known.is_timed() { at } else { date(2026, 4, 1).at(0, 0, 0, 0) };
            assert_eq!(read(format, &written), Some((meant, known.is_timed())), "{format}");
        }
    }

    #[test]
    fn a_pattern_without_a_whole_date_is_none() {
        for pattern in ["%H:%M:%S", "%d/%m", "%Q", "dd/mm/yyyy", "%Y"] {
            assert!(MomentFormat::parse(pattern).is_err(), "{pattern}");
        }
    }
}
