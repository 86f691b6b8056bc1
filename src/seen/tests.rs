//! The hint by itself: what counts, what does not, and that it never fails (I7).

use super::*;
use crate::domain::ids::{EventId, Movement, PartnerCode, PostingNo};
use crate::domain::money::Money;
use crate::domain::notice::{ReferenceText, References};

fn key(n: u32) -> EventKey {
    let event = EventId::parse(vec![n.to_string()]).unwrap();
    EventKey::of(&PartnerCode::parse("p").unwrap(), "a", &event, Movement::Payment)
}

fn content(dong: i64) -> Content {
    Content {
        amount: Money::from_dong(dong).unwrap(),
        discount: Money::ZERO,
        references: References { invoice: ReferenceText::new("HD-1"), ..References::default() },
        reverses: None,
    }
}

fn options(place: Place) -> Options {
    Options {
        place,
        username: None,
        password: None,
        trust_pem: None,
        environment: "test".to_owned(),
        secret: Secret::new(b"0123456789abcdef".to_vec()),
        entries: 1_000,
        ttl: Duration::from_secs(60),
        timeout: Duration::from_millis(50),
        connect: Duration::from_millis(200),
        breaker_failures: 3,
        breaker_open: Duration::from_secs(1),
        pending: 100,
    }
}

fn memory() -> SeenWorker {
    let generations = Arc::new(Generations::new(Generation(7), []));
    Seen::new(options(Place::Memory), generations).unwrap().worker()
}

fn marker(n: u32, posting: i64, dong: i64) -> Marker {
    let posting = PostingNo(posting);
    Marker { key: key(n), posting, reached: posting, content: content(dong) }
}

async fn check(seen: &SeenWorker, n: u32, dong: i64, expected: Recalled) {
    assert_eq!(seen.recall(&key(n), &content(dong)).await, expected, "event {n} over {dong}");
}

#[tokio::test]
async fn what_was_remembered_is_recalled_with_the_same_content_only() {
    let seen = memory();
    check(&seen, 1, 100, Recalled::Unknown).await;
    seen.remember(&marker(1, 5, 100));
    check(&seen, 1, 100, Recalled::Settled).await;
    check(&seen, 1, 101, Recalled::Unknown).await;
    check(&seen, 2, 100, Recalled::Unknown).await;
}

/// What another instance booked is believed once this writer has made a posting after it was seen, and not before.
#[tokio::test]
async fn a_marker_under_a_posting_still_to_come_waits_for_it() {
    let seen = memory();
    seen.remember(&Marker { reached: PostingNo(4), ..marker(1, 5, 100) });
    check(&seen, 1, 100, Recalled::Unknown).await;
    seen.remember(&marker(2, 5, 100));
    check(&seen, 1, 100, Recalled::Settled).await;
}

#[tokio::test]
async fn memory_is_bounded_and_keeps_what_was_asked_for_lately() {
    let seen = memory();
    for n in 0..20_000 {
        seen.remember(&marker(n, i64::from(n), 100));
    }
    let Backend::Memory(memory) = &seen.seen.backend else { panic!("memory") };
    assert!(memory.len() <= 1_000, "{}", memory.len());
    check(&seen, 19_999, 100, Recalled::Settled).await;
    check(&seen, 0, 100, Recalled::Unknown).await;
}

/// Negative control for the generations: bytes that fit count only when the ledger has the posting.
#[test]
fn a_marker_counts_only_if_the_ledger_has_its_posting() {
    let mac = marker::MarkerMac::new(&Secret::new(b"0123456789abcdef".to_vec()));
    let value = mac.seal(Generation(7), &marker(1, 150, 100));
    let (generation, posting) = mac.open(&key(1), &content(100), &value).unwrap();
    let covers = |known: &[(u64, i64)]| {
        let known = known.iter().map(|(g, p)| (Generation(*g), PostingNo(*p)));
        Generations::new(Generation(9), known).covers(generation, posting)
    };
    assert!(covers(&[(7, 150)]));
    assert!(covers(&[(7, 151)]));
    assert!(!covers(&[(7, 149)]), "the database was restored to an older state");
    assert!(!covers(&[(8, 150)]), "the database never knew this start");
    assert!(!covers(&[]));
}

#[test]
fn a_marker_under_another_secret_or_changed_in_one_bit_says_nothing() {
    let mac = marker::MarkerMac::new(&Secret::new(b"0123456789abcdef".to_vec()));
    let value = mac.seal(Generation(7), &marker(1, 5, 100));
    assert!(mac.open(&key(1), &content(100), &value).is_some());
    let other = marker::MarkerMac::new(&Secret::new(b"another secret!!".to_vec()));
    assert!(other.open(&key(1), &content(100), &value).is_none());
    assert!(mac.open(&key(2), &content(100), &value).is_none());
    assert!(mac.open(&key(1), &content(100), &value[..31]).is_none());
    for bit in 0..value.len() * 8 {
        let mut changed = value;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(mac.open(&key(1), &content(100), &changed).is_none(), "bit {bit}");
    }
}

#[test]
fn own_commits_move_the_own_generation() {
    let generations = Generations::new(Generation(1), []);
    assert!(!generations.covers(Generation(1), PostingNo(1)));
    generations.advance(Generation(1), PostingNo(3));
    generations.advance(Generation(1), PostingNo(2));
    assert!(generations.covers(Generation(1), PostingNo(3)));
    assert!(!generations.covers(Generation(1), PostingNo(4)));
}

/// A database that came back without another instance's last postings: its markers count no further than that.
#[test]
fn what_the_database_no_longer_has_is_no_longer_believed() {
    let generations = Generations::new(Generation(1), [(Generation(2), PostingNo(9)), (Generation(3), PostingNo(9))]);
    generations.advance(Generation(1), PostingNo(5));
    generations.replace_others([(Generation(1), PostingNo(1)), (Generation(2), PostingNo(4))]);
    let covered = [(1, 5), (2, 4), (2, 5), (3, 1)].map(|(g, p)| generations.covers(Generation(g), PostingNo(p)));
    assert_eq!(covered, [true, true, false, false]);
    generations.replace_others([]);
    assert!(!generations.covers(Generation(2), PostingNo(1)));
}

/// A port where nobody listens: every recall is unknown, none fails, and the breaker ends the asking.
#[tokio::test]
async fn without_redis_every_recall_is_unknown() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let place = Place::Redis { node: Node { host: "127.0.0.1".to_owned(), port }, tls: false, db: 0 };
    let generations = Arc::new(Generations::new(Generation(7), []));
    let seen = Seen::new(options(place), generations).unwrap();
    let worker = seen.worker();
    for n in 0..50 {
        worker.remember(&marker(n, 1, 100));
        check(&worker, n, 100, Recalled::Unknown).await;
    }
    assert_eq!(seen.health(), Health::Down);
}
