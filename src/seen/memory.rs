//! The hint in this process: two generations of a map in each of a few shards. When the young one is full it becomes
//! the old one, so the memory is bounded and what was used lately stays.

use super::marker::Value;
use crate::domain::ids::EventKey;
use std::collections::HashMap;
use std::sync::Mutex;

/// Enough that two workers rarely meet at one lock.
const SHARDS: usize = 16;

#[derive(Debug, Default)]
struct Shard {
    young: HashMap<EventKey, Value>,
    old: HashMap<EventKey, Value>,
}

/// Markers in this process.
#[derive(Debug)]
pub(super) struct Memory {
    shards: Vec<Mutex<Shard>>,
    young_max: usize,
}

impl Memory {
    /// Keeps about `entries` at most.
    pub(super) fn new(entries: usize) -> Self {
        let young_max = (entries / SHARDS / 2).max(1);
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), young_max }
    }

    fn shard(&self, key: &EventKey) -> Option<std::sync::MutexGuard<'_, Shard>> {
        let first = key.as_bytes().first().copied().unwrap_or_default();
        let shard = self.shards.get(usize::from(first) % SHARDS)?;
        Some(shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub(super) fn get(&self, key: &EventKey) -> Option<Vec<u8>> {
        let mut shard = self.shard(key)?;
        if let Some(value) = shard.young.get(key) {
            return Some(value.to_vec());
        }
        let value = shard.old.remove(key)?;
        self.insert(&mut shard, *key, value);
        Some(value.to_vec())
    }

    pub(super) fn put(&self, key: EventKey, value: Value) {
        if let Some(mut shard) = self.shard(&key) {
            self.insert(&mut shard, key, value);
        }
    }

    fn insert(&self, shard: &mut Shard, key: EventKey, value: Value) {
        if shard.young.len() >= self.young_max {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.young.insert(key, value);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|s| s.lock().unwrap()).map(|s| s.young.len() + s.old.len()).sum()
    }
}
