//! Who works at the finance desk: users, passwords, whose word gives them authority, locks, sessions, the log, filters that
//! are kept.

use super::contract::Harness;
use super::contract::build::{DAY, at, dong, partner};
use thuho::domain::close::Period;
use thuho::domain::ids::Author;
use thuho::domain::resolution::{Action, Item, Resolution};
use thuho::domain::review::{BreakClass, NewBreak};
use thuho::domain::time::Timestamp;
use thuho::domain::user::{Role, Roles, Theme, Tongue};
use thuho::store::closes::{NewClose, Signed};
use thuho::store::desk::{Authority, BreakFilter, Decided, NewDecision, NewProposal, ProposalFilter, Proposed, Verb};
use thuho::store::users::{Attempt, DeskLog, SAVED_VIEWS_MAX, SavedView, Session, User, UserChange};
use thuho::store::{CommandAnswer, DispatchCommand};

fn name(text: &str) -> Author {
    Author::parse(text).unwrap()
}

fn person(text: &str) -> User {
    User::new(name(text), Roles::of(&[Role::Maker, Role::Viewer]), "phc".to_owned(), (name("admin"), at(1)))
}

fn add(h: &mut Harness, text: &str) {
    assert_eq!(h.tx(|tx| tx.add_user(&person(text))), Some(vec![]));
}

fn change(h: &mut Harness, text: &str, change: &UserChange) -> bool {
    h.tx(|tx| tx.change_user(&name(text), change)).is_some()
}

/// Lets somebody close breaks up to this sum, by another's word; was it given?
fn grant(h: &mut Harness, (by, to): (&str, &str), dong: i64) -> bool {
    let authority = Authority { person: name(to), action: Action::Close, dong, granted_by: name(by), at: at(3) };
    h.tx(|tx| tx.grant(&authority))
}

/// Up to which sum somebody may close breaks, and by whose word.
fn may(h: &mut Harness, text: &str) -> Option<(i64, String)> {
    let held = h.reports.authorities().unwrap();
    held.into_iter().find(|of| of.person.as_str() == text).map(|of| (of.dong, of.granted_by.to_string()))
}

fn given(by: &str) -> UserChange {
    UserChange::Given { phc: "given".to_owned(), by: name(by), at: at(4) }
}

fn sent_away() -> UserChange {
    UserChange::Disabled { by: name("admin"), at: at(4) }
}

fn read(h: &mut Harness, text: &str) -> User {
    h.reports.users().unwrap().into_iter().find(|user| user.name.as_str() == text).expect("the user is listed")
}

fn attempt(h: &mut Harness, text: &str, now: Timestamp) -> Attempt {
    h.tx(|tx| tx.attempt(&name(text), now))
}

fn session(byte: u8, text: &str, (began, seen): (i64, i64)) -> Session {
    Session { digest: [byte; 32], name: name(text), began_at: at(began), seen_at: at(seen) }
}

fn new_password() -> UserChange {
    UserChange::Chosen { phc: "other".to_owned() }
}

pub fn somebody_is_added_once_and_read_back(mut h: Harness) {
    add(&mut h, "lan");
    add(&mut h, "an");
    let taken = User { roles: Roles::of(&[Role::Admin]), ..person("lan") };
    assert!(h.tx(|tx| tx.add_user(&taken)).is_none(), "the name is taken");
    assert_eq!(h.reports.users().unwrap(), vec![person("an"), person("lan")], "by name, and as they were added");
}

