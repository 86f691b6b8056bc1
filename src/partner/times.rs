//! Moments as partners write them.

use crate::domain::time::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The longest written moment, in bytes.
const TEXT_MAX_BYTES: usize = 40;

/// How a moment is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Seconds since 1970 UTC.
    UnixS,
    /// Milliseconds since 1970 UTC.
    UnixMs,
    /// With its offset.
    Rfc3339,
    /// A strftime pattern, in a zone.
    Pattern(String, TimeZone),
}

impl Format {
    /// Reads a profile's word or pattern.
    pub(super) fn parse(text: &str, zone: &TimeZone) -> Result<Self, String> {
        match text {
            "unix-s" => Ok(Self::UnixS),
            "unix-ms" => Ok(Self::UnixMs),
            "rfc3339" => Ok(Self::Rfc3339),
            pattern if pattern.contains('%') => {
                let sample = jiff::civil::datetime(2024, 2, 29, 23, 58, 57, 0);
                let written =
                    jiff::fmt::strtime::format(pattern, sample).map_err(|e| format!("expected a pattern: {e}"))?;
                if DateTime::strptime(pattern, &written).ok() == Some(sample) {
                    Ok(Self::Pattern(pattern.to_owned(), zone.clone()))
                } else {
                    Err("expected a pattern that writes year, month, day, hour, minute and second".to_owned())
                }
            }
            _ => Err("expected unix-s, unix-ms, rfc3339 or a pattern such as %Y%m%d%H%M%S".to_owned()),
        }
    }

    /// Reads a moment. `None` for an impossible one, or one in another spelling.
    pub(super) fn read(&self, text: &str) -> Option<Timestamp> {
        if text.len() > TEXT_MAX_BYTES {
            return None;
        }
        match self {
            Self::UnixS => digits(text)?.checked_mul(1000).map(Timestamp::from_unix_ms),
            Self::UnixMs => digits(text).map(Timestamp::from_unix_ms),
            Self::Rfc3339 => rfc3339(text),
            Self::Pattern(pattern, zone) => {
                let at = DateTime::strptime(pattern, text).ok()?;
                // The parser forgives missing zeros; another spelling of a time is not the partner's format.
                if jiff::fmt::strtime::format(pattern, at).ok()? != text {
                    return None;
                }
                Some(Timestamp::from_unix_ms(at.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond()))
            }
        }
    }

    /// Writes a moment, for calls that we make up and replies.
    pub(super) fn write(&self, at: Timestamp) -> String {
        match self {
            Self::UnixS => at.unix_s().to_string(),
            Self::UnixMs => at.unix_ms().to_string(),
            Self::Rfc3339 => at.to_string(),
            Self::Pattern(pattern, zone) => jiff::Timestamp::from_millisecond(at.unix_ms())
                .ok()
                .and_then(|at| jiff::fmt::strtime::format(pattern, &at.to_zoned(zone.clone())).ok())
                .unwrap_or_default(),
        }
    }
}

/// A moment with its offset.
pub(super) fn rfc3339(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_unix_ms(at.as_millisecond()))
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
