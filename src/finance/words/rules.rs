//! Words of the page `rules`.

use super::words;

words! {RULES,
}
