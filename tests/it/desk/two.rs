//! The rule of two, and what of it the database itself holds.

use super::{Desk, author, onto, refund};
use crate::harness::postgres::Database;
use crate::ledger::tell::{Books, bill, noon, pay};
use thuho::domain::resolution::{Action, BreakState, Resolution};
use thuho::domain::review::BreakClass;
use thuho::ledger::Slices;
use thuho::reconcile::desk::{self, Decision, NotProposed};
use thuho::store::desk::{Attachment, Authority, Decided, Mark, NoteKind, ProposalState, Verb};

fn a_parked_payment(books: &mut Books) {
    books.import(&[bill("HD-1", 100)]);
    books.post(&[pay("1", 100).arrival()]);
}

#[test]
fn one_person_proposes_and_another_one_approves() {
    for mut desk in Desk::everywhere(a_parked_payment) {
        desk.grant("an", Action::Allocate, 1_000_000);
        let no = desk.one(BreakClass::UnknownRef);
        let proposal = desk.propose("an", &[(no, onto(&[("HD-1", 100)]))]).unwrap();
        assert_eq!(desk.at(no).state, BreakState::Proposed);
        assert!(matches!(desk.propose("binh", &[(no, refund(1))]), Err(NotProposed::NotFree(of)) if of == [no]));
        assert_eq!(desk.decide(proposal, Verb::Approve, "an"), Decided::NotYours);
        assert_eq!(desk.decide(proposal, Verb::Reject, "an"), Decided::NotYours);
        assert_eq!(desk.decide(proposal, Verb::Withdraw, "binh"), Decided::NotYours);
        assert_eq!(desk.decide(proposal, Verb::Approve, "binh"), Decided::BeyondAuthority, "nobody gave any");
        desk.grant("binh", Action::Adjust, 1_000_000);
        desk.grant("binh", Action::Allocate, 99);
        assert_eq!(desk.decide(proposal, Verb::Approve, "binh"), Decided::BeyondAuthority);
        assert_eq!(desk.carry_out(None).done, 0, "nothing is carried out that is not approved");
        desk.grant("binh", Action::Allocate, 100);
        desk.grant("binh", Action::Allocate, -1);
        assert_eq!(desk.decide(proposal, Verb::Approve, "binh"), Decided::BeyondAuthority, "what was given is taken");
        desk.grant("binh", Action::Allocate, 100);
        assert_eq!(desk.decide(proposal, Verb::Approve, "binh"), Decided::Done);
        assert_eq!(desk.at(no).state, BreakState::Approved);
        assert_eq!(desk.decide(proposal, Verb::Approve, "chi"), Decided::Late);
        assert_eq!(desk.decide(proposal, Verb::Reject, "chi"), Decided::Late);
        // A crash here loses nothing: whoever comes next carries it out.
        assert_eq!(desk.carry_out(None).done, 1);
        assert_eq!(desk.carry_out(None).done, 0);
        assert_eq!(desk.books.reports.proposal(proposal).unwrap().unwrap().state, ProposalState::Done);
        let history: Vec<_> = desk.books.reports.notes(no).unwrap().into_iter().map(|n| (n.what, n.author)).collect();
        let expected = [(NoteKind::Proposed, "an"), (NoteKind::Approved, "binh"), (NoteKind::Done, "an")];
        assert_eq!(history, expected.map(|(what, who)| (what, author(who))));
    }
}

#[test]
fn what_is_rejected_or_withdrawn_is_free_again() {
    for mut desk in Desk::everywhere(a_parked_payment) {
        let no = desk.one(BreakClass::UnknownRef);
        for (verb, by) in [(Verb::Reject, "chi"), (Verb::Withdraw, "an")] {
            let proposal = desk.propose("an", &[(no, refund(100))]).unwrap();
            assert_eq!(desk.decide(proposal, verb, by), Decided::Done);
            assert_eq!(desk.at(no).state, BreakState::Open);
            assert_eq!(desk.carry_out(Some(proposal)).done, 0);
        }
    }
}

