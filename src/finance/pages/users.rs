//! Who works here, as what, and up to which sum. Nobody changes their own roles, disables themselves, or gives themselves
//! authority; whoever gives somebody a password takes that one's authority with it. A password that is made up is shown
//! once, on the answer to the form, and is in no address and no log.

mod authorities;
mod one;

use super::me::hashed;
use crate::domain::ids::Author;
use crate::domain::resolution::Action;
use crate::domain::time::Timestamp;
use crate::domain::user::{Right, Role, Roles, is_person};
use crate::finance::session::{Who, role_word};
use crate::finance::shell::{Part, Shell, page};
use crate::finance::stop::Stop;
use crate::finance::told::author;
use crate::finance::wish::action_word;
use crate::finance::words::Words;
use crate::finance::{form, password, show};
use crate::http::internal::{Internal, on_writer};
use crate::http::problem::Problem;
use crate::ledger::transact;
use crate::store::users::{DeskLog, User, UserChange};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use authorities::AuthorityRow;
use serde::Deserialize;

/// Every right, in the order of the table.
const RIGHTS: [Right; 7] =
    [Right::Look, Right::SeePayers, Right::Propose, Right::Decide, Right::Operate, Right::Manage, Right::Oversee];

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/users", web::get().to(list))
        .route("/users", web::post().to(add))
        .route("/users/{name}", web::get().to(one::show))
        .route("/users/{name}/{action}", web::post().to(one::change))
        .route("/authorities", web::post().to(authorities::give));
}

fn right_word(right: Right, w: Words) -> &'static str {
    match right {
        Right::Look => w.us_right_look(),
        Right::SeePayers => w.us_right_payers(),
        Right::Propose => w.us_right_propose(),
        Right::Decide => w.us_right_decide(),
        Right::Operate => w.us_right_operate(),
        Right::Manage => w.us_right_manage(),
        Right::Oversee => w.us_right_oversee(),
    }
}

/// A role as a box of a form.
#[derive(Debug)]
struct RoleBox {
    word: &'static str,
    name: &'static str,
    chosen: bool,
}

fn role_boxes(chosen: Roles, w: Words) -> Vec<RoleBox> {
    let of = |role: Role| RoleBox { word: role.word(), name: role_word(role, w), chosen: chosen.has(role) };
    Role::ALL.into_iter().map(of).collect()
}

/// The roles that a form names; `None` for a word that is none.
fn roles_of(form: &form::Form) -> Option<Roles> {
    form.all("role").map(Role::parse).collect::<Option<Vec<Role>>>().map(|roles| Roles::of(&roles))
}

/// Somebody as a line of the list.
#[derive(Debug)]
struct UserRow {
    name: String,
    roles: String,
    state: &'static str,
    look: &'static str,
    made: String,
}

/// Where somebody stands, and the look of the word.
fn state(user: &User, now: Timestamp, w: Words) -> (&'static str, &'static str) {
    match user {
        User { disabled: true, .. } => (w.us_disabled(), ""),
        User { locked_until: Some(until), .. } if now < *until => (w.us_locked(), "bad"),
        User { given: true, .. } => (w.us_given(), "warn"),
        _ => (w.us_works(), "good"),
    }
}

fn roles_text(roles: Roles, w: Words) -> String {
    roles.iter().map(|role| role_word(role, w)).collect::<Vec<_>>().join(", ")
}

fn user_row(user: &User, now: Timestamp, w: Words) -> UserRow {
    let (state, look) = state(user, now, w);
    UserRow {
        name: user.name.to_string(),
        roles: roles_text(user.roles, w),
        state,
        look,
        made: format!("{}, {}", show::moment(user.made_at), author(&user.made_by, w)),
    }
}

/// A line of the table of rights.
#[derive(Debug)]
struct RightRow {
    name: &'static str,
    may: Vec<bool>,
}

fn rights(w: Words) -> Vec<RightRow> {
    let may = |right| Role::ALL.into_iter().map(|role| Roles::of(&[role]).may(right)).collect();
    RIGHTS.into_iter().map(|right| RightRow { name: right_word(right, w), may: may(right) }).collect()
}

#[derive(Template)]
#[template(path = "users.html", config = "src/finance/askama.toml")]
struct UsersPage {
    shell: Shell,
    w: Words,
    users: Vec<UserRow>,
    rights: Vec<RightRow>,
    roles: Vec<RoleBox>,
    /// What was typed, and why it was not taken.
    name: String,
    wrong: Option<&'static str>,
    authorities: Vec<AuthorityRow>,
    actions: Vec<(&'static str, &'static str)>,
    people: Vec<String>,
    grant: authorities::Typed,
}

/// What is on the page besides the lists.
#[derive(Default)]
struct Beside {
    said: Option<&'static str>,
    name: String,
    roles: Roles,
    wrong: Option<&'static str>,
    grant: authorities::Typed,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

async fn list(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Manage)?;
    let done: Done = form::query(&request, who.words())?;
    let said = (done.done == "authority").then(|| who.words().us_authority_given());
    listed(&who, &internal, Beside { said, ..Beside::default() }).await
}

