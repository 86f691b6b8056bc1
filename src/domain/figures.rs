//! A whole number as people write it.

/// A whole number with this sign between its thousands.
#[must_use]
pub fn grouped(of: i64, apart: char) -> String {
    let digits = of.unsigned_abs().to_string();
    let mut text = String::from(if of < 0 { "-" } else { "" });
    for (n, digit) in digits.char_indices() {
        if n > 0 && digits.len().saturating_sub(n).is_multiple_of(3) {
            text.push(apart);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_apart() {
        let numbers = [0, 999, 1_000, -1_234_567, 100_000, i64::MIN].map(|of| grouped(of, '.'));
        assert_eq!(numbers, ["0", "999", "1.000", "-1.234.567", "100.000", "-9.223.372.036.854.775.808"]);
    }
}
