//! What rules propose, and that they approve nothing that nobody let them.

use super::{Desk, author, line};
use crate::ledger::tell::{bill, noon, pay};
use thuho::domain::resolution::{Action, Resolution};
use thuho::domain::statement::LineNo;
use thuho::reconcile::desk::rules::{APPROVER, Rule, dry_run, may_approve};
use thuho::store::desk::{Decided, Verb};

#[test]
fn a_rule_says_the_same_of_the_same_breaks_and_moves_nothing_by_itself() {
    for mut desk in Desk::everywhere(|books| _ = books.import(&[bill("HD-1", 100), bill("HD-2", 250)])) {
        let lines = [
            line(1, Some("7"), "HD-1", 100),
            // Not exactly the bill; of no event; of no known bill: a person's.
            line(2, Some("8"), "HD-2", 249),
            line(3, None, "HD-2", 250),
            line(4, Some("9"), "HD-9", 5),
        ];
        let file = desk.statement(&lines);
        let mut opened = Vec::new();
        for (place, event, dong) in [(1, Some("7"), 100), (2, Some("8"), 249), (3, None, 250), (4, Some("9"), 5)] {
            opened.push(desk.missing(LineNo::of(file, place), event, dong));
        }
        let before = desk.books.state();
        let drafts: Vec<_> = (0..2)
            .map(|_| dry_run(desk.books.reports.as_mut(), Rule::CreateMissing, None, noon()).unwrap().unwrap())
            .collect();
        assert_eq!(drafts[0], drafts[1]);
        assert_eq!(drafts[0].maker.as_str(), "rule:create-missing@1");
        // Who brought the statement does not have a rule approve what stands on it: that would be one person.
        let mut may = |who| may_approve(desk.books.reports.as_mut(), &drafts[0], &author(who)).unwrap();
        assert_eq!((may("an"), may("chi")), (false, true));
        let listed: Vec<(i64, &Resolution)> = drafts[0].items.iter().map(|i| (i.break_no, &i.what)).collect();
        let frozen = Resolution::Create { event: vec![], line: Some(LineNo::of(file, 1).0) };
        assert_eq!(listed, [(opened[0], &frozen)], "the line is frozen with it");
        assert_eq!(desk.books.state(), before);
        let wishes: Vec<_> = drafts[0].items.iter().map(|i| (i.break_no, i.what.clone())).collect();
        let proposal = desk.propose(drafts[0].maker.as_str(), &wishes).unwrap();
        assert_eq!(desk.decide(proposal, Verb::Approve, APPROVER), Decided::BeyondAuthority);
        desk.grant(APPROVER, Action::Create, 100);
        assert_eq!(desk.decide(proposal, Verb::Approve, APPROVER), Decided::Done);
        assert_eq!(desk.carry_out(None).done, 1);
        assert_eq!(dry_run(desk.books.reports.as_mut(), Rule::CreateMissing, None, noon()).unwrap(), None);
    }
}

/// A name that one person gave another one the password of is no second person, whoever chose another password since.
#[test]
fn a_rule_approves_nothing_for_a_second_name_of_whoever_brought_the_statement() {
    for mut desk in Desk::everywhere(|books| _ = books.import(&[bill("HD-1", 100)])) {
        desk.joins("linh", "lan");
        for (name, by) in [("hoa", "lan"), ("an", "boss"), ("dung", "boss"), ("quang", "head")] {
            desk.joins(name, by);
        }
        for who in ["lan", "hoa", "an"] {
            let file = desk.statement_by(who, &[line(1, Some("7"), "HD-1", 100)]);
            let no = desk.missing(LineNo::of(file, 1), Some("7"), 100);
            let draft = dry_run(desk.books.reports.as_mut(), Rule::CreateMissing, None, noon()).unwrap().unwrap();
            let mut may = |run_by| may_approve(desk.books.reports.as_mut(), &draft, &author(run_by)).unwrap();
            let all = ["lan", "hoa", "linh", "an", "dung", "quang", "a.token"].map(&mut may);
            let of_boss = who == "an";
            assert_eq!(all, [of_boss, of_boss, of_boss, !of_boss, !of_boss, true, true], "brought by {who}");
            if who == "hoa" {
                // Whoever could have brought it as hoa could, whatever becomes of hoa's password.
                desk.given("hoa", "head");
                let mut may = |run_by| may_approve(desk.books.reports.as_mut(), &draft, &author(run_by)).unwrap();
                assert_eq!(["lan", "linh", "hoa", "quang", "dung"].map(&mut may), [false, false, false, false, true]);
            }
            desk.close(no);
        }
    }
}

