//! Writes a statement as a layout says, for the party whose word it is: the other half of `reconcile::read`, a sibling of
//! `partner::forge`. It writes where the layout reads, so the sandbox and the gateway share the profile's map; the files
//! of the tests, made by other programs, are what keeps both honest.

use super::speech::Naming;
use crate::domain::ids::Movement;
use crate::domain::notice::Effect;
use crate::domain::time::Timestamp;
use crate::partner::statement::{
    AmountAt, ControlAt, ControlOf, Encoding, Format, Layout, Minus, Moment, Part, RowKind, Start,
};
use jiff::civil::{Date, DateTime, Time};

/// One row to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it says of the money.
    pub effect: Effect,
    /// The event, by all its fields.
    pub event: Vec<String>,
    /// Which bill, as it was named.
    pub bill: (Naming, String),
    /// Whose, where the party says it besides.
    pub customer: Option<String>,
    /// How much, in dong. There are no discounts in the sandbox.
    pub amount: i64,
    /// What the party charges, in dong.
    pub fee: i64,
    /// When.
    pub at: Timestamp,
    /// Given back, where refunds stand in the row of their payment: how much, and when.
    pub refund: Option<(i64, Timestamp)>,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Cell {
    #[default]
    Empty,
    Text(String),
    Whole(i64),
}

type Line = Vec<Cell>;

/// The file of a day.
///
/// # Errors
/// A sentence, when the layout has no words for a row.
pub fn write(layout: &Layout, day: Date, rows: &[Row]) -> Result<Vec<u8>, String> {
    let page = Page::new(layout, day).lay(rows)?;
    match layout.format {
        Some(Format::Xlsx) => workbook(layout, &page),
        Some(Format::Csv) | None => text(layout, &page),
    }
}

/// Has the layout words for this?
#[must_use]
pub fn can_say(layout: &Layout, effect: Effect) -> bool {
    word(layout, effect).is_some()
}

/// The status of a row and whether its amount is negative; `None` without words for it.
fn word(layout: &Layout, effect: Effect) -> Option<(Option<&str>, bool)> {
    let of = |effect: Effect| match &layout.status {
        None => (effect == Effect::Moves(Movement::Payment)).then_some(None),
        Some(status) => {
            let wanted = RowKind::Line(effect);
            let found = status.map.iter().find(|(_, kind)| *kind == wanted).map(|(word, _)| Some(word.as_str()));
            found.or((status.absent == Some(wanted)).then_some(None))
        }
    };
    let less = effect == Effect::Moves(Movement::Reversal) && layout.amount.minus == Some(Minus::Reversal);
    let payment = Effect::Moves(Movement::Payment);
    of(effect).map(|word| (word, false)).or_else(|| of(payment).filter(|_| less).map(|word| (word, true)))
}

struct Page<'l> {
    layout: &'l Layout,
    day: Date,
    /// Where each column of the layout stands.
    at: Vec<usize>,
    width: usize,
    figures: Figures,
}

/// What the file says of itself.
#[derive(Default)]
struct Figures {
    payments: (i64, i64),
    reversals: (i64, i64),
    unmoved: i64,
    rows: i64,
}

impl<'l> Page<'l> {
    fn new(layout: &'l Layout, day: Date) -> Self {
        let at: Vec<usize> = layout.columns.iter().zip(0..).map(|(column, n)| column.at.unwrap_or(n)).collect();
        let width = at.iter().max().map_or(2, |last| (last + 1).max(2));
        Self { layout, day, at, width, figures: Figures::default() }
    }

    fn lay(mut self, rows: &[Row]) -> Result<Vec<Line>, String> {
        let data = rows.iter().map(|row| self.row(row)).collect::<Result<Vec<Line>, String>>()?;
        let end = self.layout.end.starts_with.first().cloned();
        let (mut page, labels) = (Vec::new(), self.labels());
        let below = if end.is_some() {
            labels
        } else {
            page.extend(labels);
            Vec::new()
        };
        match self.layout.start {
            Start::Header => {
                let mut header = self.empty();
                for (n, column) in self.layout.columns.iter().enumerate() {
                    self.put(&mut header, n, Cell::Text(column.name.clone()));
                }
                page.push(header);
            }
            Start::Row(first) => {
                let above = usize::try_from(first.saturating_sub(1)).unwrap_or(0);
                while page.len() < above {
                    page.push(self.words(&format!("{}", self.day), Cell::Empty));
                }
                if page.len() > above {
                    return Err("the layout has no room for its control figures".to_owned());
                }
            }
        }
        page.extend(data);
        if let Some(word) = end {
            page.push(self.end(&word));
            page.extend(below);
        }
        Ok(page)
    }

