//! Who is at the desk. A session is a random number that only the browser keeps; the database has its digest. It ends when
//! nothing was heard of it for a while, and after a day's work in any case.

use super::stop::Stop;
use super::words::Words;
use crate::domain::ids::Author;
use crate::domain::time::Timestamp;
use crate::domain::user::{Right, Role, Theme, Tongue};
use crate::http::internal::{Internal, on_writer};
use crate::ledger::transact;
use crate::store::users::{DeskLog, Session, User};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The browser sends it to this host only, over TLS or on the machine itself only, and shows it to no script.
const COOKIE: &str = "__Host-thuho";

/// A session ends when nothing was heard of it for so long, in milliseconds.
const IDLE_MS: i64 = 30 * 60_000;

/// It ends after so long whatever was heard, in milliseconds.
const ABSOLUTE_MS: i64 = 12 * 3_600_000;

/// How old a note of when it was heard of may be, in milliseconds: not every page is a write.
const TOUCH_MS: i64 = 60_000;

/// Who asks for a page, with the right to see it still to be asked.
#[derive(Clone, Debug)]
pub struct Who {
    /// The user.
    pub user: User,
    /// What every form of this session carries.
    pub csrf: String,
    digest: [u8; 32],
}

impl Who {
    /// May this person do this?
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.user.roles.may(right)
    }

    /// Goes on only if this person may.
    ///
    /// # Errors
    /// [`Stop`] that says so.
    pub fn must(&self, right: Right) -> Result<(), Stop> {
        if self.may(right) { Ok(()) } else { Err(Stop::not_allowed(self.words())) }
    }

    /// In this person's language.
    #[must_use]
    pub fn words(&self) -> Words {
        Words(self.user.tongue)
    }

    /// The language.
    #[must_use]
    pub fn tongue(&self) -> Tongue {
        self.user.tongue
    }

    /// The colours.
    #[must_use]
    pub fn theme(&self) -> Theme {
        self.user.theme
    }

    /// As an author.
    #[must_use]
    pub fn author(&self) -> &Author {
        &self.user.name
    }

    /// Roles, for people.
    #[must_use]
    pub fn roles(&self) -> Vec<&'static str> {
        self.user.roles.iter().map(|role| role_word(role, self.words())).collect()
    }

    /// Is this what a form of this session carries?
    #[must_use]
    pub fn sent(&self, csrf: &str) -> bool {
        self.csrf.as_bytes().ct_eq(csrf.as_bytes()).into()
    }

    /// Ends the session.
    ///
    /// # Errors
    /// The machine's.
    pub async fn leave(&self, internal: &Internal) -> Result<(), Stop> {
        let digest = self.digest;
        let left = on_writer(&internal.writer, move |store| transact(store, |tx| tx.end_session(&digest)).map(drop));
        left.await.map_err(|problem| Stop::of(problem, self.words()))
    }

    /// Notes that this person did or looked at something.
    ///
    /// # Errors
    /// The machine's: what is not noted is not shown.
    pub async fn note(&self, internal: &Internal, what: &'static str, subject: &str) -> Result<(), Stop> {
        let at = internal.intake.clock().now();
        let subject = subject.chars().filter(|c| !c.is_control()).take(200).collect();
        let line = DeskLog { at, name: self.user.name.clone(), what: what.to_owned(), subject };
        let noted = on_writer(&internal.writer, move |store| transact(store, |tx| tx.log_desk(&line)).map(drop));
        noted.await.map_err(|problem| Stop::of(problem, self.words()))
    }
}

/// A role for people.
#[must_use]
pub fn role_word(role: Role, w: Words) -> &'static str {
    match role {
        Role::Viewer => w.role_viewer(),
        Role::Maker => w.role_maker(),
        Role::Checker => w.role_checker(),
        Role::Ops => w.role_ops(),
        Role::Admin => w.role_admin(),
    }
}

impl FromRequest for Who {
    type Error = Stop;
    type Future = LocalBoxFuture<'static, Result<Self, Stop>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let here = request.uri().path_and_query().map_or("/", |whole| whole.as_str()).to_owned();
            let found = known(&request).await?;
            let next = if request.method() == "GET" { here } else { "/".to_owned() };
            let who = found.ok_or(Stop::LogIn { next })?;
            // Whoever has a password that others know changes it first.
            if who.user.given && !matches!(request.path(), "/me" | "/me/password" | "/logout") {
                return Err(Stop::Elsewhere("/me"));
            }
            Ok(who)
        })
    }
}

