//! Words of the page `files`.

use super::words;

words! {FILES,
}
