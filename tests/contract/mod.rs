//! What every store must do, whatever database it speaks to (I12): one suite, run over SQLite and PostgreSQL by
//! `tests/it`, over the simulator's memory by `tests/sim`. Builders in `build`, the money path in `books`, the outbox in
//! `messages`, sums over days in `periods`, what may be forgotten in `retention`. Who works at
//! the finance desk is in `users`, for the databases alone: the simulator's memory has no desk.
//!
//! ```text
//! #[path = "../contract/mod.rs"]
//! mod contract;
//! fn harness() -> contract::Harness { .. }
//! contract::suite!(harness);
//! ```

pub mod books;
pub mod build;
pub mod messages;
pub mod periods;
pub mod records;
pub mod retention;

use std::any::Any;
use thuho::store::reports::Reports;
use thuho::store::{Store, StoreError, Tx};

/// A fresh, empty database; `keep` holds what must outlive it (a folder, say). `again` closes nothing: it opens what
/// is there once the store was dropped, as the next start of the program would.
pub struct Harness {
    pub store: Box<dyn Store>,
    pub reports: Box<dyn Reports>,
    pub again: Box<dyn Fn() -> Doors>,
    pub keep: Box<dyn Any>,
}

/// A store and its questions.
pub type Doors = (Box<dyn Store>, Box<dyn Reports>);

/// The lane that a harness's store writes.
pub const LANE: u32 = 3;

impl Harness {
    /// One transaction that must succeed.
    pub fn tx<T>(&mut self, work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError>) -> T {
        self.try_tx(work).expect("the transaction commits")
    }

    /// One transaction.
    pub fn try_tx<T>(&mut self, mut work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut out = None;
        self.store.transact(&mut |tx| {
            out = Some(work(tx)?);
            Ok(())
        })?;
        Ok(out.expect("the work ran"))
    }

    /// Drops the store and opens it again.
    pub fn reopen(self) -> Self {
        let Self { store, reports, again, keep } = self;
        drop(store);
        drop(reports);
        let (store, reports) = again();
        Self { store, reports, again, keep }
    }

    /// The books prove themselves.
    pub fn sound(&mut self) {
        assert_eq!(self.reports.inconsistencies().unwrap().found, Vec::<String>::new());
    }
}

/// Every test of the suite over one kind of store.
#[macro_export]
macro_rules! contract_suite {
    ($make:ident; $($area:ident { $($test:ident)* })*) => {$(
        mod $area {
            $(#[test] fn $test() {
                // A database that cannot be had here is said so, and shows nothing.
                let harness: Option<super::contract::Harness> = super::$make().into();
                harness.into_iter().for_each(super::contract::$area::$test);
            })*
        }
    )*};
    ($make:ident) => {
        $crate::contract_suite! { $make;
            books {
                a_fresh_store_begins_at_one
                what_is_written_is_read_back
                a_taken_key_is_contended_and_nothing_of_its_batch_stays
                an_error_in_the_work_leaves_nothing
                a_panic_in_the_work_leaves_nothing_and_the_store_goes_on
                a_payment_that_a_reversal_expected_fills_its_row_once
                the_position_follows_the_money
                a_settlement_made_again_after_its_undoing_stands
                parked_payments_that_name_an_invoice_come_oldest_first
                many_payments_of_one_batch_settle_one_invoice_once_each
                a_break_with_a_mark_is_opened_once
            }
            records {
                the_chain_goes_on_after_a_restart
                receipts_are_found_by_partner_verdict_and_place
                an_upsert_goes_by_version
                candidates_are_those_asked_for
                a_customers_bills_come_newest_first_whatever_became_of_them
                seals_come_back_in_order
                repeats_pauses_and_redone_receipts_are_kept
                the_lead_is_one_holders_until_it_ends
                payments_are_found_by_what_people_know
            }
            messages {
                the_longest_due_goes_first
                the_fast_lane_takes_urgent_ones_only
                a_message_goes_to_the_fast_lane_when_its_invoice_is_overdue
                a_lease_takes_no_more_than_its_limit
                messages_of_one_invoice_keep_their_order
                a_parked_message_blocks_its_invoice_until_a_person_acts
                a_result_under_a_lost_lease_changes_nothing
                a_released_message_is_not_counted_as_tried
                a_wall_is_counted_until_a_person_sends_the_message_again
                a_released_message_lets_others_go_first
                an_ending_in_the_middle_lets_nobody_overtake
                commands_fit_the_state_they_meet
                nobody_approves_their_own_proposal
                messages_of_payments_come_in_their_order_and_the_last_ones_first
                a_message_without_its_settlement_is_refused
                the_route_pauses_and_opens
                the_depth_is_what_waits
                what_waits_or_is_leased_for_longer_than_any_wait_is_due_now
            }
            periods {
                the_books_of_a_period_are_the_sums_of_its_entries
            }
            retention {
                a_call_is_forgotten_when_it_is_old_and_nobody_needs_it
                what_was_sent_is_forgotten_once_it_is_told_or_ended
            }
        }
    };
}
pub use contract_suite as suite;
