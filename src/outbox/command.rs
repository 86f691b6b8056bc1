//! What a person may do with a message: send it again, hold it, end it. Always under the message's own key (I6), and
//! ending one takes two people (I13).

use crate::domain::ids::Author;
use crate::domain::time::Timestamp;
use crate::store::{CommandAnswer, DispatchCommand, FoundDispatch, Store, StoreError};

/// The longest reason that is kept, in bytes.
pub const REASON_MAX_BYTES: usize = 500;

/// A command that cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCommand {
    /// Closing without a reason, or with an essay.
    #[error("reason: expected 1 to {REASON_MAX_BYTES} bytes")]
    Reason,
}

/// A proposal to end a message without the core's yes.
///
/// # Errors
/// [`BadCommand`] when the reason is empty or too long.
pub fn propose_close(author: Author, reason: &str) -> Result<DispatchCommand, BadCommand> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_MAX_BYTES {
        return Err(BadCommand::Reason);
    }
    Ok(DispatchCommand::ProposeClose { author, reason: reason.to_owned() })
}

/// Carries out one command in one transaction; to be run on the writer.
///
/// # Errors
/// The machine's.
pub fn run(
    store: &mut dyn Store,
    message: &FoundDispatch,
    command: &DispatchCommand,
    at: Timestamp,
) -> Result<CommandAnswer, StoreError> {
    let mut answer = CommandAnswer::NotFound;
    store.transact(&mut |tx| {
        answer = tx.command(message, command, at)?;
        Ok(())
    })?;
    let key = &message.key;
    tracing::info!(dispatch.key = %key, command = word(command), ?answer, "A person's command on {key}");
    Ok(answer)
}

/// The command's word in logs and on the command line.
#[must_use]
pub fn word(command: &DispatchCommand) -> &'static str {
    match command {
        DispatchCommand::Retry => "retry",
        DispatchCommand::Hold => "hold",
        DispatchCommand::ProposeClose { .. } => "propose-close",
        DispatchCommand::ApproveClose { .. } => "approve-close",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_not_ended_without_a_reason() {
        let lan = || Author::parse("lan.nt").unwrap();
        let long = "x".repeat(REASON_MAX_BYTES + 1);
        for bad in ["", "  \n", &long] {
            assert_eq!(propose_close(lan(), bad), Err(BadCommand::Reason));
        }
        let expected = DispatchCommand::ProposeClose { author: lan(), reason: "paid at the counter".to_owned() };
        assert_eq!(propose_close(lan(), " paid at the counter "), Ok(expected));
    }
}
