//! Transfers without a sure invoice: suggestions, open debts, and the sharing out.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}
