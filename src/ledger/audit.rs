//! Proves the books: every chain of receipts unbroken down to its signed seals, the balances zero in sum, and no
//! row that contradicts another. Reads page by page on a connection of its own; changes nothing. Keeps I5, and I10
//! by its pages.

use crate::domain::close::close_hash;
use crate::domain::receipt::Link;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::store::reports::{ReceiptFilter, Reports, StoredReceipt};
use crate::store::{Seal, StoreError, Tx};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::{HashMap, HashSet};

/// Receipts read at once: with their raw bytes about a megabyte.
const PAGE: u32 = 1_000;

/// Findings kept; the rest are counted. One broken chain may be a million lines.
pub const FINDINGS_MAX: usize = 1_000;

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Nothing was found.
    pub ok: bool,
    /// One sentence each, at most [`FINDINGS_MAX`].
    pub findings: Vec<String>,
    /// All of them.
    pub findings_total: u64,
    /// Receipts read.
    pub receipts: u64,
    /// Receipts whose raw bytes are still there and were hashed again.
    pub receipts_hashed: u64,
    /// Seals checked.
    pub seals: u64,
    /// Closes checked.
    pub closes: u64,
    /// Accounts whose balances were summed.
    pub accounts: u64,
}

impl AuditReport {
    fn found(&mut self, sentence: String) {
        self.findings_total = self.findings_total.saturating_add(1);
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(sentence);
        }
    }
}

/// Signs the heads of all lanes: from now on a missing row below them shows.
///
/// # Errors
/// The machine's.
pub fn seal(tx: &mut dyn Tx, key: &Secret, now: Timestamp) -> Result<Seal, StoreError> {
    let heads = tx.lane_heads()?;
    let signature = sign(key, now, &heads)?;
    let seal = Seal { at: now, heads, signature };
    tx.add_seal(&seal)?;
    Ok(seal)
}

fn sign(key: &Secret, at: Timestamp, heads: &[(u32, i64, [u8; 32])]) -> Result<[u8; 32], StoreError> {
    let mut mac = mac(key)?;
    feed(&mut mac, at, heads);
    Ok(mac.finalize().into_bytes().into())
}

fn mac(key: &Secret) -> Result<Hmac<Sha256>, StoreError> {
    Hmac::<Sha256>::new_from_slice(key.expose())
        .map_err(|_length| StoreError::Fault("the seal key has an impossible length".to_owned()))
}

fn feed(mac: &mut Hmac<Sha256>, at: Timestamp, heads: &[(u32, i64, [u8; 32])]) {
    mac.update(b"thuho-seal-1");
    mac.update(&at.unix_ms().to_be_bytes());
    for (lane, n, hash) in heads {
        mac.update(&lane.to_be_bytes());
        mac.update(&n.to_be_bytes());
        mac.update(hash);
    }
}

/// Is the seal signed by this key?
pub(super) fn is_signed(key: &Secret, seal: &Seal) -> Result<bool, StoreError> {
    let mut mac = mac(key)?;
    feed(&mut mac, seal.at, &seal.heads);
    // Constant time, though nobody is timing an audit.
    Ok(mac.verify_slice(&seal.signature).is_ok())
}

/// What a stored receipt commits to.
pub(super) fn link_of(receipt: &StoredReceipt) -> Link {
    Link {
        lane: receipt.lane,
        n: receipt.n,
        raw_hash: receipt.raw_hash,
        verdict: receipt.verdict,
        received_at: receipt.received_at,
        event: receipt.event,
        amount_dong: receipt.amount_dong,
    }
}

/// Proves the books; `key` is what the seals were signed with.
///
/// # Errors
/// The machine's. What is wrong in the books is a finding, not an error.
pub fn audit(reports: &mut dyn Reports, key: &Secret) -> Result<AuditReport, StoreError> {
    let mut report = AuditReport::default();
    let sealed = seals(reports, key, &mut report)?;
    let mut lanes = reports.lanes()?;
    lanes.extend(sealed.keys().map(|(lane, _)| *lane));
    lanes.sort_unstable();
    lanes.dedup();
    for lane in lanes {
        lane_chain(reports, lane, &sealed, &mut report)?;
    }
    closes(reports, &mut report)?;
    let balances = reports.balances()?;
    report.accounts = u64::try_from(balances.len()).unwrap_or(u64::MAX);
    let sum = balances.iter().map(|(_, dong)| i128::from(*dong)).fold(0_i128, i128::saturating_add);
    if sum != 0 {
        report.found(format!("the books do not balance: {sum} dong"));
    }
    for sentence in reports.inconsistencies()?.found {
        report.found(sentence);
    }
    report.ok = report.findings_total == 0;
    Ok(report)
}

