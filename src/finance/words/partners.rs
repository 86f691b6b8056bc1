//! Words of the page `partners`.

use super::words;

words! {PARTNERS,
}
