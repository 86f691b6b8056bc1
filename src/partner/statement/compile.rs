//! From a section to a [`Layout`], with the rules that can be known before a file comes.

use super::file::{
    AmountColumnsFile, ColumnFile, ControlFile, FormatWord, MomentFile, PartFile, RefundFile, StatementFile,
    StatusColumnFile,
};
use super::{
    Amount, AmountAt, Column, Control, ControlAt, Dates, End, Format, Layout, Minus, Moment, MomentFormat, Part,
    Refund, RowKind, Start, Status, Written, fold,
};
use crate::domain::ids::{EVENT_FIELD_MAX_BYTES, Movement};
use crate::domain::notice::{Effect, NoEffect};
use crate::domain::statement::StatementKind;
use crate::partner::faults::Faults;
use crate::partner::file::Means;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// The widest column that a section may name: the last of a workbook.
const COLUMN_MAX: usize = 16_384;

/// The most that a line may lie outside its statement's day, in minutes.
const GRACE_MAX_MINUTES: i64 = 720;

/// What the rest of the profile says.
#[derive(Clone, Copy, Debug)]
pub(in crate::partner) struct Known<'p> {
    pub(in crate::partner) zone: &'p TimeZone,
    pub(in crate::partner) account: &'p str,
    /// How many fields name an event in a notice.
    pub(in crate::partner) event_fields: usize,
}

/// Compiles one section.
pub(in crate::partner) fn compile(
    faults: &mut Faults<'_>,
    kind: StatementKind,
    file: &StatementFile,
    known: Known<'_>,
) -> Option<Layout> {
    let section = match kind {
        StatementKind::Partner => "statement",
        StatementKind::Core => "statement_core",
        StatementKind::Bank => "statement_bank",
    };
    let start = file.first_row.map_or(Start::Header, Start::Row);
    Compiler { faults, section, file, start, columns: Vec::new() }.layout(kind, known)
}

struct Compiler<'c, 't> {
    faults: &'c mut Faults<'t>,
    section: &'static str,
    file: &'c StatementFile,
    start: Start,
    columns: Vec<Column>,
}

impl Compiler<'_, '_> {
    fn layout(mut self, kind: StatementKind, known: Known<'_>) -> Option<Layout> {
        let file = self.file;
        self.plain_rules();
        let event = self.event(kind, known);
        let named = |this: &mut Self, key: &str, column: &Option<ColumnFile>| {
            column.as_ref().and_then(|column| this.column(key, column))
        };
        let invoice = named(&mut self, "invoice", &file.invoice);
        let order = named(&mut self, "order", &file.order);
        let customer = named(&mut self, "customer", &file.customer);
        if event.is_empty() && file.invoice.is_none() && file.order.is_none() && file.customer.is_none() {
            self.fault("event", "expected at least one of event, invoice, order, customer");
        }
        let amount = self.amount(&file.amount);
        let discount = file.discount.iter().filter_map(|column| self.column("discount", column)).collect();
        let fee = file.fee.iter().filter_map(|column| self.column("fee", column)).collect();
        let paid_at = self.moment("paid_at", &file.paid_at);
        let business_day = file.business_day.as_ref().and_then(|moment| self.moment("business_day", moment));
        let status = file.status.as_ref().and_then(|status| self.status(status));
        let refund = file.refund.as_ref().and_then(|refund| self.refund(refund));
        let controls = (1..).zip(&file.control).filter_map(|(n, control)| self.control(n, control)).collect();
        let zone = match &file.zone {
            None => Some(known.zone.clone()),
            Some(name) => TimeZone::get(name).ok(),
        };
        if zone.is_none() {
            self.fault("zone", "expected a time zone such as Asia/Ho_Chi_Minh");
        }
        let separator = self.separator();
        Some(Layout {
            kind,
            format: file.format.map(|word| match word {
                FormatWord::Csv => Format::Csv,
                FormatWord::Xlsx => Format::Xlsx,
            }),
            encoding: file.encoding,
            separator,
            sheet: file.sheet.as_deref().map(fold),
            start: self.start,
            end: self.end(),
            event,
            invoice,
            order,
            customer,
            amount: amount?,
            discount,
            fee,
            thousands: file.thousands.bytes().next(),
            paid_at: paid_at?,
            business_day,
            status,
            refund,
            controls,
            zone: zone?,
            day_ends: self.day_ends(),
            dates: file.dates,
            grace_ms: file.grace_minutes.saturating_mul(60_000),
            columns: self.columns,
        })
    }

