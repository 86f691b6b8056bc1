//! Words of the page `matching`.

use super::words;

words! {MATCHING,
}
