//! Words of the page `customer`.

use super::words;

words! {CUSTOMER,
}
