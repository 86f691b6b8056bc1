//! The zero-loss certificate of a partner's day: every proved first call of the day is in exactly one place. It is counted
//! twice, from two sides that share no table: along the chain of receipts, whose every link is hashed again, and from
//! the books, by the postings that the receipts' events have. Whoever holds the key may verify it later, beside the books
//! and without us.
//!
//! A day is what lies between two seals: the last one of the day before and the last one of the day. So days lie side by
//! side, and a call that is read again much later is of the day on which it was.

use super::audit;
use crate::domain::ids::PartnerCode;
use crate::domain::receipt::Verdict;
use crate::domain::secret::Secret;
use crate::domain::statement::Sum;
use crate::domain::time::{BUSINESS_ZONE, Timestamp};
use crate::store::reports::{BookedCount, LaneRange, ReceiptFilter, Reports, StoredReceipt};
use crate::store::{Seal, StoreError};
use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;

/// Receipts read at once.
const PAGE: u32 = 5_000;

/// What is signed before the certificate's own bytes: a seal can never pass for one.
const PURPOSE: &[u8] = b"thuho-certificate-1";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Its last receipts are not sealed yet.
    #[error("the day is not over, or its last receipts are not sealed yet")]
    NotSealed,
    /// The books are not what the chain says: nothing is certified.
    #[error("{0}")]
    Untrue(String),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A count with its money, as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// How many.
    pub count: u64,
    /// How much, in dong, as the calls state it.
    pub dong: i64,
}

impl Figure {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, dong: i64) -> Result<(), CertificateError> {
        let sum = Sum { count: self.count, dong: self.dong }.plus(dong);
        let sum =
            sum.ok_or_else(|| CertificateError::Untrue("the day's money is beyond what can be counted".to_owned()))?;
        *self = Self { count: sum.count, dong: sum.dong };
        Ok(())
    }
}

/// One lane's part of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanePart {
    /// The lane.
    pub lane: u32,
    /// After this receipt.
    pub after: i64,
    /// Its chain hash, in hex.
    pub after_hash: String,
    /// Up to this one.
    pub upto: i64,
    /// Its chain hash, in hex.
    pub upto_hash: String,
}

/// All that a certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// What it is, and in which version.
    pub certificate: String,
    /// Whose calls.
    pub partner: PartnerCode,
    /// Of which day, YYYY-MM-DD.
    pub day: String,
    /// The seals between which it lies, in milliseconds since 1970; 0 where there is none before.
    pub sealed_ms: [i64; 2],
    /// Where it lies in each chain.
    pub lanes: Vec<LanePart>,
    /// All proved first calls.
    pub total: Figure,
    /// The same, by what became of each.
    pub by_verdict: BTreeMap<String, Figure>,
    /// What the books have of those that were booked, by the kind of their first posting.
    pub in_the_books: BTreeMap<String, Figure>,
    /// Payments that two people booked from a statement: in the chain, and no calls.
    #[serde(default, skip_serializing_if = "Figure::is_none")]
    pub created: Figure,
    /// Repeats that were answered from what was known. Counted beside the chain: not durable.
    pub repeats: i64,
}

/// A signed certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// What it says.
    pub statement: Statement,
    /// HMAC-SHA256 over it, in hex.
    pub signature: String,
}

/// Which day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedDay {
    /// Whose.
    pub partner: PartnerCode,
    /// Which.
    pub day: Date,
    /// It begins here,
    pub start: Timestamp,
    /// and ends before here.
    pub end: Timestamp,
}

impl CertifiedDay {
    /// A day of the business zone; `None` outside the calendar.
    #[must_use]
    pub fn of(partner: PartnerCode, day: Date) -> Option<Self> {
        let zone = TimeZone::get(BUSINESS_ZONE).ok()?;
        let at = |day: Date| {
            let midnight = day.to_datetime(Time::midnight()).to_zoned(zone.clone()).ok()?;
            Some(Timestamp::from_unix_ms(midnight.timestamp().as_millisecond()))
        };
        Some(Self { partner, day, start: at(day)?, end: at(day.tomorrow().ok()?)? })
    }
}

