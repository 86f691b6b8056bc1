//! The lines of a proposal's list as people read them: each with its break.

use crate::domain::resolution::Item;
use crate::finance::told::told;
use crate::finance::words::Words;
use crate::finance::{show, why, wish};
use crate::store::StoreError;
use crate::store::desk::{BreakView, ItemView};
use crate::store::reports::Reports;

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub place: u32,
    pub no: i64,
    pub label: &'static str,
    pub partner: String,
    pub detail: String,
    pub dong: String,
    pub what: String,
    /// When it ended.
    pub ended: String,
    /// Why it was not carried out.
    pub refused: Option<String>,
    /// Was it carried out?
    pub done: bool,
}

impl Line {
    fn new((place, item): (u32, &Item), about: Option<&BreakView>, (see, w): (bool, Words)) -> Self {
        Self {
            place,
            no: item.break_no,
            label: about.map(|about| why::label(about.class, w)).unwrap_or_default(),
            partner: about.and_then(|about| about.partner.as_ref()).map(ToString::to_string).unwrap_or_default(),
            detail: about.map(|about| why::detail(about, see, w)).unwrap_or_default(),
            dong: show::money(item.dong, w.0),
            what: wish::described(&item.what, w),
            ended: String::new(),
            refused: None,
            done: false,
        }
    }
}

/// Lines of a list that is kept, each with its end.
pub(super) fn kept(
    reports: &mut dyn Reports,
    items: &[ItemView],
    (see, w): (bool, Words),
) -> Result<Vec<Line>, StoreError> {
    let mut lines = Vec::with_capacity(items.len());
    for view in items {
        let about = reports.one_break(view.item.break_no)?;
        let line = Line::new((view.place, &view.item), about.as_ref(), (see, w));
        lines.push(Line {
            ended: view.ended_at.map(show::moment).unwrap_or_default(),
            refused: view.refused.as_deref().map(|why| told(why, w)),
            done: view.ended_at.is_some() && view.refused.is_none(),
            ..line
        });
    }
    Ok(lines)
}

/// Lines of a list that nobody has proposed yet.
pub(super) fn drafted(reports: &mut dyn Reports, items: &[Item], how: (bool, Words)) -> Result<Vec<Line>, StoreError> {
    let mut lines = Vec::with_capacity(items.len());
    for (place, item) in (1..).zip(items) {
        let about = reports.one_break(item.break_no)?;
        lines.push(Line::new((place, item), about.as_ref(), how));
    }
    Ok(lines)
}