async fn listed(who: &Who, internal: &Internal, beside: Beside) -> Result<HttpResponse, Stop> {
    let (w, now) = (who.words(), internal.intake.clock().now());
    let found = internal.readers.ask(|reports| Ok((reports.users()?, reports.authorities()?))).await;
    let (users, authorities) = found.map_err(|error| Stop::of(error.into(), w))?;
    let people = users.iter().map(|user| user.name.to_string());
    page(
        &UsersPage {
            shell: Shell::new(who, Part::Users).saying(beside.said),
            w,
            users: users.iter().map(|user| user_row(user, now, w)).collect(),
            rights: rights(w),
            roles: role_boxes(beside.roles, w),
            name: beside.name,
            wrong: beside.wrong,
            people: people.chain([crate::reconcile::desk::rules::APPROVER.to_owned()]).collect(),
            authorities: authorities::rows(&authorities, w),
            actions: authorities::actions(w),
            grant: beside.grant,
        },
        w,
    )
}

/// The page that shows a password, once.
#[derive(Template)]
#[template(path = "user_password.html", config = "src/finance/askama.toml")]
struct PasswordPage {
    shell: Shell,
    w: Words,
    name: String,
    password: String,
    /// What this person could approve before.
    withdrawn: Vec<&'static str>,
}

fn shown_once(who: &Who, name: &Author, (password, gone): (String, Vec<Action>)) -> Result<HttpResponse, Stop> {
    let w = who.words();
    let withdrawn = gone.into_iter().map(|action| action_word(action, w)).collect();
    let shell = Shell::new(who, Part::Users);
    page(&PasswordPage { shell, w, name: name.to_string(), password, withdrawn }, w)
}

/// A password that nobody chose, made beside the threads that answer.
async fn made_up(w: Words) -> Result<(String, String), Stop> {
    let made = hashed(w, String::new(), |_nothing| password::made_up()).await?;
    made.map_err(|_not_hashed| Stop::of(Problem::internal(), w))
}

async fn add(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Manage)?;
    let w = who.words();
    let form = form::read(&request, payload, &who).await?;
    let typed = form.text("name").unwrap_or_default().to_owned();
    let roles = roles_of(&form).unwrap_or_default();
    let again = |wrong| Beside { name: typed.clone(), roles, wrong: Some(wrong), ..Beside::default() };
    let name = match Author::parse(typed.clone()) {
        Ok(name) if is_person(&name) => name,
        Ok(_) | Err(_) => return listed(&who, &internal, again(w.us_bad_name())).await,
    };
    if roles == Roles::default() {
        return listed(&who, &internal, again(w.us_no_role())).await;
    }
    let (made, phc) = made_up(w).await?;
    let now = internal.intake.clock().now();
    let user = User::new(name.clone(), roles, phc, (who.author().clone(), now));
    let line = line(&who, now, "user-add", format!("{name} {}", roles.words()));
    let added = on_writer(&internal.writer, move |store| {
        let added = transact(store, |tx| {
            let added = tx.add_user(&user)?;
            added.as_ref().map(|gone| tx.log_desk(&line.clone().without(gone))).transpose()?;
            Ok(added)
        });
        added.map(|(added, _)| added)
    });
    let Some(gone) = added.await.map_err(|problem| Stop::of(problem, w))? else {
        return listed(&who, &internal, again(w.us_taken())).await;
    };
    took(&who, &name, &gone);
    shown_once(&who, &name, (made, gone))
}

fn line(who: &Who, at: Timestamp, what: &str, subject: String) -> DeskLog {
    DeskLog { at, name: who.author().clone(), what: what.to_owned(), subject }
}

/// Changes somebody and notes it, both or neither. Says what this person cannot approve any more.
async fn changed(
    who: &Who,
    internal: &Internal,
    (name, change): (&Author, UserChange),
    (what, subject): (&str, String),
) -> Result<Vec<Action>, Stop> {
    let w = who.words();
    let line = line(who, internal.intake.clock().now(), what, subject);
    let of = name.clone();
    let there = on_writer(&internal.writer, move |store| {
        let there = transact(store, |tx| {
            let there = tx.change_user(&of, &change)?;
            there.as_ref().map(|gone| tx.log_desk(&line.clone().without(gone))).transpose()?;
            Ok(there)
        });
        there.map(|(there, _)| there)
    });
    let gone = there.await.map_err(|problem| Stop::of(problem, w))?.ok_or_else(|| Stop::not_there(w))?;
    took(who, name, &gone);
    Ok(gone)
}

/// Says in the log of the gateway what the desk's own log says.
fn took(who: &Who, person: &Author, withdrawn: &[Action]) {
    for action in withdrawn {
        tracing::warn!(caller = %who.author(), %person, action = action.word(), "An authority was withdrawn");
    }
}

#[cfg(test)]
mod tests {
    use super::{RIGHTS, rights};
    use crate::domain::user::Tongue;
    use crate::finance::words::Words;

    #[test]
    fn the_table_of_rights_has_each_of_them_once() {
        let rows = rights(Words(Tongue::En));
        let each: std::collections::BTreeSet<_> = RIGHTS.into_iter().collect();
        assert_eq!((rows.len(), each.len()), (RIGHTS.len(), RIGHTS.len()));
        assert!(rows.iter().all(|row| row.may.contains(&true)), "no right is nobody's");
    }
}
