//! Who may call the internal API: a bearer token with scopes, compared in constant time. Keeps I11: tokens are kept as
//! digests, and neither a token nor a guess reaches a log.

use super::problem::Problem;
use crate::domain::secret::Secret;
use actix_web::{HttpRequest, http::header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Write invoices.
    Invoices,
    /// Ask questions.
    Read,
    /// Operate: outbox, partners, redo.
    Ops,
    /// Take statements, compare days.
    Finance,
}

impl Scope {
    /// From its word in the configuration.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "invoices" => Some(Self::Invoices),
            "read" => Some(Self::Read),
            "ops" => Some(Self::Ops),
            "finance" => Some(Self::Finance),
            _ => None,
        }
    }
}

/// One caller.
#[derive(Clone, Debug)]
pub struct Token {
    /// Who, for the log.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    digest: [u8; 32],
}

impl Token {
    /// A caller that presents `secret`.
    #[must_use]
    pub fn new(name: String, scopes: Vec<Scope>, secret: &Secret) -> Self {
        Self { name, scopes, digest: Sha256::digest(secret.expose()).into() }
    }
}

/// The caller of this request, if it may do this.
///
/// # Errors
/// 401 without a known token, 403 when its scope does not fit.
pub fn allow<'t>(tokens: &'t [Token], request: &HttpRequest, scope: Scope) -> Result<&'t Token, Problem> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let (Some(value), None) = (headers.next(), headers.next()) else { return Err(Problem::unauthorized()) };
    let presented = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token)
        .ok_or_else(Problem::unauthorized)?;
    let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
    // All are compared, whichever fits: the time says nothing about which.
    let found = tokens
        .iter()
        .fold(None, |found, token| if bool::from(token.digest.ct_eq(&digest)) { Some(token) } else { found });
    let token = found.ok_or_else(Problem::unauthorized)?;
    if token.scopes.contains(&scope) { Ok(token) } else { Err(Problem::forbidden()) }
}
