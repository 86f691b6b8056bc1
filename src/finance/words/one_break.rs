//! Words of the page `one_break`.

use super::words;

words! {ONE_BREAK,
}
