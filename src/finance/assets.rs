//! The pages' one style sheet and one script, under names that say what is in them, so that a browser keeps them for ever
//! and a new release is seen at once.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

const CSS: &str = include_str!("assets/desk.css");
const SCRIPT: &str = include_str!("assets/desk.js");
const ICON: &str = include_str!("assets/icon.svg");

/// The address of the style sheet.
pub static CSS_PLACE: LazyLock<String> = LazyLock::new(|| named("css", CSS));

/// The address of the script.
pub static SCRIPT_PLACE: LazyLock<String> = LazyLock::new(|| named("js", SCRIPT));

fn named(ending: &str, text: &str) -> String {
    let digest = hex::encode(Sha256::digest(text));
    format!("/assets/{}.{ending}", digest.get(..16).unwrap_or_default())
}

fn file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(text)
}

/// Their routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route(&CSS_PLACE, web::get().to(|| async { file("text/css; charset=utf-8", CSS) }))
        .route(&SCRIPT_PLACE, web::get().to(|| async { file("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/favicon.ico", web::get().to(|| async { file("image/svg+xml", ICON) }));
}
