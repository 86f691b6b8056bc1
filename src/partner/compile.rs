//! From the file to the plan, and the rules across fields that keep a profile from losing or doubling money:
//! - every field that decides identity, money or kind is under the signature;
//! - every outcome has a reply, and no refusal can be read as success;
//! - a profile that refuses before the debit has a way to learn what became of a payment;
//! - no live key is one from the examples, and none is weak;
//! - the examples come out as the file says ([`super::example`]).

mod contract;
mod parties;
mod refund;
mod refusals;
mod statements;

use super::ask::{BillsKind, BillsPlan, StatusKind, StatusPlan};
use super::canonical::{self, Coverage};
use super::decode::{EffectPlan, Figure, NoticePlan, ReferencePlan};
use super::faults::{Faults, ProfileErrors};
use super::file::{
    Algorithm, BillsFile, EffectFile, MethodFile, NoticeFile, OnMismatchFile, PairsOf, ProfileFile, ReplyFile,
    StatusFile,
};
use super::forge::Fields;
use super::locate::{Location, Place, Sources};
use super::profile::Profile;
use super::reply::{ReplyPlan, ReplySigner, Success};
use super::signature::{Scheme, SentAt, SignaturePlan};
use super::times::Format;
use super::{SecretSource, example};
use crate::domain::ids::{Funder, Movement, PartnerCode};
use crate::domain::notice::{Effect, Method, NoEffect, OnMismatch};
use crate::domain::outcome::Outcome;
use jiff::tz::TimeZone;

/// The longest a partner may be said to wait, in milliseconds.
const ANSWER_DEADLINE_MAX_MS: i64 = 120_000;

/// The widest tolerance for a signed send time, in seconds: beyond it the check proves nothing.
const TOLERANCE_MAX_S: i64 = 3600;

/// Reads and compiles one file. `secrets` is absent for tools that only look at the examples.
pub(super) fn compile(
    file_name: &str,
    text: &str,
    secrets: Option<&dyn SecretSource>,
) -> Result<Profile, ProfileErrors> {
    let mut faults = Faults::new(file_name, text);
    let file: ProfileFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            faults.add_toml(&error);
            return Err(ProfileErrors(faults.into_list()));
        }
    };
    let profile = Compiler { faults: &mut faults, file: &file, sources: Sources::default(), headers: Vec::new() }
        .profile(secrets);
    match profile {
        Some(profile) if faults.is_clean() => {
            example::prove(&profile, &file, &mut faults);
            if faults.is_clean() { Ok(profile) } else { Err(ProfileErrors(faults.into_list())) }
        }
        _ => Err(ProfileErrors(faults.into_list())),
    }
}

struct Compiler<'f, 't> {
    faults: &'f mut Faults<'t>,
    file: &'f ProfileFile,
    sources: Sources,
    headers: Vec<String>,
}

/// The signature as compiled, and what it covers.
struct Signed {
    plan: SignaturePlan,
    coverage: Coverage,
    at: Location,
    sent_at: Option<Location>,
    key_id: Option<Location>,
}

