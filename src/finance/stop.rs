//! Why somebody does not get the page: to the log-in first, or a page that says no. What failed inside is for the log (I11).

use super::words::Words;
use crate::domain::user::Tongue;
use crate::http::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use std::fmt;

/// No page.
#[derive(Clone, Debug)]
pub enum Stop {
    /// Who is it? Afterwards back here.
    LogIn {
        /// Where from.
        next: String,
    },
    /// Something else comes first.
    Elsewhere(&'static str),
    /// A page that says no.
    No {
        /// Of the answer.
        status: StatusCode,
        /// A sentence for people.
        says: String,
        /// In whose language.
        words: Words,
    },
}

impl Stop {
    /// A page that says no in this sentence.
    #[must_use]
    pub fn no(status: StatusCode, says: impl Into<String>, words: Words) -> Self {
        Self::No { status, says: says.into(), words }
    }

    /// Not with these roles.
    #[must_use]
    pub fn not_allowed(words: Words) -> Self {
        Self::no(StatusCode::FORBIDDEN, words.not_allowed(), words)
    }

    /// No such page or row.
    #[must_use]
    pub fn not_there(words: Words) -> Self {
        Self::no(StatusCode::NOT_FOUND, words.not_there(), words)
    }

    /// Not possible as things are, in this sentence.
    #[must_use]
    pub fn conflict(says: impl Into<String>, words: Words) -> Self {
        Self::no(StatusCode::CONFLICT, says, words)
    }

    /// What a form says cannot be.
    #[must_use]
    pub fn bad(says: impl Into<String>, words: Words) -> Self {
        Self::no(StatusCode::UNPROCESSABLE_ENTITY, says, words)
    }

    /// The same no as the API says.
    #[must_use]
    pub fn of(problem: Problem, words: Words) -> Self {
        let status = problem.status_code();
        let says = match problem.detail() {
            Some(detail) => detail.to_owned(),
            None if status == StatusCode::NOT_FOUND => words.not_there().to_owned(),
            None if status.is_server_error() => words.try_again().to_owned(),
            None => problem.to_string(),
        };
        Self::No { status, says, words }
    }
}

#[derive(Template)]
#[template(path = "stop.html", config = "src/finance/askama.toml")]
struct Page<'p> {
    w: Words,
    says: &'p str,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogIn { .. } => f.write_str("log in first"),
            Self::Elsewhere(place) => write!(f, "{place} first"),
            Self::No { status, says, .. } => write!(f, "{status}: {says}"),
        }
    }
}

impl ResponseError for Stop {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::LogIn { .. } | Self::Elsewhere(_) => StatusCode::SEE_OTHER,
            Self::No { status, .. } => *status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::LogIn { next } => {
                let query = form_urlencoded(&[("next", next)]);
                super::shell::to(&format!("/login?{query}"))
            }
            Self::Elsewhere(place) => super::shell::to(place),
            Self::No { status, says, words } => {
                let page = Page { w: *words, says }.render().unwrap_or_default();
                let mut response = super::shell::html(page);
                *response.status_mut() = *status;
                if *status == StatusCode::SERVICE_UNAVAILABLE {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                }
                response
            }
        }
    }
}

/// Pairs as the query of an address.
#[must_use]
pub fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}

impl From<(Problem, Tongue)> for Stop {
    fn from((problem, tongue): (Problem, Tongue)) -> Self {
        Self::of(problem, Words(tongue))
    }
}