#[test]
fn another_list_than_the_one_that_was_read_is_not_approved() {
    for mut desk in Desk::everywhere(a_parked_payment) {
        let no = desk.one(BreakClass::UnknownRef);
        let proposal = desk.propose("an", &[(no, refund(100))]).unwrap();
        let decision = Decision {
            proposal,
            verb: Verb::Approve,
            by: author("chi"),
            hash: [7; 32],
            words: String::new(),
            at: noon(),
        };
        let mut slices = Slices::alone(desk.books.store.as_mut());
        assert_eq!(desk::decide(&mut slices, decision).unwrap(), Decided::OtherList);
    }
}

#[test]
fn a_list_that_can_never_be_carried_out_is_not_proposed() {
    for mut desk in Desk::everywhere(a_parked_payment) {
        let no = desk.one(BreakClass::UnknownRef);
        let said = |desk: &mut Desk, wishes: &[(i64, Resolution)]| desk.propose("an", wishes).unwrap_err().to_string();
        assert!(said(&mut desk, &[]).starts_with("items: expected 1 to"));
        assert!(said(&mut desk, &[(no, refund(1)), (no, refund(2))]).starts_with("items: expected 1 to"));
        assert_eq!(said(&mut desk, &[(99, refund(1))]), "break 99: there is no such break");
        let two = [(no, refund(1)), (99, Resolution::Reverse {})];
        assert_eq!(said(&mut desk, &two), "items: expected the same action in all of them");
        assert!(said(&mut desk, &[(no, onto(&[("HD-1", 0)]))]).contains("more than zero"));
    }
}

/// Two checkers, each with a connection of its own, at the same moment: one wins.
#[test]
fn two_checkers_at_once_are_one_approval() {
    const ROUNDS: usize = 20;
    let Some(database) = Database::fresh("two checkers at once") else { return };
    for round in 0..ROUNDS {
        let mut desk = Desk { books: Books::on_server(&database, 1) };
        if round == 0 {
            for person in ["chi", "dung"] {
                desk.grant(person, Action::Reverse, 1_000);
            }
        }
        desk.books.post(&[pay(&round.to_string(), 100).arrival()]);
        let no = desk.one(BreakClass::UnknownRef);
        let proposal = desk.propose("an", &[(no, Resolution::Reverse {})]).unwrap();
        let mut other = Desk { books: Books::on_server(&database, 2) };
        let answers = std::thread::scope(|scope| {
            let one = scope.spawn(|| desk.decide(proposal, Verb::Approve, "chi"));
            let two = scope.spawn(|| other.decide(proposal, Verb::Approve, "dung"));
            [one.join().unwrap(), two.join().unwrap()]
        });
        assert!(answers.contains(&Decided::Done) && answers.contains(&Decided::Late), "{answers:?}");
        let done = std::thread::scope(|scope| {
            let one = scope.spawn(|| desk.carry_out(None).done);
            let two = scope.spawn(|| other.carry_out(None).done);
            one.join().unwrap() + two.join().unwrap()
        });
        assert_eq!(done, 1, "carried out once, whoever does it");
    }
}

#[test]
fn a_break_has_a_history_a_keeper_and_files() {
    for mut desk in Desk::everywhere(a_parked_payment) {
        let no = desk.one(BreakClass::UnknownRef);
        let letter = Attachment { name: "thư.pdf".to_owned(), hash: [3; 32], bytes: vec![0, 1, 255] };
        for mark in [
            Mark::Comment("asked the partner".to_owned()),
            Mark::Assign(Some(author("binh"))),
            Mark::Attach("its answer".to_owned(), letter.clone()),
        ] {
            let mut marked = 0;
            desk.books
                .store
                .transact(&mut |tx| {
                    marked = tx.mark_breaks(&[no, 999], &mark, &author("an"), noon())?;
                    Ok(())
                })
                .unwrap();
            assert_eq!(marked, 1);
        }
        let shown = desk.at(no);
        assert_eq!((shown.state, shown.assignee), (BreakState::Investigating, Some(author("binh"))));
        let notes = desk.books.reports.notes(no).unwrap();
        let texts: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
        assert_eq!(texts, ["asked the partner", "binh", "its answer"]);
        assert_eq!(notes[2].attachment, Some(("thư.pdf".to_owned(), [3; 32])));
        assert_eq!(desk.books.reports.attachment(notes[2].no).unwrap(), Some(letter));
        assert_eq!(desk.books.reports.attachment(notes[0].no).unwrap(), None);
        desk.books
            .store
            .transact(&mut |tx| {
                tx.mark_breaks(&[no], &Mark::Assign(None), &author("an"), noon())?;
                tx.mark_breaks(&[no], &Mark::Accept("after the weekend".to_owned()), &author("an"), noon()).map(drop)
            })
            .unwrap();
        assert_eq!(desk.at(no).state, BreakState::Carried);
    }
}