/// Certifies a day.
///
/// # Errors
/// [`CertificateError`].
pub fn certify(reports: &mut dyn Reports, key: &Secret, day: &CertifiedDay) -> Result<Certificate, CertificateError> {
    let statement = state(reports, key, day)?;
    let signature = sign(key, &statement)?;
    Ok(Certificate { statement, signature })
}

/// Is the certificate signed by this key, and do the books still say the same? `None`, or what is wrong.
///
/// # Errors
/// The machine's.
pub fn verify(
    reports: &mut dyn Reports,
    key: &Secret,
    certificate: &Certificate,
) -> Result<Option<String>, StoreError> {
    let signature = hex::decode(&certificate.signature).unwrap_or_default();
    if mac(key, &certificate.statement)?.verify_slice(&signature).is_err() {
        return Ok(Some("the certificate is not signed by this key".to_owned()));
    }
    let said = &certificate.statement;
    let day = said.day.parse().ok().and_then(|day| CertifiedDay::of(said.partner.clone(), day));
    let Some(day) = day else { return Ok(Some("the certificate is of no day".to_owned())) };
    match state(reports, key, &day) {
        // Repeats are told, not proved: more of them may be counted later.
        Ok(now) if (Statement { repeats: said.repeats, ..now.clone() }) == *said => Ok(None),
        Ok(_other) => Ok(Some("the books do not say any more what the certificate says".to_owned())),
        Err(CertificateError::Store(error)) => Err(error),
        Err(error) => Ok(Some(error.to_string())),
    }
}

fn mac(key: &Secret, statement: &Statement) -> Result<Hmac<Sha256>, StoreError> {
    let fault = |what: &str| StoreError::Fault(format!("the certificate: {what}"));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose())
        .map_err(|_length| fault("the seal key has an impossible length"))?;
    mac.update(PURPOSE);
    mac.update(&serde_json::to_vec(statement).map_err(|_cannot_be| fault("it cannot be written"))?);
    Ok(mac)
}

fn sign(key: &Secret, statement: &Statement) -> Result<String, StoreError> {
    Ok(hex::encode(mac(key, statement)?.finalize().into_bytes()))
}

fn state(reports: &mut dyn Reports, key: &Secret, day: &CertifiedDay) -> Result<Statement, CertificateError> {
    let after = reports.seal_before(day.start)?;
    let upto = reports.seal_before(day.end)?.ok_or(CertificateError::NotSealed)?;
    // Nothing of the day is missing below a seal that was made after it.
    if reports.seals(day.end.plus_ms(-1), 1)?.is_empty() {
        return Err(CertificateError::NotSealed);
    }
    for seal in after.iter().chain([&upto]) {
        if !audit::is_signed(key, seal)? {
            return Err(CertificateError::Untrue(format!("the seal of {} is not signed by this key", seal.at)));
        }
    }
    let ranges = ranges(after.as_ref(), &upto);
    let mut walked = walk(reports, &day.partner, &ranges, (after.as_ref(), &upto))?;
    let created = walked.remove(&Verdict::Created).unwrap_or_default();
    let booked = reports.booked(&day.partner, &ranges)?;
    let in_the_books = agree(&walked, &booked)?;
    let mut total = Figure::default();
    for figure in walked.values() {
        let sum = total.dong.checked_add(figure.dong).zip(total.count.checked_add(figure.count));
        let (dong, count) =
            sum.ok_or_else(|| CertificateError::Untrue("the day's money is beyond what can be counted".to_owned()))?;
        total = Figure { count, dong };
    }
    Ok(Statement {
        certificate: "thuho zero-loss 1".to_owned(),
        partner: day.partner.clone(),
        day: day.day.to_string(),
        sealed_ms: [after.as_ref().map_or(0, |seal| seal.at.unix_ms()), upto.at.unix_ms()],
        lanes: ranges.iter().map(|range| part(range, after.as_ref(), &upto)).collect(),
        total,
        by_verdict: walked.into_iter().map(|(verdict, figure)| (verdict.word().to_owned(), figure)).collect(),
        in_the_books,
        created,
        repeats: reports.repeats(&day.partner, day.day)?,
    })
}

