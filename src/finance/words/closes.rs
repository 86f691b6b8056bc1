//! Words of the page `closes`.

use super::words;

words! {CLOSES,
}
