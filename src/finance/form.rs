//! Forms: small, from this session's own pages, and each field named.

use super::session::Who;
use super::stop::Stop;
use super::words::Words;
use crate::http::body::{self, Bounds};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The longest form, in bytes: a list of ten thousand breaks and a reason.
const FORM_BYTES: usize = 1 << 20;

/// How long a form may take to come.
const FORM_DEADLINE: Duration = Duration::from_secs(10);

/// A form's fields in their order; a name may come more than once.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// From its bytes; `None` for no form.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_urlencoded::from_bytes(bytes).map(Self).ok()
    }

    /// With one more field, or the first.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// With these fields.
    pub(super) fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The value of the last field of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// The same, without spaces around it; nothing where it is empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Every value of this name.
    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a form of this session. Another site cannot know what each of our forms carries, and a browser says so besides.
///
/// # Errors
/// [`Stop`]: too long, not a form, or not of this session.
pub async fn read(request: &HttpRequest, payload: web::Payload, who: &Who) -> Result<Form, Stop> {
    let form = unbound(request, payload, who.words()).await?;
    sent_by(&form, who)?;
    Ok(form)
}

/// Goes on only with a form of this session.
///
/// # Errors
/// [`Stop`] that says so.
pub fn sent_by(form: &Form, who: &Who) -> Result<(), Stop> {
    if form.get("csrf").is_some_and(|csrf| who.sent(csrf)) { Ok(()) } else { Err(old(who.words())) }
}

/// Goes on only with what a browser sends from our own pages.
///
/// # Errors
/// [`Stop`] that says so.
pub fn from_here(request: &HttpRequest, w: Words) -> Result<(), Stop> {
    let site = request.headers().get("sec-fetch-site").map(|value| value.as_bytes());
    if matches!(site, None | Some(b"same-origin" | b"none")) { Ok(()) } else { Err(old(w)) }
}

/// A form of nobody's session: the log-in.
///
/// # Errors
/// As [`read`].
pub async fn unbound(request: &HttpRequest, payload: web::Payload, w: Words) -> Result<Form, Stop> {
    from_here(request, w)?;
    let bounds = Bounds { bytes: FORM_BYTES, deadline: FORM_DEADLINE };
    let bytes = body::whole(request, payload, bounds).await.map_err(|problem| Stop::of(problem, w))?;
    Form::parse(&bytes).ok_or_else(|| old(w))
}

/// A page's query.
///
/// # Errors
/// [`Stop`] where it is not one of ours.
pub fn query<T: DeserializeOwned>(request: &HttpRequest, w: Words) -> Result<T, Stop> {
    serde_urlencoded::from_str(request.query_string()).map_err(|_not_ours| Stop::not_there(w))
}

fn old(w: Words) -> Stop {
    Stop::no(StatusCode::FORBIDDEN, w.form_old(), w)
}
