//! The log-in, and one's own settings.

use crate::domain::ids::Author;
use crate::domain::user::{PASSWORD_MAX_BYTES, Theme, Tongue, bad_password};
use crate::finance::session::{self, Who};
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::stop::Stop;
use crate::finance::words::Words;
use crate::finance::{form, password};
use crate::http::internal::{Internal, on_writer};
use crate::http::problem::Problem;
use crate::ledger::transact;
use crate::store::users::{Attempt, DeskLog, User, UserChange};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Passwords that are hashed at once: each takes 19 MiB and a core for a moment.
static HASHING: Semaphore = Semaphore::const_new(2);

/// How long somebody waits for that.
const HASHING_WAIT: Duration = Duration::from_secs(5);

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/login", web::get().to(log_in))
        .route("/login", web::post().to(try_log_in))
        .route("/logout", web::post().to(log_out))
        .route("/me", web::get().to(me))
        .route("/me", web::post().to(keep))
        .route("/me/password", web::post().to(change));
}

#[derive(Template)]
#[template(path = "login.html", config = "src/finance/askama.toml")]
struct LogInPage {
    w: Words,
    next: String,
    name: String,
    wrong: Option<&'static str>,
    said: Option<&'static str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LogInQuery {
    next: String,
    left: bool,
    lang: String,
}

async fn log_in(request: HttpRequest) -> Result<HttpResponse, Stop> {
    let asked: LogInQuery = form::query(&request, Words(Tongue::default())).unwrap_or_default();
    let w = Words(Tongue::parse(&asked.lang).unwrap_or_default());
    if session::known(&request).await?.is_some() {
        return Ok(to(&inside(&asked.next)));
    }
    let said = asked.left.then(|| w.logged_out());
    page(&LogInPage { w, next: inside(&asked.next), name: String::new(), wrong: None, said }, w)
}

/// An address of ours: anything else would make the log-in send people elsewhere.
fn inside(next: &str) -> String {
    let ours =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(|c: char| c == '\\' || c.is_control());
    let next = if ours && next.len() <= 2_000 { next } else { "/" };
    next.to_owned()
}

async fn try_log_in(
    request: HttpRequest,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    let w = Words(
        form::query::<LogInQuery>(&request, Words(Tongue::default()))
            .ok()
            .and_then(|asked| Tongue::parse(&asked.lang))
            .unwrap_or_default(),
    );
    let form = form::unbound(&request, payload, w).await?;
    let (name, password) = (form.text("name").unwrap_or_default(), form.get("password").unwrap_or_default());
    let next = inside(form.get("next").unwrap_or_default());
    let again = |wrong: &'static str| {
        page(&LogInPage { w, next: next.clone(), name: name.to_owned(), wrong: Some(wrong), said: None }, w)
    };
    // The turn first: who has to wait for it has not tried yet.
    let turn = hashing(w).await?;
    let now = internal.intake.clock().now();
    let attempt = match Author::parse(name) {
        Ok(author) if password.len() <= PASSWORD_MAX_BYTES => {
            let found = on_writer(&internal.writer, move |store| {
                transact(store, |tx| tx.attempt(&author, now)).map(|(attempt, _)| attempt)
            });
            found.await.map_err(|problem| Stop::of(problem, w))?
        }
        Ok(_) | Err(_) => Attempt::Unknown,
    };
    let password = password.to_owned();
    let user = match attempt {
        // The same words after the same time: nobody learns who works here.
        Attempt::Locked(_) | Attempt::Unknown => {
            hashed_in(turn, w, password, |password| password::is_nobody(&password)).await?;
            return again(w.wrong_log_in());
        }
        Attempt::Try(user) => user,
    };
    let phc = user.password.clone();
    if !hashed_in(turn, w, password, move |password| password::is(&password, &phc)).await? {
        tracing::warn!("A log-in to the finance desk failed");
        return again(w.wrong_log_in());
    }
    let cookie = begun(&internal, &user, w).await?;
    let mut response = to(&next);
    response.add_cookie(&cookie).map_err(|_not_a_header| Stop::of(Problem::internal(), w))?;
    Ok(response)
}

async fn begun(internal: &Internal, user: &User, w: Words) -> Result<actix_web::cookie::Cookie<'static>, Stop> {
    let (now, name) = (internal.intake.clock().now(), user.name.clone());
    let (cookie, session) = session::begin(name.clone(), now).map_err(|_no_chance| Stop::of(Problem::internal(), w))?;
    let line = DeskLog { at: now, name: name.clone(), what: "log-in".to_owned(), subject: String::new() };
    let kept = on_writer(&internal.writer, move |store| {
        transact(store, |tx| {
            tx.change_user(&name, &UserChange::Proved)?;
            tx.begin_session(&session)?;
            tx.log_desk(&line)
        })
        .map(drop)
    });
    kept.await.map_err(|problem| Stop::of(problem, w))?;
    Ok(cookie)
}