pub fn a_change_is_of_one_thing(mut h: Harness) {
    add(&mut h, "an");
    add(&mut h, "lan");
    let roles = Roles::of(&[Role::Checker]);
    let taste = UserChange::Taste(Tongue::En, Theme::Dark);
    for made in [UserChange::Roles(roles), given("boss"), sent_away(), new_password(), taste] {
        assert!(change(&mut h, "lan", &made));
        assert!(!change(&mut h, "nobody", &made), "there is no such user");
    }
    let expected = User {
        roles,
        disabled: true,
        password: "other".to_owned(),
        given: false,
        password_by: name("boss"),
        tongue: Tongue::En,
        theme: Theme::Dark,
        ..person("lan")
    };
    assert_eq!(h.reports.users().unwrap(), vec![person("an"), expected.clone()]);
    assert!(change(&mut h, "lan", &UserChange::Enabled));
    assert_eq!(read(&mut h, "lan"), User { disabled: false, ..expected });
}

pub fn a_new_password_ends_every_session_and_every_lock(mut h: Harness) {
    for (n, ends) in [new_password(), given("boss"), sent_away()].into_iter().enumerate() {
        let who = format!("lan{n}");
        add(&mut h, &who);
        add(&mut h, &format!("{who}.other"));
        for (byte, of) in [(1, who.clone()), (2, who.clone()), (3, format!("{who}.other"))] {
            h.tx(|tx| tx.begin_session(&session(byte, &of, (1, 1))));
        }
        assert!(change(&mut h, &who, &ends));
        let mut there = |byte: u8| h.reports.session(&[byte; 32]).unwrap().is_some();
        assert_eq!([1, 2, 3].map(&mut there), [false, false, true], "{ends:?}: another's session goes on");
        h.tx(|tx| tx.end_session(&[3; 32]));
    }
    add(&mut h, "minh");
    for _ in 0..5 {
        assert!(matches!(attempt(&mut h, "minh", at(5)), Attempt::Try(_)));
    }
    assert!(read(&mut h, "minh").locked_until.is_some());
    assert!(change(&mut h, "minh", &new_password()));
    let free = read(&mut h, "minh");
    assert_eq!((free.failures, free.locked_until), (0, None));
}

pub fn authority_needs_two_admins(mut h: Harness) {
    add(&mut h, "lan");
    let refused = |h: &mut Harness, by: &str| !grant(h, (by, "lan"), 0);
    assert!(refused(&mut h, "admin"), "who added lan has made up a password");
    assert_eq!(may(&mut h, "lan"), None);
    assert!(change(&mut h, "lan", &new_password()));
    assert!(refused(&mut h, "admin"), "it may have been admin who chose the new one");
    assert!(grant(&mut h, ("boss", "lan"), 9));
    assert!(grant(&mut h, ("admin", "lan"), -1), "anybody takes one");
    assert!(change(&mut h, "lan", &given("boss")));
    assert!(refused(&mut h, "boss") && refused(&mut h, "admin"), "who gave a password, and who added lan");
    assert!(grant(&mut h, ("head", "lan"), 9));
    assert!(change(&mut h, "lan", &given("admin")));
    assert!(grant(&mut h, ("boss", "lan"), 9), "the password that boss gave is none any more");
    for (by, to) in [("admin", "system:rules"), ("admin", "token.of.a.program")] {
        assert!(grant(&mut h, (by, to), 9), "{to} is no user");
    }
}

/// Whoever gives an admin a password may be that admin: the two are one.
pub fn an_admin_who_may_be_somebody_else_is_no_second_one(mut h: Harness) {
    let user =
        |text: &str, by: &str| User::new(name(text), Roles::of(&[Role::Admin]), "phc".to_owned(), (name(by), at(1)));
    let command_line = "system:command-line";
    for (text, by) in [("first", command_line), ("second", command_line), ("puppet", "first"), ("deep", "puppet")] {
        assert!(h.tx(|tx| tx.add_user(&user(text, by))).is_some());
    }
    for (text, by) in [("lan", "first"), ("an", "second"), ("minh", "deep")] {
        assert!(h.tx(|tx| tx.add_user(&user(text, by))).is_some());
    }
    for (by, to) in [("puppet", "lan"), ("deep", "lan"), ("first", "minh"), ("puppet", "minh"), ("puppet", "first")] {
        assert!(!grant(&mut h, (by, to), 9), "{by} and {to} may be one person");
    }
    for (by, to) in [("second", "lan"), ("second", "minh"), ("first", "an"), ("deep", "an"), ("second", "first")] {
        assert!(grant(&mut h, (by, to), 9), "{by} and {to} are two");
    }
    // The command line makes an admin a person again; what is given from then on is another's word.
    assert!(change(&mut h, "puppet", &given(command_line)));
    assert!(grant(&mut h, ("puppet", "lan"), 9));
    assert!(!grant(&mut h, ("first", "puppet"), 9), "who made it");
}

