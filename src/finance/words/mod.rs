//! The catalogue: every word that the pages say, in Vietnamese and in English, a file for each part of the desk. A page that
//! says a word that is not here does not compile.

mod approvals;
mod audit;
mod breaks;
mod closes;
mod common;
mod customer;
mod files;
mod matching;
mod minutes;
mod one_break;
mod outbox;
mod partners;
mod rules;
mod settlement;
mod today;
mod users;

use crate::domain::user::Tongue;

/// The words in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words(pub Tongue);

impl Words {
    /// The one of the two.
    #[must_use]
    pub fn pick(self, vi: &'static str, en: &'static str) -> &'static str {
        match self.0 {
            Tongue::Vi => vi,
            Tongue::En => en,
        }
    }
}

/// Adds words: `name: "tiếng Việt", "English";`. With them comes the list for the test of the catalogue.
macro_rules! words {
    ($list:ident, $($name:ident: $vi:literal, $en:literal;)*) => {
        impl crate::finance::words::Words {
            $(
                #[doc = concat!("`", $en, "`")]
                #[must_use]
                pub fn $name(self) -> &'static str {
                    self.pick($vi, $en)
                }
            )*
        }

        #[cfg(test)]
        pub(super) const $list: &[(&str, &str, &str)] = &[$((stringify!($name), $vi, $en)),*];
    };
}
use words;

#[cfg(test)]
mod tests;
