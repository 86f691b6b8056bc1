//! Signed calls, made before anything is measured: random event ids, uniform invoices, the wallet's envelope.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thuho::domain::time::{Clock, SystemClock};

/// The callback key of the bench's profile.
pub const KEY: &str = "bench-wallet-callback-key-0123456789";
/// The secret of a name: one profile's is never another's.
pub fn secret_of(name: &str) -> String {
    if name == NAME_OF_KEY { KEY.to_owned() } else { format!("{KEY}-{name}") }
}

/// The name of that key's secret in the shipped profile.
pub const NAME_OF_KEY: &str = "THUHO_ZALOPAY_KEY2";
/// Invoices in the usual books.
pub const INVOICES: u64 = 1_000_000;

/// Numbers from a seed (SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Whose invoice `n` is.
pub fn customer(n: u64) -> String {
    format!("PA03HL{n:07}")
}

/// The id of invoice `n`, from 0.
pub fn invoice_id(series: &str, n: u64) -> String {
    format!("{series}{n:09}")
}

/// Its total: a number that says which invoice it is, so that a wrong match is seen.
pub fn total(n: u64) -> i64 {
    i64::try_from(20_000 + (n * 7_919) % 3_000_000).expect("a bill fits")
}

/// The signed body of a payment for an invoice.
pub fn wallet_body(key: &str, (invoice, amount): (&str, i64), event: u64, now_ms: i64) -> String {
    let data = format!(
        "{{\"app_id\":2553,\"app_trans_id\":\"261122_{invoice}\",\"app_time\":{now_ms},\"app_user\":\"0912345678\",\
         \"amount\":{amount},\"embed_data\":\"{{\\\"merchantinfo\\\":\\\"bill\\\"}}\",\"item\":\"[]\",\"zp_trans_id\":{event},\
         \"server_time\":{now_ms},\"channel\":38,\"merchant_user_id\":\"7ZMSl3nEg5sOUJzOLSoUFT8xKNQVaLOLXHB\",\
         \"user_fee_amount\":0,\"discount_amount\":0}}"
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes any key");
    mac.update(data.as_bytes());
    let mac = hex::encode(mac.finalize().into_bytes());
    let quoted = data.replace('\\', "\\\\").replace('"', "\\\"");
    format!("{{\"data\":\"{quoted}\",\"mac\":\"{mac}\",\"type\":1}}")
}

/// A whole HTTP call of a payment for invoice `n`.
fn notice(series: &str, n: u64, event: u64, now_ms: i64) -> Vec<u8> {
    let body = wallet_body(KEY, (&invoice_id(series, n), total(n)), event, now_ms);
    format!(
        "POST /webhooks/zalopay HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A walk over the books that meets each invoice once, in an order without a pattern, and pays them under random event
/// ids.
pub struct Walk {
    series: &'static str,
    invoices: u64,
    offset: u64,
    met: u64,
    chance: Chance,
}

impl Walk {
    /// Over the first `invoices` of a series. Another seed starts elsewhere.
    pub fn new(series: &'static str, invoices: u64, seed: u64) -> Self {
        let mut chance = Chance(seed);
        let offset = chance.next() % invoices;
        Self { series, invoices, offset, met: 0, chance }
    }

    /// As if `count` had been paid already, under ids that this walk does not use.
    pub fn after(mut self, count: u64) -> Self {
        self.met += count;
        self.chance = Chance(self.chance.next().wrapping_add(count));
        self
    }

    /// The number of the next invoice.
    fn step(&mut self) -> u64 {
        assert!(self.met < self.invoices, "the walk met every invoice");
        // 600,011 is prime and divides no power of ten nor three of them, so the steps meet every residue.
        let n = (self.offset + self.met * 600_011) % self.invoices;
        self.met += 1;
        n
    }

    /// The next payments, as whole HTTP calls.
    pub fn take(&mut self, count: u64) -> Vec<Vec<u8>> {
        let now_ms = SystemClock.now().unix_ms();
        let mut call = || {
            let n = self.step();
            notice(self.series, n, 1_000_000_000_000 + self.chance.next() % 9_000_000_000_000_000, now_ms)
        };
        (0..count).map(|_| call()).collect()
    }
}

/// `count` payments of different invoices of a series under random event ids.
pub fn fresh(series: &'static str, count: u64, seed: u64) -> Vec<Vec<u8>> {
    Walk::new(series, INVOICES, seed).take(count)
}

/// A line of the import.
pub fn invoice_line(series: &str, n: u64) -> String {
    invoice_line_of(series, n, &customer(n), "PA03HL")
}

/// The same, of some customer and district unit.
pub fn invoice_line_of(series: &str, n: u64, customer: &str, unit: &str) -> String {
    let total = total(n);
    let vat = total / 11;
    format!(
        "{id},{customer},{customer},{unit},urban,2026-11-1,TD,{net},{vat},{total},2026-11-01,2026-11-30,open,,,1\n",
        id = invoice_id(series, n),
        net = total - vat,
    )
}

/// The import's header line.
pub const HEADER: &str = "invoice_id,customer_code,payer_code,unit,area,period,kind,net,vat,total,issued_on,due_on,status,paid_elsewhere,adjusts,version\n";

/// The same as an object of the internal API.
pub fn invoice_json(series: &str, n: u64) -> String {
    let total = total(n);
    let vat = total / 11;
    format!(
        "{{\"invoice_id\":\"{id}\",\"customer_code\":\"{customer}\",\"payer_code\":\"{customer}\",\"unit\":\"PA03HL\",\
         \"area\":\"urban\",\"period\":\"2026-11-1\",\"kind\":\"TD\",\"net\":{net},\"vat\":{vat},\"total\":{total},\
         \"issued_on\":\"2026-11-01\",\"due_on\":\"2026-11-30\",\"status\":\"open\"}}",
        id = invoice_id(series, n),
        customer = customer(n),
        net = total - vat,
    )
}
