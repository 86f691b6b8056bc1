//! Days and months that are drawn up by one person, signed by another one, and opened again by privilege.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}
