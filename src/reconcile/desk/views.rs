//! The desk's JSON, the same for the API and the command line. Money is whole dong, an integer.

use crate::domain::resolution::{Age, Item};
use crate::domain::time::Timestamp;
use crate::store::desk::{Authority, BreakView, ItemView, NewProposal, NoteView, ProposalView, StoredLine};
use jiff::civil::Date;
use serde_json::{Value, json};

/// An object with more fields.
#[must_use]
pub fn with<const N: usize>(mut object: Value, more: [(&str, Value); N]) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    object
}

/// Days from the accounting day of a break to this one.
#[must_use]
pub fn age_days(about: &BreakView, today: Date) -> i32 {
    about.aged_from.until(today).map_or(0, |span| span.get_days()).max(0)
}

/// A break, with the words of its class.
#[must_use]
pub fn break_json(about: &BreakView, today: Date) -> Value {
    let class = about.class.about();
    let days = age_days(about, today);
    json!({
        "no": about.no,
        "class": class.code,
        "label_vi": class.label_vi,
        "label_en": class.label_en,
        "cause": class.cause,
        "route": class.route,
        "state": about.state.word(),
        "partner": about.partner.as_ref().map(|p| p.as_str()),
        "payment": about.event.map(|key| key.to_string()),
        "invoice_id": about.invoice.as_ref().map(|id| id.as_str()),
        "message": about.dispatch.as_ref().map(|key| key.as_str()),
        "amount": about.amount.dong(),
        "detail": about.detail,
        "leg": about.leg.map(|leg| json!({
            "kind": leg.kind.word(),
            "day": leg.day.to_string(),
            "file": leg.line.map(|line| line.file().0),
            "line": leg.line.map(|line| line.place()),
            "books_dong": leg.ours,
            "statement_dong": leg.theirs,
            "carried": leg.carried,
        })),
        "opened_at": about.opened_at.to_string(),
        "age_days": days,
        "age": Age::of(days).word(),
        "goes_on": about.goes_on(),
        "assignee": about.assignee.as_ref().map(|a| a.as_str()),
        "proposal": about.proposal.map(|no| no.0),
        "closed_at": about.closed_at.map(|at| at.to_string()),
        "closed_by": about.closed_by.as_ref().map(|a| a.as_str()),
        "close_reason": about.close_reason,
    })
}

/// A line of a break's history.
#[must_use]
pub fn note_json(note: &NoteView) -> Value {
    json!({
        "no": note.no,
        "at": note.at.to_string(),
        "author": note.author.as_str(),
        "what": note.what.word(),
        "text": note.text,
        "attachment": note.attachment.as_ref().map(|(name, hash)| json!({ "name": name, "sha256": hex::encode(hash) })),
    })
}

/// A proposal.
#[must_use]
pub fn proposal_json(of: &ProposalView) -> Value {
    json!({
        "no": of.no.0,
        "action": of.action.word(),
        "state": of.state.word(),
        "maker": of.maker.as_str(),
        "reason": of.reason,
        "made_at": of.made_at.to_string(),
        "items": of.items,
        "dong": of.dong,
        "sha256": hex::encode(of.hash),
        "decided_by": of.decided_by.as_ref().map(|a| a.as_str()),
        "decided_at": of.decided_at.map(|at| at.to_string()),
        "decision": of.decision,
    })
}

/// A list that nobody has proposed yet.
#[must_use]
pub fn draft_json(new: &NewProposal) -> Value {
    json!({
        "action": new.action.word(),
        "maker": new.maker.as_str(),
        "reason": new.reason,
        "items": new.items.len(),
        "dong": new.dong,
        "sha256": hex::encode(new.hash),
        "list": new.items.iter().map(listed).collect::<Vec<_>>(),
    })
}

fn listed(item: &Item) -> Value {
    json!({ "break": item.break_no, "dong": item.dong, "resolution": item.what })
}

/// A line of a proposal's list.
#[must_use]
pub fn item_json(shown: &ItemView) -> Value {
    json!({
        "place": shown.place,
        "break": shown.item.break_no,
        "dong": shown.item.dong,
        "resolution": shown.item.what,
        "ended_at": shown.ended_at.map(|at: Timestamp| at.to_string()),
        "refused": shown.refused,
        "posting": shown.posting.map(|no| no.0),
    })
}

/// An authority.
#[must_use]
pub fn authority_json(of: &Authority) -> Value {
    json!({
        "person": of.person.as_str(),
        "action": of.action.word(),
        "dong": of.dong,
        "granted_by": of.granted_by.as_str(),
        "at": of.at.to_string(),
    })
}

/// A line of a statement with its file.
#[must_use]
pub fn line_json(line: &StoredLine) -> Value {
    let text = |of: &Option<crate::domain::notice::ReferenceText>| of.as_ref().map(|t| t.as_str().to_owned());
    json!({
        "file": line.no.file().0,
        "name": line.file.0,
        "sha256": hex::encode(line.file.1),
        "line": line.no.place(),
        "row": line.row,
        "event": line.event,
        "payment": line.key.map(|key| key.to_string()),
        "movement": line.movement.map(|movement| movement.word()),
        "amount": line.amount.dong(),
        "discount": line.discount.dong(),
        "fee": line.fee.dong(),
        "invoice": text(&line.references.invoice),
        "order": text(&line.references.order),
        "customer": text(&line.references.customer),
        "paid_at": line.paid_at.to_string(),
    })
}
