//! Up to which sum somebody may approve what. Nobody gives authority to themselves, or to somebody as whom they could log in.

use super::{Beside, listed};
use crate::domain::ids::Author;
use crate::domain::money::typed_dong;
use crate::domain::resolution::Action;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::to;
use crate::finance::stop::Stop;
use crate::finance::told::author;
use crate::finance::wish::action_word;
use crate::finance::words::Words;
use crate::finance::{form, show};
use crate::http::internal::Internal;
use crate::http::proposals::{Given, given};
use crate::store::desk::Authority;
use actix_web::{HttpRequest, HttpResponse, web};

/// The sum that means no authority.
const NONE: i64 = -1;

/// An authority as a line.
#[derive(Debug)]
pub(super) struct AuthorityRow {
    /// As a form sends it.
    pub(super) name: String,
    /// For people.
    pub(super) person: String,
    pub(super) action: &'static str,
    /// The action as a form sends it.
    pub(super) word: &'static str,
    /// Is there anything to take away?
    pub(super) held: bool,
    pub(super) sum: String,
    pub(super) given: String,
}

/// What was typed into the form, and why it was not taken.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) person: String,
    pub(super) action: String,
    pub(super) sum: String,
    pub(super) wrong: Option<&'static str>,
}

/// The actions as choices of a form.
pub(super) fn actions(w: Words) -> Vec<(&'static str, &'static str)> {
    Action::ALL.into_iter().map(|action| (action.word(), action_word(action, w))).collect()
}

/// As lines.
pub(super) fn rows(all: &[Authority], w: Words) -> Vec<AuthorityRow> {
    let row = |of: &Authority| AuthorityRow {
        name: of.person.to_string(),
        person: author(&of.person, w),
        action: action_word(of.action, w),
        word: of.action.word(),
        held: of.dong != NONE,
        sum: if of.dong == NONE { w.us_none().to_owned() } else { show::money(of.dong, w.0) },
        given: format!("{}, {}", author(&of.granted_by, w), show::moment(of.at)),
    };
    all.iter().map(row).collect()
}

/// `POST /authorities`
pub(super) async fn give(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Manage)?;
    let w = who.words();
    let form = form::read(&request, payload, &who).await?;
    let text = |name: &str| form.text(name).unwrap_or_default().to_owned();
    let mut typed = Typed { person: text("person"), action: text("action"), sum: text("sum"), wrong: None };
    let sum = if form.get("none").is_some() { Some(NONE) } else { typed_dong(&typed.sum).filter(|dong| *dong >= 0) };
    let person = Author::parse(typed.person.clone()).ok();
    let asked = person.zip(Action::parse(&typed.action)).zip(sum);
    let Some(((person, action), dong)) = asked else {
        typed.wrong = Some(w.us_bad_authority());
        return listed(&who, &internal, Beside { grant: typed, ..Beside::default() }).await;
    };
    let subject = format!("{person} {} {dong}", action.word());
    let (granted_by, at) = (who.author().clone(), internal.intake.clock().now());
    let authority = Authority { person, action, dong, granted_by, at };
    typed.wrong = match given(&internal, authority).await.map_err(|problem| Stop::of(problem, w))? {
        Given::Done => {
            who.note(&internal, "authority", &subject).await?;
            return Ok(to("/users?done=authority"));
        }
        Given::ToThemselves => Some(w.us_not_to_yourself()),
        Given::ByWhoCouldLogIn => Some(w.us_not_by_you()),
    };
    listed(&who, &internal, Beside { grant: typed, ..Beside::default() }).await
}
