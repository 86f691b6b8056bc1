//! The loop that looks into the inbox, on a thread that may wait for the writer.

use super::tasks::{Leader, Work, leads, until_next};
use crate::inquiry::readers::Open;
use crate::intake::Intake;
use crate::ledger::Slices;
use crate::ledger::writer::Writer;
use crate::reconcile::inbox::{Books, Inbox, Looked};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Looks until it is aborted: two looks at a file that does not change take it.
pub(super) async fn watch(
    intake: Arc<Intake>,
    (writer, open): (Arc<Writer>, Arc<Open>),
    (dir, every): (PathBuf, Duration),
    leader: Leader,
) {
    let mut inbox = Inbox::new(dir.clone());
    let mut often = tokio::time::interval(every);
    often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        often.tick().await;
        if !leads(&intake, leader, Work::Inbox, until_next(every)).await {
            continue;
        }
        let (intake, writer, open) = (Arc::clone(&intake), Arc::clone(&writer), Arc::clone(&open));
        let looked = tokio::task::spawn_blocking(move || {
            let done = look(&mut inbox, &intake, &writer, open.as_ref());
            (inbox, done)
        });
        let Ok((kept, done)) = looked.await else {
            tracing::error!("A look into the inbox panicked; it begins anew");
            inbox = Inbox::new(dir.clone());
            continue;
        };
        inbox = kept;
        match done {
            Ok(looked) if looked == Looked::default() => {}
            Ok(Looked { taken, refused }) => tracing::info!(taken, refused, "The inbox was looked through"),
            Err(why) => tracing::warn!(why, "The inbox could not be looked through"),
        }
    }
}

fn look(inbox: &mut Inbox, intake: &Intake, writer: &Writer, open: &Open) -> Result<Looked, String> {
    let mut reports = open().map_err(|error| error.to_string())?;
    let mut books = Books { reports: reports.as_mut(), slices: Slices::between(writer), at: intake.clock().now() };
    Ok(inbox.look(&intake.partners(), &mut books))
}