pub fn whoever_is_given_a_password_or_sent_away_holds_no_authority(mut h: Harness) {
    add(&mut h, "lan");
    add(&mut h, "an");
    for (takes, by) in [(given("admin"), "admin"), (given("boss"), "boss"), (sent_away(), "admin")] {
        assert!(grant(&mut h, ("head", "lan"), 9) && grant(&mut h, ("head", "an"), 9));
        assert!(change(&mut h, "lan", &new_password()));
        assert_eq!(may(&mut h, "lan"), Some((9, "head".to_owned())), "one's own password takes nothing");
        let gone = h.tx(|tx| tx.change_user(&name("lan"), &takes));
        assert_eq!(gone, Some(vec![Action::Close]), "{takes:?}");
        assert_eq!(may(&mut h, "lan"), Some((-1, by.to_owned())), "{takes:?}");
        assert_eq!(h.tx(|tx| tx.change_user(&name("lan"), &takes)), Some(vec![]), "there is nothing left to take");
        assert!(change(&mut h, "lan", &UserChange::Enabled));
        assert_eq!(may(&mut h, "lan"), Some((-1, by.to_owned())), "what was taken does not come back");
        assert_eq!(may(&mut h, "an"), Some((9, "head".to_owned())));
    }
    assert!(grant(&mut h, ("admin", "no.user"), 9));
    assert!(!change(&mut h, "no.user", &given("admin")));
    assert_eq!(may(&mut h, "no.user"), Some((9, "admin".to_owned())), "who is no user is not changed");
}

pub fn a_name_has_no_authority_from_before_it_was_a_users(mut h: Harness) {
    assert!(grant(&mut h, ("admin", "lan"), 9), "a program may go by that name");
    assert_eq!(h.tx(|tx| tx.add_user(&person("lan"))), Some(vec![Action::Close]));
    assert_eq!(may(&mut h, "lan"), Some((-1, "admin".to_owned())));
    assert!(grant(&mut h, ("boss", "lan"), 9));
    assert_eq!(h.tx(|tx| tx.add_user(&person("lan"))), None);
    assert_eq!(may(&mut h, "lan"), Some((9, "boss".to_owned())), "a name that is taken loses nothing");
}

pub fn attempts_are_counted_before_the_password_is_looked_at(mut h: Harness) {
    add(&mut h, "lan");
    assert_eq!(attempt(&mut h, "nobody", at(2)), Attempt::Unknown);
    for n in 1..=4 {
        let Attempt::Try(user) = attempt(&mut h, "lan", at(2)) else { panic!("attempt {n} is one") };
        assert_eq!(user.password, "phc");
        assert_eq!(read(&mut h, "lan").failures, n, "it counts as a failure until it is proved");
    }
    assert!(change(&mut h, "lan", &UserChange::Proved));
    assert_eq!(read(&mut h, "lan"), person("lan"));
}

pub fn a_lock_ends_by_itself_and_grows(mut h: Harness) {
    add(&mut h, "lan");
    for _ in 0..5 {
        assert!(matches!(attempt(&mut h, "lan", at(0)), Attempt::Try(_)));
    }
    let minute = 60_000;
    assert_eq!(attempt(&mut h, "lan", at(minute - 1)), Attempt::Locked(at(minute)));
    assert_eq!(read(&mut h, "lan").failures, 5, "a locked attempt is not counted");
    assert!(matches!(attempt(&mut h, "lan", at(minute)), Attempt::Try(_)));
    assert_eq!(attempt(&mut h, "lan", at(minute)), Attempt::Locked(at(3 * minute)), "each further failure doubles it");
    assert!(change(&mut h, "lan", &UserChange::Proved));
    assert!(matches!(attempt(&mut h, "lan", at(minute)), Attempt::Try(_)));
}

