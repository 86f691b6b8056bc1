//! The ledger alone, in this process: no sockets, no signatures, one thread. What a notice costs the writer, by the
//! size of the batch; where a change to the store shows first.

use crate::machine;
use crate::requests;
use crate::servers::BenchSecrets;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use thuho::domain::ids::Generation;
use thuho::domain::notice::{Method, RawNotice};
use thuho::domain::outcome::Outcome;
use thuho::domain::time::{Clock, SystemClock, Timestamp};
use thuho::ledger::Arrival;
use thuho::ledger::writer::{Lane, Patient, moment, run_batch};
use thuho::partner::{Partners, Profile};
use thuho::store::sqlite::{SqliteOptions, SqliteStore};

/// Sizes of a batch, and how many batches of each.
const BATCHES: [(usize, u64); 4] = [(1, 2_000), (16, 800), (48, 800), (256, 150)];

/// A whole HTTP call as the gateway's edge would hand it on.
fn called(profile: &Profile, call: &[u8]) -> Arrival {
    let head = call.windows(4).position(|w| w == b"\r\n\r\n").expect("a call has a head") + 4;
    let body = call.get(head..).expect("a call has a body");
    arrival(profile, bytes::Bytes::copy_from_slice(body), SystemClock.now())
}

/// The body of a call that came at this moment, proved and read.
pub fn arrival(profile: &Profile, body: bytes::Bytes, received_at: Timestamp) -> Arrival {
    let raw = RawNotice {
        method: Method::Post,
        path: "/webhooks/zalopay".to_owned(),
        query: String::new(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body,
        peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        received_at,
    };
    let authentic = profile.prove(&raw, raw.received_at).expect("the bench signs rightly");
    let notice = profile.read(&authentic, raw.received_at).expect("the bench speaks the profile");
    Arrival::Notice {
        business_day: notice.paid_at.day_in(profile.timezone()).expect("a day of this year"),
        notice,
        evidence: profile.evidence(&authentic),
        reversal_window_ms: None,
    }
}

/// Runs batches of each size over the books and prints what they cost.
pub fn run(profiles: &Path, books: &Path, seed: u64) {
    static SEEDS: AtomicU64 = AtomicU64::new(0);
    let partners = Partners::load(profiles, &BenchSecrets).expect("the bench's profiles load");
    let profile = partners.get("zalopay").expect("the wallet's profile");
    let mut store = SqliteStore::open(books, &SqliteOptions::default()).expect("the books open");
    let mut lane = Lane::new(0, Generation(seed + 1));
    println!("  the ledger alone   per second   CPU us each   KiB written each");
    for (size, count) in BATCHES {
        let seed = seed + SEEDS.fetch_add(1, Ordering::Relaxed);
        let calls = requests::fresh("B", u64::try_from(size).expect("a small size") * count, 9_000 + seed);
        let arrivals: Vec<Arrival> = calls.iter().map(|call| called(profile, call)).collect();
        let pid = std::process::id();
        let (since, cpu, written) = (Instant::now(), machine::cpu_seconds(pid), machine::written_kib(pid));
        for batch in arrivals.chunks(size) {
            let end = run_batch(&mut store, &mut lane, moment(&SystemClock), batch, &mut Patient);
            let taken = end.answers.iter().all(|a| !matches!(a.answer.outcome, Outcome::TryAgain | Outcome::Malformed));
            assert!(taken, "the ledger takes every notice");
        }
        let each = f64::from(u32::try_from(arrivals.len()).expect("few notices"));
        let seconds = since.elapsed().as_secs_f64();
        println!(
            "  batches of {size:>4}    {:>9.0}    {:>9.1}    {:>11.2}",
            each / seconds,
            1e6 * (machine::cpu_seconds(pid) - cpu) / each,
            (machine::written_kib(pid) - written) / each
        );
    }
}