    fn fault(&mut self, key: &str, message: impl Into<String>) {
        self.faults.add(&format!("{}.{key}", self.section), message);
    }

    fn plain_rules(&mut self) {
        let file = self.file;
        if !matches!(file.thousands.as_str(), "" | "," | ".") {
            self.fault("thousands", "expected \",\", \".\" or \"\" for none");
        }
        if !(0..=GRACE_MAX_MINUTES).contains(&file.grace_minutes) {
            self.fault("grace_minutes", format!("expected 0 to {GRACE_MAX_MINUTES}"));
        }
        if file.grace_minutes > 0 && file.dates == Dates::Any {
            self.fault("grace_minutes", "expected dates = \"inside-day\" beside it");
        }
        if file.first_row == Some(0) {
            self.fault("first_row", "expected a row from 1");
        }
        let only_csv = file.separator.is_some() || file.encoding != super::Encoding::Utf8;
        if only_csv && file.format == Some(FormatWord::Xlsx) {
            self.fault("format", "expected csv beside an encoding or a separator");
        }
        if file.sheet.is_some() && file.format == Some(FormatWord::Csv) {
            self.fault("sheet", "expected none in a csv");
        }
        if !file.discount.is_empty() && file.amount.customer_paid.is_some() {
            self.fault("discount", "expected either discount or amount.customer_paid");
        }
    }

    fn separator(&mut self) -> u8 {
        match self.file.separator.as_deref() {
            None => b',',
            Some(text @ ("," | ";" | "\t" | "|")) => text.bytes().next().unwrap_or(b','),
            Some(_) => {
                self.fault("separator", "expected \",\", \";\", \"\\t\" or \"|\"");
                b','
            }
        }
    }

    fn end(&mut self) -> End {
        let file = &self.file.end;
        let starts_with: Vec<String> = file.starts_with.iter().map(|text| fold(text)).collect();
        if starts_with.iter().any(String::is_empty) {
            self.fault("end.starts_with", "expected texts that are not empty");
        }
        End { empty_row: file.empty_row, starts_with }
    }

    fn day_ends(&mut self) -> Time {
        let text = self.file.day_ends.as_deref().unwrap_or("00:00");
        match Time::strptime("%H:%M", text) {
            Ok(time) if text.len() == 5 => time,
            _ => {
                self.fault("day_ends", "expected an hour such as 00:00 or 22:30");
                Time::midnight()
            }
        }
    }

    /// The place of a column in the list, which it joins when it is named for the first time.
    fn column(&mut self, key: &str, file: &ColumnFile) -> Option<usize> {
        let name = match file {
            ColumnFile::Number(number) => number.to_string(),
            ColumnFile::Text(text) => text.clone(),
        };
        let folded = fold(&name);
        let at = match self.start {
            Start::Header => None,
            Start::Row(_) => match place_of(&name) {
                Some(at) => Some(at),
                None => {
                    self.fault(key, "expected a letter such as C or a number from 1 beside first_row");
                    return None;
                }
            },
        };
        if folded.is_empty() {
            self.fault(key, "expected a header's text");
            return None;
        }
        let known = |column: &Column| if at.is_some() { column.at == at } else { column.folded == folded };
        if let Some(known) = self.columns.iter().position(known) {
            return Some(known);
        }
        self.columns.push(Column { name, folded, at });
        Some(self.columns.len() - 1)
    }

