//! Words of the page `breaks`.

use super::words;

words! {BREAKS,
}
