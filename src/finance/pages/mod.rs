//! The pages, a file for each part of the desk: read what is asked, ask the books, show it.

mod approvals;
mod audit;
mod breaks;
mod closes;
mod customer;
mod files;
mod matching;
mod me;
mod minutes;
mod one_break;
mod outbox;
mod partners;
mod rules;
mod settlement;
mod today;
mod users;

use actix_web::web;

/// The routes of all pages.
pub fn routes(config: &mut web::ServiceConfig) {
    approvals::routes(config);
    audit::routes(config);
    breaks::routes(config);
    closes::routes(config);
    customer::routes(config);
    files::routes(config);
    matching::routes(config);
    me::routes(config);
    minutes::routes(config);
    one_break::routes(config);
    outbox::routes(config);
    partners::routes(config);
    rules::routes(config);
    settlement::routes(config);
    today::routes(config);
    users::routes(config);
}