fn head(seal: Option<&Seal>, lane: u32) -> (i64, [u8; 32]) {
    let found = seal.and_then(|seal| seal.heads.iter().find(|(of, _, _)| *of == lane));
    found.map_or((0, [0; 32]), |(_, n, hash)| (*n, *hash))
}

fn ranges(after: Option<&Seal>, upto: &Seal) -> Vec<LaneRange> {
    let range =
        |(lane, upto, _): &(u32, i64, [u8; 32])| LaneRange { lane: *lane, after: head(after, *lane).0, upto: *upto };
    upto.heads.iter().map(range).filter(|range| range.after < range.upto).collect()
}

fn part(range: &LaneRange, after: Option<&Seal>, upto: &Seal) -> LanePart {
    let (from, to) = (head(after, range.lane), head(Some(upto), range.lane));
    LanePart {
        lane: range.lane,
        after: from.0,
        after_hash: hex::encode(from.1),
        upto: to.0,
        upto_hash: hex::encode(to.1),
    }
}

type Walked = BTreeMap<Verdict, Figure>;

/// Walks the chains from seal to seal; every link is hashed again, whoever it is of.
fn walk(
    reports: &mut dyn Reports,
    partner: &PartnerCode,
    ranges: &[LaneRange],
    (after, upto): (Option<&Seal>, &Seal),
) -> Result<Walked, CertificateError> {
    let mut walked = Walked::new();
    for range in ranges {
        let (mut n, mut hash) = (range.after, head(after, range.lane).1);
        while n < range.upto {
            let filter = ReceiptFilter { after: (range.lane, n), limit: PAGE, ..ReceiptFilter::default() };
            let page = reports.receipts(&filter)?;
            let page: Vec<&StoredReceipt> = page.iter().take_while(|receipt| receipt.n <= range.upto).collect();
            if page.is_empty() {
                return Err(CertificateError::Untrue(format!("lane {}: no receipt after {n}", range.lane)));
            }
            for receipt in page {
                let follows = receipt.n == n.saturating_add(1) && hash == receipt.previous;
                if !follows || audit::link_of(receipt).hash(&receipt.previous) != receipt.hash {
                    let broken = format!("lane {}: the chain is broken at receipt {}", range.lane, receipt.n);
                    return Err(CertificateError::Untrue(broken));
                }
                (n, hash) = (receipt.n, receipt.hash);
                if receipt.partner == *partner {
                    walked.entry(receipt.verdict).or_default().add(receipt.amount_dong.unwrap_or(0))?;
                }
            }
        }
        if hash != head(Some(upto), range.lane).1 {
            return Err(CertificateError::Untrue(format!("lane {}: the chain does not end in its seal", range.lane)));
        }
    }
    Ok(walked)
}

/// What the chain says was booked must be in the books, in count and in dong.
fn agree(walked: &Walked, booked: &[BookedCount]) -> Result<BTreeMap<String, Figure>, CertificateError> {
    let mut books: BTreeMap<&str, Figure> = BTreeMap::new();
    for count in booked {
        books.insert(count.verdict.word(), Figure { count: count.count, dong: count.dong });
    }
    for verdict in [Verdict::Settled, Verdict::Parked, Verdict::Reversal] {
        let here = walked.get(&verdict).copied().unwrap_or_default();
        let there = books.get(verdict.word()).copied().unwrap_or_default();
        if here != there {
            return Err(CertificateError::Untrue(format!(
                "{}: the chain has {} of {} dong, the books {} of {}",
                verdict.word(),
                here.count,
                here.dong,
                there.count,
                there.dong
            )));
        }
    }
    Ok(books.into_iter().map(|(word, figure)| (word.to_owned(), figure)).collect())
}
