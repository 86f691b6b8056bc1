//! No refusal may be read as success: the rule that keeps a profile from losing or doubling money by a word.

use super::super::ask::{BillsKind, StatusKind};
use super::super::faults::Faults;
use super::super::profile::Profile;
use super::super::reply::{Facts, ReplyContext, ReplyPlan};
use crate::domain::notice::OnMismatch;
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;

/// A refusal that the partner would read as success loses money: it stops calling, and nothing is booked.
pub(super) fn refusals_never_succeed(faults: &mut Faults<'_>, profile: &Profile) {
    let refuses = profile.on_mismatch == OnMismatch::Refuse;
    let reverses = !profile.notice.reverses.is_empty();
    let context = ReplyContext { raw: None, payment: None, now: Timestamp::default() };
    let succeeds = |plan: &ReplyPlan, word: &str| {
        let mut forced: Vec<Option<&str>> = vec![None];
        forced.extend(profile.success.words().iter().map(|word| Some(word.as_str())));
        forced.into_iter().any(|forced| {
            let facts = Facts { forced, ..Facts::of(word) };
            profile.success.reads(&plan.make(&profile.echo_sources, facts, &context))
        })
    };
    for (outcome, plan) in &profile.replies {
        let key = format!("reply.{}", outcome.word());
        let forbidden = match outcome {
            Outcome::AlreadyPaid | Outcome::UnknownInvoice | Outcome::WrongAmount => refuses,
            Outcome::ReversalRefused => refuses || reverses,
            other => other.must_not_succeed(),
        };
        if forbidden && succeeds(plan, outcome.word()) {
            faults.add(&key, "expected a reply that the partner does not read as success (success_when)");
        }
        let plain = plan.make(&profile.echo_sources, Facts::of(outcome.word()), &context);
        if *outcome == Outcome::Accepted && !profile.success.reads(&plain) {
            faults.add(&key, "expected a reply that the partner reads as success (success_when)");
        }
    }
    for (kind, plan) in profile.bills.iter().flat_map(|bills| &bills.replies) {
        if matches!(kind, BillsKind::TryAgain | BillsKind::BadSignature | BillsKind::Stale | BillsKind::Malformed)
            && succeeds(plan, kind.word())
        {
            faults.add(&format!("bills.reply.{}", kind.word()), "expected a reply that does not read as success");
        }
    }
    for (kind, plan) in profile.status.iter().flat_map(|status| &status.replies) {
        if !matches!(kind, StatusKind::Paid | StatusKind::Parked | StatusKind::Reversed) && succeeds(plan, kind.word())
        {
            faults.add(&format!("status.reply.{}", kind.word()), "expected a reply that does not read as success");
        }
    }
}