    fn empty(&self) -> Line {
        vec![Cell::Empty; self.width]
    }

    fn words(&self, first: &str, second: Cell) -> Line {
        let mut line = self.empty();
        for (place, cell) in line.iter_mut().zip([Cell::Text(first.to_owned()), second]) {
            *place = cell;
        }
        line
    }

    fn put(&self, line: &mut Line, column: usize, cell: Cell) {
        if let Some(place) = self.at.get(column).and_then(|at| line.get_mut(*at)) {
            *place = cell;
        }
    }

    fn money(&self, dong: i64) -> Cell {
        match self.layout.thousands {
            None => Cell::Whole(dong),
            Some(mark) => Cell::Text(grouped(dong, char::from(mark))),
        }
    }

    fn row(&mut self, row: &Row) -> Result<Line, String> {
        let layout = self.layout;
        let (status, less) = word(layout, row.effect).ok_or("the layout has no word for a row")?;
        let mut line = self.empty();
        if let (Some(at), Some(word)) = (&layout.status, status) {
            self.put(&mut line, at.column, Cell::Text(word.to_owned()));
        }
        if layout.event.len() != row.event.len() && !layout.event.is_empty() {
            return Err("the layout names an event by other parts".to_owned());
        }
        for (part, field) in layout.event.iter().zip(&row.event) {
            match part {
                Part::Column(column) => self.put(&mut line, *column, Cell::Text(field.clone())),
                Part::Const(text) if text == field => {}
                Part::Const(_) => return Err("the layout is of another account".to_owned()),
            }
        }
        let (naming, reference) = &row.bill;
        let named = match naming {
            Naming::Invoice => layout.invoice,
            Naming::Order => layout.order,
            Naming::Customer => layout.customer,
        };
        if let (Some(column), Some(customer)) = (layout.customer, &row.customer) {
            self.put(&mut line, column, Cell::Text(customer.clone()));
        }
        if let Some(column) = named {
            self.put(&mut line, column, Cell::Text(reference.clone()));
        }
        self.amounts(&mut line, row, less);
        self.moment(&mut line, &layout.paid_at, row.at)?;
        if let Some(moment) = &layout.business_day {
            self.local(&mut line, moment, self.day.to_datetime(Time::midnight()))?;
        }
        if let (Some(refund), Some((dong, at))) = (&layout.refund, row.refund) {
            self.put(&mut line, refund.amount, self.money(dong));
            self.moment(&mut line, &refund.paid_at, at)?;
            self.count(Effect::Moves(Movement::Reversal), dong);
        }
        self.count(row.effect, row.amount);
        self.figures.rows += 1;
        Ok(line)
    }

    fn amounts(&self, line: &mut Line, row: &Row, less: bool) {
        let amount = &self.layout.amount;
        match &amount.at {
            AmountAt::One(column) => self.put(line, *column, self.money(if less { -row.amount } else { row.amount })),
            AmountAt::Signed { column, sign, plus, minus } => {
                self.put(line, *column, self.money(row.amount));
                self.put(line, *sign, Cell::Text(if less { minus } else { plus }.clone()));
            }
            AmountAt::Sides { credit, debit } => {
                let side = if less { debit.unwrap_or(*credit) } else { *credit };
                self.put(line, side, self.money(row.amount));
            }
        }
        if let Some(column) = amount.customer_paid {
            self.put(line, column, self.money(row.amount));
        }
        for column in &self.layout.discount {
            self.put(line, *column, self.money(0));
        }
        for (column, fee) in self.layout.fee.iter().zip([row.fee].into_iter().chain(std::iter::repeat(0))) {
            self.put(line, *column, self.money(fee));
        }
    }

    fn moment(&self, line: &mut Line, moment: &Moment, at: Timestamp) -> Result<(), String> {
        let local = jiff::Timestamp::from_millisecond(at.unix_ms())
            .map_err(|outside| format!("a moment that cannot be written: {outside}"))?
            .to_zoned(self.layout.zone.clone())
            .datetime();
        self.local(line, moment, local)
    }

