//! A table row by row: titles, the header, the data, what stands below it. Knows nothing of how rows are stored.

use super::cells::{Cell, Cells};
use super::control::{Controls, Tally};
use super::faults::{FAULTS_MAX, Fault, ReadError};
use super::row::{Rows, Said};
use super::{Job, Limits, Place, Sink, Summary};
use crate::partner::statement::{AmountAt, Format, Layout, Part, Start, fold};
use std::ops::ControlFlow;

/// Reads a table.
pub(super) struct Table<'t> {
    job: Job<'t>,
    format: Format,
    sink: Sink<'t>,
    rows: Rows<'t>,
    state: State,
    /// Where each column of the layout is in the file.
    at: Vec<usize>,
    /// How many fields a row of a CSV has: as many as the header, or as the first row of data.
    fields: Option<usize>,
    /// The row that named most columns, and those that it did not name.
    nearest: Option<(u64, Vec<usize>)>,
    controls: Controls,
    tally: Tally,
    faults: Vec<Fault>,
    /// Was the row seen that must end the data?
    end_seen: bool,
    stopped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Before,
    Data,
    After,
}

impl<'t> Table<'t> {
    pub(super) fn new(job: Job<'t>, format: Format, sink: Sink<'t>) -> Self {
        let at = job.layout.columns.iter().map(|column| column.at.unwrap_or(usize::MAX)).collect();
        Self {
            rows: Rows::new(&job),
            controls: Controls::new(job.layout),
            job,
            format,
            sink,
            state: State::Before,
            at,
            fields: None,
            nearest: None,
            tally: Tally::default(),
            faults: Vec::new(),
            end_seen: false,
            stopped: false,
        }
    }

