//! A workbook: ids and words are text cells, amounts are numbers, days and moments are dates, and nothing is a formula. Rows
//! go to a file of their own as they come (in the folder for temporary files), so that a long table costs little memory;
//! where a sheet ends by the format, a further one goes on.

use super::{Cell, Column, ExportError, Fact, Kind, Label, Language, Options, Out, Table, Writer, text};
use jiff::civil::{DateTime, Time};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Worksheet};
use std::borrow::Cow;

/// What a spreadsheet counts with has 15 digits: a longer number is written as text, so that none of them is lost.
const WHOLE_MAX: i64 = 999_999_999_999_999;

/// The longest text of a cell, in UTF-16 units, by the format itself.
const TEXT_MAX: usize = 32_767;

/// Stands at the end of a text that was cut.
const CUT: char = '…';

/// Rows of the head: title, filter, who and when, what columns add up to.
const HEAD_ROWS: u32 = 4;

const FIGURES: Label = Label { vi: "Tổng hợp", en: "Summary" };
const ROWS: Label = Label { vi: "Chi tiết", en: "Rows" };
const TOTAL: Label = Label { vi: "Tổng cộng", en: "Total" };

/// A workbook being written.
pub struct Workbook<'o> {
    out: Out<'o>,
    book: rust_xlsxwriter::Workbook,
    look: Look,
    language: Language,
    columns: Vec<Column>,
    /// The head of each sheet.
    head: Vec<HeadRow>,
    figures: Vec<(String, Cell<'static>)>,
    rows_max: u32,
    sheets: usize,
    next: u32,
}

/// How cells look.
struct Look {
    title: Format,
    label: Format,
    words: Format,
    whole: Format,
    date: Format,
    instant: Format,
}

impl Look {
    fn new() -> Self {
        let whole = Format::new().set_num_format("#,##0");
        Self {
            title: Format::new().set_bold().set_font_size(14),
            label: Format::new().set_bold(),
            words: Format::new().set_num_format("@"),
            whole,
            date: Format::new().set_num_format("dd/mm/yyyy"),
            instant: Format::new().set_num_format("dd/mm/yyyy hh:mm:ss"),
        }
    }
}

impl<'o> Workbook<'o> {
    /// With its first sheet.
    pub fn begin(table: &Table<'_>, options: &Options, out: Out<'o>) -> Result<Self, ExportError> {
        let mut book = rust_xlsxwriter::Workbook::new();
        let mut properties = DocProperties::new().set_title(table.title.to(options.language));
        properties = properties.set_author(&*text::held(&table.head.author));
        if let Some(at) = text::local(table.head.at).and_then(|at| moment(at.datetime())) {
            properties = properties.set_creation_datetime(&at);
        }
        book.set_properties(&properties);
        let figures = |fact: &Fact| (fact.name.label.to(options.language).to_owned(), fact.value.clone());
        let mut workbook = Self {
            out,
            book,
            look: Look::new(),
            language: options.language,
            columns: table.columns.to_vec(),
            head: head(table, options.language),
            figures: table.head.figures.iter().map(figures).collect(),
            rows_max: options.sheet_rows_max.clamp(HEAD_ROWS.saturating_add(2), super::SHEET_ROWS_MAX),
            sheets: 0,
            next: 0,
        };
        workbook.sheet()?;
        Ok(workbook)
    }

    /// One more sheet, with the head and the columns' names, which stay in sight.
    fn sheet(&mut self) -> Result<(), ExportError> {
        let Self { book, look, language, columns, head, .. } = self;
        let sheet = book.add_worksheet_with_constant_memory()?;
        self.sheets = self.sheets.saturating_add(1);
        let name = ROWS.to(*language);
        sheet.set_name(if self.sheets == 1 { name.to_owned() } else { format!("{name} {}", self.sheets) })?;
        for (at, column) in (0_u16..).zip(columns.iter()) {
            sheet.set_column_width(at, width(column))?;
        }
        sheet.set_freeze_panes(HEAD_ROWS.saturating_add(1), 0)?;
        // A4, as wide as the page.
        sheet.set_paper_size(9).set_landscape().set_print_fit_to_pages(1, 0);
        sheet.set_repeat_rows(HEAD_ROWS, HEAD_ROWS)?;
        for (row, cells) in (0_u32..).zip(head.iter()) {
            for (at, cell) in cells {
                let words = if row == 0 { &look.title } else { &look.label };
                put(sheet, (row, *at), cell, (look, words, *language))?;
            }
        }
        for (at, column) in (0_u16..).zip(columns.iter()) {
            sheet.write_string_with_format(HEAD_ROWS, at, column.label.to(*language), &look.label)?;
        }
        self.next = HEAD_ROWS.saturating_add(1);
        Ok(())
    }