    fn event(&mut self, kind: StatementKind, known: Known<'_>) -> Vec<Part> {
        let file = self.file;
        let mut parts = Vec::with_capacity(file.event.len());
        for part in &file.event {
            let part = match part {
                PartFile::Column(column) => self.column("event", column).map(Part::Column),
                PartFile::Const(part) => Some(Part::Const(part.text.clone())),
                PartFile::Account(part) if part.account => Some(Part::Const(known.account.to_owned())),
                PartFile::Account(_) => {
                    self.fault("event", "expected account = true");
                    None
                }
            };
            let fits = |text: &String| {
                !text.is_empty() && text.len() <= EVENT_FIELD_MAX_BYTES && text.bytes().all(|b| b.is_ascii_graphic())
            };
            if matches!(&part, Some(Part::Const(text)) if !fits(text)) {
                self.fault("event", "expected 1 to 128 printable ASCII characters without spaces");
            }
            parts.extend(part);
        }
        // Otherwise no line of it would ever be the event of a notice.
        if kind == StatementKind::Partner && !file.event.is_empty() && file.event.len() != known.event_fields {
            self.fault("event", format!("expected {}, as many parts as notice.event has", known.event_fields));
        }
        if !parts.is_empty() && parts.iter().all(|part| matches!(part, Part::Const(_))) {
            self.fault("event", "expected at least one column");
        }
        parts
    }

    fn amount(&mut self, file: &AmountColumnsFile) -> Option<Amount> {
        let customer_paid = file.customer_paid.as_ref().and_then(|column| self.column("amount.customer_paid", column));
        if customer_paid.is_some() && file.means != Means::Bill {
            self.fault("amount.customer_paid", "expected means = \"bill\" beside it");
        }
        let at = match (&file.column, &file.credit, &file.sign) {
            (Some(column), None, None) if file.debit.is_none() => {
                self.column("amount.column", column).map(AmountAt::One)
            }
            (Some(column), None, Some(sign)) if file.debit.is_none() => {
                let (plus, minus) = (fold(&sign.plus), fold(&sign.minus));
                if plus.is_empty() || plus == minus {
                    self.fault("amount.sign", "expected two words, that of more not empty");
                }
                let column = self.column("amount.column", column);
                let sign = self.column("amount.sign.column", &sign.column);
                column.zip(sign).map(|(column, sign)| AmountAt::Signed { column, sign, plus, minus })
            }
            (None, Some(credit), None) => {
                let credit = self.column("amount.credit", credit);
                let debit = file.debit.as_ref().and_then(|debit| self.column("amount.debit", debit));
                credit.map(|credit| AmountAt::Sides { credit, debit })
            }
            _ => {
                self.fault("amount", "expected column, column and sign, or credit and debit");
                None
            }
        }?;
        let two_ways = matches!(at, AmountAt::Signed { .. } | AmountAt::Sides { debit: Some(_), .. });
        if two_ways && file.minus.is_none() {
            self.fault("amount.minus", "expected \"reversal\" or \"ignored\": what a row is that takes money away");
        }
        Some(Amount { at, means: file.means, customer_paid, minus: file.minus })
    }

    fn moment(&mut self, key: &str, file: &MomentFile) -> Option<Moment> {
        let column = self.column(&format!("{key}.column"), &file.column);
        let time = match &file.time {
            Some(time) => Some(self.column(&format!("{key}.time"), time)?),
            None => None,
        };
        let mut formats = Vec::with_capacity(file.formats.len());
        for text in &file.formats {
            match MomentFormat::parse(text) {
                Ok(format) => formats.push(format),
                Err(message) => self.fault(&format!("{key}.formats"), message),
            }
        }
        if file.formats.is_empty() {
            self.fault(&format!("{key}.formats"), "expected at least one");
        }
        self.one_reading_only(key, file, &formats);
        Some(Moment { column: column?, time, formats })
    }