impl Compiler<'_, '_> {
    fn profile(mut self, secrets: Option<&dyn SecretSource>) -> Option<Profile> {
        let file = self.file;
        let code = self.faults.take("partner", PartnerCode::parse(file.partner.as_str()).map_err(|e| e.to_string()));
        let zone = self.zone("timezone", &file.timezone);
        self.plain_rules();
        let signed = self.signature(zone.as_ref()?)?;
        self.sources.proving_ends_here();
        self.notice_age(&signed);
        let mut fields = Fields::new(signed.at.clone(), signed.sent_at.clone(), signed.key_id.clone());
        let notice = self.notice(zone.as_ref()?, &signed.coverage, &mut fields);
        let account = notice.as_ref().and_then(|notice| notice.account.clone());
        let bills = file.bills.as_ref().map(|bills| self.bill_references(bills, &signed.coverage));
        let status = file.status.as_ref().map(|status| self.status_event(status, &signed.coverage));

        // Echoes are numbered on their own: a reply opens no more of a call than it repeats.
        let mut echo = Sources::default();
        let replies = self.replies("reply", &file.reply, &mut echo, (&Outcome::ALL, Outcome::word));
        let bill_replies = file
            .bills
            .as_ref()
            .map(|b| self.replies("bills.reply", &b.reply, &mut echo, (BillsKind::ALL, BillsKind::word)));
        let status_replies = file
            .status
            .as_ref()
            .map(|s| self.replies("status.reply", &s.reply, &mut echo, (StatusKind::ALL, StatusKind::word)));
        self.echo_headers();
        let success = self.faults.take("success_when", Success::compile(&file.success_when));
        let bills = bills.zip(bill_replies).map(|(references, replies)| BillsPlan {
            account: account.clone(),
            references,
            replies,
        });
        let status = status.zip(status_replies).map(|(event, replies)| StatusPlan { account, event, replies });
        let reply_signer = self.reply_signer();
        let statements = self.statements(zone.as_ref()?);
        let terms = self.terms(&statements);
        let contract = self.contract();
        let refund = self.refund();
        let (live, example, needs) = self.parties(code.as_ref()?, secrets);
        let profile = Profile {
            code: code?,
            about: file.about.clone(),
            protocol: file.protocol,
            provisional: file.provisional.clone(),
            method: if file.method == MethodFile::Get { Method::Get } else { Method::Post },
            content_types: file.content_types.clone(),
            timezone: zone?,
            on_mismatch: if file.on_mismatch == OnMismatchFile::Refuse { OnMismatch::Refuse } else { OnMismatch::Keep },
            reversal_window_ms: file.reversal_window_hours.and_then(|h| h.checked_mul(3_600_000)),
            answer_deadline_ms: file.answer_deadline_ms,
            sources: self.sources,
            signature: signed.plan,
            notice: notice?,
            fields,
            live,
            example,
            echo_sources: echo,
            replies,
            success: success?,
            reply_signer,
            bills,
            status,
            statements,
            terms,
            contract,
            refund,
            examples: Vec::new(),
            read_headers: self.headers,
            keys: needs,
        };
        refusals::refusals_never_succeed(self.faults, &profile);
        let examples = example::read(self.faults, file, &profile);
        Some(Profile { examples, ..profile })
    }

    fn plain_rules(&mut self) {
        let file = self.file;
        if !(1..=ANSWER_DEADLINE_MAX_MS).contains(&file.answer_deadline_ms) {
            self.faults.add("answer_deadline_ms", format!("expected 1 to {ANSWER_DEADLINE_MAX_MS}"));
        }
        if file.reversal_window_hours.is_some_and(|hours| !(1..=24 * 366).contains(&hours)) {
            self.faults.add("reversal_window_hours", "expected 1 to 8784");
        }
        if file.method == MethodFile::Post && file.content_types.is_empty() {
            self.faults.add("content_types", "expected at least one media type for a POST");
        }
        if !file.unsigned.is_empty() && !file.allow_legacy {
            self.faults.add("unsigned", "expected none, or allow_legacy = true with it");
        }
        let reverses = !file.notice.reverses.is_empty();
        if file.on_mismatch == OnMismatchFile::Refuse && !reverses && file.status.is_none() {
            self.faults.add(
                "on_mismatch",
                "expected a reversal mapping (notice.reverses) or a [status] enquiry beside \"refuse\": without one \
                 nobody learns what became of a payment whose answer was lost",
            );
        }
        if file.reversal_window_hours.is_some() && !reverses {
            self.faults.add("reversal_window_hours", "expected notice.reverses beside it");
        }
    }

    fn zone(&mut self, key: &str, name: &str) -> Option<TimeZone> {
        self.faults.take(key, TimeZone::get(name).map_err(|_unknown| "expected a time zone such as Asia/Ho_Chi_Minh"))
    }

    fn location(&mut self, key: &str, text: &str) -> Option<(Location, Place)> {
        let location = self.faults.take(key, Location::parse(text))?;
        if let Location::Header(name) = &location
            && !self.headers.contains(name)
        {
            self.headers.push(name.clone());
        }
        let place = self.sources.place(&location);
        Some((location, place))
    }

    /// A place whose value decides something: it must be signed.
    fn signed(&mut self, key: &str, text: &str, coverage: &Coverage) -> Option<(Location, Place)> {
        let (location, place) = self.location(key, text)?;
        let excused = self.file.allow_legacy && self.file.unsigned.iter().any(|name| name == text);
        if !coverage.covers(&location) && !excused {
            self.faults
                .add(key, format!("expected a place under the signature, found {text} outside the signed bytes"));
        }
        Some((location, place))
    }

