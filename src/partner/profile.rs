//! A partner, compiled: from the file's words to a flat plan that a call runs through without looking anything up.
//! Loading is where every mistake that can be known is found: the rules of this file say what a profile may not be.

use super::ask::{BillsAnswer, BillsPlan, StatusAnswer, StatusAsk, StatusPlan};
use super::decode::{self, Known, NoticePlan};
use super::example::Example;
use super::file::{Algorithm, KeyEncoding};
use super::keys::{LiveKey, SigningKey};
use super::locate::Sources;
use super::refund::RefundColumn;
use super::reply::{Facts, Reply, ReplyContext, ReplyPlan, ReplySigner, Success};
use super::settlement::Terms;
use super::signature::{AuthenticNotice, Side, SignaturePlan, Trace};
use super::statement::Layout;
use crate::domain::ids::PartnerCode;
use crate::domain::notice::{Method, Notice, OnMismatch, RawNotice, References};
use crate::domain::outcome::{Outcome, Refusal};
use crate::domain::receipt::{Evidence, HashedEvidence};
use crate::domain::statement::StatementKind;
use crate::domain::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// How one partner speaks.
#[derive(Debug)]
pub struct Profile {
    pub(super) code: PartnerCode,
    pub(super) about: String,
    pub(super) protocol: bool,
    pub(super) provisional: Option<String>,
    pub(super) method: Method,
    pub(super) content_types: Vec<String>,
    pub(super) timezone: TimeZone,
    pub(super) on_mismatch: OnMismatch,
    pub(super) reversal_window_ms: Option<i64>,
    pub(super) answer_deadline_ms: i64,
    pub(super) sources: Sources,
    pub(super) signature: SignaturePlan,
    pub(super) notice: NoticePlan,
    /// The same fields as written, for tools that make calls up.
    pub(super) fields: super::forge::Fields,
    pub(super) live: Party,
    pub(super) example: Party,
    pub(super) echo_sources: Sources,
    pub(super) replies: Vec<(Outcome, ReplyPlan)>,
    pub(super) success: Success,
    pub(super) reply_signer: Option<ReplySigner>,
    pub(super) bills: Option<BillsPlan>,
    pub(super) status: Option<StatusPlan>,
    pub(super) statements: Vec<Layout>,
    pub(super) terms: Terms,
    pub(super) contract: Contract,
    pub(super) refund: Vec<RefundColumn>,
    pub(super) examples: Vec<Example>,
    pub(super) read_headers: Vec<String>,
    pub(super) keys: Vec<KeyNeed>,
}

/// What papers call the partner and its contract; nothing where the profile does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// The partner's full name.
    pub name: Option<String>,
    /// The contract's number.
    pub contract_no: Option<String>,
    /// The day of the contract.
    pub contract_date: Option<Date>,
}

/// Keys and account: the real ones, or those of the examples.
#[derive(Debug, Default)]
pub(super) struct Party {
    pub(super) keys: Vec<LiveKey>,
    pub(super) account: String,
    pub(super) reply_key: Option<SigningKey>,
    /// What the partner's side of these keys signs with, where it is known.
    pub(super) signers: Vec<SigningKey>,
}

/// A secret that a profile needs, for tools that make fresh ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyNeed {
    /// Whose.
    pub partner: PartnerCode,
    /// The key's id in the profile; `reply` for the one we sign replies with.
    pub id: String,
    /// The secret's name, `env:..` or `file:..`.
    pub secret: String,
    /// What it is for.
    pub algorithm: Algorithm,
    /// How it is written.
    pub encoding: KeyEncoding,
    /// Do we sign with it (our reply key), or does the partner?
    pub ours: bool,
}

/// A key that proves a partner's calls, for people: never what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpan {
    /// Its id in the profile.
    pub id: String,
    /// It proves calls from this moment on,
    pub from: Option<Timestamp>,
    /// and before this one.
    pub until: Option<Timestamp>,
}

impl Profile {
    /// The keys that prove its calls, and when.
    #[must_use]
    pub fn key_spans(&self) -> Vec<KeySpan> {
        let span = |key: &LiveKey| KeySpan { id: key.id.to_string(), from: key.not_before, until: key.not_after };
        self.live.keys.iter().map(span).collect()
    }

    /// The partner's name.
    #[must_use]
    pub fn code(&self) -> &PartnerCode {
        &self.code
    }