    fn local(&self, line: &mut Line, moment: &Moment, at: DateTime) -> Result<(), String> {
        let format = moment.formats.first();
        let written =
            format.and_then(|format| format.write(at, &self.layout.zone)).ok_or("no way to write a moment")?;
        let (date, time) = match moment.time {
            None => (written.as_str(), None),
            Some(column) => {
                let (date, time) = written.split_once(' ').ok_or("a time of day without a space before it")?;
                (date, Some((column, time)))
            }
        };
        self.put(line, moment.column, Cell::Text(date.to_owned()));
        if let Some((column, time)) = time {
            self.put(line, column, Cell::Text(time.to_owned()));
        }
        Ok(())
    }

    fn count(&mut self, effect: Effect, dong: i64) {
        let of = match effect {
            Effect::Moves(Movement::Payment) => &mut self.figures.payments,
            Effect::Moves(Movement::Reversal) => &mut self.figures.reversals,
            Effect::None(_) => {
                self.figures.unmoved += dong;
                return;
            }
        };
        *of = (of.0 + 1, of.1 + dong);
    }

    fn figure(&self, of: ControlOf) -> i64 {
        let Figures { payments, reversals, unmoved, rows } = &self.figures;
        match of {
            ControlOf::Payments => payments.1,
            ControlOf::Reversals => reversals.1,
            ControlOf::Net => payments.1 - reversals.1,
            ControlOf::Gross => payments.1 + reversals.1,
            ControlOf::All => payments.1 + reversals.1 + unmoved,
            ControlOf::PaymentCount => payments.0,
            ControlOf::ReversalCount => reversals.0,
            ControlOf::Count => payments.0 + reversals.0,
            ControlOf::RowCount => *rows,
        }
    }

    fn labels(&self) -> Vec<Line> {
        let label = |at: &ControlAt, of: ControlOf| match at {
            ControlAt::Label(label) => Some(self.words(label, self.money(self.figure(of)))),
            ControlAt::EndRow(_) => None,
        };
        self.layout.controls.iter().filter_map(|control| label(&control.at, control.of)).collect()
    }

    fn end(&self, word: &str) -> Line {
        let mut line = self.words(word, Cell::Empty);
        for control in &self.layout.controls {
            if let ControlAt::EndRow(column) = control.at {
                self.put(&mut line, column, self.money(self.figure(control.of)));
            }
        }
        line
    }
}

/// With a mark between thousands.
pub(super) fn grouped(dong: i64, mark: char) -> String {
    let digits = dong.unsigned_abs().to_string();
    let mut text = String::from(if dong < 0 { "-" } else { "" });
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

fn text(layout: &Layout, page: &[Line]) -> Result<Vec<u8>, String> {
    let unwritable = |error: &dyn std::fmt::Display| format!("the statement cannot be written: {error}");
    let mut csv = csv::WriterBuilder::new().delimiter(layout.separator).from_writer(Vec::new());
    for line in page {
        let cells = line.iter().map(|cell| match cell {
            Cell::Empty => String::new(),
            Cell::Text(text) => text.clone(),
            Cell::Whole(dong) => dong.to_string(),
        });
        csv.write_record(cells).map_err(|error| unwritable(&error))?;
    }
    let bytes = csv.into_inner().map_err(|error| unwritable(&error))?;
    let text = || String::from_utf8(bytes.clone()).map_err(|error| unwritable(&error));
    Ok(match layout.encoding {
        Encoding::Utf8 => bytes,
        Encoding::Utf16Le => text()?.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => text()?.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Encoding::Windows1258 => encoding_rs::WINDOWS_1258.encode(&text()?).0.into_owned(),
    })
}

fn workbook(layout: &Layout, page: &[Line]) -> Result<Vec<u8>, String> {
    let unwritable = |error: rust_xlsxwriter::XlsxError| format!("the statement cannot be written: {error}");
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    if let Some(name) = &layout.sheet {
        sheet.set_name(name).map_err(unwritable)?;
    }
    for (row, line) in (0_u32..).zip(page) {
        for (column, cell) in (0_u16..).zip(line) {
            match cell {
                Cell::Empty => continue,
                Cell::Text(text) => sheet.write_string(row, column, text),
                Cell::Whole(dong) => sheet.write(row, column, *dong),
            }
            .map_err(unwritable)?;
        }
    }
    book.save_to_buffer().map_err(unwritable)
}
