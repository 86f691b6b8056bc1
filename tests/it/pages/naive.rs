//! The answers about breaks as one would give them by hand: a walk through all of them, and no line of the store's.

use super::world::Made;
use jiff::civil::Date;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use thuho::domain::resolution::BreakState;
use thuho::store::desk::{BreakFilter, BreakOrder, Found};

/// The letters of the test's own words, one by one.
fn plain(text: &str) -> String {
    let letter = |c: char| match c {
        'Đ' | 'đ' => 'd',
        'Ơ' | 'ơ' => 'o',
        'Ế' | 'ế' => 'e',
        c => c.to_ascii_lowercase(),
    };
    text.chars().map(letter).collect()
}

fn dong(one: &Made) -> i64 {
    one.new.amount.dong().abs()
}

fn is_found(one: &Made, found: &Found) -> bool {
    let leg = one.new.leg;
    let mut sums = vec![one.new.amount.dong()];
    sums.extend(leg.and_then(|leg| leg.ours));
    sums.extend(leg.and_then(|leg| leg.theirs));
    let text = match &one.about {
        Some(id) => plain(&format!("{} {id}", one.new.detail)),
        None => plain(&one.new.detail),
    };
    let means = [
        found.no == Some(one.no),
        found.dong.is_some_and(|dong| sums.contains(&dong) || sums.contains(&-dong)),
        found.events.iter().any(|key| one.new.event == Some(*key)),
        found.invoices.iter().any(|id| one.about.as_ref() == Some(id)),
        found.customer.as_ref().is_some_and(|code| one.customer.as_deref() == Some(code.as_str())),
        !found.words.is_empty() && found.words.iter().all(|word| text.contains(&plain(word))),
    ];
    means.contains(&true)
}

fn is_asked_for(one: &Made, filter: &BreakFilter) -> bool {
    let refused = [
        filter.open_only && one.state == BreakState::Closed,
        filter.state.is_some_and(|state| one.state != state),
        filter.class.is_some_and(|class| one.new.class != class),
        filter.partner.is_some() && one.new.partner != filter.partner,
        filter.assignee.is_some() && one.assignee != filter.assignee,
        filter.event.is_some() && one.new.event != filter.event,
        filter.aged_from.is_some_and(|day| one.day < day),
        filter.aged_to.is_some_and(|day| one.day > day),
        filter.day.is_some_and(|day| one.day != day),
        filter.unit.is_some() && one.unit != filter.unit,
        filter.area.is_some() && one.area != filter.area,
        filter.channel.is_some() && one.channel != filter.channel,
        !filter.no_leg && filter.leg.is_some() && one.new.leg.map(|leg| leg.kind) != filter.leg,
        filter.no_leg && one.new.leg.is_some(),
        filter.dong.0.is_some_and(|least| dong(one) < least),
        filter.dong.1.is_some_and(|most| dong(one) > most),
        filter.found.as_ref().is_some_and(|found| !is_found(one, found)),
    ];
    !refused.contains(&true)
}

/// All of a filter, in its order.
pub fn all<'m>(made: &'m [Made], filter: &BreakFilter) -> Vec<&'m Made> {
    let mut all: Vec<&Made> = made.iter().filter(|one| is_asked_for(one, filter)).collect();
    in_order(&mut all, filter.order);
    all
}

fn in_order(all: &mut [&Made], order: BreakOrder) {
    match order {
        BreakOrder::Newest => all.sort_by_key(|one| Reverse(one.no)),
        BreakOrder::Oldest => all.sort_by_key(|one| (one.day, one.no)),
        BreakOrder::Largest => all.sort_by_key(|one| Reverse((dong(one), one.no))),
    }
}

/// The numbers of one page: where the whole list, with the two places in it, is cut.
pub fn page(made: &[Made], filter: &BreakFilter) -> Vec<i64> {
    let mut whole: Vec<&Made> = made.iter().collect();
    in_order(&mut whole, filter.order);
    let place = |no: i64| whole.iter().position(|one| one.no == no).unwrap();
    let from = filter.before.map_or(0, |no| place(no) + 1);
    let to = filter.after.map_or(whole.len(), place);
    let between = whole.get(from..to).unwrap_or_default().iter().filter(|one| is_asked_for(one, filter));
    let mut page: Vec<i64> = between.map(|one| one.no).collect();
    let limit = usize::try_from(filter.limit).unwrap();
    if filter.after.is_some() && filter.before.is_none() {
        page = page.split_off(page.len().saturating_sub(limit));
    }
    page.truncate(limit);
    page
}

/// Count, sum and earliest day.
pub fn totals(all: &[&Made]) -> (usize, i64, Option<Date>) {
    (all.len(), all.iter().map(|one| dong(one)).sum(), all.iter().map(|one| one.day).min())
}

/// Count and sum by code.
pub fn facets(all: &[&Made]) -> Vec<(String, usize, i64)> {
    let mut by_code: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for one in all {
        let sum = by_code.entry(one.new.class.code()).or_default();
        *sum = (sum.0 + 1, sum.1 + dong(one));
    }
    by_code.into_iter().map(|(code, (count, dong))| (code.to_owned(), count, dong)).collect()
}