pub fn whoever_is_gone_does_not_log_in(mut h: Harness) {
    add(&mut h, "lan");
    assert!(change(&mut h, "lan", &sent_away()));
    assert_eq!(attempt(&mut h, "lan", at(0)), Attempt::Unknown);
    assert_eq!(read(&mut h, "lan").failures, 0);
}

pub fn a_session_is_found_by_its_digest_until_it_ends(mut h: Harness) {
    add(&mut h, "lan");
    let begun = session(7, "lan", (10, 10));
    h.tx(|tx| tx.begin_session(&begun));
    assert_eq!(h.reports.session(&[7; 32]).unwrap(), Some((begun.clone(), person("lan"))));
    assert_eq!(h.reports.session(&[8; 32]).unwrap(), None);
    h.tx(|tx| tx.touch_session(&[7; 32], at(20)));
    assert_eq!(h.reports.session(&[7; 32]).unwrap().unwrap().0, Session { seen_at: at(20), ..begun });
    let mut h = h.reopen();
    assert!(h.reports.session(&[7; 32]).unwrap().is_some(), "a start of the program logs nobody out");
    h.tx(|tx| tx.end_session(&[7; 32]));
    assert_eq!(h.reports.session(&[7; 32]).unwrap(), None);
}

pub fn old_sessions_are_forgotten(mut h: Harness) {
    add(&mut h, "lan");
    for (byte, times) in [(1, (0, 90)), (2, (50, 60)), (3, (50, 90))] {
        h.tx(|tx| tx.begin_session(&session(byte, "lan", times)));
    }
    h.tx(|tx| tx.end_old_sessions(at(10), at(70)));
    let mut there = |byte: u8| h.reports.session(&[byte; 32]).unwrap().is_some();
    assert_eq!([1, 2, 3].map(&mut there), [false, false, true], "too long ago begun, too long unheard of, neither");
}

pub fn the_log_comes_newest_first_a_page_at_a_time(mut h: Harness) {
    let line = |n: i64| DeskLog { at: at(n), name: name("lan"), what: "look-break".to_owned(), subject: n.to_string() };
    for n in 1..=5 {
        h.tx(|tx| tx.log_desk(&line(n)));
    }
    let first = h.reports.desk_log(None, 2).unwrap();
    assert_eq!(first.iter().map(|(_, line)| line.clone()).collect::<Vec<_>>(), vec![line(5), line(4)]);
    let next = h.reports.desk_log(Some(first[1].0), 9).unwrap();
    assert_eq!(next.iter().map(|(_, line)| line.clone()).collect::<Vec<_>>(), vec![line(3), line(2), line(1)]);
    assert_eq!(h.reports.desk_log(Some(next[2].0), 9).unwrap(), vec![]);
}

