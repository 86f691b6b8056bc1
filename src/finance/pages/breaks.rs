//! What does not tie out: the list with its filters, sums and marks in bulk.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}
