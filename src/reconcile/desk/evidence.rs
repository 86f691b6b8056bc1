//! What a break points at: the exact bytes that came, what of them was signed, and the statement's line with its file's
//! hash. A receipt is found between the two seals around the moment of its posting: no index costs a notice anything for
//! this.

use super::views::line_json;
use crate::domain::ids::EventKey;
use crate::domain::time::Timestamp;
use crate::partner::Profile;
use crate::store::StoreError;
use crate::store::desk::{BreakView, StoredLine};
use crate::store::reports::{LaneRange, ReceiptFilter, Reports, StoredReceipt};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Calls of one event that are shown, at most.
const RECEIPTS_MAX: usize = 50;

/// A call that said the event.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its receipt, with what came unless that was erased.
    pub receipt: StoredReceipt,
    /// The canonical string that was signed, as the partner's profile makes it today.
    pub signed: Option<Vec<u8>>,
}

/// What a break points at.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The calls, in the order of the chain.
    pub calls: Vec<Call>,
    /// The statement's line, if its file still says something.
    pub line: Option<StoredLine>,
}

/// All of it. `profile` is the partner's, to say what was signed.
///
/// # Errors
/// The machine's.
pub fn of(reports: &mut dyn Reports, profile: Option<&Profile>, about: &BreakView) -> Result<Evidence, StoreError> {
    let line = match about.leg.and_then(|leg| leg.line) {
        Some(no) => reports.shown_line(no)?,
        None => None,
    };
    let receipts = match &about.event {
        Some(event) => receipts(reports, event, about.opened_at)?,
        None => Vec::new(),
    };
    let call = |receipt: StoredReceipt| Call { signed: signed(&receipt, profile), receipt };
    Ok(Evidence { calls: receipts.into_iter().map(call).collect(), line })
}

fn signed(receipt: &StoredReceipt, profile: Option<&Profile>) -> Option<Vec<u8>> {
    let evidence = receipt.evidence.as_ref()?;
    let profile = profile.filter(|profile| profile.code() == &evidence.partner)?;
    profile.trace(&evidence.to_raw(), false).canonical.ok()
}

/// The API's JSON of it.
#[must_use]
pub fn to_json(of: &Evidence) -> Value {
    let calls: Vec<Value> = of.calls.iter().map(call_json).collect();
    json!({ "calls": calls, "statement_line": of.line.as_ref().map(line_json) })
}

/// The calls that said this event, near the moments at which the books or the break heard of it.
///
/// # Errors
/// The machine's.
pub fn receipts(
    reports: &mut dyn Reports,
    event: &EventKey,
    opened_at: Timestamp,
) -> Result<Vec<StoredReceipt>, StoreError> {
    let mut moments: BTreeSet<Timestamp> = reports.postings(event)?.iter().map(|posting| posting.posted_at).collect();
    moments.insert(opened_at);
    let lanes = reports.lanes()?;
    let mut places = BTreeSet::new();
    for moment in moments {
        let ranges = around(reports, &lanes, moment)?;
        places.extend(reports.receipts_about(event, &ranges)?);
    }
    let mut found = Vec::with_capacity(places.len());
    for (lane, n) in places.into_iter().take(RECEIPTS_MAX) {
        let after = (lane, n.saturating_sub(1));
        let filter = ReceiptFilter { after, limit: 1, with_evidence: true, ..ReceiptFilter::default() };
        found.extend(reports.receipts(&filter)?.into_iter().filter(|receipt| (receipt.lane, receipt.n) == (lane, n)));
    }
    Ok(found)
}

/// Every lane's receipts between the seals before and after a moment.
fn around(reports: &mut dyn Reports, lanes: &[u32], moment: Timestamp) -> Result<Vec<LaneRange>, StoreError> {
    let before = reports.seal_before(moment)?;
    let after = reports.seals(moment, 1)?.into_iter().next();
    let head = |seal: &Option<crate::store::Seal>, lane: u32| {
        let found = seal.as_ref().and_then(|seal| seal.heads.iter().find(|(of, _, _)| *of == lane));
        found.map(|(_, n, _)| *n)
    };
    let range = |lane: &u32| LaneRange {
        lane: *lane,
        after: head(&before, *lane).unwrap_or(0),
        upto: head(&after, *lane).unwrap_or(i64::from(u32::MAX)),
    };
    Ok(lanes.iter().map(range).filter(|range| range.after < range.upto).collect())
}

fn call_json(call: &Call) -> Value {
    let receipt = &call.receipt;
    let evidence = receipt.evidence.as_ref().map(|evidence| {
        json!({
            "key_id": evidence.key_id,
            "method": evidence.method.word(),
            "path": evidence.path,
            "query": evidence.query,
            "headers": evidence.headers,
            "body": bytes_json(&evidence.body),
            "signed": call.signed.as_deref().map(bytes_json),
        })
    });
    json!({
        "lane": receipt.lane,
        "n": receipt.n,
        "verdict": receipt.verdict.word(),
        "received_at": receipt.received_at.to_string(),
        "amount": receipt.amount_dong,
        "sha256": hex::encode(receipt.raw_hash),
        "chain": hex::encode(receipt.hash),
        "came": evidence,
    })
}

/// As text where it is text; else in hex, with a mark.
fn bytes_json(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_not_text| json!({ "hex": hex::encode(bytes) }), |text| json!(text))
}
