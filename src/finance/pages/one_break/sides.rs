//! The four columns of a break, field by field: what the notice, the statement, the core and the bank say, and where they
//! say different things. Pure.

use super::gather::{Stated, Whole};
use crate::domain::ids::Movement;
use crate::domain::money::Money;
use crate::domain::notice::{ReferenceText, References};
use crate::domain::statement::StatementKind;
use crate::finance::highlight::{Piece, Pieces, pieces, read_ids};
use crate::finance::show;
use crate::finance::terms;
use crate::finance::words::Words;
use crate::store::desk::StoredLine;
use crate::store::rows::{EventRecord, EventState};

/// What a side says in a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Value {
    /// What is compared; nothing where it is shown only.
    key: Option<String>,
    pieces: Pieces,
}

/// One cell of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// The name of its column, for narrow screens.
    pub name: &'static str,
    pub pieces: Pieces,
    /// `same`, `differs`, or nothing where there is nothing to compare it with.
    pub mark: &'static str,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub name: &'static str,
    /// `figure`, `code`, or nothing where it is words.
    pub look: &'static str,
    pub cells: Vec<Cell>,
    /// Do two sides say different things?
    pub differs: bool,
    /// Do two sides say the same thing, and none another?
    pub agrees: bool,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub name: &'static str,
    /// Does this side say anything?
    pub there: bool,
    /// Where it is from.
    pub from: String,
    /// An address of it.
    pub place: Option<String>,
}

const FIELDS: usize = 12;

/// How each field looks.
const LOOKS: [&str; FIELDS] = ["figure", "figure", "figure", "figure", "", "code", "code", "code", "code", "", "", ""];

/// What one side says, in the order of the fields; all of them nothing where the side is absent.
type Side = Option<[Value; FIELDS]>;

