//! What would have matched: what the other side lacks, said with the figures of the side that is there. Pure.

use super::gather::Whole;
use super::sides::Row;
use crate::domain::statement::StatementKind;
use crate::finance::show;
use crate::finance::terms;
use crate::finance::words::Words;
use crate::store::rows::EventState;

/// The sentence, and what would have to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Would {
    pub sentence: &'static str,
    pub facts: Vec<(&'static str, String)>,
}

pub(super) fn of(whole: &Whole, rows: &[Row], w: Words) -> Would {
    let amount = (w.ob_amount(), show::money(whole.about.amount.dong(), w.0));
    let day = whole.about.leg.map(|leg| (w.ob_day(), show::day(leg.day)));
    match whole.about.leg {
        Some(leg) if leg.kind == StatementKind::Bank => Would { sentence: w.ob_would_bank(), facts: vec![] },
        Some(leg) if leg.ours.is_none() => {
            let line = whole.statement.as_ref().or(whole.core.as_ref());
            let event = line.map(|line| line.event.clone().unwrap_or_else(|| w.ob_names_no_event().to_owned()));
            let facts = event.map(|event| (w.ob_event(), event)).into_iter().chain([amount]).collect();
            Would { sentence: w.ob_would_notice(), facts }
        }
        Some(leg) if leg.theirs.is_none() => {
            let event = whole.record.as_ref().map(|record| (w.ob_event(), record.event.clone()));
            let kind = (w.ob_found_by(), terms::statement_kind(leg.kind, w).to_owned());
            let facts = [kind].into_iter().chain(event).chain([amount]).chain(day).collect();
            Would { sentence: w.ob_would_line(), facts }
        }
        Some(_) => {
            let differing = rows.iter().filter(|row| row.differs).map(|row| row.name).collect::<Vec<_>>().join(", ");
            let facts = if differing.is_empty() { vec![] } else { vec![(w.ob_differing(), differing)] };
            Would { sentence: w.ob_would_agree(), facts }
        }
        None if whole.record.as_ref().is_some_and(|record| matches!(record.state, EventState::Parked(_))) => {
            Would { sentence: w.ob_would_bill(), facts: vec![amount] }
        }
        None => Would { sentence: w.ob_would_nothing(), facts: vec![] },
    }
}
