//! A file in a form: its fields first, so that nothing is received for a form of another site; then the file, streamed to
//! the spool within the same limit as the API's.

use super::form::{self, Form};
use super::session::Who;
use super::stop::Stop;
use super::words::Words;
use crate::http::internal::Internal;
use crate::http::problem::Problem;
use crate::http::spool::{Incoming, Spool};
use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use futures_util::StreamExt as _;
use std::time::Duration;

/// The longest field beside the file, in bytes.
const FIELD_BYTES: usize = 4_096;

/// How long the browser may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Fields beside the file.
const FIELDS_MAX: usize = 20;

/// A form's file.
pub(super) struct Uploaded {
    /// What the browser calls the file; empty where none was chosen.
    pub name: String,
    /// Where it waits.
    pub spool: Spool,
}

/// Reads a form of this session with the file that is its last field. `checked` looks at the fields before the file is
/// received.
///
/// # Errors
/// [`Stop`]: not of this session, not such a form, too large.
pub(super) async fn read<T>(
    (request, payload): (&HttpRequest, web::Payload),
    who: &Who,
    internal: &Internal,
    checked: impl FnOnce(&Form) -> Result<T, Stop>,
) -> Result<(Uploaded, T), Stop> {
    let w = who.words();
    form::from_here(request, w)?;
    let not_a_form = || Stop::bad(w.form_old(), w);
    let mut parts = Multipart::new(request.headers(), payload);
    let mut fields: Vec<(String, String)> = Vec::new();
    while let Some(part) = soon(parts.next()).await.ok_or_else(not_a_form)? {
        let mut part = part.map_err(|_broken| not_a_form())?;
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.content_disposition().and_then(|about| about.get_filename()).map(str::to_owned);
        let Some(file) = file else {
            let bytes = soon(part.bytes(FIELD_BYTES)).await.ok_or_else(not_a_form)?;
            let bytes = bytes.map_err(|_too_long| not_a_form())?;
            let bytes = bytes.map_err(|_broken| not_a_form())?;
            fields.push((name, String::from_utf8(bytes.to_vec()).map_err(|_not_text| not_a_form())?));
            if fields.len() > FIELDS_MAX {
                return Err(not_a_form());
            }
            continue;
        };
        let form = Form::of(fields);
        form::sent_by(&form, who)?;
        let wanted = checked(&form)?;
        let spool = Spool::new(&internal.spool).map_err(|problem| Stop::of(problem, w))?;
        let received = spool.receive(Incoming::new(part, internal.import_bytes)).await;
        received.map_err(|problem| too_large(problem, w))?;
        return Ok((Uploaded { name: file, spool }, wanted));
    }
    Err(not_a_form())
}

/// What comes before the browser is silent for too long.
async fn soon<T>(coming: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(SILENCE_MAX, coming).await.ok()
}

fn too_large(problem: Problem, w: Words) -> Stop {
    match problem == Problem::too_large() {
        true => Stop::no(StatusCode::PAYLOAD_TOO_LARGE, w.file_too_large(), w),
        false => Stop::of(problem, w),
    }
}
