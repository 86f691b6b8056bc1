//! How figures, days and moments are written on the pages: as people in Vietnam write them, or for readers of English.
//! Days and times are those of `Asia/Ho_Chi_Minh` in both languages.

use crate::domain::figures::grouped;
use crate::domain::time::Timestamp;
use crate::domain::user::Tongue;
use crate::finance::words::Words;
use crate::reconcile::export::local;
use jiff::civil::Date;

/// What stands where there is nothing.
pub const NONE: &str = "–";

/// A whole number with its thousands apart.
#[must_use]
pub fn count(of: i64, tongue: Tongue) -> String {
    let apart = match tongue {
        Tongue::Vi => '.',
        Tongue::En => ',',
    };
    grouped(of, apart)
}

/// Money in dong: `1.234.567 ₫` with a space that does not break, `₫1,234,567` in English.
#[must_use]
pub fn money(dong: i64, tongue: Tongue) -> String {
    match tongue {
        Tongue::Vi => format!("{}\u{a0}₫", count(dong, tongue)),
        Tongue::En if dong < 0 => format!("-₫{}", count(dong.saturating_neg(), tongue)),
        Tongue::En => format!("₫{}", count(dong, tongue)),
    }
}

/// The same with its sign in front also where it is positive, and a plain zero.
#[must_use]
pub fn signed(dong: i64, tongue: Tongue) -> String {
    let text = money(dong, tongue);
    if dong > 0 { format!("+{text}") } else { text }
}

/// A whole number with its sign in front also where it is positive.
#[must_use]
pub fn signed_count(of: i64, tongue: Tongue) -> String {
    let text = count(of, tongue);
    if of > 0 { format!("+{text}") } else { text }
}

/// A day.
#[must_use]
pub fn day(of: Date) -> String {
    of.strftime("%d/%m/%Y").to_string()
}

/// A moment to the minute.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    local(at).map_or_else(|| at.to_string(), |at| at.strftime("%d/%m/%Y %H:%M").to_string())
}

/// A moment to the second.
#[must_use]
pub fn second(at: Timestamp) -> String {
    local(at).map_or_else(|| at.to_string(), |at| at.strftime("%d/%m/%Y %H:%M:%S").to_string())
}

/// So many days.
#[must_use]
pub fn days(of: i64, w: Words) -> String {
    format!("{}\u{a0}{}", count(of, w.0), if of == 1 { w.one_day() } else { w.many_days() })
}

/// The period of a bill, `2026-11-1` in the core: `11/2026, kỳ 1`. Another text is what it is.
#[must_use]
pub fn period(of: &str, w: Words) -> String {
    match of.split('-').collect::<Vec<_>>().as_slice() {
        [year, month, no] => format!("{month}/{year}, {} {no}", w.period_no()),
        _ => of.to_owned(),
    }
}

/// A payer's code for those who may not see payers: its ends.
#[must_use]
pub fn masked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (head, tail) = if chars.len() > 8 { (4, 2) } else { (1, 1) };
    let kept = |n: usize| n < head || n + tail >= chars.len();
    if chars.len() <= head + tail {
        return "•".repeat(chars.len());
    }
    chars.iter().enumerate().map(|(n, c)| if kept(n) { *c } else { '•' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{count, days, masked, moment, money, period, signed, signed_count};
    use crate::domain::time::Timestamp;
    use crate::domain::user::Tongue::{En, Vi};
    use crate::finance::words::Words;

    #[test]
    fn figures_are_written_as_people_write_them() {
        let vi: Vec<String> = [0, 7, 999, 1_000, 1_234_567, -45_000].map(|dong| money(dong, Vi)).to_vec();
        assert_eq!(vi, ["0\u{a0}₫", "7\u{a0}₫", "999\u{a0}₫", "1.000\u{a0}₫", "1.234.567\u{a0}₫", "-45.000\u{a0}₫"]);
        assert_eq!([1_234_567, -45_000].map(|dong| money(dong, En)), ["₫1,234,567", "-₫45,000"]);
        assert_eq!(signed(5_000, Vi), "+5.000\u{a0}₫");
        assert_eq!([1_100, 0, -1_100].map(|of| signed_count(of, Vi)), ["+1.100", "0", "-1.100"]);
        assert_eq!([count(1_234, Vi), count(-1_234, En)], ["1.234", "-1,234"]);
        assert_eq!(count(i64::MIN, Vi), "-9.223.372.036.854.775.808");
    }

    #[test]
    fn days_and_periods_are_said_as_people_say_them() {
        assert_eq!([0, 1, 2].map(|of| days(of, Words(En))), ["0\u{a0}days", "1\u{a0}day", "2\u{a0}days"]);
        assert_eq!(days(16, Words(Vi)), "16\u{a0}ngày");
        assert_eq!(["2026-11-1", "?"].map(|of| period(of, Words(Vi))), ["11/2026, kỳ 1", "?"]);
        assert_eq!(period("2026-11-1", Words(En)), "11/2026, period 1");
    }

    #[test]
    fn moments_are_those_of_vietnam() {
        assert_eq!(moment(Timestamp::from_unix_ms(1_775_066_400_000)), "02/04/2026 01:00");
    }

    #[test]
    fn a_masked_code_is_not_the_code() {
        assert_eq!(["PA03HL0000001", "ABC12345", "AB", "ếAB"].map(masked), ["PA03•••••••01", "A••••••5", "••", "ế•B"]);
    }
}
