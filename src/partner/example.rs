//! The examples a profile must reproduce before it loads: recorded or published calls with what they mean and what
//! is answered. They are signed with `example_key`, which no live key may be, and judged at their own `at`.
//!
//! Among the examples of notices there must be: one that is accepted; a second sending of it, with other bytes, that
//! is the same content (`same_content_as`); one whose content differs under the same event (`other_content_than`);
//! one with a discount, where discounts are mapped; and one that is not proved.

use super::ask::{BillsAnswer, BillsKind, StatusAnswer, StatusKind};
use super::faults::Faults;
pub use super::file::CallKind as Call;
use super::file::{AsksFile, ExampleFile, ExpectedFile, ProfileFile};
use super::profile::Profile;
use super::reply::{Bill, Reply, ReplyContext};
use super::signature::Side;
use super::times;
use crate::domain::ids::{EventId, InvoiceId, Movement};
use crate::domain::money::Money;
use crate::domain::notice::{Effect, NoEffect, Notice, RawNotice, ReferenceText, References};
use crate::domain::outcome::{Outcome, Refusal};
use crate::domain::time::Timestamp;
use bytes::Bytes;
use std::net::{IpAddr, Ipv4Addr};

/// Most examples of one profile: each is proved at every start.
const EXAMPLES_MAX: usize = 64;

/// One example.
#[derive(Clone, Debug)]
pub struct Example {
    /// What it shows.
    pub about: String,
    /// Which call it is.
    pub call: Call,
    /// The call.
    pub raw: RawNotice,
    /// The clock it is judged at.
    pub at: Timestamp,
    /// What must come of it.
    pub expected: Expected,
    /// The word whose reply is shown.
    pub outcome: String,
}

/// What must come of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It is read.
    Read,
    /// It is refused with this outcome.
    Refused(Outcome),
}

/// Builds the calls of the examples.
pub(super) fn read(faults: &mut Faults<'_>, file: &ProfileFile, profile: &Profile) -> Vec<Example> {
    if file.example.len() > EXAMPLES_MAX {
        faults.add("example", format!("expected at most {EXAMPLES_MAX}"));
    }
    let mut examples = Vec::new();
    for (n, example) in file.example.iter().enumerate() {
        let key = format!("example[{}]", n + 1);
        let at = times::rfc3339(&example.at).ok_or("expected a moment such as 2026-04-01T09:30:00+07:00");
        let Some(at) = faults.take(&format!("{key}.at"), at) else { continue };
        let refused = example.refusal.as_deref().map(Outcome::parse);
        let expected = match refused {
            None => Expected::Read,
            Some(Some(outcome @ (Outcome::BadSignature | Outcome::Stale | Outcome::Malformed))) => {
                Expected::Refused(outcome)
            }
            Some(_) => {
                faults.add(&format!("{key}.refusal"), "expected bad_signature, stale or malformed");
                continue;
            }
        };
        let path = example.path.clone().unwrap_or_else(|| match example.call {
            Call::Notice => format!("/webhooks/{}", profile.code()),
            Call::Bills => format!("/partners/{}/bills", profile.code()),
            Call::Status => format!("/partners/{}/status", profile.code()),
        });
        let headers = example.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        examples.push(Example {
            about: example.about.clone(),
            call: example.call,
            raw: RawNotice {
                method: if example.call == Call::Notice {
                    profile.method()
                } else {
                    crate::domain::notice::Method::Post
                },
                path,
                query: example.query.clone(),
                headers: headers.collect(),
                body: Bytes::from(example.body.clone().into_bytes()),
                peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
                received_at: at,
            },
            at,
            expected,
            outcome: example.outcome.clone(),
        });
    }
    examples
}

/// Runs the examples and notes each that does not come out as stated.
pub(super) fn prove(profile: &Profile, file: &ProfileFile, faults: &mut Faults<'_>) {
    let mut notices: Vec<Option<Notice>> = Vec::new();
    for (n, (example, stated)) in profile.examples.iter().zip(&file.example).enumerate() {
        let key = format!("example[{}]", n + 1);
        notices.push(prove_one(profile, example, (stated, &key), faults));
        check_reply(profile, example, (stated, &key), faults);
    }
    let mut kinds = Kinds::default();
    for (n, (example, stated)) in profile.examples.iter().zip(&file.example).enumerate() {
        let notice = notices.get(n).and_then(Option::as_ref);
        if example.call == Call::Notice {
            kinds.refused |= example.expected == Expected::Refused(Outcome::BadSignature);
            kinds.accepted |= notice.is_some() && example.outcome == Outcome::Accepted.word();
            kinds.discounted |= notice.is_some_and(|notice| notice.discount.is_positive());
        }
        let other = |number: usize| {
            let index = number.checked_sub(1)?;
            Some((profile.examples.get(index)?, notices.get(index)?.as_ref()?))
        };
        if let Some(number) = stated.same_content_as {
            kinds.same = true;
            let same = other(number).zip(notice).is_some_and(|((first, before), now)| {
                let other_bytes = first.raw.body != example.raw.body
                    || first.raw.headers != example.raw.headers
                    || first.raw.query != example.raw.query;
                other_bytes && before.key() == now.key() && now.key().is_some() && before.content() == now.content()
            });
            if !same {
                let message = format!("expected the event and content of example {number} in other bytes");
                faults.add(&format!("example[{}].same_content_as", n + 1), message);
            }
        }
        if let Some(number) = stated.other_content_than {
            kinds.other = true;
            let differs = other(number).zip(notice).is_some_and(|((_, before), now)| {
                before.key() == now.key() && now.key().is_some() && before.content() != now.content()
            });
            if !differs {
                let message = format!("expected the event of example {number} with other content");
                faults.add(&format!("example[{}].other_content_than", n + 1), message);
            }
        }
    }
    kinds.report(profile.notice.discount.is_some(), faults);
}

