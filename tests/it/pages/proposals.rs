//! Lists of proposals, a page at a time and both ways, and what waits, beside a plain list of a few hundred.

use super::world::{partner, person};
use crate::store_contract::contract::Harness;
use crate::store_contract::contract::build::{at, dong};
use thuho::domain::resolution::{Action, Item, ProposalNo, Resolution, frozen};
use thuho::domain::review::{BreakClass, NewBreak};
use thuho::domain::statement::Sum;
use thuho::domain::user::{Role, Roles};
use thuho::store::desk::{
    Authority, Decided, NewDecision, NewProposal, ProposalFilter, ProposalOrder, ProposalState, Proposed, Verb,
};
use thuho::store::users::User;

const COUNT: i64 = 230;

/// What the test knows of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    no: ProposalNo,
    dong: i64,
    state: ProposalState,
}

fn new_break(n: i64) -> NewBreak {
    NewBreak {
        class: BreakClass::Conflict,
        partner: Some(partner("collector")),
        event: None,
        invoice: None,
        dispatch: None,
        amount: dong(n),
        detail: "differs".to_owned(),
        opened_at: at(n),
        mark: None,
        leg: None,
    }
}

/// Proposals of one break each, the first ones first; people have decided about some of them.
fn made(h: &mut Harness) -> Vec<Made> {
    h.tx(|tx| tx.open_breaks(&(1..=COUNT).map(new_break).collect::<Vec<_>>()));
    let (an, lan) = (person("finance.an"), person("lan.nt"));
    let may =
        Authority { person: lan.clone(), action: Action::Close, dong: COUNT, granted_by: person("head.hq"), at: at(0) };
    assert!(h.tx(|tx| tx.grant(&may)));
    let propose = |break_no: i64| {
        let items = vec![Item { break_no, what: Resolution::Close {}, dong: break_no }];
        let hash = frozen(&items);
        let new = NewProposal {
            action: Action::Close,
            maker: an.clone(),
            reason: "as said".to_owned(),
            at: at(break_no),
            items,
            dong: break_no,
            hash,
        };
        let Proposed::Waits(no) = h.tx(|tx| tx.propose(&new)) else { panic!("the break is free") };
        let (verb, by, state) = match break_no % 7 {
            1 => (Verb::Approve, &lan, ProposalState::Approved),
            2 => (Verb::Reject, &lan, ProposalState::Rejected),
            3 => (Verb::Withdraw, &an, ProposalState::Withdrawn),
            _ => return Made { no, dong: break_no, state: ProposalState::Proposed },
        };
        let word = NewDecision { proposal: no, verb, by, hash, words: "said", at: at(break_no) };
        assert_eq!(h.tx(|tx| tx.decide(&word)), Decided::Done);
        Made { no, dong: break_no, state }
    };
    (1..=COUNT).map(propose).collect()
}

fn asked(h: &mut Harness, filter: ProposalFilter) -> Vec<Made> {
    let found = h.reports.proposals(filter).unwrap();
    found.iter().map(|of| Made { no: of.no, dong: of.dong, state: of.state }).collect()
}

/// From the first page to the last and back again: the same pages.
fn walked(h: &mut Harness, all: ProposalFilter) -> Vec<Made> {
    let mut pages = vec![asked(h, all)];
    while let Some(last) = pages.last().and_then(|page| page.last()).copied() {
        pages.push(asked(h, ProposalFilter { before: Some(last.no), ..all }));
    }
    pages.pop();
    for two in pages.windows(2).rev() {
        let back = asked(h, ProposalFilter { after: two[1].first().map(|of| of.no), ..all });
        assert_eq!(back, two[0], "{all:?}");
    }
    pages.concat()
}

fn pages_of_proposals_are_those_of_a_plain_list(mut h: Harness) {
    assert_eq!(h.reports.waiting_proposals().unwrap(), Sum::default());
    let made = made(&mut h);
    let waiting: Vec<_> = made.iter().filter(|of| of.state == ProposalState::Proposed).collect();
    let sum = Sum { count: u64::try_from(waiting.len()).unwrap(), dong: waiting.iter().map(|of| of.dong).sum() };
    assert_eq!(h.reports.waiting_proposals().unwrap(), sum);
    for order in [ProposalOrder::Newest, ProposalOrder::Oldest] {
        for limit in [7, 100, 229, 230, 1_000] {
            for state in ProposalState::ALL.map(Some).into_iter().chain([None]) {
                for decided_only in [false, true] {
                    let all = ProposalFilter { state, decided_only, order, limit, ..ProposalFilter::default() };
                    let fits = |of: &Made| {
                        state.is_none_or(|state| of.state == state)
                            && (!decided_only || of.state != ProposalState::Proposed)
                    };
                    let mut expected: Vec<Made> = made.iter().copied().filter(fits).collect();
                    if order == ProposalOrder::Newest {
                        expected.reverse();
                    }
                    assert_eq!(walked(&mut h, all), expected, "{all:?}");
                }
            }
        }
    }
    let (first, last) = (made[0].no, made[made.len() - 1].no);
    let between = ProposalFilter { before: Some(first), after: Some(last), limit: 3, ..ProposalFilter::default() };
    assert_eq!(asked(&mut h, between), Vec::<Made>::new(), "nothing is behind the oldest and in front of the newest");
    let between = ProposalFilter { order: ProposalOrder::Oldest, ..between };
    assert_eq!(asked(&mut h, between), made[1..4], "behind the oldest, in front of the newest, from there on");
}

/// Two names of one person are not two people: whoever made a user, or gave the password, approves nothing of that user's.
fn whoever_could_log_in_as_the_maker_approves_nothing(mut h: Harness) {
    let (admin, deputy, an, lan) = (person("admin"), person("deputy"), person("an"), person("lan"));
    let roles = Roles::of(&[Role::Maker, Role::Checker]);
    for (name, by) in [(&an, &admin), (&lan, &an)] {
        let user = User::new(name.clone(), roles, "phc".to_owned(), (by.clone(), at(0)));
        assert!(h.tx(|tx| tx.add_user(&user)).is_some());
    }
    h.tx(|tx| tx.open_breaks(&[new_break(1)]));
    for (who, by) in [(&admin, "head"), (&deputy, "head"), (&lan, "head")] {
        let may = Authority { person: who.clone(), action: Action::Close, dong: 9, granted_by: person(by), at: at(0) };
        assert!(h.tx(|tx| tx.grant(&may)));
    }
    let items = vec![Item { break_no: 1, what: Resolution::Close {}, dong: 1 }];
    let hash = frozen(&items);
    let new =
        NewProposal { action: Action::Close, maker: an, reason: "as said".to_owned(), at: at(1), items, dong: 1, hash };
    let Proposed::Waits(proposal) = h.tx(|tx| tx.propose(&new)) else { panic!("the break is free") };
    let decide = |h: &mut Harness, by| {
        h.tx(|tx| tx.decide(&NewDecision { proposal, verb: Verb::Approve, by, hash, words: "said", at: at(2) }))
    };
    assert_eq!(decide(&mut h, &admin), Decided::NotYours, "admin could log in as an");
    assert_eq!(decide(&mut h, &lan), Decided::NotYours, "an could log in as lan");
    assert_eq!(decide(&mut h, &deputy), Decided::Done);
}

super::on_both! {
    whoever_could_log_in_as_the_maker_approves_nothing
    pages_of_proposals_are_those_of_a_plain_list
}
