//! Minutes of a period, for paper.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}
