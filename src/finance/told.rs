//! Sentences that the books keep in English, told in this person's language: by the words that the minutes have too.

use super::words::Words;
use crate::domain::ids::Author;
use crate::reconcile::told;

/// A sentence in this person's language.
#[must_use]
pub fn told(sentence: &str, w: Words) -> String {
    told::told(sentence, w.0)
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
