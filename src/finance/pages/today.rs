//! Today: a line for each partner and business day, quiet where it ties out.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}
