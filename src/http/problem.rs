//! Errors of our own API as `application/problem+json` (RFC 9457). A 5xx has a constant text: what failed inside is
//! for the log (I11).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use std::fmt;

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str) -> Self {
        Self { status, title, detail: None }
    }

    /// With one sentence for the caller. Never for a 5xx.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        if !self.status.is_server_error() {
            self.detail = Some(detail.into());
        }
        self
    }

    /// The sentence for the caller.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// 400
    #[must_use]
    pub fn bad_request() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "The request is not as the contract says")
    }

    /// 401
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "A bearer token is needed")
    }

    /// 403
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "The token's scope does not allow this")
    }

    /// 404
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such thing")
    }

    /// 405
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Another method is needed")
    }

    /// 408
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time")
    }

    /// 409
    #[must_use]
    pub fn conflict() -> Self {
        Self::new(StatusCode::CONFLICT, "Not possible in its present state")
    }

    /// 413
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large")
    }

    /// 415
    #[must_use]
    pub fn unsupported_media() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send it uncompressed and with a known content type")
    }

    /// 422
    #[must_use]
    pub fn unprocessable() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "What was sent cannot be taken")
    }

    /// 429
    #[must_use]
    pub fn too_many() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many calls")
    }

    /// 500
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something of ours failed")
    }

    /// 503
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not possible right now; try again")
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status);
        response.content_type("application/problem+json").insert_header(("cache-control", "no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header(("www-authenticate", "Bearer"));
        }
        let status = self.status.as_u16();
        let body = Body { r#type: "about:blank", title: self.title, status, detail: self.detail.as_deref() };
        // A struct of texts and integers always serialises.
        response.body(serde_json::to_string(&body).unwrap_or_default())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}
