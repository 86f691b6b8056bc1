//! Bill inquiry at a steady rate, beside a handler that proves, decodes and answers the same questions without books.
//! Two ways to ask: signed with a shared secret, and with RSA where our answer is signed too.

use crate::bench::Bench;
use crate::books::Books;
use crate::driver::{self, Steady};
use crate::processes::{Setup, write_profiles};
use crate::requests::{self, Chance};
use crate::servers::Handler;
use std::path::PathBuf;
use thuho::domain::notice::RawNotice;
use thuho::domain::time::{Clock, SystemClock};
use thuho::partner::forge::Forged;
use thuho::partner::{ExampleCall, FreshKey, Partners, SecretSource, SigningKey};

/// Questions a second.
const RATE: u32 = 1_000;

/// Who asks, and how the way is called in the figures.
const ASKERS: [(&str, &str); 2] = [("standard", "HMAC"), ("agribank", "RSA")];

/// The customer that the shipped examples ask for.
const EXAMPLE_CUSTOMER: &str = "PA03HL0000001";

/// Those who ask: their profiles, and fresh keys for both sides.
pub struct Askers {
    folder: PathBuf,
    partners: Partners,
    environment: Vec<(String, String)>,
    signers: Vec<(String, SigningKey)>,
}

/// What the folder's profiles are read with here: nothing of it proves anything in this process.
struct FromEnvironment<'a>(&'a [(String, String)]);

impl SecretSource for FromEnvironment<'_> {
    fn secret(&self, name: &str) -> Result<thuho::domain::secret::Secret, String> {
        let named = self.0.iter().find(|(known, _)| name.strip_prefix("env:") == Some(known));
        let (_, value) = named.ok_or_else(|| format!("{name}: no key was made"))?;
        Ok(thuho::domain::secret::Secret::new(value.clone().into_bytes()))
    }
}

impl Askers {
    pub fn new(bench: &Bench) -> Self {
        let names: Vec<&str> = ASKERS.iter().map(|(name, _)| *name).chain(["zalopay"]).collect();
        let folder = write_profiles(bench.home.join("askers"), &names);
        let known = Partners::load_without_secrets(&folder).expect("the shipped profiles load");
        let mut environment = vec![("THUHO_ZALOPAY_KEY2".to_owned(), requests::KEY.to_owned())];
        let mut signers = Vec::new();
        for need in known.iter().flat_map(|profile| profile.key_needs()) {
            let name = need.secret.trim_start_matches("env:").to_owned();
            if environment.iter().any(|(made, _)| *made == name) {
                continue;
            }
            let fresh = FreshKey::generate(need.algorithm, need.encoding).expect("a key can be made");
            let text =
                |secret: &thuho::domain::secret::Secret| secret.expose_text().expect("a key is a text").to_owned();
            environment.push((name, text(if need.ours { &fresh.signs } else { &fresh.proves })));
            if !need.ours {
                let signer = SigningKey::fresh(&need.id, need.algorithm, need.encoding, &fresh);
                signers.push((need.partner.as_str().to_owned(), signer.expect("a fresh key signs")));
            }
        }
        let partners = Partners::load(&folder, &FromEnvironment(&environment)).expect("the profiles load");
        Self { folder, partners, environment, signers }
    }

    fn setup(&self, setup: Setup) -> Setup {
        let setup = setup.profiles(&self.folder);
        self.environment.iter().fold(setup, |setup, (name, value)| setup.with(name, value))
    }

    /// `count` questions for the bills of customers all over the books, as whole HTTP calls. They are stale in minutes.
    fn questions(&self, asker: &str, count: u64, customers: u64, seed: u64) -> Vec<Vec<u8>> {
        let profile = self.partners.get(asker).expect("its profile is in the folder");
        let (_, key) = self.signers.iter().find(|(name, _)| name == asker).expect("it has a key");
        let example = profile.examples().iter().find(|e| e.call == ExampleCall::Bills);
        let RawNotice { method, path, headers, body, .. } = &example.expect("it asks for bills").raw;
        let template = std::str::from_utf8(body).expect("a question is a text");
        assert!(template.contains(EXAMPLE_CUSTOMER), "the example asks for {EXAMPLE_CUSTOMER}");
        let mut chance = Chance(seed);
        let mut call = |_| {
            let customer = requests::customer(chance.next() % customers);
            let mut headers = headers.clone();
            if !headers.iter().any(|(name, _)| name == "content-type") {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
            }
            let body = template.replace(EXAMPLE_CUSTOMER, &customer).into_bytes();
            let forged = Forged { method: *method, path: path.clone(), query: String::new(), headers, body };
            let signed = profile.sign_forged(forged, key, SystemClock.now()).expect("a question can be signed");
            let Forged { path, headers, body, .. } = signed;
            let mut text = format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            [text.as_bytes(), b"\r\n", &body].concat()
        };
        (0..count).map(&mut call).collect()
    }
}

/// 200, with a bill in it.
fn shows_a_bill(reply: &[u8]) -> bool {
    reply.starts_with(b"HTTP/1.1 200") && reply.windows(9).any(|w| w == b"2026-11-1")
}

/// The handler without books.
pub fn beside(bench: &mut Bench, round: u64) {
    let askers = Askers::new(bench);
    let server = askers.setup(Setup::new(&bench.home, "asked", String::new())).handler(Handler::Verifying);
    for (asker, way) in ASKERS {
        ask(bench, (&askers, asker), &format!("verifying bills, {way}"), (&server, requests::INVOICES), round);
    }
}

/// On the usual books.
pub fn run(bench: &mut Bench, round: u64) {
    let books = bench.books("inquiry");
    on_books(bench, (&books, requests::INVOICES, ""), round);
}

/// The gateway, on books with so many invoices, which the figures say after a comma.
pub fn on_books(bench: &mut Bench, (books, invoices, which): (&Books, u64, &str), round: u64) {
    let askers = Askers::new(bench);
    let server = askers.setup(books.setup(&bench.home)).start();
    for (asker, way) in ASKERS {
        ask(bench, (&askers, asker), &format!("bill inquiry{which}, {way}"), (&server, invoices), round);
    }
    server.stop();
}

fn ask(
    bench: &mut Bench,
    (askers, asker): (&Askers, &str),
    name: &str,
    (server, customers): (&crate::processes::Server, u64),
    round: u64,
) {
    let seconds = bench.scale.open.as_secs();
    let warm = askers.questions(asker, u64::from(RATE), customers, 20_000 + round);
    let calls = askers.questions(asker, u64::from(RATE) * seconds, customers, 21_000 + round);
    let steady = Steady { calls: &warm, rate: RATE, time: bench.scale.open, go_on: &|| true, good: shows_a_bill };
    let warmed = driver::open(&server.public, steady);
    assert_eq!(warmed.refused, 0, "{name}: a question was not answered with a bill");
    let cpu = server.cpu_seconds();
    let answered = bench.open(name, &server.public, Steady { calls: &calls, ..steady });
    let used = (server.cpu_seconds() - cpu) / (f64::from(answered) / 1000.0);
    bench.figures.add(&format!("{name} CPU s per 1,000"), used);
}