/// Which of the required kinds were seen.
#[derive(Debug, Default)]
struct Kinds {
    accepted: bool,
    same: bool,
    other: bool,
    discounted: bool,
    refused: bool,
}

impl Kinds {
    fn report(&self, has_discount: bool, faults: &mut Faults<'_>) {
        let required = [
            (self.accepted, "a notice that is accepted"),
            (self.same, "a second sending with same_content_as"),
            (self.other, "a changed amount with other_content_than"),
            (self.discounted || !has_discount, "a notice with a discount"),
            (self.refused, "a tampered notice with refusal = \"bad_signature\""),
        ];
        for (_, what) in required.iter().filter(|(seen, _)| !seen) {
            faults.add("example", format!("expected an example of {what}"));
        }
    }
}

fn prove_one(
    profile: &Profile,
    example: &Example,
    (stated, key): (&ExampleFile, &str),
    faults: &mut Faults<'_>,
) -> Option<Notice> {
    let refused = |refusal: &Refusal, faults: &mut Faults<'_>| {
        if example.expected != Expected::Refused(refusal.outcome()) {
            faults.add(key, format!("expected another end than {}: {refusal}", refusal.outcome()));
        }
    };
    let proved = match profile.prove_as(Side::Example, &example.raw, example.at) {
        Ok(proved) => proved,
        Err(refusal) => {
            refused(&refusal, faults);
            return None;
        }
    };
    if let Some(id) = stated.key.as_ref().filter(|id| *id != proved.key_id()) {
        faults.add(&format!("{key}.key"), format!("expected {}, the key that proves it, not {id}", proved.key_id()));
    }
    let read = match example.call {
        Call::Notice => profile.read(&proved, example.at).map(|notice| {
            match &stated.notice {
                Some(expected) => check_notice(&notice, expected, (key, faults)),
                None => faults.add(&format!("{key}.notice"), "expected what the notice says"),
            }
            Some(notice)
        }),
        Call::Bills => profile.read_bills(&proved, example.at).map(|references| {
            check_asks(stated, (&references, None), (key, faults));
            None
        }),
        Call::Status => profile.read_status(&proved, example.at).map(|ask| {
            check_asks(stated, (&References::default(), Some(&ask.event)), (key, faults));
            None
        }),
    };
    match read {
        Ok(notice) => {
            if let Expected::Refused(outcome) = example.expected {
                faults.add(&format!("{key}.refusal"), format!("expected {outcome}, but it is proved and read"));
            }
            notice
        }
        Err(refusal) => {
            refused(&refusal, faults);
            None
        }
    }
}