/// Who is behind a request's cookie, if anybody is.
///
/// # Errors
/// The machine's.
pub async fn known(request: &HttpRequest) -> Result<Option<Who>, Stop> {
    let Some(internal) = request.app_data::<web::Data<Internal>>() else { return Ok(None) };
    let Some(secret) = request.cookie(COOKIE).and_then(|cookie| hex::decode(cookie.value()).ok()) else {
        return Ok(None);
    };
    let digest: [u8; 32] = Sha256::digest(&secret).into();
    let found = internal.readers.ask(move |reports| reports.session(&digest)).await;
    let found = found.map_err(|error| Stop::of(error.into(), Words(Tongue::default())))?;
    let now = internal.intake.clock().now();
    let Some((session, user)) = found.filter(|(session, user)| lives(session, user, now)) else { return Ok(None) };
    if now.ms_since(session.seen_at) > TOUCH_MS {
        let seen = on_writer(&internal.writer, move |store| {
            transact(store, |tx| {
                tx.end_old_sessions(now.plus_ms(-ABSOLUTE_MS), now.plus_ms(-IDLE_MS))?;
                tx.touch_session(&digest, now)
            })
            .map(drop)
        });
        // A page is shown all the same: the session only ends earlier.
        if let Err(problem) = seen.await {
            tracing::warn!(%problem, "A session was not noted as seen");
        }
    }
    Ok(Some(Who { user, csrf: csrf_of(&secret), digest }))
}

fn lives(session: &Session, user: &User, now: Timestamp) -> bool {
    !user.disabled && now.ms_since(session.seen_at) <= IDLE_MS && now.ms_since(session.began_at) <= ABSOLUTE_MS
}

/// What forms carry: made from the secret, so that nobody knows it who does not have that.
fn csrf_of(secret: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(b"csrf");
    hex::encode(mac.finalize().into_bytes())
}

/// Begins a session: its cookie, and what is kept of it.
///
/// # Errors
/// No random numbers.
pub fn begin(name: Author, now: Timestamp) -> Result<(Cookie<'static>, Session), getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let session = Session { digest: Sha256::digest(secret).into(), name, began_at: now, seen_at: now };
    let cookie = Cookie::build(COOKIE, hex::encode(secret)).path("/").secure(true).http_only(true);
    Ok((cookie.same_site(SameSite::Lax).finish(), session))
}

/// Takes the cookie away.
#[must_use]
pub fn gone() -> Cookie<'static> {
    let mut cookie = Cookie::build(COOKIE, "").path("/").secure(true).http_only(true).finish();
    cookie.make_removal();
    cookie
}

#[cfg(test)]
mod tests {
    use super::{ABSOLUTE_MS, IDLE_MS, begin, csrf_of, lives};
    use crate::domain::ids::Author;
    use crate::domain::time::Timestamp;
    use crate::domain::user::{Role, Roles};
    use crate::store::users::{Session, User};

    #[test]
    fn a_session_ends_by_idleness_and_by_age() {
        let lan = Author::parse("lan").expect("a name");
        let at = Timestamp::from_unix_ms;
        let user = User::new(lan.clone(), Roles::of(&[Role::Maker]), String::new(), (lan.clone(), at(0)));
        let session = |began_at, seen_at| Session {
            digest: [0; 32],
            name: lan.clone(),
            began_at: at(began_at),
            seen_at: at(seen_at),
        };
        assert!(lives(&session(0, 0), &user, at(IDLE_MS)));
        assert!(!lives(&session(0, 0), &user, at(IDLE_MS + 1)));
        assert!(lives(&session(0, ABSOLUTE_MS), &user, at(ABSOLUTE_MS)));
        assert!(!lives(&session(0, ABSOLUTE_MS), &user, at(ABSOLUTE_MS + 1)));
        assert!(!lives(&session(0, 0), &User { disabled: true, ..user }, at(0)));
    }

    #[test]
    fn a_cookie_says_neither_what_is_kept_nor_what_forms_carry() {
        let (cookie, session) =
            begin(Author::parse("lan").expect("a name"), Timestamp::from_unix_ms(0)).expect("chance");
        assert_ne!(cookie.value(), hex::encode(session.digest));
        assert_ne!(csrf_of(cookie.value().as_bytes()), cookie.value());
        assert!(cookie.secure() == Some(true) && cookie.http_only() == Some(true) && cookie.domain().is_none());
    }
}
