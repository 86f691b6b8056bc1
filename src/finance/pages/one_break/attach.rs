//! Files beside a break: one is kept from a browser's form, and given back as it came.

use super::listed::Asked;
use super::view::stay;
use crate::domain::user::Right;
use crate::finance::form::{self, Form};
use crate::finance::proposing;
use crate::finance::session::Who;
use crate::finance::shell::to;
use crate::finance::stop::Stop;
use crate::finance::words::Words;
use crate::http::desk::{BODY_BYTES, attached, attachment, is_file_name};
use crate::http::internal::Internal;
use crate::reconcile::desk;
use crate::store::desk::Attachment;
use actix_multipart::{Field, Multipart};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// For the whole of a form.
const DEADLINE: Duration = Duration::from_secs(30);

/// A field that is no file, in bytes.
const TEXT_BYTES: usize = 4_096;

/// Fields of the form, at most.
const FIELDS_MAX: usize = 8;

/// `POST /breaks/{no}/files`
pub(super) async fn keep(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    path: web::Path<i64>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let (no, asked, w) = (path.into_inner(), Asked::of(&request), who.words());
    form::from_here(&request, w)?;
    let parts = Multipart::new(request.headers(), payload);
    let read = tokio::time::timeout(DEADLINE, read(parts, w)).await;
    let (form, file) = read.map_err(|_elapsed| Stop::no(StatusCode::REQUEST_TIMEOUT, w.try_again(), w))??;
    form::sent_by(&form, &who)?;
    let (name, bytes) = file.ok_or_else(|| Stop::bad(w.ob_no_file(), w))?;
    if !is_file_name(&name) {
        return Err(Stop::bad(w.ob_file_name(), w));
    }
    let text = form.get("text").and_then(desk::text).unwrap_or_else(|| name.clone());
    let file = Attachment { name, hash: Sha256::digest(&bytes).into(), bytes };
    let kept = attached(&internal, who.author().clone(), no, (text, file)).await;
    proposing::kept(kept.map_err(|problem| Stop::of(problem, w))?, w)?;
    Ok(to(&stay((no, &asked), "file")))
}

/// A file's name and its bytes.
type NamedBytes = (String, Vec<u8>);

/// The fields of a form, and its one file.
async fn read(mut parts: Multipart, w: Words) -> Result<(Form, Option<NamedBytes>), Stop> {
    let broken = || Stop::bad(w.form_old(), w);
    let (mut form, mut file) = (Form::default(), None);
    for _ in 0..FIELDS_MAX {
        let Some(part) = parts.next().await else { break };
        let mut part = part.map_err(|_broken| broken())?;
        let about = part.content_disposition();
        let name = about.and_then(|about| about.get_name()).unwrap_or_default().to_owned();
        let called = about.and_then(|about| about.get_filename()).map(str::to_owned);
        match called {
            Some(called) if name == "file" => {
                let bytes = whole(&mut part, BODY_BYTES, w).await?;
                if !called.is_empty() {
                    file = Some((called, bytes));
                }
            }
            Some(_) => return Err(broken()),
            None => {
                let bytes = whole(&mut part, TEXT_BYTES, w).await?;
                form = form.with(&name, String::from_utf8(bytes).map_err(|_not_text| broken())?);
            }
        }
    }
    Ok((form, file))
}

async fn whole(part: &mut Field, bytes_max: usize, w: Words) -> Result<Vec<u8>, Stop> {
    let too_large = |_beyond| Stop::no(StatusCode::PAYLOAD_TOO_LARGE, w.ob_file_too_large(), w);
    let bytes = part.bytes(bytes_max).await.map_err(too_large)?;
    Ok(bytes.map_err(|_broken| Stop::bad(w.form_old(), w))?.to_vec())
}

/// `GET /breaks/{no}/files/{note}`
pub(super) async fn file(
    who: Who,
    path: web::Path<(i64, i64)>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::SeePayers)?;
    let (no, note) = path.into_inner();
    let w = who.words();
    let found = attachment(&internal, no, note).await.map_err(|problem| Stop::of(problem, w))?;
    let file = found.ok_or_else(|| Stop::not_there(w))?;
    who.note(&internal, "look-file", &format!("break {no}, {}", file.name)).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_DISPOSITION, disposition(&file.name)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(file.bytes))
}

/// To be saved under its own name, whatever that holds.
fn disposition(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let quoted: String = name
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("attachment; filename*=UTF-8''{quoted}")
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_files_name_cannot_say_another_header() {
        assert_eq!(disposition("a\"b\r\nc.pdf"), "attachment; filename*=UTF-8''a%22b%0D%0Ac.pdf");
        assert_eq!(disposition("hóa.pdf"), "attachment; filename*=UTF-8''h%C3%B3a.pdf");
    }
}