fn check_notice(notice: &Notice, expected: &ExpectedFile, (key, faults): (&str, &mut Faults<'_>)) {
    let mut same = |field: &str, matches: bool, found: String| {
        if !matches {
            faults.add(&format!("{key}.notice.{field}"), format!("expected otherwise, the notice says {found}"));
        }
    };
    let text = |reference: &Option<ReferenceText>| reference.as_ref().map(|r| r.as_str().to_owned());
    let reverses = notice.reverses.as_ref().map(|event| event.fields().to_vec()).unwrap_or_default();
    let references = &notice.references;
    same("event", notice.event.fields() == expected.event, format!("{:?}", notice.event.fields()));
    same("effect", word_of(notice.effect) == expected.effect, word_of(notice.effect).to_owned());
    same("amount", notice.amount.dong() == expected.amount, notice.amount.to_string());
    same("discount", notice.discount.dong() == expected.discount, notice.discount.to_string());
    same("fee", notice.fee.dong() == expected.fee, notice.fee.to_string());
    same("invoice", text(&references.invoice) == expected.invoice, format!("{:?}", text(&references.invoice)));
    same("order", text(&references.order) == expected.order, format!("{:?}", text(&references.order)));
    same("customer", text(&references.customer) == expected.customer, format!("{:?}", text(&references.customer)));
    same("reverses", reverses == expected.reverses, format!("{reverses:?}"));
    let paid_at = times::rfc3339(&expected.paid_at);
    same("paid_at", paid_at == Some(notice.paid_at), notice.paid_at.to_string());
}

fn check_asks(
    stated: &ExampleFile,
    (references, event): (&References, Option<&EventId>),
    (key, faults): (&str, &mut Faults<'_>),
) {
    let text = |reference: &Option<ReferenceText>| reference.as_ref().map(|r| r.as_str().to_owned());
    let found = AsksFile {
        invoice: text(&references.invoice),
        order: text(&references.order),
        customer: text(&references.customer),
        event: event.map(|event| event.fields().to_vec()).unwrap_or_default(),
    };
    if stated.asks.as_ref() != Some(&found) {
        faults.add(&format!("{key}.asks"), format!("expected otherwise, it asks {found:?}"));
    }
}

fn check_reply(profile: &Profile, example: &Example, (stated, key): (&ExampleFile, &str), faults: &mut Faults<'_>) {
    let Some(reply) = example.reply(profile) else {
        faults.add(&format!("{key}.outcome"), "expected an outcome of this kind of call");
        return;
    };
    if let Expected::Refused(outcome) = example.expected
        && example.outcome != outcome.word()
    {
        faults.add(&format!("{key}.outcome"), format!("expected {outcome}, the refusal"));
    }
    if reply.status != stated.reply_status {
        faults.add(&format!("{key}.reply_status"), format!("expected {}, the reply's", reply.status));
    }
    if let Some(body) = &stated.reply_body
        && body.as_bytes() != reply.body
    {
        let found = String::from_utf8_lossy(&reply.body);
        faults.add(&format!("{key}.reply_body"), format!("expected otherwise, the reply is {found}"));
    }
}

impl Example {
    /// The reply that the example shows, signed with the example's key where replies are signed. A payment id is
    /// that of the example's own event. `None` when the outcome's word is none of this call's.
    #[must_use]
    pub fn reply(&self, profile: &Profile) -> Option<Reply> {
        let proved = profile.prove_as(Side::Example, &self.raw, self.at).ok();
        let notice = proved.as_ref().and_then(|proved| profile.read(proved, self.at).ok());
        let payment = notice.as_ref().filter(|_| self.call == Call::Notice).and_then(Notice::key);
        let context = ReplyContext { raw: Some(&self.raw), payment, now: self.at };
        match self.call {
            Call::Notice => Outcome::parse(&self.outcome).map(|o| profile.reply_as(Side::Example, o, &context)),
            Call::Bills => BillsKind::parse(&self.outcome).map(|kind| {
                let references = proved.as_ref().and_then(|proved| profile.read_bills(proved, self.at).ok());
                let customer = references.and_then(|r| r.customer).map(|c| c.as_str().to_owned());
                let bills = if kind == BillsKind::Ok { sample_bills() } else { Vec::new() };
                profile.reply_bills_as(Side::Example, &BillsAnswer { kind, customer, bills }, &context)
            }),
            Call::Status => StatusKind::parse(&self.outcome).map(|kind| {
                let ask = proved.as_ref().and_then(|proved| profile.read_status(proved, self.at).ok());
                let known = matches!(kind, StatusKind::Paid | StatusKind::Parked | StatusKind::Reversed);
                let payment = ask.filter(|_| known).map(|ask| ask.payment);
                let amount = if known { Money::from_dong(150_000).ok() } else { None };
                profile.reply_status_as(Side::Example, &StatusAnswer { kind, payment, amount }, &context)
            }),
        }
    }

    /// Reads the example as its notice, with the example's keys.
    ///
    /// # Errors
    /// As [`Profile::prove`] and [`Profile::read`].
    pub fn notice(&self, profile: &Profile) -> Result<Notice, Refusal> {
        let proved = profile.prove_as(Side::Example, &self.raw, self.at)?;
        profile.read(&proved, self.at)
    }
}

/// The bills that every example of an inquiry is answered with.
fn sample_bills() -> Vec<Bill> {
    let bill = |invoice: &str, period: &str, dong: i64, due_on| {
        let (invoice, amount) = (InvoiceId::parse(invoice).ok()?, Money::from_dong(dong).ok()?);
        Some(Bill { invoice, period: period.to_owned(), amount, due_on })
    };
    [
        bill("HD-0001", "2026-03-1", 150_000, jiff::civil::date(2026, 4, 10)),
        bill("HD-0002", "2026-04-1", 162_500, jiff::civil::date(2026, 5, 10)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The profile's word for an effect.
#[must_use]
pub fn word_of(effect: Effect) -> &'static str {
    match effect {
        Effect::Moves(Movement::Payment) => "payment",
        Effect::Moves(Movement::Reversal) => "reversal",
        Effect::None(NoEffect::Pending) => "pending",
        Effect::None(NoEffect::Failed) => "failed",
        Effect::None(NoEffect::Probe) => "probe",
    }
}