/// Every close is what its hash says, and names one before it.
fn closes(reports: &mut dyn Reports, report: &mut AuditReport) -> Result<(), StoreError> {
    let (mut after, mut known) = (0_i64, HashSet::new());
    loop {
        let page = reports.closes(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.no;
        for close in page {
            report.closes = report.closes.saturating_add(1);
            let (partner, period) = (close.partner.as_str(), close.period);
            if close_hash(close.previous.as_ref(), &close.figures) != close.hash {
                report.found(format!("the close of {partner} {period} is not what its hash says"));
            }
            if close.previous.is_some_and(|previous| !known.contains(&previous)) {
                report.found(format!("the close of {partner} {period} names none before it"));
            }
            known.insert(close.hash);
        }
    }
}

/// What the seals say: the hash at (lane, n).
type Sealed = HashMap<(u32, i64), [u8; 32]>;

fn seals(reports: &mut dyn Reports, key: &Secret, report: &mut AuditReport) -> Result<Sealed, StoreError> {
    let mut sealed = Sealed::new();
    let mut after = Timestamp::from_unix_ms(i64::MIN);
    loop {
        let page = reports.seals(after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(sealed);
        };
        after = last.at;
        for seal in page {
            report.seals = report.seals.saturating_add(1);
            if !is_signed(key, &seal)? {
                report.found(format!("the seal of {} is not signed by this key", seal.at));
                continue;
            }
            for (lane, n, hash) in seal.heads {
                if sealed.insert((lane, n), hash).is_some_and(|other| other != hash) {
                    report.found(format!("lane {lane}: two seals disagree on receipt {n}"));
                }
            }
        }
    }
}

fn lane_chain(
    reports: &mut dyn Reports,
    lane: u32,
    sealed: &Sealed,
    report: &mut AuditReport,
) -> Result<(), StoreError> {
    let (mut n, mut head) = (0_i64, [0_u8; 32]);
    loop {
        let filter = ReceiptFilter { after: (lane, n), limit: PAGE, with_evidence: true, ..ReceiptFilter::default() };
        let page = reports.receipts(&filter)?;
        if page.is_empty() {
            break;
        }
        for receipt in page {
            link(&receipt, (n, head), sealed, report);
            (n, head) = (receipt.n, receipt.hash);
        }
    }
    let last_sealed = sealed.keys().filter(|(l, _)| *l == lane).map(|(_, n)| *n).max().unwrap_or(0);
    if last_sealed > n {
        report.found(format!("lane {lane}: sealed up to receipt {last_sealed}, but it ends at {n}"));
    }
    Ok(())
}

fn link(receipt: &StoredReceipt, before: (i64, [u8; 32]), sealed: &Sealed, report: &mut AuditReport) {
    report.receipts = report.receipts.saturating_add(1);
    let (lane, n) = (receipt.lane, receipt.n);
    if n != before.0.saturating_add(1) {
        report.found(format!("lane {lane}: after receipt {} comes {n}", before.0));
    }
    if receipt.previous != before.1 {
        report.found(format!("lane {lane}: receipt {n} does not name the one before it"));
    }
    if link_of(receipt).hash(&receipt.previous) != receipt.hash {
        report.found(format!("lane {lane}: receipt {n} is not what its hash says"));
    }
    if sealed.get(&(lane, n)).is_some_and(|hash| *hash != receipt.hash) {
        report.found(format!("lane {lane}: receipt {n} is not what was sealed"));
    }
    if let Some(evidence) = &receipt.evidence {
        report.receipts_hashed = report.receipts_hashed.saturating_add(1);
        if evidence.raw_hash() != receipt.raw_hash {
            report.found(format!("lane {lane}: the raw bytes of receipt {n} were changed"));
        }
    }
}
