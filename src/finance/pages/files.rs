//! What others say of a day: files are brought, and days compared.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}