/// The columns and the rows.
pub(super) fn table(of: &Whole, see: bool, w: Words) -> (Vec<Column>, Vec<Row>) {
    let sides = [notice(of, see, w), statement(of, see, w), core(of, see, w), bank(of, w)];
    let from = |line: &StoredLine| format!("{}, {} {}", line.file.0, w.ob_file_row(), line.row);
    let file = |line: &StoredLine| Some(format!("/files/{}", line.no.file().0));
    let made = of.record.as_ref().is_some_and(|record| record.made_from.is_some());
    let names: [(&'static str, String, Option<String>); 4] = [
        (w.ob_notice(), if made { w.ob_made_from_line().to_owned() } else { String::new() }, None),
        (w.ob_statement(), of.statement.as_ref().map(from).unwrap_or_default(), of.statement.as_ref().and_then(file)),
        (w.ob_core(), of.core.as_ref().map(from).unwrap_or_default(), of.core.as_ref().and_then(file)),
        (w.ob_bank(), of.batch.as_ref().map(|batch| batch.name.clone()).unwrap_or_default(), None),
    ];
    let columns: Vec<Column> = names
        .into_iter()
        .zip(&sides)
        .map(|((name, from, place), side)| Column { name, there: side.is_some(), from, place })
        .collect();
    let heads: [&'static str; FIELDS] = [
        w.ob_amount(),
        w.ob_discount(),
        w.ob_fee(),
        w.ob_customer_paid(),
        w.ob_kind(),
        w.ob_event(),
        w.ob_invoice(),
        w.ob_order(),
        w.ob_customer(),
        w.ob_paid_at(),
        w.ob_day(),
        w.ob_state(),
    ];
    let rows = heads.into_iter().enumerate().map(|(at, name)| {
        let values =
            sides.iter().map(|side| side.as_ref().and_then(|fields| fields.get(at)).cloned().unwrap_or_default());
        row((name, LOOKS.get(at).copied().unwrap_or_default()), values.collect(), &columns)
    });
    let rows = rows.collect();
    (columns, rows)
}

/// Each cell against the first side that says something.
fn row((name, look): (&'static str, &'static str), values: Vec<Value>, columns: &[Column]) -> Row {
    let base = values.iter().find_map(|value| value.key.clone());
    let says = values.iter().filter(|value| value.key.is_some()).count();
    let differs = values.iter().any(|value| value.key.is_some() && value.key != base);
    let cells = values.into_iter().zip(columns).map(|(value, column)| {
        let mark = match &value.key {
            Some(_) if value.key != base => "differs",
            Some(_) if says > 1 && !differs => "same",
            _ => "",
        };
        Cell { name: column.name, pieces: value.pieces, mark }
    });
    Row { name, look, cells: cells.collect(), differs, agrees: says > 1 && !differs }
}

fn shown(text: String) -> Pieces {
    vec![Piece { text, read: false }]
}

fn said(key: impl ToString, text: String) -> Value {
    Value { key: Some(key.to_string()), pieces: shown(text) }
}

fn told(text: String) -> Value {
    Value { key: None, pieces: shown(text) }
}

fn sum(of: Money, w: Words) -> Value {
    said(of.dong(), show::money(of.dong(), w.0))
}

fn text(of: Option<&ReferenceText>, ids: &[String], see: bool) -> Value {
    match of {
        Some(text) if see => Value { key: Some(text.as_str().to_owned()), pieces: pieces(text.as_str(), ids) },
        Some(text) => said(text.as_str(), show::masked(text.as_str())),
        None => Value::default(),
    }
}

fn references(of: &References, see: bool) -> [Value; 3] {
    let ids = read_ids(of);
    [&of.invoice, &of.order, &of.customer].map(|stated| text(stated.as_ref(), &ids, see))
}

/// Amount, discount, fee and what the customer paid; only what the side states.
fn sums([amount, discount, fee]: [Money; 3], states: Stated, w: Words) -> [Value; 4] {
    let stated = |states: bool, of: Money| if states { sum(of, w) } else { Value::default() };
    let paid = amount.minus(discount).map(|paid| stated(states.discounts, paid)).unwrap_or_default();
    [sum(amount, w), stated(states.discounts, discount), stated(states.fees, fee), paid]
}

fn notice(of: &Whole, see: bool, w: Words) -> Side {
    let record = of.record.as_ref()?;
    let [invoice, order, customer] = references(&record.content.references, see);
    let [amount, discount, fee, paid] =
        sums([record.content.amount, record.content.discount, record.fee], of.states.notice, w);
    Some([
        amount,
        discount,
        fee,
        paid,
        kind(moves(record), w),
        said(&record.event, record.event.clone()),
        invoice,
        order,
        customer,
        said(record.paid_at.unix_s().div_euclid(60), show::moment(record.paid_at)),
        said(record.business_day, show::day(record.business_day)),
        told(terms::event_state(record.state, w)),
    ])
}

/// What the books hold of it, as a statement says it.
fn moves(record: &EventRecord) -> Option<Movement> {
    match record.state {
        EventState::Settled | EventState::Parked(_) => Some(Movement::Payment),
        EventState::Applied => Some(Movement::Reversal),
        EventState::Reversed | EventState::Expected { .. } | EventState::Waiting | EventState::Refused => None,
    }
}

/// Payment, reversal, or nothing that moved.
fn kind(of: Option<Movement>, w: Words) -> Value {
    said(of.map_or("", Movement::word), terms::movement(of, w).to_owned())
}

fn line(of: &StoredLine, (day, states, see): (Option<jiff::civil::Date>, Stated, bool), w: Words) -> [Value; FIELDS] {
    let [invoice, order, customer] = references(&of.references, see);
    let [amount, discount, fee, paid] = sums([of.amount, of.discount, of.fee], states, w);
    [
        amount,
        discount,
        fee,
        paid,
        kind(of.movement, w),
        of.event.as_ref().map(|event| said(event, event.clone())).unwrap_or_default(),
        invoice,
        order,
        customer,
        said(of.paid_at.unix_s().div_euclid(60), show::moment(of.paid_at)),
        day.map(|day| said(day, show::day(day))).unwrap_or_default(),
        Value::default(),
    ]
}

/// The day of the statement that this kind of comparison was about.
fn day_of(of: &Whole, kind: StatementKind) -> Option<jiff::civil::Date> {
    of.about.leg.filter(|leg| leg.kind == kind).map(|leg| leg.day)
}

fn statement(of: &Whole, see: bool, w: Words) -> Side {
    if let Some(found) = &of.statement {
        return Some(line(found, (day_of(of, StatementKind::Partner), of.states.statement, see), w));
    }
    // What the bank should bring is what the statement comes to.
    let leg = of.about.leg.filter(|leg| leg.kind == StatementKind::Bank)?;
    let mut fields: [Value; FIELDS] = std::array::from_fn(|_| Value::default());
    if let (Some(amount), Some(should)) = (fields.first_mut(), leg.ours) {
        *amount = said(should, show::money(should, w.0));
    }
    Some(fields)
}

fn core(of: &Whole, see: bool, w: Words) -> Side {
    if let Some(found) = &of.core {
        return Some(line(found, (day_of(of, StatementKind::Core), of.states.core, see), w));
    }
    let last = of.messages.first()?;
    let record = of.record.as_ref()?;
    let told_sum = Money::sum(of.position.allocations.iter().map(|part| part.amount)).ok()?;
    let mut invoices: Vec<&str> = of.messages.iter().map(|message| message.invoice.as_str()).collect();
    invoices.sort_unstable();
    invoices.dedup();
    let blank = Value::default;
    Some([
        if told_sum.is_positive() { sum(told_sum, w) } else { blank() },
        blank(),
        blank(),
        blank(),
        blank(),
        told(record.event.clone()),
        told(invoices.join(", ")),
        blank(),
        blank(),
        last.delivered_at.map(|at| told(show::moment(at))).unwrap_or_default(),
        blank(),
        told(terms::message_state(&last.state, w)),
    ])
}

fn bank(of: &Whole, w: Words) -> Side {
    let leg = of.about.leg.filter(|leg| leg.kind == StatementKind::Bank);
    let batch = of.batch.as_ref();
    if leg.is_none() && batch.is_none() {
        return None;
    }
    let mut fields: [Value; FIELDS] = std::array::from_fn(|_| Value::default());
    let [amount, .., day, state] = &mut fields;
    if let Some(came) = leg.and_then(|leg| leg.theirs) {
        *amount = said(came, show::money(came, w.0));
    }
    if let Some(batch) = batch {
        *day = said(batch.day, show::day(batch.day));
        let sums = [batch.credited, batch.expected].map(|dong| show::money(dong, w.0));
        *state = told(format!("{}: {}", w.ob_batch_came(), sums.join(" / ")));
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::{Column, row, said, told};

    fn marks(values: Vec<super::Value>) -> Vec<&'static str> {
        let columns: Vec<Column> =
            (0..4).map(|_| Column { name: "", there: true, from: String::new(), place: None }).collect();
        row(("", "figure"), values, &columns).cells.into_iter().map(|cell| cell.mark).collect()
    }

    #[test]
    fn a_cell_differs_from_the_first_side_that_says_something() {
        let say = |key: i64| said(key, String::new());
        let none = || told(String::new());
        assert_eq!(marks(vec![say(1), say(1), none(), none()]), ["same", "same", "", ""]);
        assert_eq!(marks(vec![say(1), say(2), say(1), none()]), ["", "differs", "", ""]);
        assert_eq!(marks(vec![none(), say(1), none(), none()]), [""; 4]);
        assert_eq!(marks(vec![none(), say(1), none(), say(2)]), ["", "", "", "differs"]);
    }
}
