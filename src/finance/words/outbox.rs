//! Words of the page `outbox`.

use super::words;

words! {OUTBOX,
}
