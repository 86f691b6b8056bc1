//! Words of the page `minutes`.

use super::words;

words! {MINUTES,
}
