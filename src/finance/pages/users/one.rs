//! One user: roles, passwords, locks, and whether this person may log in at all.

use super::{Done, RoleBox, changed, made_up, role_boxes, roles_of, roles_text, shown_once, state};
use crate::domain::ids::Author;
use crate::domain::user::{Right, Roles};
use crate::finance::pages::users::authorities::{self, AuthorityRow};
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::stop::Stop;
use crate::finance::told::author;
use crate::finance::words::Words;
use crate::finance::{form, show};
use crate::http::internal::Internal;
use crate::store::users::{User, UserChange};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

#[derive(Template)]
#[template(path = "user.html", config = "src/finance/askama.toml")]
struct UserPage {
    shell: Shell,
    w: Words,
    name: String,
    state: &'static str,
    look: &'static str,
    facts: Vec<(&'static str, String)>,
    roles: Vec<RoleBox>,
    wrong: Option<&'static str>,
    own: bool,
    disabled: bool,
    locked: bool,
    authorities: Vec<AuthorityRow>,
}

fn named(text: String, w: Words) -> Result<Author, Stop> {
    Author::parse(text).map_err(|_no_such_name| Stop::not_there(w))
}

async fn found(name: &Author, internal: &Internal, w: Words) -> Result<User, Stop> {
    let users = internal.readers.ask(|reports| reports.users()).await.map_err(|error| Stop::of(error.into(), w))?;
    users.into_iter().find(|user| user.name == *name).ok_or_else(|| Stop::not_there(w))
}

/// `GET /users/{name}`
pub(super) async fn show(
    request: HttpRequest,
    path: web::Path<String>,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Manage)?;
    let w = who.words();
    let done: Done = form::query(&request, w)?;
    let said = match done.done.as_str() {
        "roles" => Some(w.us_roles_changed()),
        "disable" => Some(w.us_was_disabled()),
        "enable" => Some(w.us_was_enabled()),
        "unlock" => Some(w.us_was_unlocked()),
        _ => None,
    };
    let user = found(&named(path.into_inner(), w)?, &internal, w).await?;
    shown(&who, &internal, &user, (said, None)).await
}

async fn shown(
    who: &Who,
    internal: &Internal,
    user: &User,
    (said, wrong): (Option<&'static str>, Option<&'static str>),
) -> Result<HttpResponse, Stop> {
    let (w, now) = (who.words(), internal.intake.clock().now());
    let all = internal.readers.ask(|reports| reports.authorities()).await.map_err(|error| Stop::of(error.into(), w))?;
    let own: Vec<_> = all.into_iter().filter(|authority| authority.person == user.name).collect();
    let (state, look) = state(user, now, w);
    let until = user.locked_until.filter(|until| now < *until);
    page(
        &UserPage {
            shell: Shell::new(who, Part::Users).saying(said),
            w,
            name: user.name.to_string(),
            state,
            look,
            facts: vec![
                (w.your_roles(), roles_text(user.roles, w)),
                (w.us_added(), format!("{}, {}", show::moment(user.made_at), author(&user.made_by, w))),
                (w.us_password_by(), author(&user.password_by, w)),
                (w.us_failures(), show::count(i64::from(user.failures), w.0)),
                (w.us_locked_until(), until.map_or_else(|| show::NONE.to_owned(), show::moment)),
            ],
            roles: role_boxes(user.roles, w),
            wrong,
            own: user.name == *who.author(),
            disabled: user.disabled,
            locked: until.is_some(),
            authorities: authorities::rows(&own, w),
        },
        w,
    )
}

/// `POST /users/{name}/{action}`: roles, disable, enable, password, unlock.
pub(super) async fn change(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Manage)?;
    let w = who.words();
    let (name, action) = path.into_inner();
    let name = named(name, w)?;
    let form = form::read(&request, payload, &who).await?;
    if name == *who.author() {
        return Err(Stop::conflict(w.us_not_yourself(), w));
    }
    let plain = name.to_string();
    match action.as_str() {
        "roles" => {
            let roles = roles_of(&form).unwrap_or_default();
            if roles == Roles::default() {
                let user = found(&name, &internal, w).await?;
                return shown(&who, &internal, &user, (None, Some(w.us_no_role()))).await;
            }
            let subject = format!("{name} {}", roles.words());
            changed(&who, &internal, (&name, UserChange::Roles(roles)), ("user-roles", subject)).await?;
        }
        "disable" => {
            let change = UserChange::Disabled { by: who.author().clone(), at: internal.intake.clock().now() };
            changed(&who, &internal, (&name, change), ("user-disable", plain)).await?;
        }
        "enable" => {
            changed(&who, &internal, (&name, UserChange::Enabled), ("user-enable", plain)).await?;
        }
        "unlock" => {
            changed(&who, &internal, (&name, UserChange::Proved), ("user-unlock", plain)).await?;
        }
        "password" => {
            let (made, phc) = made_up(w).await?;
            let change = UserChange::Given { phc, by: who.author().clone(), at: internal.intake.clock().now() };
            let withdrawn = changed(&who, &internal, (&name, change), ("user-password", plain)).await?;
            return shown_once(&who, &name, (made, withdrawn));
        }
        _ => return Err(Stop::not_there(w)),
    }
    Ok(to(&format!("/users/{name}?done={action}")))
}
