//! The end of the day, by the gateway's own doors: statements are taken and compared, rules propose and are approved as
//! far as somebody allowed, one person draws each day up and another one signs it. Every person has a token of their own.
//! Whatever is not as it must be is named; nothing is forgiven.

use super::chance::Chance;
use super::collector::Line;
use super::core_book;
use super::day_file::{self, DayFile, Expected};
use crate::domain::ids::PartnerCode;
use crate::domain::resolution::Action;
use crate::domain::statement::StatementKind;
use crate::ledger::certificate::Certificate;
use crate::outbox::internal_client::{Call, InternalClient};
use crate::partner::Profile;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What rules may approve in one list, and what may go on open over a close: more than any day of the sandbox has.
const AUTHORITY_DONG: i64 = 1_000_000_000_000;

/// Lists of one rule and partner; a list has ten thousand breaks at most.
const LISTS_MAX: u32 = 100;

/// Differences that an answer lists.
const DIFFERENCES_MAX: usize = 10_000;

/// Why what is open may go on open.
const ACCEPT: &str = "looked at by the demo's finance; with the partner";

/// Who acts, each under a name of their own.
pub struct Staff {
    /// Takes statements, compares, draws days up.
    pub maker: InternalClient,
    /// Runs rules on what the other one brought, and signs.
    pub checker: InternalClient,
    /// Gives authority, and uses none.
    pub admin: InternalClient,
}

/// The names of [`Staff`], in that order.
pub const STAFF: [&str; 3] = ["demo-maker", "demo-checker", "demo-admin"];

/// How many, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figure {
    /// How many.
    pub count: u64,
    /// In dong.
    pub dong: i64,
}

impl Figure {
    fn of(value: &Value) -> Self {
        Self { count: count(value, "/count"), dong: whole(value, "/dong") }
    }

    fn add(&mut self, dong: i64) {
        *self = Self { count: self.count + 1, dong: self.dong + dong };
    }
}

/// A statement, and what its comparison came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Whose word it is.
    pub kind: &'static str,
    /// Lines.
    pub lines: u64,
    /// Payments less reversals, in dong.
    pub dong: i64,
    /// Of it, matched with the books.
    pub matched: Figure,
    /// What differs, by class; over the statement less the books.
    pub differs: BTreeMap<String, Figure>,
}

/// What goes on open of a class, in one bucket of age.
pub type Open = BTreeMap<(String, String), Figure>;

/// One partner's day, as it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayEnd {
    /// Its statements.
    pub legs: Vec<Leg>,
    /// Booked by the rule for what was never notified.
    pub created: Figure,
    /// Proposed by the rule for what was paid twice: waits for a second person.
    pub to_refund: Figure,
    /// Breaks that go on open by the close.
    pub open: Open,
    /// What the close takes into account.
    pub accounted: Figure,
    /// The close's hash, once it is sealed.
    pub sealed: Option<String>,
    /// The certificate, once it is valid.
    pub certified: Option<Certificate>,
}

/// The whole evening.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evening {
    /// Days by partner.
    pub days: BTreeMap<String, DayEnd>,
    /// What is not as it must be, a sentence each.
    pub differences: Vec<String>,
}

/// What a party sends, on its way to us: who, which kind, the file.
pub type OnTheWay<'w> = &'w (dyn Fn(&PartnerCode, StatementKind, Vec<u8>) -> Vec<u8> + Sync);

/// What the evening is about.
pub struct Past<'p> {
    /// The day.
    pub day: Date,
    /// Whose mistakes are drawn from it.
    pub chance: Chance,
    /// The collectors, with what they wrote down.
    pub collectors: Vec<(Arc<Profile>, Vec<Line>)>,
    /// What the core wrote down.
    pub core: Vec<core_book::Line>,
    /// What happens to files on their way.
    pub on_the_way: OnTheWay<'p>,
}