    pub(super) fn layout(&self) -> &'t Layout {
        self.job.layout
    }

    pub(super) fn limits(&self) -> &'t Limits {
        self.job.limits
    }

    pub(super) fn rows(&self) -> u64 {
        self.tally.rows
    }

    /// Days are counted from the other epoch of spreadsheets.
    pub(super) fn count_from_1904(&mut self) {
        self.rows.moments.from_1904 = true;
    }

    /// Notes a fault; `Break` with the last that is listed.
    pub(super) fn fault(&mut self, fault: Fault) -> ControlFlow<()> {
        self.faults.push(fault);
        if self.faults.len() >= FAULTS_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Takes the next row. `Break` if no more are wanted.
    pub(super) fn row<C: Cells>(&mut self, number: u64, cells: &C, place: Option<Place>) -> ControlFlow<()> {
        let limits = self.job.limits;
        if number > u64::from(limits.rows_max) {
            let fault = Fault::new(number, "", "a row", format!("at most {} rows", limits.rows_max));
            self.faults.push(fault);
            return ControlFlow::Break(());
        }
        if cells.width() > limits.columns_max {
            let found = format!("{} columns", cells.width());
            return self.fault(Fault::new(number, "", &found, format!("at most {} columns", limits.columns_max)));
        }
        match self.state {
            State::Before => self.before(number, cells, place),
            State::Data => self.data(number, cells, place),
            State::After => self.after(number, cells),
        }
    }

    fn before<C: Cells>(&mut self, number: u64, cells: &C, place: Option<Place>) -> ControlFlow<()> {
        match self.job.layout.start {
            Start::Row(first) if number >= u64::from(first) => {
                self.state = State::Data;
                return self.data(number, cells, place);
            }
            Start::Row(_) => {}
            Start::Header => {
                if number > u64::from(self.job.limits.header_rows_max) {
                    return ControlFlow::Break(());
                }
                match self.header(number, cells) {
                    Ok(true) => {
                        self.state = State::Data;
                        return ControlFlow::Continue(());
                    }
                    Ok(false) => {}
                    Err(fault) => {
                        self.faults.push(fault);
                        return ControlFlow::Break(());
                    }
                }
            }
        }
        match self.controls.labels(self.job.layout, number, cells) {
            Ok(()) => ControlFlow::Continue(()),
            Err(fault) => self.fault(fault),
        }
    }

    /// Is this the row that names all columns?
    fn header<C: Cells>(&mut self, number: u64, cells: &C) -> Result<bool, Fault> {
        let texts: Vec<String> = (0..cells.width()).map(|column| fold(cells.cell(column).written())).collect();
        let columns = &self.job.layout.columns;
        let mut at = Vec::with_capacity(columns.len());
        let mut missing = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            match texts.iter().position(|text| *text == column.folded) {
                Some(place) => at.push(place),
                None => missing.push(index),
            }
        }
        if !missing.is_empty() {
            let before = self.nearest.as_ref().map_or(columns.len(), |(_, missing)| missing.len());
            if missing.len() < before {
                self.nearest = Some((number, missing));
            }
            return Ok(false);
        }
        for (column, place) in columns.iter().zip(&at) {
            if texts.iter().skip(place + 1).any(|text| *text == column.folded) {
                return Err(Fault::new(number, &column.name, &column.name, "one column of this name, found two"));
            }
        }
        self.at = at;
        self.fields = Some(texts.len());
        Ok(true)
    }

    fn data<C: Cells>(&mut self, number: u64, cells: &C, place: Option<Place>) -> ControlFlow<()> {
        let Some(first) = cells.first() else {
            if self.job.layout.end.empty_row {
                self.state = State::After;
            }
            return ControlFlow::Continue(());
        };
        if self.ends(first) {
            return self.end(number, cells);
        }
        self.tally.rows += 1;
        let fields = *self.fields.get_or_insert(cells.width());
        let beyond = || (fields..cells.width()).any(|column| !cells.cell(column).is_empty());
        // A separator inside a field that is not quoted moves all that follows: `1,500` would be one dong.
        if self.format == Format::Csv && (cells.width() < fields || beyond()) {
            let found = format!("{} fields", cells.width());
            return self.fault(Fault::new(number, "", &found, format!("{fields}, as many as above")));
        }
        match self.rows.read(number, &self.at, cells) {
            Ok(said) => self.hand_on(number, said, place),
            Err(fault) => self.fault(fault),
        }
    }

    fn hand_on(&mut self, number: u64, said: Said, place: Option<Place>) -> ControlFlow<()> {
        let refunded = said.refund.as_ref().map_or(0, |refund| refund.amount.dong());
        let lines = [said.line.map(|line| (line, said.stated)), said.refund.map(|refund| (refund, refunded))];
        let mut counted = Some(());
        if lines.iter().all(Option::is_none) {
            counted = self.tally.ignored(said.stated);
        }
        for (line, stated) in lines.into_iter().flatten() {
            counted = counted.and(self.tally.line(&line, stated));
            // Nothing of a refused file is taken: why hand it on?
            if self.faults.is_empty() && (self.sink)(line, place).is_break() {
                self.stopped = true;
                return ControlFlow::Break(());
            }
        }
        match counted {
            Some(()) => ControlFlow::Continue(()),
            None => self.fault(Fault::new(number, "", "a sum", "less than can be counted")),
        }
    }

    fn ends(&self, first: Cell<'_>) -> bool {
        let ends = &self.job.layout.end.starts_with;
        let text = first.written();
        // Most rows begin with a number or an id: their first letter says enough.
        let begins = |end: &String| text.bytes().next().map(|b| b.to_ascii_lowercase()) == end.bytes().next();
        if ends.is_empty() || (text.is_ascii() && !ends.iter().any(begins)) {
            return false;
        }
        let folded = fold(text);
        ends.iter().any(|end| folded.starts_with(end.as_str()))
    }

    fn end<C: Cells>(&mut self, number: u64, cells: &C) -> ControlFlow<()> {
        self.state = State::After;
        self.end_seen = true;
        let stated = self.controls.end_row(self.job.layout, &self.at, number, cells);
        match stated.and_then(|()| self.controls.labels(self.job.layout, number, cells)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(fault) => self.fault(fault),
        }
    }

    fn after<C: Cells>(&mut self, number: u64, cells: &C) -> ControlFlow<()> {
        let Some(first) = cells.first() else { return ControlFlow::Continue(()) };
        if !self.end_seen && self.ends(first) {
            return self.end(number, cells);
        }
        if self.looks_like_data(cells) {
            let expected = "nothing below the end of the data that looks like a row of it";
            return self.fault(Fault::new(number, "", first.written(), expected));
        }
        match self.controls.labels(self.job.layout, number, cells) {
            Ok(()) => ControlFlow::Continue(()),
            Err(fault) => self.fault(fault),
        }
    }

    /// Does it fill each column that a payment must fill?
    fn looks_like_data<C: Cells>(&self, cells: &C) -> bool {
        let layout = self.job.layout;
        let filled = |column: usize| self.at.get(column).is_some_and(|at| !cells.cell(*at).is_empty());
        let event = layout.event.iter().all(|part| match part {
            Part::Column(column) => filled(*column),
            Part::Const(_) => true,
        });
        let amount = match &layout.amount.at {
            AmountAt::One(column) | AmountAt::Signed { column, .. } => filled(*column),
            AmountAt::Sides { credit, debit } => filled(*credit) || debit.is_some_and(filled),
        };
        event && amount && filled(layout.paid_at.column)
    }

    /// The end of the file.
    pub(super) fn finish(mut self) -> Result<Summary, ReadError> {
        if self.stopped {
            return Err(ReadError::Stopped);
        }
        let layout = self.job.layout;
        if self.faults.is_empty() {
            if self.state == State::Before && layout.start == Start::Header {
                self.no_header();
            } else {
                if !layout.end.starts_with.is_empty() && !self.end_seen {
                    let expected = format!("a row that starts with {}", layout.end.starts_with.join(" or "));
                    self.faults.push(Fault::new(0, "", "no end of the data", expected));
                }
                self.faults.extend(self.controls.judge(layout, &self.tally));
            }
        }
        if !self.faults.is_empty() {
            self.faults.truncate(FAULTS_MAX);
            return Err(ReadError::Refused(self.faults));
        }
        let tally = self.tally;
        Ok(Summary {
            format: self.format,
            rows: tally.rows,
            lines: tally.lines,
            payments: tally.payments,
            reversals: tally.reversals,
            ignored: tally.ignored,
            first_day: tally.days.map(|(first, _)| first),
            last_day: tally.days.map(|(_, last)| last),
        })
    }

    fn no_header(&mut self) {
        let columns = &self.job.layout.columns;
        let (row, missing) = match self.nearest.take() {
            Some(nearest) => nearest,
            None => (0, (0..columns.len()).collect()),
        };
        if row == 0 {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            let rows = self.job.limits.header_rows_max;
            let expected = format!("one within {rows} rows that names {}", names.join(", "));
            self.faults.push(Fault::new(0, "", "no header", expected));
            return;
        }
        for column in missing.iter().filter_map(|index| columns.get(*index)) {
            self.faults.push(Fault::new(row, &column.name, "", "this column in the header"));
        }
    }
}
