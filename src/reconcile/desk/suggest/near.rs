//! Codes in a text that a person typed, and the codes one slip away from them: a wrong letter, one too many, one too few,
//! two exchanged.

use crate::domain::ids::CustomerCode;
use std::collections::BTreeSet;

/// Words of a text that are looked at, at most.
const WORDS_MAX: usize = 6;

/// How long a word must be to be taken for a code, and may be: a shorter one is near too many.
const CODE_LENGTH: std::ops::RangeInclusive<usize> = 8..=20;

const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The words of a text that may be customer codes, in upper case: letters and digits, some of each kind or digits alone.
#[must_use]
pub fn codes_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| CODE_LENGTH.contains(&word.len()));
    let coded = words.filter(|word| word.bytes().any(|byte| byte.is_ascii_digit()));
    coded.take(WORDS_MAX).map(str::to_ascii_uppercase).collect()
}

/// Every code one slip away from a word. About a thousand for a word of 13 letters.
#[must_use]
pub fn near_codes(word: &str) -> BTreeSet<CustomerCode> {
    let bytes = word.as_bytes();
    let mut found: BTreeSet<Vec<u8>> = BTreeSet::new();
    for at in 0..=bytes.len() {
        let (before, rest) = bytes.split_at(at);
        let joined = |middle: &[u8], after: &[u8]| [before, middle, after].concat();
        for letter in ALPHABET {
            found.insert(joined(&[*letter], rest));
            found.extend(rest.get(1..).map(|after| joined(&[*letter], after)));
        }
        found.extend(rest.get(1..).map(|after| joined(&[], after)));
        if let Some((&[a, b], after)) = rest.split_first_chunk::<2>() {
            found.insert(joined(&[b, a], after));
        }
    }
    let code = |bytes: Vec<u8>| String::from_utf8(bytes).ok().and_then(|text| CustomerCode::parse(text).ok());
    found.into_iter().filter_map(code).filter(|code| code.as_str() != word).collect()
}

/// Is one text one slip away from the other?
#[must_use]
pub fn is_near(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a.as_bytes(), b.as_bytes()) } else { (b.as_bytes(), a.as_bytes()) };
    if long.len() > short.len().saturating_add(1) || short == long {
        return false;
    }
    let alike = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let (Some(short_rest), Some(long_rest)) = (short.get(alike..), long.get(alike..)) else { return false };
    if short.len() < long.len() {
        return long_rest.get(1..) == Some(short_rest);
    }
    let exchanged = match (short_rest.split_first_chunk::<2>(), long_rest.split_first_chunk::<2>()) {
        (Some(([a, b], after)), Some(([c, d], rest))) => a == d && b == c && after == rest,
        _ => false,
    };
    exchanged || short_rest.get(1..) == long_rest.get(1..)
}
