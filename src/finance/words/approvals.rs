//! Words of the page `approvals`.

use super::words;

words! {APPROVALS,
}
