//! Sentences that the books keep in English, told in this person's language: by the words that the minutes have too.

use super::words::Words;
use crate::domain::ids::Author;
use crate::domain::user::is_person;
use crate::reconcile::told;

/// A sentence in this person's language.
#[must_use]
pub fn told(sentence: &str, w: Words) -> String {
    told::told(sentence, w.0)
}

/// What somebody gave as a reason: the words of a rule or of the system in this person's language, a person's as they are.
#[must_use]
pub fn told_by(by: &Author, words: &str, w: Words) -> String {
    if is_person(by) { words.to_owned() } else { told(words, w) }
}

/// A code of the books in this person's language.
#[must_use]
pub fn code(word: &str, w: Words) -> String {
    told::code(word, w.0)
}

/// Who did something: a person by name, a rule or the system by what people call it.
#[must_use]
pub fn author(of: &Author, w: Words) -> String {
    named(of.as_str(), w)
}

/// The same of a name as the books keep it.
#[must_use]
pub fn named(name: &str, w: Words) -> String {
    told::author(name, w.0)
}

#[cfg(test)]
mod tests {
    use super::{told, told_by};
    use crate::domain::ids::Author;
    use crate::domain::user::Tongue;
    use crate::finance::words::Words;
    use crate::reconcile::desk::rules::Rule;

    /// A remark that happens to be a sentence of the books is still what somebody wrote.
    #[test]
    fn a_persons_words_stay_as_they_are() {
        let (w, rule) = (Words(Tongue::Vi), Rule::RefundLater);
        let name = |text: &str| Author::parse(text).expect("a name");
        assert_ne!(told(rule.reason(), w), rule.reason());
        assert_eq!(told_by(&name("lan.nt"), rule.reason(), w), rule.reason());
        assert_eq!(told_by(&name(rule.name()), rule.reason(), w), told(rule.reason(), w));
    }
}