#[test]
fn nobody_gives_authority_to_themselves() {
    for mut desk in Desk::everywhere(a_parked_payment) {
        let own =
            Authority { person: author("an"), action: Action::Close, dong: 1, granted_by: author("an"), at: noon() };
        assert!(desk.books.store.transact(&mut |tx| tx.grant(&own).map(drop)).is_err());
        desk.grant("chi", Action::Close, 7);
        let held = desk.books.reports.authorities().unwrap();
        assert_eq!(held.len(), Action::ALL.len());
        assert!(held.iter().any(|a| a.action == Action::Close && a.dong == 7), "the last word counts");
    }
}

/// What two people have settled is settled for every later comparison that says the same, and for no other.
#[test]
fn a_settled_difference_is_not_opened_again() {
    for mut desk in Desk::everywhere(a_parked_payment) {
        desk.differs(BreakClass::AmountMismatch, (None, Some("1")), (Some(100), Some(90)));
        let no = desk.one(BreakClass::AmountMismatch);
        assert_eq!(desk.resolve(no, Resolution::Close {}), Ok(()));
        let count = |desk: &mut Desk| desk.open().iter().filter(|b| b.class == BreakClass::AmountMismatch).count();
        desk.differs(BreakClass::AmountMismatch, (None, Some("1")), (Some(100), Some(90)));
        assert_eq!(count(&mut desk), 0);
        desk.differs(BreakClass::AmountMismatch, (None, Some("1")), (Some(100), Some(80)));
        assert_eq!(count(&mut desk), 1);
    }
}

/// Whoever closes a break lets go of all that it is over, and not only of the payment.
#[test]
fn closing_is_weighed_by_the_largest_sum_that_a_break_is_over() {
    for mut desk in Desk::everywhere(a_parked_payment) {
        desk.grant("chi", Action::Close, 200);
        for (class, ours, theirs) in [
            (BreakClass::AmountMismatch, 100, 1_500),
            (BreakClass::Merged, 300, 300),
            (BreakClass::DuplicateLine, 100, 201),
            (BreakClass::Split, 201, 100),
        ] {
            desk.differs(class, (None, Some("1")), (Some(ours), Some(theirs)));
            let no = desk.open().into_iter().find(|b| b.class == class && b.leg.is_some()).unwrap().no;
            let proposal = desk.propose("an", &[(no, Resolution::Close {})]).unwrap();
            let shown = desk.books.reports.proposal(proposal).unwrap().unwrap();
            assert_eq!(shown.dong, ours.max(theirs), "{class:?}");
            assert_eq!(desk.decide(proposal, Verb::Approve, "chi"), Decided::BeyondAuthority, "{class:?}");
            assert_eq!(desk.decide(proposal, Verb::Withdraw, "an"), Decided::Done);
            // What moves the payment is over the payment.
            let proposal = desk.propose("an", &[(no, Resolution::Reverse {})]).unwrap();
            assert_eq!(desk.books.reports.proposal(proposal).unwrap().unwrap().dong, 100, "{class:?}");
            assert_eq!(desk.decide(proposal, Verb::Withdraw, "an"), Decided::Done);
        }
        desk.differs(BreakClass::SwappedId, (None, Some("1")), (Some(100), Some(-200)));
        let no = desk.one(BreakClass::SwappedId);
        assert_eq!(desk.resolve(no, Resolution::Close {}), Ok(()), "200 is within it");
    }
}
