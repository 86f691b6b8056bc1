//! The desk's verbs as pages call them: the same functions as the API's, with what they answer said in words.

use super::form::Form;
use super::session::Who;
use super::stop::Stop;
use super::told::told;
use super::words::Words;
use crate::domain::resolution::{BadResolution, ProposalNo, Resolution};
use crate::http::desk::Marked;
use crate::http::internal::Internal;
use crate::http::proposals;
use crate::reconcile::desk::{CarriedOut, Decision, NotProposed};
use crate::store::desk::{Decided, NewProposal, Verb};
use actix_web::http::StatusCode;

/// A no to a proposal: its status, in words, and the breaks that are not free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct No {
    /// As the API would answer.
    pub status: StatusCode,
    /// For people.
    pub says: String,
    /// Breaks that are closed, or in another proposal.
    pub not_free: Vec<i64>,
}

/// A list as it would be proposed now.
///
/// # Errors
/// [`Stop`]: the machine's. Within: why nothing can be proposed.
pub async fn draft(
    internal: &Internal,
    who: &Who,
    (wishes, reason): (Vec<(i64, Resolution)>, &str),
) -> Result<Result<NewProposal, No>, Stop> {
    let w = who.words();
    let drafted = proposals::drafted(internal, wishes, who.author().clone(), reason.to_owned()).await;
    drafted.map_err(|problem| Stop::of(problem, w))?.map_or_else(|no| refused(no, w), |new| Ok(Ok(new)))
}

/// Proposes a list.
///
/// # Errors
/// As [`draft`].
pub async fn propose(internal: &Internal, who: &Who, new: NewProposal) -> Result<Result<ProposalNo, No>, Stop> {
    let w = who.words();
    let kept = proposals::kept(internal, new).await.map_err(|problem| Stop::of(problem, w))?;
    kept.map_or_else(|no| refused(no, w), |no| Ok(Ok(no)))
}

fn refused<T>(no: NotProposed, w: Words) -> Result<Result<T, No>, Stop> {
    let bad = |says: String| No { status: StatusCode::UNPROCESSABLE_ENTITY, says, not_free: Vec::new() };
    let no = match no {
        NotProposed::Items => bad(w.prop_items().to_owned()),
        NotProposed::Actions => bad(w.prop_actions().to_owned()),
        NotProposed::Reason => bad(w.prop_reason().to_owned()),
        NotProposed::Bad(no, BadResolution::Money(..)) => bad(format!("#{no}: {}", w.prop_bad_money())),
        NotProposed::Bad(no, BadResolution::Shares) => bad(format!("#{no}: {}", w.prop_bad_shares())),
        NotProposed::Sum => bad(w.prop_sum().to_owned()),
        NotProposed::Unknown(no) => {
            No { status: StatusCode::NOT_FOUND, says: format!("#{no}: {}", w.prop_unknown()), not_free: vec![no] }
        }
        NotProposed::NotFree(breaks) => {
            let numbers: Vec<String> = breaks.iter().take(20).map(|no| format!("#{no}")).collect();
            let says = format!("{} {}", w.prop_not_free(), numbers.join(", "));
            No { status: StatusCode::CONFLICT, says, not_free: breaks }
        }
        NotProposed::Slice(_) | NotProposed::Store(_) => {
            tracing::error!(error = %no, "Something that finance asked for was not done; it may be tried again");
            return Err(Stop::no(StatusCode::SERVICE_UNAVAILABLE, w.try_again(), w));
        }
    };
    Ok(Err(no))
}

/// A decision of this person, from a form with `sha256` and `words`.
///
/// # Errors
/// [`Stop`] that says why it does not count.
pub async fn decide(
    internal: &Internal,
    who: &Who,
    (proposal, verb, form): (ProposalNo, Verb, &Form),
) -> Result<CarriedOut, Stop> {
    let w = who.words();
    let mut hash = [0; 32];
    let read = hex::decode_to_slice(form.get("sha256").unwrap_or_default(), &mut hash);
    read.map_err(|_not_hex| Stop::bad(w.dec_other_list(), w))?;
    let words = match form.text("words") {
        Some(words) => crate::reconcile::desk::text(words).ok_or_else(|| Stop::bad(w.prop_reason(), w))?,
        None if verb == Verb::Reject => return Err(Stop::bad(w.dec_say_why(), w)),
        None => String::new(),
    };
    let decision =
        Decision { proposal, verb, by: who.author().clone(), hash, words, at: internal.intake.clock().now() };
    let decided = proposals::decide_and_carry_out(internal, decision).await;
    let (decided, carried) = decided.map_err(|problem| Stop::of(problem, w))?;
    match decided {
        Decided::Done => Ok(carried),
        Decided::NotFound => Err(Stop::not_there(w)),
        Decided::Late => Err(Stop::conflict(w.dec_late(), w)),
        Decided::OtherList => Err(Stop::conflict(w.dec_other_list(), w)),
        Decided::NotYours => Err(Stop::conflict(w.dec_not_yours(), w)),
        Decided::BeyondAuthority => Err(Stop::no(StatusCode::FORBIDDEN, w.dec_beyond(), w)),
    }
}

/// Goes on only if a word on a break was kept.
///
/// # Errors
/// [`Stop`] that says why not.
pub fn kept(marked: Marked, w: Words) -> Result<(), Stop> {
    match marked {
        Marked::Done => Ok(()),
        Marked::NotThere => Err(Stop::not_there(w)),
        Marked::Closed => Err(Stop::conflict(w.mark_closed(), w)),
        Marked::Full => Err(Stop::conflict(w.mark_full(), w)),
    }
}

/// Why an item of a proposal was not carried out, in words.
#[must_use]
pub fn why_refused(why: &str, w: Words) -> String {
    told(why, w)
}
