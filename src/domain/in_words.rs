//! Amounts in Vietnamese words, as minutes state them below their figures: `1.005.021` dong is
//! `Một triệu không trăm linh năm nghìn không trăm hai mươi mốt đồng`. The northern forms are used, which are those of
//! schoolbooks and ledgers: `linh`, `nghìn`, `bốn`. No `chẵn` at the end: there is no part of a dong that could be missing.

const DIGITS: [&str; 10] = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"];

/// Whole dong in words, the first letter a capital.
#[must_use]
pub fn in_words(dong: i64) -> String {
    let digits = dong.unsigned_abs().to_string();
    let mut words = Vec::new();
    if dong < 0 {
        words.push("âm");
    }
    // Groups of three digits from the right: ones, thousands, millions, then the same of thousands of millions.
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).collect();
    for (place, group) in groups.iter().enumerate().rev() {
        if group.iter().any(|digit| *digit != b'0') || groups.len() == 1 {
            spell(group, &mut words);
            words.extend(match place % 3 {
                1 => Some("nghìn"),
                2 => Some("triệu"),
                _ => None,
            });
        }
        // Said even behind an empty group: it is of all that stands before it.
        if place > 0 && place % 3 == 0 {
            words.push("tỷ");
        }
    }
    words.push("đồng");
    let text = words.join(" ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A group that is not zero, or the only one. A group of three says its hundreds and tens also where they are none;
/// the first one has no digits that are none.
fn spell(group: &[u8], words: &mut Vec<&'static str>) {
    let digit = |at: u8| DIGITS.get(usize::from(at.saturating_sub(b'0'))).copied().unwrap_or_default();
    let (hundreds, tens, ones) = match *group {
        [hundreds, tens, ones] => (Some(hundreds), Some(tens), ones),
        [tens, ones] => (None, Some(tens), ones),
        [ones] => (None, None, ones),
        _ => return,
    };
    if let Some(hundreds) = hundreds {
        words.extend([digit(hundreds), "trăm"]);
    }
    match tens {
        None => {}
        Some(b'0') if ones == b'0' => return,
        Some(b'0') => words.push("linh"),
        Some(b'1') => words.push("mười"),
        Some(tens) => words.extend([digit(tens), "mươi"]),
    }
    match (tens, ones) {
        (Some(_), b'0') => {}
        (Some(b'2'..=b'9'), b'1') => words.push("mốt"),
        (Some(b'1'..=b'9'), b'5') => words.push("lăm"),
        _ => words.push(digit(ones)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(dong: i64, expected: &str) {
        assert_eq!(in_words(dong), expected, "{dong}");
        assert_eq!(read(expected), Some(dong), "the reader reads it too");
    }

    #[test]
    fn amounts_are_said_as_a_ledger_says_them() {
        check(0, "Không đồng");
        check(1, "Một đồng");
        check(4, "Bốn đồng");
        check(5, "Năm đồng");
        check(10, "Mười đồng");
        check(11, "Mười một đồng");
        check(15, "Mười lăm đồng");
        check(20, "Hai mươi đồng");
        check(21, "Hai mươi mốt đồng");
        check(24, "Hai mươi bốn đồng");
        check(25, "Hai mươi lăm đồng");
        check(55, "Năm mươi lăm đồng");
        check(91, "Chín mươi mốt đồng");
        check(100, "Một trăm đồng");
        check(101, "Một trăm linh một đồng");
        check(105, "Một trăm linh năm đồng");
        check(110, "Một trăm mười đồng");
        check(115, "Một trăm mười lăm đồng");
        check(1_000, "Một nghìn đồng");
        check(1_001, "Một nghìn không trăm linh một đồng");
        check(1_010, "Một nghìn không trăm mười đồng");
        check(1_021, "Một nghìn không trăm hai mươi mốt đồng");
        check(10_500, "Mười nghìn năm trăm đồng");
        check(15_000, "Mười lăm nghìn đồng");
        check(150_000, "Một trăm năm mươi nghìn đồng");
        check(1_000_000, "Một triệu đồng");
        check(1_000_005, "Một triệu không trăm linh năm đồng");
        check(1_005_000, "Một triệu không trăm linh năm nghìn đồng");
        check(1_005_021, "Một triệu không trăm linh năm nghìn không trăm hai mươi mốt đồng");
        check(1_513_874, "Một triệu năm trăm mười ba nghìn tám trăm bảy mươi bốn đồng");
        check(21_000_000, "Hai mươi mốt triệu đồng");
        check(1_000_000_000, "Một tỷ đồng");
        check(1_000_000_001, "Một tỷ không trăm linh một đồng");
        check(1_050_000_000, "Một tỷ không trăm năm mươi triệu đồng");
        check(15_000_000_000, "Mười lăm tỷ đồng");
        check(1_000_000_000_000, "Một nghìn tỷ đồng");
        check(1_005_000_000_000, "Một nghìn không trăm linh năm tỷ đồng");
        check(1_000_000_000_000_000, "Một triệu tỷ đồng");
        check(1_000_000_000_000_000_000, "Một tỷ tỷ đồng");
        check(2_000_000_000_000_000_005, "Hai tỷ tỷ không trăm linh năm đồng");
        check(2_000_000_005_000_000_000, "Hai tỷ không trăm linh năm tỷ đồng");
        check(-1, "Âm một đồng");
        check(-350_000, "Âm ba trăm năm mươi nghìn đồng");
        check(
            i64::MAX,
            "Chín tỷ hai trăm hai mươi ba triệu ba trăm bảy mươi hai nghìn không trăm ba mươi sáu tỷ \
             tám trăm năm mươi bốn triệu bảy trăm bảy mươi lăm nghìn tám trăm linh bảy đồng",
        );
        check(
            i64::MIN,
            "Âm chín tỷ hai trăm hai mươi ba triệu ba trăm bảy mươi hai nghìn không trăm ba mươi sáu tỷ \
             tám trăm năm mươi bốn triệu bảy trăm bảy mươi lăm nghìn tám trăm linh tám đồng",
        );
    }

    /// Reads words the other way round, from what each of them means: nothing of the writer is used.
    fn read(text: &str) -> Option<i64> {
        let text = text.to_lowercase();
        let text = text.strip_suffix(" đồng")?;
        let (sign, text) = text.strip_prefix("âm ").map_or((1, text), |rest| (-1, rest));
        // What was said up to a thousand millions, of the group, and a digit that waits for what it counts.
        let (mut whole, mut part, mut group, mut waiting) = (0_i128, 0_i128, 0_i128, None::<i128>);
        for word in text.split(' ') {
            let digit = match word {
                "không" => Some(0),
                "một" | "mốt" => Some(1),
                "hai" => Some(2),
                "ba" => Some(3),
                "bốn" => Some(4),
                "năm" | "lăm" => Some(5),
                "sáu" => Some(6),
                "bảy" => Some(7),
                "tám" => Some(8),
                "chín" => Some(9),
                _ => None,
            };
            if digit.is_some() {
                if waiting.is_some() {
                    return None;
                }
                waiting = digit;
                continue;
            }
            match word {
                "trăm" => group += waiting.take()? * 100,
                "mươi" => group += waiting.take()? * 10,
                "mười" => group += 10,
                "linh" => {}
                "nghìn" | "triệu" => {
                    group += waiting.take().unwrap_or(0);
                    part += group * if word == "nghìn" { 1_000 } else { 1_000_000 };
                    group = 0;
                }
                "tỷ" => {
                    group += waiting.take().unwrap_or(0);
                    whole = (whole + part + group) * 1_000_000_000;
                    (part, group) = (0, 0);
                }
                _ => return None,
            }
        }
        let said = whole + part + group + waiting.unwrap_or(0);
        i64::try_from(said * sign).ok()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_said_is_read_as_the_same_amount(dong in any::<i64>(), shift in 0_u32..62) {
            for dong in [dong, dong >> shift, dong >> shift << (shift / 2)] {
                let words = in_words(dong);
                prop_assert_eq!(read(&words), Some(dong), "{}", words);
            }
        }

        /// Many zeros: the groups that are not said, and those that are said all the same.
        #[test]
        fn amounts_of_few_digits_are_read_as_the_same(parts in prop::collection::vec((0_u32..19, 0_i64..9), 1..4)) {
            let dong = parts.iter().map(|(power, digit)| 10_i64.pow((*power).min(17)) * digit).sum::<i64>();
            prop_assert_eq!(read(&in_words(dong)), Some(dong), "{}", in_words(dong));
        }
    }
}
