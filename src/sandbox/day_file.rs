//! A party's word on a day, from its own journal: a collector's statement, with mistakes that a seed plants, and the
//! core's clearing list. What was planted is written down, so that the comparison is held to find exactly that.

use super::chance::Chance;
use super::collector::Line;
use super::core_book::{self, Effect as Did};
use super::speech::Naming;
use super::statement::{self, Row};
use crate::domain::ids::Movement;
use crate::domain::notice::{Effect, NoEffect};
use crate::domain::review::BreakClass;
use crate::domain::time::Timestamp;
use crate::partner::statement::Layout;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// One payment of so many is left out of a statement, and one is stated less a fee.
const MISTAKES_EVERY: u64 = 100;

/// The fee that a mistaken line keeps back, in dong.
const FEE_DONG: i64 = 1_100;

/// What a comparison must find: the payment in hex, and the class.
pub type Expected = BTreeSet<(String, &'static str)>;

/// A party's file.
#[derive(Clone, Debug, Default)]
pub struct DayFile {
    /// As it is sent.
    pub bytes: Vec<u8>,
    /// In what the books must be found to differ from it.
    pub expected: Expected,
}

/// A collector's statement of its day.
///
/// # Errors
/// A sentence, when the layout cannot say what happened.
pub fn of_collector(layout: &Layout, day: Date, lines: &[Line], chance: Chance) -> Result<DayFile, String> {
    let mut lines: Vec<&Line> = lines.iter().filter(|line| line.till != 0 || line.movement == "status").collect();
    lines.sort_by(|a, b| (a.paid_at_ms, &a.event).cmp(&(b.paid_at_ms, &b.event)));
    let mut expected: Expected =
        lines.iter().filter(|line| line.unheard()).filter_map(|line| found(line, BreakClass::MissingWebhook)).collect();
    let [left_out, less] = mistakes(&lines, chance);
    let fees = !layout.fee.is_empty();
    let mut rows: Vec<(&Line, Row)> = Vec::with_capacity(lines.len());
    for line in lines {
        let (effect, mut row) = (effect(line), row(line));
        if left_out.contains(&line.event) {
            expected.extend(found(line, BreakClass::MissingInStatement));
            continue;
        }
        if less.contains(&line.event) {
            let class = if fees { BreakClass::FeeMismatch } else { BreakClass::AmountMismatch };
            expected.extend(found(line, class));
            row = Row { amount: row.amount - FEE_DONG, fee: FEE_DONG, ..row };
        }
        let beside = layout.refund.as_ref().and(line.reverses.as_ref());
        let payment = beside.and_then(|back| rows.iter_mut().find(|(of, _)| of.event == *back));
        match (payment, effect) {
            (Some((_, payment)), _) => payment.refund = Some((row.amount, row.at)),
            // What moves nothing is listed by whoever has a word for it.
            (None, Effect::None(_)) if !statement::can_say(layout, effect) => {}
            (None, _) => rows.push((line, row)),
        }
    }
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    Ok(DayFile { bytes: statement::write(layout, day, &rows)?, expected })
}

fn found(line: &Line, class: BreakClass) -> Option<(String, &'static str)> {
    line.key.clone().map(|key| (key, class.code()))
}

/// The events that are left out, and those that are stated less a fee: of what the gateway was plainly told.
fn mistakes(lines: &[&Line], chance: Chance) -> [BTreeSet<String>; 2] {
    let plain = |line: &&&Line| line.story == "plain" && line.till > FEE_DONG && line.yes && !line.unheard();
    let mut plain: Vec<&String> = lines.iter().filter(plain).map(|line| &line.event).collect();
    plain.sort();
    let every = MISTAKES_EVERY.min(u64::try_from(plain.len()).unwrap_or(MISTAKES_EVERY));
    if every < 3 {
        return [BTreeSet::new(), BTreeSet::new()];
    }
    let out = chance.below("left out of the statement", 0, every);
    let less = (out + 1 + chance.below("stated less a fee", 0, every - 1)) % every;
    [out, less].map(|place| {
        let chosen = (0..every).cycle().zip(&plain).filter(|(n, _)| *n == place);
        chosen.map(|(_, event)| (*event).clone()).collect()
    })
}

fn effect(line: &Line) -> Effect {
    match line.movement {
        "payment" => Effect::Moves(Movement::Payment),
        "reversal" => Effect::Moves(Movement::Reversal),
        _ if line.story == "failed" => Effect::None(NoEffect::Failed),
        _ => Effect::None(NoEffect::Pending),
    }
}

fn row(line: &Line) -> Row {
    Row {
        effect: effect(line),
        event: line.fields.clone(),
        bill: (line.naming, line.reference.clone()),
        customer: None,
        amount: line.amount,
        fee: 0,
        at: Timestamp::from_unix_ms(line.paid_at_ms),
        refund: None,
    }
}

/// The core's clearing list for a partner: what it took. What it was told and never took must be found; of money on no
/// bill, and of what was taken back before it was said, it was not told.
///
/// # Errors
/// A sentence, when the layout cannot say what happened.
pub fn of_core(
    layout: &Layout,
    day: Date,
    lines: &[core_book::Line],
    (partner, told): (&str, &[Line]),
) -> Result<DayFile, String> {
    let heard: Vec<&core_book::Line> = lines.iter().filter(|line| line.partner == partner).collect();
    let taken: Vec<&core_book::Line> = heard.iter().copied().filter(|line| line.effect == Did::Taken).collect();
    let payments =
        |lines: &[&core_book::Line]| -> BTreeSet<String> { lines.iter().map(|line| line.payment.clone()).collect() };
    let (was_told, cleared) = (payments(&heard), payments(&taken));
    let is_in = |of: &BTreeSet<String>, line: &Line| line.key.as_ref().is_some_and(|key| of.contains(key));
    let backs: BTreeMap<&String, &Line> = told
        .iter()
        .filter(|line| line.till < 0)
        .filter_map(|line| line.reverses.as_ref().map(|event| (event, line)))
        .collect();
    let mut expected = Expected::new();
    for payment in told.iter().filter(|line| is_in(&was_told, line) && !is_in(&cleared, line)) {
        match backs.get(&payment.event) {
            Some(back) => expected.extend([*back, payment].into_iter().filter_map(|l| found(l, BreakClass::Reversed))),
            None => expected.extend(found(payment, BreakClass::PaidNotCleared)),
        }
    }
    let row = |line: &&core_book::Line| Row {
        effect: Effect::Moves(if line.kind == "payment.reversed" { Movement::Reversal } else { Movement::Payment }),
        event: line.event.split('|').map(ToOwned::to_owned).collect(),
        bill: (Naming::Invoice, line.invoice.clone()),
        customer: Some(line.customer.clone()),
        amount: line.amount,
        fee: 0,
        at: Timestamp::from_unix_ms(line.at_ms),
        refund: None,
    };
    let rows: Vec<Row> = taken.iter().map(row).collect();
    Ok(DayFile { bytes: statement::write(layout, day, &rows)?, expected })
}