/// What rules may approve is a day's sum: many small lists are as much as a large one.
#[test]
fn rules_approve_no_more_in_a_day_than_somebody_let_them() {
    let bills: Vec<String> = (1..=4).map(|n| format!("HD-{n}")).collect();
    for mut desk in Desk::everywhere(|books| bills.iter().for_each(|id| _ = books.import(&[bill(id, 100)]))) {
        let events = ["7", "8", "9", "10"];
        let lines: Vec<_> =
            bills.iter().zip(events).zip(1..).map(|((id, event), place)| line(place, Some(event), id, 100)).collect();
        let file = desk.statement(&lines);
        let mut proposals = Vec::new();
        for (place, event) in (1..).zip(events) {
            let no = desk.missing(LineNo::of(file, place), Some(event), 100);
            let what = Resolution::Create { event: vec![], line: Some(LineNo::of(file, place).0) };
            proposals.push(desk.propose(Rule::CreateMissing.name(), &[(no, what)]).unwrap());
        }
        desk.grant(APPROVER, Action::Create, 250);
        desk.grant("chi", Action::Create, 100);
        let later = |ms| noon().plus_ms(ms);
        let mut decide = |n: usize, by, ms| desk.decide_at(proposals[n], Verb::Approve, (by, later(ms)));
        assert_eq!(decide(0, APPROVER, 0), Decided::Done);
        assert_eq!(decide(1, APPROVER, 1), Decided::Done);
        assert_eq!(decide(2, APPROVER, 86_399_999), Decided::BeyondAuthority, "300 of 250 in a day");
        assert_eq!(decide(2, "chi", 2), Decided::Done, "a person's is a list's");
        assert_eq!(decide(3, "chi", 3), Decided::Done);
    }
}

#[test]
fn what_rules_approved_a_day_ago_counts_no_more() {
    for mut desk in Desk::everywhere(|books| _ = books.import(&[bill("HD-1", 100), bill("HD-2", 100)])) {
        let file = desk.statement(&[line(1, Some("7"), "HD-1", 100), line(2, Some("8"), "HD-2", 100)]);
        let mut proposals = Vec::new();
        for (place, event) in [(1, "7"), (2, "8")] {
            let no = desk.missing(LineNo::of(file, place), Some(event), 100);
            let what = Resolution::Create { event: vec![], line: Some(LineNo::of(file, place).0) };
            proposals.push(desk.propose(Rule::CreateMissing.name(), &[(no, what)]).unwrap());
        }
        desk.grant(APPROVER, Action::Create, 150);
        let mut decide = |n: usize, ms| desk.decide_at(proposals[n], Verb::Approve, (APPROVER, noon().plus_ms(ms)));
        assert_eq!(decide(0, 0), Decided::Done);
        assert_eq!(decide(1, 86_400_000 - 1), Decided::BeyondAuthority);
        assert_eq!(decide(1, 86_400_000), Decided::Done);
    }
}

#[test]
fn of_two_payments_of_one_bill_the_first_is_kept() {
    for mut desk in Desk::everywhere(|books| _ = books.import(&[bill("HD-1", 100)])) {
        desk.hear(&pay("1", 100).invoice("HD-1"));
        desk.hear(&pay("2", 100).invoice("HD-1"));
        let draft = dry_run(desk.books.reports.as_mut(), Rule::RefundLater, None, noon()).unwrap().unwrap();
        let refund = Resolution::Allocate { invoices: vec![], refund: 100, write_off: 0 };
        assert_eq!(draft.items.iter().map(|i| &i.what).collect::<Vec<_>>(), [&refund]);
        let no = draft.items[0].break_no;
        assert_eq!(desk.at(no).event, Some(super::key("2")));
    }
}