impl Evening {
    /// Files are taken and compared, then rules book what they may.
    pub async fn begin(&mut self, staff: &Staff, past: &Past<'_>) {
        // What rules leave, a person may approve at the desk.
        let checker = Action::ALL.map(|action| (STAFF[1], action));
        for (person, action) in [("system:rules", Action::Create)].into_iter().chain(checker) {
            let grant = json!({ "person": person, "action": action.word(), "dong": AUTHORITY_DONG });
            self.note(post(&staff.admin, "/api/v1/authorities", &grant).await);
        }
        for (profile, lines) in &past.collectors {
            for kind in [StatementKind::Partner, StatementKind::Core] {
                let file = file(past, kind, (profile, lines));
                let leg = match file {
                    Ok(Some(file)) => self.leg(staff, past, (profile.code(), kind), file).await,
                    Ok(None) => continue,
                    Err(why) => Err(why),
                };
                let leg = leg.map_err(|why| format!("{}, {} statement: {why}", profile.code(), kind.word()));
                if let Some(leg) = self.note(leg) {
                    self.day(profile).legs.push(leg);
                }
            }
            let created = rule(staff, "create-missing", profile.code()).await;
            match self.note(created) {
                Some(ran) if ran.waits.count > 0 => {
                    self.differences.push(format!("{}: what the rule found was not approved", profile.code()));
                }
                Some(ran) => self.day(profile).created = ran.done,
                None => {}
            }
        }
    }

    /// Days are compared again with what was booked, drawn up and signed.
    pub async fn sign_off(&mut self, staff: &Staff, past: &Past<'_>) {
        for (profile, _) in &past.collectors {
            let closed = self.close(staff, past.day, profile).await;
            self.note(closed.map_err(|why| format!("{}: the day is not closed: {why}", profile.code())));
        }
    }

    /// The certificate of a partner's day, as the gateway gives it.
    ///
    /// # Errors
    /// A sentence.
    pub async fn certificate(staff: &Staff, partner: &str, day: Date) -> Result<Certificate, String> {
        let path = format!("/api/v1/certificates/{partner}/{day}");
        let answer = ask(&staff.maker, ("GET", &path), ("application/json", Vec::new())).await?;
        serde_json::from_value(answer).map_err(|error| format!("the certificate cannot be read: {error}"))
    }

    fn note<T>(&mut self, done: Result<T, String>) -> Option<T> {
        done.map_err(|why| self.differences.push(why)).ok()
    }

    fn day(&mut self, profile: &Profile) -> &mut DayEnd {
        self.days.entry(profile.code().to_string()).or_default()
    }

    async fn leg(
        &mut self,
        staff: &Staff,
        past: &Past<'_>,
        (partner, kind): (&PartnerCode, StatementKind),
        file: DayFile,
    ) -> Result<Leg, String> {
        let (day, word) = (past.day, kind.word());
        let bytes = (past.on_the_way)(partner, kind, file.bytes);
        let path = format!("/api/v1/statements?partner={partner}&date={day}&kind={word}&name={partner}-{day}");
        let taken = ask(&staff.maker, ("POST", &path), ("application/octet-stream", bytes)).await?;
        let compared = compare(staff, (partner, kind), day).await?;
        let mut differs: BTreeMap<String, Figure> = BTreeMap::new();
        let mut found = Expected::new();
        for row in rows(&compared, "/differences") {
            let class = text(row, "/class");
            differs.entry(class.to_owned()).or_default().add(whole(row, "/difference_dong"));
            let payment = text(row, "/payment");
            match file.expected.get(&(payment.to_owned(), class)) {
                Some(expected) => drop(found.insert(expected.clone())),
                None => self.differences.push(format!(
                    "{partner}, {word} statement: {class} over {payment}, which nobody expected: {}",
                    text(row, "/detail")
                )),
            }
        }
        let all = count(&compared, "/differences_in_all");
        let (planted, shown) = (file.expected.len(), file.expected.len().min(DIFFERENCES_MAX));
        if u64::try_from(planted) != Ok(all) || found.len() != shown {
            self.differences.push(format!("{partner}, {word} statement: {planted} differences expected, {all} found"));
        }
        Ok(Leg {
            kind: word,
            lines: count(&taken, "/lines"),
            dong: whole(&taken, "/payments/dong") - whole(&taken, "/reversals/dong"),
            matched: figure(&compared, "/sums/statement/matched_today"),
            differs,
        })
    }

