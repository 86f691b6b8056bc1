//! Words of the page `audit`.

use super::words;

words! {AUDIT,
}
