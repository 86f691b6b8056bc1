//! Words of the page `users`.

use super::words;

words! {USERS,
}