    /// One sentence about it.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Our account at the partner, as its notices must name it.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.live.account
    }

    /// How it calls us.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// May a payment that fits no bill be refused?
    #[must_use]
    pub fn on_mismatch(&self) -> OnMismatch {
        self.on_mismatch
    }

    /// The zone of its business days.
    #[must_use]
    pub fn timezone(&self) -> &TimeZone {
        &self.timezone
    }

    /// How long after a payment it may be reversed; `None` for as long as it is not settled.
    #[must_use]
    pub fn reversal_window_ms(&self) -> Option<i64> {
        self.reversal_window_ms
    }

    /// How long the partner waits for an answer.
    #[must_use]
    pub fn answer_deadline_ms(&self) -> i64 {
        self.answer_deadline_ms
    }

    /// The media types it may send, without parameters; empty for a GET.
    #[must_use]
    pub fn content_types(&self) -> &[String] {
        &self.content_types
    }

    /// Is this a protocol for several senders, not one partner?
    #[must_use]
    pub fn is_protocol(&self) -> bool {
        self.protocol
    }

    /// Why the profile is not the partner's word, if it is not.
    #[must_use]
    pub fn provisional(&self) -> Option<&str> {
        self.provisional.as_deref()
    }

    /// Does it ask for bills?
    #[must_use]
    pub fn has_bills(&self) -> bool {
        self.bills.is_some()
    }

    /// Does it ask for a payment's status?
    #[must_use]
    pub fn has_status(&self) -> bool {
        self.status.is_some()
    }

    /// Do its notices say what the partner charges?
    #[must_use]
    pub fn states_fees(&self) -> bool {
        self.notice.fee.is_some()
    }

    /// Do its notices say the sponsor's part?
    #[must_use]
    pub fn states_discounts(&self) -> bool {
        self.notice.discount.is_some()
    }

    /// How a statement about it is laid out; `None` if the profile does not say.
    #[must_use]
    pub fn statement(&self, kind: StatementKind) -> Option<&Layout> {
        self.statements.iter().find(|layout| layout.kind == kind)
    }

    /// What it charges, and when it pays what it collected.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// How it wants to be asked to give a payment back.
    #[must_use]
    pub fn refund_columns(&self) -> &[RefundColumn] {
        &self.refund
    }

    /// What papers call the partner and its contract.
    #[must_use]
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The secrets it names.
    #[must_use]
    pub fn key_needs(&self) -> &[KeyNeed] {
        &self.keys
    }

    /// Proves a call with one of the partner's live keys. Serves notices, bill inquiries and status enquiries alike.
    ///
    /// # Errors
    /// [`Refusal::BadSignature`] only.
    pub fn prove<'r>(&self, raw: &'r RawNotice, now: Timestamp) -> Result<AuthenticNotice<'r>, Refusal> {
        self.prove_as(Side::Live, raw, now)
    }

    /// Proves a call with the examples' keys, for tools: such a call is nobody's money.
    ///
    /// # Errors
    /// [`Refusal::BadSignature`] only.
    pub fn prove_as_example<'r>(&self, raw: &'r RawNotice, now: Timestamp) -> Result<AuthenticNotice<'r>, Refusal> {
        self.prove_as(Side::Example, raw, now)
    }

    pub(super) fn prove_as<'r>(
        &self,
        side: Side,
        raw: &'r RawNotice,
        now: Timestamp,
    ) -> Result<AuthenticNotice<'r>, Refusal> {
        let keys = &self.party(side).keys;
        self.signature.prove(&self.sources, (keys, side), raw, now).map_err(Refusal::BadSignature)
    }

    /// Reads a proved notice.
    ///
    /// # Errors
    /// [`Refusal::Stale`] or [`Refusal::Malformed`].
    pub fn read(&self, proved: &AuthenticNotice<'_>, now: Timestamp) -> Result<Notice, Refusal> {
        self.check_age(proved, now)?;
        self.notice.read(proved.call()?, self.known(proved.side()), now)
    }

    /// Reads a stored, proved notice again, long after it was sent: without the age check, which is about the way
    /// and not about the content.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn read_again(&self, proved: &AuthenticNotice<'_>, now: Timestamp) -> Result<Notice, Refusal> {
        self.notice.read(proved.call()?, self.known(proved.side()), now)
    }

    /// Reads a proved bill inquiry.
    ///
    /// # Errors
    /// [`Refusal::Stale`] or [`Refusal::Malformed`], the latter also when the partner asks for no bills.
    pub fn read_bills(&self, proved: &AuthenticNotice<'_>, now: Timestamp) -> Result<References, Refusal> {
        self.check_age(proved, now)?;
        match &self.bills {
            Some(bills) => bills.read(proved, &self.party(proved.side()).account),
            None => Err(decode::malformed("bills", "a profile with bill inquiry")),
        }
    }

    /// Reads a proved status enquiry.
    ///
    /// # Errors
    /// [`Refusal::Stale`] or [`Refusal::Malformed`], the latter also when the partner asks for no status.
    pub fn read_status(&self, proved: &AuthenticNotice<'_>, now: Timestamp) -> Result<StatusAsk, Refusal> {
        self.check_age(proved, now)?;
        match &self.status {
            Some(status) => status.read(proved, self.known(proved.side())),
            None => Err(decode::malformed("status", "a profile with status enquiry")),
        }
    }

    /// What is kept of a proved call: its bytes and the headers that the profile reads.
    #[must_use]
    pub fn evidence(&self, proved: &AuthenticNotice<'_>) -> HashedEvidence {
        let raw = proved.raw();
        let read = |(name, _): &&(String, String)| self.read_headers.contains(name);
        HashedEvidence::of(Evidence {
            partner: self.code.clone(),
            key_id: proved.key_id().to_owned(),
            method: raw.method,
            path: raw.path.clone(),
            query: raw.query.clone(),
            headers: raw.headers.iter().filter(read).cloned().collect(),
            body: raw.body.clone(),
            received_at: raw.received_at,
        })
    }

    /// Our answer to a notice.
    #[must_use]
    pub fn reply(&self, outcome: Outcome, context: &ReplyContext<'_>) -> Reply {
        self.reply_as(Side::Live, outcome, context)
    }

    pub(super) fn reply_as(&self, side: Side, outcome: Outcome, context: &ReplyContext<'_>) -> Reply {
        let facts =
            Facts { payment: context.payment, proved: outcome != Outcome::BadSignature, ..Facts::of(outcome.word()) };
        let plan = self.replies.iter().find(|(of, _)| *of == outcome).map(|(_, plan)| plan);
        self.finish(side, plan, facts, context)
    }

    /// Our answer to a bill inquiry.
    #[must_use]
    pub fn reply_bills(&self, answer: &BillsAnswer, context: &ReplyContext<'_>) -> Reply {
        self.reply_bills_as(Side::Live, answer, context)
    }

    pub(super) fn reply_bills_as(&self, side: Side, answer: &BillsAnswer, context: &ReplyContext<'_>) -> Reply {
        let plan = self.bills.as_ref().and_then(|bills| bills.reply(answer.kind));
        self.finish(side, plan, answer.facts(), context)
    }

    /// Our answer to a status enquiry.
    #[must_use]
    pub fn reply_status(&self, answer: &StatusAnswer, context: &ReplyContext<'_>) -> Reply {
        self.reply_status_as(Side::Live, answer, context)
    }

    pub(super) fn reply_status_as(&self, side: Side, answer: &StatusAnswer, context: &ReplyContext<'_>) -> Reply {
        let plan = self.status.as_ref().and_then(|status| status.reply(answer.kind));
        self.finish(side, plan, answer.facts(), context)
    }

    /// Would the partner take this reply as "done"?
    #[must_use]
    pub fn reads_as_success(&self, reply: &Reply) -> bool {
        self.success.reads(reply)
    }

    /// Shows how a call's signature is computed, with the examples' keys or the live ones.
    #[must_use]
    pub fn trace(&self, raw: &RawNotice, with_example_keys: bool) -> Trace {
        let side = if with_example_keys { Side::Example } else { Side::Live };
        self.signature.trace(&self.sources, &self.party(side).keys, raw)
    }

    /// The examples, in the file's order.
    #[must_use]
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    pub(super) fn party(&self, side: Side) -> &Party {
        match side {
            Side::Live => &self.live,
            Side::Example => &self.example,
        }
    }

    pub(super) fn known(&self, side: Side) -> Known<'_> {
        Known { partner: &self.code, account: &self.party(side).account, on_mismatch: self.on_mismatch }
    }

    fn check_age(&self, proved: &AuthenticNotice<'_>, now: Timestamp) -> Result<(), Refusal> {
        match &self.signature.sent_at {
            Some(sent_at) => decode::check_sent_at(proved.call()?, sent_at, now),
            None => Ok(()),
        }
    }

    /// A word without a reply cannot be: loading proved that all are there. Were it so, 503 is "call again" to
    /// everybody.
    fn finish(&self, side: Side, plan: Option<&ReplyPlan>, facts: Facts<'_>, context: &ReplyContext<'_>) -> Reply {
        let Some(plan) = plan else { return Reply { status: 503, headers: Vec::new(), body: Vec::new() } };
        let mut reply = plan.make(&self.echo_sources, facts, context);
        if let Some((signer, key)) = self.reply_signer.as_ref().zip(self.party(side).reply_key.as_ref()) {
            signer.sign(key, &mut reply);
        }
        reply
    }
}
