//! Texts as people search them: without regard to case, accents or the width of spaces.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text in lower case, without diacritics, with `d` for `đ` and single spaces: `Thiếu  ĐƠN` is `thieu don`.
#[must_use]
pub fn fold(text: &str) -> String {
    let bare = text.nfkd().flat_map(char::to_lowercase).nfkd().filter(|c| !is_combining_mark(*c));
    // A sign may be a space with a mark on it, so spaces come last.
    let bare: String = bare.map(|c| if c == 'đ' { 'd' } else { c }).collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_text_are_one() {
        assert_eq!(fold("Đối soát  THIẾU\u{a0}tiền"), "doi soat thieu tien");
        assert_eq!(fold("So\u{302}\u{301} tie\u{302}\u{300}n"), fold("Số tiền"));
        assert_eq!(fold("HD-1/2026_A 100%"), "hd-1/2026_a 100%");
        assert_eq!(fold("  \n"), "");
        assert_eq!(fold("İstanbul ﬁ Ｋ"), "istanbul fi k");
        assert_eq!(fold("a \u{a8} b"), "a b");
        assert_ne!(fold("thu"), fold("thư hộ"));
    }

    proptest! {
        #[test]
        fn folded_twice_is_folded_once(text in "\\PC{0,40}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }

        #[test]
        fn a_part_of_a_text_is_part_of_it_folded(words in prop::collection::vec("[a-zA-ZđĐếừ%_]{1,6}", 1..5)) {
            let whole = fold(&words.join(" "));
            prop_assert!(words.iter().all(|word| whole.contains(&fold(word))));
        }
    }
}