    /// A sheet of what the head says further.
    fn summary(&mut self) -> Result<(), ExportError> {
        if self.figures.is_empty() {
            return Ok(());
        }
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(FIGURES.to(self.language))?;
        sheet.set_column_width(0, 48)?.set_column_width(1, 24)?;
        for (row, (label, value)) in (0_u32..).zip(&self.figures) {
            sheet.write_string_with_format(row, 0, label, &self.look.label)?;
            put(sheet, (row, 1), value, (&self.look, &self.look.words, self.language))?;
        }
        Ok(())
    }
}

impl Writer for Workbook<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ExportError> {
        if self.next >= self.rows_max {
            self.sheet()?;
        }
        let sheet = self.book.worksheet_from_index(self.sheets.saturating_sub(1))?;
        for (at, cell) in (0_u16..).zip(cells) {
            put(sheet, (self.next, at), cell, (&self.look, &self.look.words, self.language))?;
        }
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    fn end(&mut self) -> Result<(), ExportError> {
        self.summary()?;
        self.book.save_to_writer(&mut *self.out)?;
        Ok(self.out.flush()?)
    }
}

/// One row of the head, by columns.
type HeadRow = Vec<(u16, Cell<'static>)>;

/// The rows above the columns' names. What a column adds up to stands in that column.
fn head(table: &Table<'_>, language: Language) -> Vec<HeadRow> {
    let joined = |facts: &[Fact]| {
        let said = facts.iter().map(|fact| text::shown(fact, language));
        vec![(0, Cell::text(said.collect::<Vec<_>>().join(" · ")))]
    };
    let mut totals = vec![(0, Cell::text(TOTAL.to(language)))];
    for (at, column) in (0_u16..).zip(table.columns) {
        if let Some(sum) = table.sum_of(column) {
            totals.retain(|(taken, _)| *taken != at);
            totals.push((at, Cell::Whole(sum)));
        }
    }
    let title = vec![(0, Cell::text(table.title.to(language)))];
    vec![title, joined(&table.head.filter), joined(&text::about(table)), totals]
}

/// In characters, about.
fn width(column: &Column) -> u16 {
    match column.kind {
        Kind::Id => 24,
        Kind::Text => 32,
        Kind::Dong => 18,
        Kind::Count | Kind::Flag => 10,
        Kind::Date => 12,
        Kind::Instant => 20,
    }
}

/// Where a cell goes.
type Place = (u32, u16);

fn put(sheet: &mut Worksheet, (row, at): Place, cell: &Cell<'_>, (look, words, language): Dress<'_>) -> Written {
    let date = match cell {
        Cell::Date(day) => moment(day.to_datetime(Time::midnight())).map(|day| (day, &look.date)),
        Cell::Instant(instant) => {
            let local = text::local(*instant).and_then(|local| moment(local.datetime()));
            local.map(|local| (local, &look.instant))
        }
        Cell::Empty | Cell::Text(_) | Cell::Whole(_) | Cell::Flag(_) => None,
    };
    match (cell, date) {
        (Cell::Empty, _) => {}
        (Cell::Whole(number), _) if (-WHOLE_MAX..=WHOLE_MAX).contains(number) => {
            sheet.write_with_format(row, at, *number, &look.whole)?;
        }
        (_, Some((date, format))) => {
            sheet.write_datetime_with_format(row, at, &date, format)?;
        }
        _ => {
            let text = text::of(cell, language);
            sheet.write_string_with_format(row, at, within(text::held(&text)), words)?;
        }
    }
    Ok(())
}

type Written = Result<(), ExportError>;

/// How a cell looks: all looks, that of its words, and the language.
type Dress<'d> = (&'d Look, &'d Format, Language);

/// As a spreadsheet counts days; `None` where it has none.
fn moment(at: DateTime) -> Option<ExcelDateTime> {
    let year = u16::try_from(at.year()).ok().filter(|year| (1900..=9999).contains(year))?;
    let part = |part: i8| u8::try_from(part).unwrap_or_default();
    let day = ExcelDateTime::from_ymd(year, part(at.month()), part(at.day())).ok()?;
    day.and_hms(part(at.hour()).into(), part(at.minute()), part(at.second())).ok()
}

/// As much of a text as a cell holds, with the line's end that a cell has.
fn within(words: Cow<'_, str>) -> Cow<'_, str> {
    let words = if words.contains('\r') { Cow::Owned(words.replace("\r\n", "\n").replace('\r', "\n")) } else { words };
    if words.encode_utf16().count() <= TEXT_MAX {
        return words;
    }
    let mut units = 0_usize;
    let fits = words.chars().take_while(|c| {
        units = units.saturating_add(c.len_utf16());
        units < TEXT_MAX
    });
    Cow::Owned(fits.chain([CUT]).collect())
}
