//! The `[refund_request]` section of a profile.

use super::super::refund::{RefundColumn, RefundColumnFile, RefundValue, usual};
use super::Compiler;

/// The most columns.
const COLUMNS_MAX: usize = 32;

impl Compiler<'_, '_> {
    pub(super) fn refund(&mut self) -> Vec<RefundColumn> {
        let file = &self.file.refund_request;
        if file.columns.is_empty() {
            return usual();
        }
        let count = (file.columns.len() <= COLUMNS_MAX).then_some(()).ok_or("expected at most 32");
        self.faults.take("refund_request.columns", count);
        let mut columns = Vec::with_capacity(file.columns.len());
        for (n, column) in (1..).zip(&file.columns) {
            let value = self.faults.take(&format!("refund_request.columns, entry {n}"), value(column));
            columns.extend(value.map(|value| RefundColumn { header: column.header.clone(), value }));
        }
        columns
    }
}

fn value(column: &RefundColumnFile) -> Result<RefundValue, String> {
    if column.header.is_empty() || column.header.contains(char::is_control) {
        return Err("header: expected a text in one line".to_owned());
    }
    match (&column.value, &column.constant) {
        (None, Some(text)) => Ok(RefundValue::Const(text.clone())),
        (Some(word), None) => RefundValue::parse(word).ok_or_else(|| {
            "value: expected event, event.1 to event.8, account, payment, order, invoice, customer, amount, refund or paid_at"
                .to_owned()
        }),
        (Some(_), Some(_)) | (None, None) => Err("expected value or const, one of them".to_owned()),
    }
}
