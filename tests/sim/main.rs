//! The simulator's binary: the store in memory against the contract of all stores, and seeded days of the product
//! with every fault we know.

#[path = "../contract/mod.rs"]
mod contract;
mod memory;

fn memory_store() -> contract::Harness {
    let store = memory::MemoryStore::new(contract::LANE);
    let again = store.clone();
    contract::Harness {
        reports: Box::new(memory::MemoryReports(store.clone())),
        store: Box::new(store),
        again: Box::new(move || (Box::new(again.clone()), Box::new(memory::MemoryReports(again.clone())))),
        keep: Box::new(()),
    }
}

contract_suite!(memory_store);
