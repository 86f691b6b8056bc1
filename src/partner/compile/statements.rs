//! The `[statement]` sections of a profile, and what it says of fees and settlement.

use super::super::settlement::{self, Terms};
use super::super::statement::{self, Known, Layout};
use super::Compiler;
use crate::domain::statement::StatementKind;
use jiff::tz::TimeZone;

impl Compiler<'_, '_> {
    pub(super) fn statements(&mut self, zone: &TimeZone) -> Vec<Layout> {
        let file = self.file;
        let known = Known { zone, account: &file.notice.account.is, event_fields: file.notice.event.len() };
        let mut layouts = Vec::new();
        for kind in StatementKind::ALL {
            let section = match kind {
                StatementKind::Partner => &file.statement,
                StatementKind::Core => &file.statement_core,
                StatementKind::Bank => &file.statement_bank,
            };
            if let Some(section) = section {
                layouts.extend(statement::compile(self.faults, kind, section, known));
            }
        }
        layouts
    }

    pub(super) fn terms(&mut self, layouts: &[Layout]) -> Terms {
        let entries = (self.file.fee.as_slice(), self.file.settlement.as_slice());
        settlement::compile(self.faults, entries, settlement::Known { layouts })
    }
}