pub fn views_are_kept_by_their_names_and_counted(mut h: Harness) {
    add(&mut h, "lan");
    add(&mut h, "an");
    let view = |label: &str, query: &str| SavedView { label: label.to_owned(), query: query.to_owned() };
    let save = |h: &mut Harness, label: &str, query: Option<&str>| h.tx(|tx| tx.save_view(&name("lan"), label, query));
    assert!(save(&mut h, "old ones", Some("age=>30")) && save(&mut h, "mine", Some("assignee=lan")));
    assert!(save(&mut h, "mine", Some("assignee=lan&state=open")), "in place of the one before");
    let kept = vec![view("mine", "assignee=lan&state=open"), view("old ones", "age=>30")];
    assert_eq!(h.reports.saved_views(&name("lan")).unwrap(), kept);
    assert_eq!(h.reports.saved_views(&name("an")).unwrap(), vec![], "they are one's own");
    for n in 2..SAVED_VIEWS_MAX {
        assert!(save(&mut h, &format!("view {n}"), Some("x")));
    }
    assert!(!save(&mut h, "one too many", Some("x")));
    assert!(save(&mut h, "mine", Some("x")), "another text under the same name is none more");
    assert!(save(&mut h, "mine", None) && save(&mut h, "one more", Some("x")));
    assert_eq!(h.reports.saved_views(&name("lan")).unwrap().len(), usize::try_from(SAVED_VIEWS_MAX).unwrap());
}

fn made_by(h: &mut Harness, text: &str, by: &str) {
    let user = User::new(name(text), Roles::of(&[Role::Maker]), "phc".to_owned(), (name(by), at(1)));
    assert!(h.tx(|tx| tx.add_user(&user)).is_some());
}

/// Proposes to end a break of its own.
fn propose(h: &mut Harness, maker: &str) {
    let about = NewBreak {
        class: BreakClass::Conflict,
        partner: None,
        event: None,
        invoice: None,
        dispatch: None,
        amount: dong(5),
        detail: "two say two things".to_owned(),
        opened_at: at(2),
        mark: None,
        leg: None,
    };
    h.tx(|tx| tx.open_breaks(std::slice::from_ref(&about)));
    let break_no = h.reports.breaks(&BreakFilter::open(1)).unwrap()[0].no;
    let items = vec![Item { break_no, what: Resolution::Close {}, dong: 5 }];
    let reason = "as both said".to_owned();
    let new =
        NewProposal { action: Action::Close, maker: name(maker), reason, at: at(3), items, dong: 5, hash: [7; 32] };
    assert!(matches!(h.tx(|tx| tx.propose(&new)), Proposed::Waits(_)));
}

fn approves(h: &mut Harness, by: &str) -> Decided {
    let proposal = h.reports.proposals(ProposalFilter { limit: 9, ..ProposalFilter::default() }).unwrap()[0].no;
    let by = name(by);
    let decision = NewDecision { proposal, verb: Verb::Approve, by: &by, hash: [7; 32], words: "yes", at: at(6) };
    h.tx(|tx| tx.decide(&decision))
}

/// Whoever knew the maker's password when something was proposed may have been the maker, whatever became of the password.
pub fn whoever_could_act_as_the_maker_then_does_not_approve_later(mut h: Harness) {
    made_by(&mut h, "an", "admin");
    for checker in ["admin", "boss", "lan"] {
        assert!(grant(&mut h, ("head", checker), 9));
    }
    assert!(change(&mut h, "an", &new_password()));
    propose(&mut h, "an");
    assert!(change(&mut h, "an", &given("boss")));
    assert_eq!(approves(&mut h, "admin"), Decided::NotYours, "the password was admin's when it was proposed");
    assert_eq!(approves(&mut h, "boss"), Decided::NotYours, "the password is boss's now");
    assert_eq!(approves(&mut h, "lan"), Decided::Done);
    // What is proposed from then on is nothing that admin could have proposed.
    propose(&mut h, "an");
    assert!(change(&mut h, "an", &given("head")));
    assert_eq!(approves(&mut h, "boss"), Decided::NotYours);
    assert_eq!(approves(&mut h, "admin"), Decided::Done);
}

