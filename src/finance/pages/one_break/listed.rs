//! The list that a break was opened from: its query is passed on from page to page, so that the next one is the list's.

use crate::domain::ids::PartnerCode;
use crate::finance::stop::form_urlencoded;
use crate::http::breaks_query::BreaksQuery;
use crate::store::StoreError;
use crate::store::desk::{BreakFilter, BreakView};
use crate::store::reports::Reports;
use actix_web::HttpRequest;
use jiff::civil::Date;

/// Rows of the compact list.
const ROWS: u32 = 100;

/// The list's query, and what was just done.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pairs: Vec<(String, String)>,
    /// What was done, and with which break.
    pub done: Option<(String, String)>,
}

impl Asked {
    pub(super) fn of(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    fn parse(query: &str) -> Self {
        let mut pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let mut take = |name: &str| {
            let at = pairs.iter().position(|(of, _)| of == name);
            at.map(|at| pairs.remove(at).1)
        };
        let (done, of) = (take("done"), take("of"));
        Self { pairs, done: done.map(|done| (done, of.unwrap_or_default())) }
    }

    /// The query for an address, with its question mark; empty where there is none.
    pub(super) fn query(&self) -> String {
        self.with(&[])
    }

    /// The same with what was done.
    pub(super) fn with(&self, more: &[(&str, &str)]) -> String {
        let own = self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
        if all.is_empty() { String::new() } else { format!("?{}", form_urlencoded(&all)) }
    }

    /// What the list asks. An address that is none of a list's narrows nothing.
    pub(super) fn list(&self, today: Date, partners: Vec<PartnerCode>) -> List {
        let query: BreaksQuery = serde_urlencoded::from_str(&form_urlencoded(&self.own())).unwrap_or_default();
        let filter = query.filter(today).unwrap_or_else(|_not_one| BreakFilter::open(ROWS));
        List { filter: BreakFilter { limit: ROWS, ..filter }, query, partners }
    }

    fn own(&self) -> Vec<(&str, &str)> {
        let own = self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        own.filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// What is asked of the books about the list.
#[derive(Debug)]
pub(super) struct List {
    /// Its filter.
    pub filter: BreakFilter,
    /// Its search text, and whatever else it asks.
    pub query: BreaksQuery,
    /// Whose payments the text may name.
    pub partners: Vec<PartnerCode>,
}

/// The breaks of the list around this one: its page, or, where that has it no more, those from here on.
pub(super) fn around(reports: &mut dyn Reports, list: &List, no: i64) -> Result<Vec<BreakView>, StoreError> {
    let found = list.query.found(reports, &list.partners)?;
    let filter = BreakFilter { found, ..list.filter.clone() };
    let page = reports.breaks(&filter)?;
    if page.iter().any(|about| about.no == no) {
        return Ok(page);
    }
    reports.breaks(&BreakFilter { before: Some(no), after: None, ..filter })
}

/// The one after this in a list that is newest first.
pub(super) fn next(list: &[BreakView], no: i64) -> Option<i64> {
    let at = list.iter().position(|about| about.no == no);
    let after = at.map_or(0, |at| at.saturating_add(1));
    list.iter().skip(after).map(|about| about.no).find(|other| at.is_some() || *other < no)
}

#[cfg(test)]
mod tests {
    use super::Asked;
    use crate::domain::resolution::BreakState;
    use jiff::civil::date;

    #[test]
    fn a_lists_query_is_passed_on_whole_and_read_if_it_is_one() {
        let asked = Asked::parse("state=open&class=FEE_MISMATCH&q=a%26b&done=comment&of=12&before=40");
        assert_eq!(asked.done, Some(("comment".to_owned(), "12".to_owned())));
        assert_eq!(asked.query(), "?state=open&class=FEE_MISMATCH&q=a%26b&before=40");
        assert!(asked.with(&[("done", "x")]).ends_with("&done=x"));
        let filter = asked.list(date(2026, 4, 1), Vec::new()).filter;
        assert_eq!((filter.state, filter.before, filter.open_only), (Some(BreakState::Open), Some(40), true));
        for other in ["", "state=nonsense&class=&before=x&age=7", "%%%"] {
            let filter = Asked::parse(other).list(date(2026, 4, 1), Vec::new()).filter;
            assert!(filter.state.is_none() && filter.class.is_none() && filter.before.is_none(), "{other}");
        }
    }
}