    fn signature(&mut self, zone: &TimeZone) -> Option<Signed> {
        let file = &self.file.signature;
        let legacy = self.file.allow_legacy;
        let scheme = match (&file.algorithm, &file.versions) {
            (Some(_), None) => Scheme::One,
            (None, Some(versions)) if !versions.is_empty() => {
                Scheme::Listed(versions.iter().map(|(name, algorithm)| (name.clone(), *algorithm)).collect())
            }
            _ => {
                self.faults.add("signature.algorithm", "expected either algorithm or versions");
                return None;
            }
        };
        let algorithms = file.algorithm.iter().chain(file.versions.iter().flat_map(|v| v.values()));
        if algorithms.into_iter().any(|a| *a == Algorithm::HmacSha1) && !legacy {
            self.faults.add("signature.algorithm", "hmac-sha1: expected allow_legacy = true with it");
        }
        let at = self.location("signature.at", &file.at);
        let key_id = match &file.key_id {
            Some(text) => Some(self.location("signature.key_id", text)?),
            None => None,
        };
        let (over, coverage) = match canonical::compile(&file.over, &mut self.sources, legacy) {
            Ok(compiled) => compiled,
            Err(messages) => {
                messages.into_iter().for_each(|message| self.faults.add("signature.over", message));
                return None;
            }
        };
        if let super::file::OverFile::RawPairs { of, except, .. } = &file.over {
            let mine = at.as_ref().is_some_and(|(at, _)| match (at, of) {
                (Location::Query(name), PairsOf::Query) | (Location::Form(name), PairsOf::Form) => {
                    !except.contains(name)
                }
                _ => false,
            });
            if mine {
                self.faults.add("signature.over", "expected the signature's own name under except");
            }
        }
        self.template_headers(&coverage);
        let (at, place) = at?;
        let sent_at = file.sent_at.as_ref().and_then(|sent| {
            if !(1..=TOLERANCE_MAX_S).contains(&sent.tolerance_s) {
                self.faults.add("signature.sent_at.tolerance_s", format!("expected 1 to {TOLERANCE_MAX_S}"));
            }
            let format = self.faults.take("signature.sent_at.format", Format::parse(&sent.format, zone));
            let (location, place) = self.signed("signature.sent_at.at", &sent.at, &coverage)?;
            let tolerance_ms = sent.tolerance_s.saturating_mul(1000);
            Some((location, SentAt { place, format: format?, tolerance_ms }))
        });
        let (sent_location, sent_at) = sent_at.unzip();
        let (key_location, key_id) = key_id.unzip();
        let plan = SignaturePlan {
            at: place,
            prefix: file.prefix.clone(),
            encoding: file.encoding,
            over,
            key_id,
            scheme,
            sent_at,
        };
        Some(Signed { plan, coverage, at, sent_at: sent_location, key_id: key_location })
    }

    fn template_headers(&mut self, coverage: &Coverage) {
        for name in coverage.headers() {
            if !self.headers.contains(&name) {
                self.headers.push(name);
            }
        }
    }

    fn notice_age(&mut self, signed: &Signed) {
        if self.file.signature.sent_at.is_some() && signed.sent_at.is_none() {
            self.faults.add("signature.sent_at", "expected a place and a format");
        }
    }

