//! A whole gateway over a temporary file, with the shipped profiles under fresh keys, a clock that stands still, and
//! both listeners on ports of their own. When it is dropped the books must balance and the audit must pass.

pub mod http;
pub mod people;
#[path = "../../rig/ports.rs"]
pub mod ports;
pub mod postgres;
pub mod program;
pub mod redis;
pub mod tls;
pub mod versions;

use http::Answer;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;
use thuho::app::{Running, Start};
use thuho::config::Config;
use thuho::domain::money::Money;
use thuho::domain::secret::Secret;
use thuho::domain::time::{Clock, ManualClock, Timestamp};
use thuho::ledger::audit;
use thuho::partner::forge::{Forged, Wanted};
use thuho::partner::{FreshKey, KeyNeed, Partners, Profile, SecretSource, SigningKey};
use thuho::store::reports::{ReceiptCount, Reports};
use thuho::store::sqlite;

/// When every test begins: 2026-11-22 09:00 in Vietnam.
pub const START_MS: i64 = 1_795_312_800_000;

/// What the internal API's callers present in tests: every scope, and one that may only read.
pub const TOKEN: &str = "canary-token-with-every-scope-0001";
pub const SECOND_TOKEN: &str = "canary-token-of-another-operator-3";
pub const READ_TOKEN: &str = "canary-token-that-may-only-read-02";
pub const SEAL_SECRET: &str = "canary-seal-secret-0123456789abcdef";

/// The shipped profiles.
pub fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/partners")
}

/// Fresh keys for every secret of the shipped profiles, made once.
pub struct Keys {
    ours: HashMap<String, Secret>,
    theirs: HashMap<(String, String), SigningKey>,
}

impl SecretSource for Keys {
    fn secret(&self, name: &str) -> Result<Secret, String> {
        self.ours.get(name).cloned().ok_or_else(|| format!("no secret {name}"))
    }
}

pub fn keys() -> Arc<Keys> {
    static KEYS: OnceLock<Arc<Keys>> = OnceLock::new();
    Arc::clone(KEYS.get_or_init(|| {
        let partners = Partners::load_without_secrets(&shipped()).unwrap();
        let mut keys = Keys { ours: HashMap::new(), theirs: HashMap::new() };
        for need in partners.iter().flat_map(|p| p.key_needs().to_vec()) {
            let KeyNeed { partner, id, secret, algorithm, encoding, ours, .. } = need;
            let fresh = FreshKey::generate(algorithm, encoding).unwrap();
            keys.ours.insert(secret, if ours { fresh.signs.clone() } else { fresh.proves.clone() });
            if !ours {
                let signer = SigningKey::read(&id, algorithm, encoding, &fresh.signs).unwrap();
                keys.theirs.insert((partner.to_string(), id), signer);
            }
        }
        Arc::new(keys)
    }))
}

impl Keys {
    /// The first key of a partner, by id.
    pub fn of(&self, partner: &str) -> &SigningKey {
        let mut found: Vec<_> = self.theirs.iter().filter(|((p, _), _)| p == partner).collect();
        // HMAC before ed25519 where a profile knows both.
        found.sort_by_key(|((_, id), _)| (id != "hmac", id.clone()));
        found[0].1
    }

    /// All secrets of the partners as text, which must never be seen anywhere.
    pub fn canaries(&self) -> Vec<String> {
        self.ours.values().filter_map(|s| s.expose_text()).map(|s| s.trim().to_owned()).collect()
    }
}

/// The keys of the shipped profiles and a test's own secrets.
struct Secrets(Vec<(&'static str, &'static str)>);

impl SecretSource for Secrets {
    fn secret(&self, name: &str) -> Result<Secret, String> {
        let own = self.0.iter().find(|(known, _)| *known == name);
        own.map_or_else(|| keys().secret(name), |(_, text)| Ok(Secret::new(text.as_bytes().to_vec())))
    }
}

/// A bill to be put in.
#[derive(Clone)]
pub struct Bill {
    pub id: String,
    pub customer: String,
    pub total: i64,
    pub issued: &'static str,
    pub status: &'static str,
    pub version: i64,
}

pub fn bill(id: &str, total: i64) -> Bill {
    Bill {
        id: id.to_owned(),
        customer: "PA03HL0000001".to_owned(),
        total,
        issued: "2026-11-01",
        status: "open",
        version: 1,
    }
}

impl Bill {
    pub fn of(mut self, customer: &str) -> Self {
        self.customer = customer.to_owned();
        self
    }

    pub fn json(&self) -> String {
        format!(
            r#"{{"invoice_id":"{}","customer_code":"{}","unit":"PA03HL","area":"urban","period":"2026-11-1","kind":"TD","net":{},"vat":0,"total":{},"issued_on":"{}","due_on":"2026-11-30","status":"{}","version":{}}}"#,
            self.id, self.customer, self.total, self.total, self.issued, self.status, self.version
        )
    }
}

/// How a gateway is set up.
pub struct Setup {
    pub toml: String,
    pub audited: bool,
    /// A folder of profiles of the test's own.
    pub partners: Option<PathBuf>,
    /// Secrets that they name, beside those of the shipped ones.
    pub secrets: Vec<(&'static str, &'static str)>,
    /// One user of each role works at the finance desk.
    pub people: bool,
    /// The gateway's clock, made of the test's.
    pub clock: fn(Arc<ManualClock>) -> Arc<dyn Clock>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            toml: String::new(),
            audited: true,
            partners: None,
            secrets: Vec::new(),
            people: false,
            clock: |clock| clock,
        }
    }
}