    async fn close(&mut self, staff: &Staff, day: Date, profile: &Profile) -> Result<(), String> {
        let partner = profile.code();
        compare(staff, (partner, StatementKind::Partner), day).await?;
        let refunds = rule(staff, "refund-later", partner).await?;
        if refunds.done.count > 0 {
            self.differences.push(format!("{partner}: money was to go out by a rule alone"));
        }
        let path = format!("/api/v1/closes/{partner}/{day}");
        let draft = post(&staff.maker, &format!("{path}/draft"), &json!({ "accept": ACCEPT })).await?;
        let signed =
            post(&staff.checker, &format!("{path}/sign"), &json!({ "sha256": text(&draft, "/sha256") })).await?;
        if text(&signed, "/state") != "sealed" {
            return Err("it was signed, and is not sealed".to_owned());
        }
        let end = self.day(profile);
        end.to_refund = refunds.waits;
        end.sealed = Some(text(&signed, "/sha256").to_owned());
        for one in rows(&signed, "/figures/open/listed") {
            let of = (text(one, "/class").to_owned(), text(one, "/age").to_owned());
            // What goes on open is measured without its sign.
            end.open.entry(of).or_default().add(whole(one, "/dong").saturating_abs());
        }
        let (all, mut rest) = (figure(&signed, "/figures/open"), Figure::default());
        for of in end.open.values() {
            rest = Figure { count: rest.count + of.count, dong: rest.dong + of.dong };
        }
        if all != rest {
            let rest = Figure { count: all.count.saturating_sub(rest.count), dong: all.dong - rest.dong };
            end.open.insert(("not listed".to_owned(), "any".to_owned()), rest);
        }
        for one in rows(&signed, "/figures/accounted") {
            let more = Figure::of(one);
            end.accounted = Figure { count: end.accounted.count + more.count, dong: end.accounted.dong + more.dong };
        }
        Ok(())
    }
}

/// What a party sends; nothing where the profile has no layout for it.
fn file(
    past: &Past<'_>,
    kind: StatementKind,
    (profile, lines): (&Profile, &[Line]),
) -> Result<Option<DayFile>, String> {
    let Some(layout) = profile.statement(kind) else { return Ok(None) };
    match kind {
        StatementKind::Partner => day_file::of_collector(layout, past.day, lines, past.chance),
        StatementKind::Core => day_file::of_core(layout, past.day, &past.core, (profile.code().as_str(), lines)),
        StatementKind::Bank => return Ok(None),
    }
    .map(Some)
}

fn figure(answer: &Value, at: &str) -> Figure {
    answer.pointer(at).map(Figure::of).unwrap_or_default()
}

fn count(answer: &Value, at: &str) -> u64 {
    answer.pointer(at).and_then(Value::as_u64).unwrap_or_default()
}

fn whole(answer: &Value, at: &str) -> i64 {
    answer.pointer(at).and_then(Value::as_i64).unwrap_or_default()
}

fn text<'a>(answer: &'a Value, at: &str) -> &'a str {
    answer.pointer(at).and_then(Value::as_str).unwrap_or_default()
}

fn rows<'a>(answer: &'a Value, at: &str) -> &'a [Value] {
    answer.pointer(at).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// What a rule did.
#[derive(Default)]
struct Ran {
    /// Carried out.
    done: Figure,
    /// Proposed, and for a person to decide.
    waits: Figure,
}

/// Runs a rule until it finds nothing more. What the books did not bear counts as not done.
async fn rule(staff: &Staff, name: &str, partner: &PartnerCode) -> Result<Ran, String> {
    let mut ran = Ran::default();
    for _ in 0..LISTS_MAX {
        let asked = json!({ "partner": partner.as_str() });
        let answer = post(&staff.checker, &format!("/api/v1/rules/{name}"), &asked).await?;
        let (items, dong) = (count(&answer, "/items"), whole(&answer, "/dong"));
        if items == 0 {
            break;
        }
        if count(&answer, "/refused") > 0 {
            return Err(format!("{partner}, {name}: the books did not bear what the rule found"));
        }
        let of = if answer.pointer("/approved") == Some(&Value::Bool(true)) { &mut ran.done } else { &mut ran.waits };
        *of = Figure { count: of.count + items, dong: of.dong + dong };
    }
    Ok(ran)
}

async fn compare(staff: &Staff, (partner, kind): (&PartnerCode, StatementKind), day: Date) -> Result<Value, String> {
    let path = format!("/api/v1/reconciliations/{partner}/{day}?kind={}", kind.word());
    ask(&staff.maker, ("POST", &path), ("application/json", Vec::new())).await
}

async fn post(who: &InternalClient, path: &str, body: &Value) -> Result<Value, String> {
    ask(who, ("POST", path), ("application/json", body.to_string().into_bytes())).await
}

/// One call that must be answered with a yes.
async fn ask(
    who: &InternalClient,
    (method, path): (&str, &str),
    (content_type, body): (&str, Vec<u8>),
) -> Result<Value, String> {
    let answered = who.call(Call { method, path, content_type, body }).await?;
    let text = String::from_utf8_lossy(&answered.body);
    if !(200..300).contains(&answered.status) {
        return Err(format!("{method} {path}: {} {text}", answered.status));
    }
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| format!("{method} {path}: no JSON: {error}"))
}