    fn notice(&mut self, zone: &TimeZone, coverage: &Coverage, fields: &mut Fields) -> Option<NoticePlan> {
        let file: &NoticeFile = &self.file.notice;
        if file.event.is_empty() {
            self.faults.add("notice.event", "expected at least one place");
        }
        let event: Vec<_> = file.event.iter().filter_map(|text| self.signed("notice.event", text, coverage)).collect();
        let reverses: Vec<_> =
            file.reverses.iter().filter_map(|text| self.signed("notice.reverses", text, coverage)).collect();
        // Else a reversal would name a payment that cannot be.
        if !file.reverses.is_empty() && file.reverses.len() != file.event.len() {
            self.faults.add("notice.reverses", "expected as many places as notice.event has");
        }
        let account = file.account.at.as_ref().and_then(|text| self.signed("notice.account.at", text, coverage));
        if file.account.is.is_empty() {
            self.faults.add("notice.account.is", "expected our account at the partner");
        }
        let effect = self.effect(&file.effect, coverage, fields);
        let reference = |this: &mut Self, key: &str, text: &Option<String>| {
            text.as_ref().and_then(|text| this.signed(key, text, coverage))
        };
        let invoice = reference(self, "notice.invoice", &file.invoice);
        let order = reference(self, "notice.order", &file.order);
        let customer = reference(self, "notice.customer", &file.customer);
        if file.invoice.is_none() && file.order.is_none() && file.customer.is_none() {
            self.faults.add("notice", "expected at least one of invoice, order, customer");
        }
        let amount = self.signed("notice.amount.at", &file.amount.at, coverage);
        let figure = |this: &mut Self, key: &str, figure: &super::file::FigureFile| {
            let (location, place) = this.signed(&format!("{key}.at"), &figure.at, coverage)?;
            this.scale(&format!("{key}.scale"), figure.scale);
            Some((location, Figure { place, scale: figure.scale, written: figure.written }))
        };
        let discount = file.discount.as_ref().and_then(|f| figure(self, "notice.discount", f));
        let fee = file.fee.as_ref().and_then(|f| figure(self, "notice.fee", f));
        let funder = file.funder.as_ref().and_then(|text| {
            self.faults.take("notice.funder", Funder::parse(text.as_str()).map_err(|e| e.to_string()))
        });
        if discount.is_some() && funder.is_none() {
            self.faults.add("notice.funder", "expected who pays the discount");
        }
        let channel = file.channel.as_ref().and_then(|text| self.location("notice.channel", text));
        let paid_at = self.signed("notice.paid_at.at", &file.paid_at.at, coverage);
        let zone = match &file.paid_at.zone {
            Some(name) => self.zone("notice.paid_at.zone", name)?,
            None => zone.clone(),
        };
        let format = self.faults.take("notice.paid_at.format", Format::parse(&file.paid_at.format, &zone));
        self.scale("notice.amount.scale", file.amount.scale);
        let (amount_at, amount_place) = amount?;
        let (paid_location, paid_place) = paid_at?;
        let format = format?;
        fields.account.clone_from(&account.as_ref().map(|(l, _)| l.clone()));
        fields.event = event.iter().map(|(l, _)| l.clone()).collect();
        fields.reverses = reverses.iter().map(|(l, _)| l.clone()).collect();
        fields.invoice = invoice.as_ref().map(|(l, _)| l.clone());
        fields.order = order.as_ref().map(|(l, _)| l.clone());
        fields.customer = customer.as_ref().map(|(l, _)| l.clone());
        fields.amount = Some((amount_at, file.amount.scale, file.amount.means));
        fields.discount = discount.as_ref().map(|(l, f)| (l.clone(), f.scale));
        fields.fee = fee.as_ref().map(|(l, f)| (l.clone(), f.scale));
        fields.paid_at = Some((paid_location, format.clone()));
        let place = |found: Option<(Location, Place)>| found.map(|(_, place)| place);
        Some(NoticePlan {
            event: event.into_iter().map(|(_, place)| place).collect(),
            account: place(account),
            effect: effect?,
            reverses: reverses.into_iter().map(|(_, place)| place).collect(),
            references: ReferencePlan { invoice: place(invoice), order: place(order), customer: place(customer) },
            amount: Figure { place: amount_place, scale: file.amount.scale, written: file.amount.written },
            means: file.amount.means,
            discount: discount.map(|(_, figure)| figure),
            funder,
            fee: fee.map(|(_, figure)| figure),
            channel: place(channel),
            paid_at: (paid_place, format),
        })
    }

    fn scale(&mut self, key: &str, scale: u32) {
        if scale > 4 {
            self.faults.add(key, "expected 0 to 4 decimal places");
        }
    }