pub struct Gateway {
    running: Option<Running>,
    pub clock: Arc<ManualClock>,
    dir: TempDir,
    setup: Setup,
    partners: Partners,
}

impl Gateway {
    pub fn start() -> Self {
        Self::with(Setup::default())
    }

    /// With more configuration: `section.key = value` lines.
    pub fn configured(lines: &str) -> Self {
        Self::with(Setup { toml: lines.to_owned(), ..Setup::default() })
    }

    pub fn with(setup: Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix_ms(START_MS)));
        let partners_dir = setup.partners.clone().unwrap_or_else(shipped);
        let partners = Partners::load(&partners_dir, &Secrets(setup.secrets.clone())).unwrap_or_else(|e| panic!("{e}"));
        let mut gateway = Self { running: None, clock, dir, setup, partners };
        if gateway.setup.people {
            people::add(&gateway.db());
        }
        gateway.up();
        gateway
    }

    /// Starts it (again) on the same file.
    pub fn up(&mut self) {
        let config = self.config();
        let clock = (self.setup.clock)(self.clock.clone());
        let secrets = Arc::new(Secrets(self.setup.secrets.clone()));
        let start = Start { config, clock, secrets, signals: false };
        self.running = Some(Running::start(start).unwrap());
    }

    fn config(&self) -> Config {
        let write = |name: &str, text: &str| {
            let path = self.dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (seal, token, read) = (write("seal", SEAL_SECRET), write("token", TOKEN), write("read", READ_TOKEN));
        let second = write("second", SECOND_TOKEN);
        let base = format!(
            r#"listen.public = "127.0.0.1:0"
listen.internal = "127.0.0.1:0"
listen.workers = 2
store.url = "sqlite://{}"
seal.secret = "file:{seal}"
drain.ready_ms = 0
drain.finish_s = 5
partners.dir = "{}"
{}
[[token]]
name = "all"
scope = ["invoices", "read", "ops", "finance"]
secret = "file:{token}"
[[token]]
name = "second"
scope = ["ops"]
secret = "file:{second}"
[[token]]
name = "reader"
scope = ["read"]
secret = "file:{read}"
"#,
            self.db().display(),
            self.setup.partners.clone().unwrap_or_else(shipped).display(),
            self.setup.toml
        );
        Config::of(Path::new("test.toml"), &base, []).unwrap()
    }

    pub fn db(&self) -> PathBuf {
        self.dir.path().join("books.db")
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// Stops it in order.
    pub fn down(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().unwrap();
        }
    }

    pub fn restart(&mut self) {
        self.down();
        self.up();
    }

    pub fn profile(&self, partner: &str) -> &Arc<Profile> {
        self.partners.get(partner).unwrap()
    }

    /// A signed notice of a partner, sent now.
    pub fn forge(&self, partner: &str, wanted: &Wanted) -> Forged {
        self.profile(partner).forge(keys().of(partner), wanted, self.clock.now()).unwrap()
    }

    pub fn send(&self, partner: &str, forged: &Forged) -> Answer {
        http::call(self.running().public(), &http::webhook(partner, forged))
    }

    /// Forges and sends.
    pub fn notify(&self, partner: &str, wanted: &Wanted) -> Answer {
        self.send(partner, &self.forge(partner, wanted))
    }

    pub fn put(&self, bills: &[Bill]) -> Answer {
        let lines: Vec<String> = bills.iter().map(Bill::json).collect();
        let answer = self.internal("PUT", "/api/v1/invoices", "application/x-ndjson", lines.join("\n").as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    pub fn internal(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> Answer {
        let request =
            http::request(method, path, &[("content-type", content_type), ("authorization", &bearer(TOKEN))], body);
        http::call(self.running().internal(), &request)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.internal("GET", path, "text/plain", b"")
    }

    /// The report of the database, beside the gateway.
    pub fn reports(&self) -> impl Reports + use<> {
        sqlite::open_reports(&self.db()).unwrap()
    }

    /// Receipts as `partner verdict count`.
    pub fn receipts(&self) -> Vec<String> {
        let counts = self.reports().receipt_counts().unwrap();
        let mut words: Vec<_> = counts
            .iter()
            .map(|ReceiptCount { partner, verdict, count, .. }| format!("{partner} {} {count}", verdict.word()))
            .collect();
        words.sort();
        words
    }

    pub fn settled(&self, invoice: &str) -> i64 {
        let id = thuho::domain::ids::InvoiceId::parse(invoice).unwrap();
        self.reports().invoice(&id).unwrap().unwrap().settled.dong()
    }

    fn check_books(&self) {
        let mut reports = self.reports();
        let report = audit::audit(&mut reports, &Secret::new(SEAL_SECRET.into())).unwrap();
        assert!(report.ok, "{:?}", report.findings);
        let sum: i64 = reports.balances().unwrap().iter().map(|(_, dong)| dong).sum();
        assert_eq!(sum, 0, "the books balance");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.down();
        if self.setup.audited {
            self.check_books();
        }
    }
}

pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A payment of `amount` for an invoice, by the standard protocol.
pub fn pays(event: &str, invoice: &str, amount: i64) -> Wanted {
    Wanted {
        event: Some(vec![event.to_owned()]),
        invoice: Some(invoice.to_owned()),
        customer: Some(String::new()),
        amount: Some(Money::from_dong(amount).unwrap()),
        ..Wanted::default()
    }
}