/// A turn to hash: nobody waits for it without a limit.
async fn hashing(w: Words) -> Result<SemaphorePermit<'static>, Stop> {
    let busy = || Stop::of(Problem::unavailable(), w);
    let turn = tokio::time::timeout(HASHING_WAIT, HASHING.acquire()).await.map_err(|_late| busy())?;
    turn.map_err(|_closed| busy())
}

/// Work with a password, beside the threads that answer.
pub(super) async fn hashed<T: Send + 'static>(
    w: Words,
    password: String,
    work: impl FnOnce(String) -> T + Send + 'static,
) -> Result<T, Stop> {
    hashed_in(hashing(w).await?, w, password, work).await
}

async fn hashed_in<T: Send + 'static>(
    turn: SemaphorePermit<'static>,
    w: Words,
    password: String,
    work: impl FnOnce(String) -> T + Send + 'static,
) -> Result<T, Stop> {
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work(password)
    });
    done.await.map_err(|_panicked| Stop::of(Problem::internal(), w))
}

async fn log_out(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    form::read(&request, payload, &who).await?;
    who.leave(&internal).await?;
    let mut response = to(if who.tongue() == Tongue::En { "/login?left=true&lang=en" } else { "/login?left=true" });
    response.add_cookie(&session::gone()).map_err(|_not_a_header| Stop::of(Problem::internal(), who.words()))?;
    Ok(response)
}

#[derive(Template)]
#[template(path = "me.html", config = "src/finance/askama.toml")]
struct MePage {
    shell: Shell,
    w: Words,
    given: bool,
    wrong: Option<&'static str>,
    tongue: Tongue,
    theme: Theme,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MeQuery {
    done: String,
}

fn my_page(who: &Who, wrong: Option<&'static str>, said: Option<&'static str>) -> Result<HttpResponse, Stop> {
    let w = who.words();
    let shell = Shell::new(who, Part::Me).saying(said);
    page(&MePage { shell, w, given: who.user.given, wrong, tongue: who.tongue(), theme: who.theme() }, w)
}

async fn me(request: HttpRequest, who: Who) -> Result<HttpResponse, Stop> {
    let w = who.words();
    let done: MeQuery = form::query(&request, w)?;
    let said = match done.done.as_str() {
        "saved" => Some(w.saved()),
        "password" => Some(w.password_changed()),
        _ => None,
    };
    my_page(&who, None, said)
}

async fn keep(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    let form = form::read(&request, payload, &who).await?;
    let tongue = form.get("language").and_then(Tongue::parse).unwrap_or(who.tongue());
    let theme = form.get("theme").and_then(Theme::parse).unwrap_or(who.theme());
    let name = who.author().clone();
    let kept = on_writer(&internal.writer, move |store| {
        transact(store, |tx| tx.change_user(&name, &UserChange::Taste(tongue, theme))).map(drop)
    });
    kept.await.map_err(|problem| Stop::of(problem, who.words()))?;
    Ok(to("/me?done=saved"))
}

async fn change(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    let w = who.words();
    let form = form::read(&request, payload, &who).await?;
    let [old, new, again] = ["password", "new", "again"].map(|name| form.get(name).unwrap_or_default().to_owned());
    if new != again {
        return my_page(&who, Some(w.password_differs()), None);
    }
    if bad_password(who.author(), &new).is_some() {
        return my_page(&who, Some(w.password_refused()), None);
    }
    let phc = who.user.password.clone();
    if old.len() > PASSWORD_MAX_BYTES || !hashed(w, old, move |old| password::is(&old, &phc)).await? {
        return my_page(&who, Some(w.wrong_log_in()), None);
    }
    let phc = hashed(w, new, |new| password::hash(&new)).await?;
    let phc = phc.map_err(|_not_hashed| Stop::of(Problem::internal(), w))?;
    let name = who.author().clone();
    let kept = on_writer(&internal.writer, move |store| {
        transact(store, |tx| tx.change_user(&name, &UserChange::Chosen { phc: phc.clone() })).map(drop)
    });
    kept.await.map_err(|problem| Stop::of(problem, w))?;
    // Every session ended with the old password; this browser gets a new one.
    let cookie = begun(&internal, &who.user, w).await?;
    let mut response = to("/me?done=password");
    response.add_cookie(&cookie).map_err(|_not_a_header| Stop::of(Problem::internal(), w))?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn a_log_in_sends_nobody_elsewhere() {
        for away in [
            "",
            "https://example.com",
            "//example.com",
            "/\\example.com",
            "javascript:alert(1)",
            "/a\r\nb",
            "/\t/example.com",
        ] {
            assert_eq!(inside(away), "/", "{away}");
        }
        assert_eq!(inside("/breaks?class=X"), "/breaks?class=X");
    }
}
