//! Words of the page `settlement`.

use super::words;

words! {SETTLEMENT,
}
