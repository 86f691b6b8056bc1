//! What the core's answer means for the message and for the way to the core. Pure; a closed list, so that no answer
//! is left to chance. Keeps I6: only a delivery or a person ends a message.

use crate::domain::dispatch::ParkCause;
use crate::domain::time::Timestamp;

/// What came back, reduced to what matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An HTTP status.
    Status {
        /// The code.
        code: u16,
        /// Does the body name our `webhook-id`? Asked of a 409 only.
        names_us: bool,
        /// What `Retry-After` asks for, in milliseconds.
        retry_after_ms: Option<i64>,
    },
    /// No whole answer within the time limit. The core may have taken the message.
    Timeout,
    /// No connection, or it ended before a whole answer. The core may have taken the message.
    Broken,
    /// The core's certificate or the handshake is wrong.
    Tls,
}

/// What it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The core has it.
    Delivered,
    /// Try again, under the same key.
    Retry {
        /// For people.
        reason: String,
        /// What the core asked for.
        retry_after_ms: Option<i64>,
    },
    /// This message waits for a person.
    Park {
        /// Why.
        cause: ParkCause,
        /// For people.
        reason: String,
    },
    /// Every message would meet the same wall: the way is paused, and none is blamed, unless it meets it alone again
    /// and again ([`super::desk`]).
    PauseRoute {
        /// For people.
        reason: String,
    },
}

impl Heard {
    /// What it means. A redirect pauses the way: we never follow one, so each message would meet it.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        let (code, names_us, retry_after_ms) = match self {
            Self::Status { code, names_us, retry_after_ms } => (*code, *names_us, *retry_after_ms),
            Self::Timeout => return Meaning::Retry { reason: "timeout".to_owned(), retry_after_ms: None },
            Self::Broken => return Meaning::Retry { reason: "no connection".to_owned(), retry_after_ms: None },
            Self::Tls => return Meaning::PauseRoute { reason: "tls".to_owned() },
        };
        let reason = format!("http {code}");
        match code {
            200..=299 => Meaning::Delivered,
            409 if names_us => Meaning::Delivered,
            409 => Meaning::Park { cause: ParkCause::BillAlreadyCleared, reason },
            300..=399 | 401 | 403 | 404 => Meaning::PauseRoute { reason },
            408 | 429 => Meaning::Retry { reason, retry_after_ms },
            400..=499 => Meaning::Park { cause: ParkCause::Rejected, reason },
            // 5xx, and codes that HTTP does not know: the core's fault, so ask again.
            _ => Meaning::Retry { reason, retry_after_ms },
        }
    }
}

/// `Retry-After` in milliseconds: whole seconds or an HTTP date. What cannot be read asks for nothing.
#[must_use]
pub fn retry_after_ms(value: &str, now: Timestamp) -> Option<i64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(value.parse::<i64>().map_or(i64::MAX, |s| s.saturating_mul(1000)));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond();
    Some(at.saturating_sub(now.unix_ms()).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> Heard {
        Heard::Status { code, names_us: false, retry_after_ms: None }
    }

    fn word(meaning: &Meaning) -> &'static str {
        match meaning {
            Meaning::Delivered => "delivered",
            Meaning::Retry { .. } => "retry",
            Meaning::Park { cause, .. } => cause.word(),
            Meaning::PauseRoute { .. } => "pause",
        }
    }

    fn check(heard: &Heard, expected: &str) {
        assert_eq!(word(&heard.meaning()), expected, "{heard:?}");
    }

    #[test]
    fn each_answer_has_one_meaning() {
        for (codes, expected) in [
            (vec![200, 201, 202, 204, 226, 299], "delivered"),
            (vec![301, 302, 304, 307, 308], "pause"),
            (vec![401, 403, 404], "pause"),
            (vec![400, 402, 405, 406, 410, 411, 413, 415, 422, 425, 428, 451, 499], "rejected"),
            (vec![408, 429, 500, 501, 502, 503, 504, 507, 599], "retry"),
            (vec![409], "bill_already_cleared"),
            (vec![100, 199, 600, 999], "retry"),
        ] {
            codes.into_iter().for_each(|code| check(&status(code), expected));
        }
        check(&Heard::Status { code: 409, names_us: true, retry_after_ms: None }, "delivered");
        check(&Heard::Timeout, "retry");
        check(&Heard::Broken, "retry");
        check(&Heard::Tls, "pause");
    }

    #[test]
    fn our_id_in_any_other_refusal_is_no_delivery() {
        for code in [400, 401, 404, 410, 422, 500, 503] {
            let heard = Heard::Status { code, names_us: true, retry_after_ms: None };
            assert_ne!(heard.meaning(), Meaning::Delivered, "{code}");
        }
    }

    #[test]
    fn only_a_retry_carries_what_the_core_asked_for() {
        let asked = |code| Heard::Status { code, names_us: false, retry_after_ms: Some(7_000) }.meaning();
        for code in [408, 429, 503] {
            assert_eq!(asked(code), Meaning::Retry { reason: format!("http {code}"), retry_after_ms: Some(7_000) });
        }
        assert_eq!(word(&asked(200)), "delivered");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_unix_ms(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
        for (value, expected) in [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 5 ", Some(5_000)),
            ("99999999999999999999", Some(i64::MAX)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after_ms(value, now), expected, "{value}");
        }
    }
}
