//! Words of the page `today`.

use super::words;

words! {TODAY,
}