    fn effect(&mut self, file: &EffectFile, coverage: &Coverage, fields: &mut Fields) -> Option<EffectPlan> {
        let word = |this: &mut Self, text: &str| {
            this.faults.take(
                "notice.effect",
                effect_of(text).ok_or("expected one of payment, reversal, pending, failed, probe"),
            )
        };
        let plan = match file {
            EffectFile::Always(text) => EffectPlan::Always(word(self, text)?),
            EffectFile::Mapped(mapped) => {
                let map = mapped.map.iter().map(|(status, text)| Some((status.clone(), word(self, text)?)));
                let map: Vec<(String, Effect)> = map.collect::<Option<_>>()?;
                let absent = match &mapped.absent {
                    Some(text) => Some(word(self, text)?),
                    None => None,
                };
                let (location, place) = self.signed("notice.effect.at", &mapped.at, coverage)?;
                fields.effect = Some((location, map.clone()));
                EffectPlan::Mapped { place, map, absent }
            }
        };
        let reversal = Effect::Moves(Movement::Reversal);
        let reverses = match &plan {
            EffectPlan::Always(effect) => *effect == reversal,
            EffectPlan::Mapped { map, absent, .. } => {
                *absent == Some(reversal) || map.iter().any(|(_, effect)| *effect == reversal)
            }
        };
        if reverses == self.file.notice.reverses.is_empty() {
            self.faults
                .add("notice.reverses", "expected the event id of the payment exactly when reversals are mapped");
        }
        Some(plan)
    }

    fn bill_references(&mut self, file: &BillsFile, coverage: &Coverage) -> ReferencePlan {
        let mut one = |key: &str, text: &Option<String>| {
            text.as_ref().and_then(|text| self.signed(key, text, coverage)).map(|(_, place)| place)
        };
        ReferencePlan {
            invoice: one("bills.invoice", &file.invoice),
            order: one("bills.order", &file.order),
            customer: one("bills.customer", &file.customer),
        }
    }

    fn status_event(&mut self, file: &StatusFile, coverage: &Coverage) -> Vec<Place> {
        if file.event.len() != self.file.notice.event.len() {
            self.faults.add("status.event", "expected as many places as notice.event has");
        }
        let places = file.event.iter().filter_map(|text| self.signed("status.event", text, coverage));
        places.map(|(_, place)| place).collect()
    }

    fn replies<K: Copy + 'static>(
        &mut self,
        section: &str,
        files: &std::collections::BTreeMap<String, ReplyFile>,
        echo: &mut Sources,
        (kinds, word): (&[K], fn(K) -> &'static str),
    ) -> Vec<(K, ReplyPlan)> {
        for name in files.keys() {
            if !kinds.iter().any(|kind| word(*kind) == name) {
                let words: Vec<&str> = kinds.iter().map(|kind| word(*kind)).collect();
                self.faults.add(&format!("{section}.{name}"), format!("expected one of {}", words.join(", ")));
            }
        }
        let mut plans = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let key = format!("{section}.{}", word(*kind));
            match files.get(word(*kind)) {
                None => self.faults.add(&key, "expected a reply: every outcome has one"),
                Some(file) => {
                    if let Some(plan) = self.faults.take(&key, ReplyPlan::compile(file, echo)) {
                        plans.push((*kind, plan));
                    }
                }
            }
        }
        plans
    }

    /// Echoed headers are kept with the evidence too: a redone notice gets the same answer.
    fn echo_headers(&mut self) {
        let sections = [Some(&self.file.reply), self.file.bills.as_ref().map(|b| &b.reply)];
        let status = self.file.status.as_ref().map(|s| &s.reply);
        for files in sections.into_iter().chain([status]).flatten() {
            for file in files.values() {
                let texts = format!("{:?} {:?} {:?}", file.headers, file.json, file.text);
                for rest in texts.split("{echo:header:").skip(1) {
                    let name = rest.split('}').next().unwrap_or_default().to_owned();
                    if !self.headers.contains(&name) {
                        self.headers.push(name);
                    }
                }
            }
        }
    }

    fn reply_signer(&mut self) -> Option<ReplySigner> {
        let file = self.file.reply_signature.as_ref()?;
        self.faults.take("reply_signature.over", ReplySigner::compile(&file.header, file.encoding, &file.over))
    }
}

pub(super) fn effect_of(word: &str) -> Option<Effect> {
    Some(match word {
        "payment" => Effect::Moves(Movement::Payment),
        "reversal" => Effect::Moves(Movement::Reversal),
        "pending" => Effect::None(NoEffect::Pending),
        "failed" => Effect::None(NoEffect::Failed),
        "probe" => Effect::None(NoEffect::Probe),
        _ => return None,
    })
}
