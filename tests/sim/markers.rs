//! What lies in Redis on a simulated day: the program's own markers, in a map that instances share and that forgets,
//! refuses and brings back older ones.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use thuho::domain::ids::EventKey;
use thuho::domain::ids::PostingNo;
use thuho::seen::SharedMarkers;

type Map = BTreeMap<EventKey, Vec<u8>>;

#[derive(Debug, Default)]
struct Inner {
    now: Map,
    older: Map,
    down: bool,
    refused: u64,
}

/// The map.
#[derive(Debug, Default)]
pub struct Markers(Mutex<Inner>);

impl Markers {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All are gone, as after a restart without persistence.
    pub fn forget(&self) {
        self.inner().now.clear();
    }

    /// An older state comes back, as after a failover to a replica that was behind.
    pub fn bring_back(&self) {
        let mut inner = self.inner();
        let Inner { now, older, .. } = &mut *inner;
        std::mem::swap(now, older);
    }

    /// Remembers this state.
    pub fn keep(&self) {
        let mut inner = self.inner();
        inner.older = inner.now.clone();
    }

    /// It answers, or does not.
    pub fn set_down(&self, down: bool) {
        self.inner().down = down;
    }

    pub fn is_down(&self) -> bool {
        self.inner().down
    }

    /// How many markers it has refused.
    pub fn refused(&self) -> u64 {
        self.inner().refused
    }

    /// The posting that the marker of an event names, if one can be read now.
    pub fn posting(&self, key: &EventKey) -> Option<PostingNo> {
        let inner = self.inner();
        let value = inner.now.get(key).filter(|_| !inner.down)?;
        Some(PostingNo(i64::from_be_bytes(value[8..16].try_into().unwrap())))
    }
}

impl SharedMarkers for Markers {
    fn get(&self, key: &EventKey) -> Option<Vec<u8>> {
        let inner = self.inner();
        inner.now.get(key).filter(|_| !inner.down).cloned()
    }

    fn put(&self, key: EventKey, value: Vec<u8>) {
        let mut inner = self.inner();
        if inner.down {
            inner.refused += 1;
        } else {
            inner.now.insert(key, value);
        }
    }
}
