//! Reads a body with a cap that holds while it streams and a deadline for all of it. A compressed body is refused: its
//! bytes are not those that were signed. Keeps I10.

use super::problem::Problem;
use actix_web::{HttpRequest, http::header, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use std::time::Duration;

/// The bounds of one body.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes.
    pub bytes: usize,
    /// For the whole of it.
    pub deadline: Duration,
}

/// The whole body.
///
/// # Errors
/// 415 for a `Content-Encoding`, 413 beyond the cap, 408 after the deadline, 400 when the connection broke.
pub async fn whole(request: &HttpRequest, payload: web::Payload, bounds: Bounds) -> Result<Bytes, Problem> {
    refuse_encoded(request)?;
    // A stated length is refused before a byte is read.
    let stated = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if stated.is_some_and(|length| length > bounds.bytes) {
        return Err(Problem::too_large());
    }
    let reading = collect(payload, stated.unwrap_or_default(), bounds.bytes);
    tokio::time::timeout(bounds.deadline, reading).await.unwrap_or_else(|_elapsed| Err(Problem::too_slow()))
}

/// 415 unless the body is as it is.
///
/// # Errors
/// 415.
pub fn refuse_encoded(request: &HttpRequest) -> Result<(), Problem> {
    let plain = request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .all(|value| value.to_str().is_ok_and(|v| v.trim().eq_ignore_ascii_case("identity")));
    if plain { Ok(()) } else { Err(Problem::unsupported_media()) }
}

async fn collect(mut payload: web::Payload, stated: usize, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut first = None;
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_broken| Problem::bad_request())?;
        // The usual body is one chunk: kept as it is, without a copy.
        if first.is_none() && body.is_empty() && chunk.len() <= bytes_max {
            first = Some(chunk);
            continue;
        }
        if let Some(first) = first.take() {
            body.reserve(stated.min(bytes_max));
            body.extend_from_slice(&first);
        }
        if body.len().saturating_add(chunk.len()) > bytes_max {
            return Err(Problem::too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(first.unwrap_or_else(|| body.freeze()))
}
