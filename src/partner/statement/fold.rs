//! Texts that people write differently and mean the same: headers, status words, labels.

use unicode_normalization::UnicodeNormalization;

/// One spelling of a text: composed, in lower case, with single spaces. `Số  tiền` in its two Unicode forms and in
/// capitals is one text; `So tien` is another.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.nfc().flat_map(char::to_lowercase));
    }
    // Lower case of a composed letter may be written apart (`İ`).
    if folded.is_ascii() { folded } else { folded.nfc().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_header_are_one() {
        let composed = "S\u{1ed1} ti\u{1ec1}n";
        let apart = "So\u{302}\u{301}  TIE\u{302}\u{300}N ";
        assert_eq!(fold(composed), fold(apart));
        assert_eq!(fold("Ngày\u{a0}giao\ndịch"), "ngày giao dịch");
        assert_ne!(fold("Số tiền"), fold("So tien"));
    }
}