    /// No text may be two moments: the third of February and the second of March are both `03/02/2026` to somebody.
    fn one_reading_only(&mut self, key: &str, file: &MomentFile, formats: &[MomentFormat]) {
        let sample = jiff::civil::date(2026, 3, 2).at(7, 5, 4, 0);
        for pattern in &file.formats {
            let Ok(text) = jiff::fmt::strtime::format(pattern, sample) else { continue };
            let mut read: Vec<Written> = formats.iter().filter_map(|format| format.read(&text)).collect();
            read.dedup();
            if read.len() > 1 {
                let message = format!("expected formats that read {text} in one way");
                self.fault(&format!("{key}.formats"), message);
            }
        }
    }

    fn status(&mut self, file: &StatusColumnFile) -> Option<Status> {
        let column = self.column("status.column", &file.column);
        let mut map: Vec<(String, RowKind)> = Vec::with_capacity(file.map.len());
        for (word, kind) in &file.map {
            let folded = fold(word);
            if map.iter().any(|(known, _)| *known == folded) {
                self.fault("status.map", format!("expected each word once: {word}"));
            }
            if let Some(kind) = self.row_kind("status.map", kind) {
                map.push((folded, kind));
            }
        }
        if file.map.is_empty() {
            self.fault("status.map", "expected at least one word");
        }
        let absent = file.absent.as_ref().and_then(|kind| self.row_kind("status.absent", kind));
        Some(Status { column: column?, map, absent })
    }

    fn row_kind(&mut self, key: &str, word: &str) -> Option<RowKind> {
        let kind = match word {
            "payment" => RowKind::Line(Effect::Moves(Movement::Payment)),
            "reversal" => RowKind::Line(Effect::Moves(Movement::Reversal)),
            "pending" => RowKind::Line(Effect::None(NoEffect::Pending)),
            "failed" => RowKind::Line(Effect::None(NoEffect::Failed)),
            "ignored" => RowKind::Ignored,
            _ => {
                self.fault(key, format!("expected payment, reversal, pending, failed or ignored, found {word}"));
                return None;
            }
        };
        Some(kind)
    }

    fn refund(&mut self, file: &RefundFile) -> Option<Refund> {
        if self.file.amount.minus == Some(Minus::Reversal) {
            self.fault("refund", "expected refunds as rows or as columns, not both");
        }
        let amount = self.column("refund.amount", &file.amount);
        let paid_at = self.moment("refund.paid_at", &file.paid_at);
        Some(Refund { amount: amount?, paid_at: paid_at? })
    }

    fn control(&mut self, n: usize, file: &ControlFile) -> Option<Control> {
        let key = format!("control[{n}]");
        let at = match (&file.column, &file.label) {
            (Some(column), None) => {
                if self.file.end.starts_with.is_empty() {
                    self.fault(&key, "expected end.starts_with beside a control in a column");
                }
                ControlAt::EndRow(self.column(&key, column)?)
            }
            (None, Some(label)) if !label.trim().is_empty() => {
                ControlAt::Label(fold(label).trim_end_matches(':').to_owned())
            }
            _ => {
                self.fault(&key, "expected either column or label");
                return None;
            }
        };
        Some(Control { of: file.of, at })
    }
}

/// A column's place from 0: `A`, `AB` or a number from 1.
fn place_of(name: &str) -> Option<usize> {
    let number = if name.bytes().all(|b| b.is_ascii_digit()) {
        name.parse().ok()?
    } else {
        name.bytes().try_fold(0_usize, |number, letter| {
            let letter = letter.to_ascii_uppercase().checked_sub(b'A').filter(|letter| *letter < 26)?;
            number.checked_mul(26)?.checked_add(usize::from(letter) + 1)
        })?
    };
    (1..=COLUMN_MAX).contains(&number).then(|| number - 1)
}