/// The same of who draws up a close and who signs it.
pub fn whoever_could_act_as_who_drew_up_a_close_does_not_sign_it(mut h: Harness) {
    made_by(&mut h, "an", "admin");
    made_by(&mut h, "puppet", "an");
    let signers = ["admin", "boss", "an", "puppet", "lan"];
    for person in signers {
        let by = name("head");
        let authority = Authority { person: name(person), action: Action::Seal, dong: 9, granted_by: by, at: at(2) };
        assert!(h.tx(|tx| tx.grant(&authority)));
    }
    let period = Period::Day(DAY);
    let new = NewClose {
        period,
        partner: partner(),
        file: None,
        reconciliation: None,
        figures: "{}".to_owned(),
        previous: None,
        hash: [1; 32],
        open_dong: 0,
        accounted: Vec::new(),
        author: name("an"),
        at: at(3),
    };
    assert!(h.tx(|tx| tx.draft_close(&new)));
    assert!(change(&mut h, "an", &UserChange::Given { phc: "given".to_owned(), by: name("boss"), at: at(4) }));
    for (person, signed) in
        signers.into_iter().zip([Signed::NotYours, Signed::NotYours, Signed::NotYours, Signed::NotYours, Signed::Done])
    {
        let by = name(person);
        assert_eq!(h.tx(|tx| tx.sign_close((&partner(), period), &new.hash, (&by, at(5)))), signed, "{person}");
    }
}

/// A message ends by the word of two, and not of two names that one person could use.
pub fn names_that_one_person_could_use_end_no_message(mut h: Harness) {
    for (ops, by) in [("an", "admin"), ("lan", "admin"), ("linh", "boss"), ("minh", "head")] {
        made_by(&mut h, ops, by);
    }
    h.invoices(&[("HD-1", 1)]);
    let key = h.pay("1", "HD-1", 1);
    let message = h.reports.find_dispatch(&key).unwrap().expect("it is there");
    let mut give = |command: DispatchCommand| h.tx(|tx| tx.command(&message, &command, at(6)));
    assert_eq!(give(DispatchCommand::Hold), CommandAnswer::Done);
    let reason = "the core has it".to_owned();
    assert_eq!(give(DispatchCommand::ProposeClose { author: name("an"), reason }), CommandAnswer::Done);
    // Somebody else gives its proposer a password: admin could have proposed it all the same.
    assert!(change(&mut h, "an", &given("boss")));
    let mut give = |command: DispatchCommand| h.tx(|tx| tx.command(&message, &command, at(6)));
    for author in ["an", "lan", "admin", "boss", "linh"] {
        let approve = DispatchCommand::ApproveClose { author: name(author) };
        assert_eq!(give(approve), CommandAnswer::NeedsAnother, "{author}");
    }
    assert_eq!(give(DispatchCommand::ApproveClose { author: name("minh") }), CommandAnswer::Done);
}

/// Every one of them over one kind of database.
macro_rules! users_suite {
    ($make:ident) => {
        $crate::store_contract::users::users_suite! { $make;
            somebody_is_added_once_and_read_back
            a_change_is_of_one_thing
            a_new_password_ends_every_session_and_every_lock
            authority_needs_two_admins
            an_admin_who_may_be_somebody_else_is_no_second_one
            whoever_is_given_a_password_or_sent_away_holds_no_authority
            a_name_has_no_authority_from_before_it_was_a_users
            whoever_could_act_as_the_maker_then_does_not_approve_later
            whoever_could_act_as_who_drew_up_a_close_does_not_sign_it
            names_that_one_person_could_use_end_no_message
            attempts_are_counted_before_the_password_is_looked_at
            a_lock_ends_by_itself_and_grows
            whoever_is_gone_does_not_log_in
            a_session_is_found_by_its_digest_until_it_ends
            old_sessions_are_forgotten
            the_log_comes_newest_first_a_page_at_a_time
            views_are_kept_by_their_names_and_counted
        }
    };
    ($make:ident; $($test:ident)*) => {
        mod people {
            $(#[test] fn $test() {
                // A database that cannot be had here is said so, and shows nothing.
                let harness: Option<$crate::store_contract::contract::Harness> = super::$make().into();
                harness.into_iter().for_each($crate::store_contract::users::$test);
            })*
        }
    };
}
pub(crate) use users_suite;
pub(crate) use users_suite as suite;
