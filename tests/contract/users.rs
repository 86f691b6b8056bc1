//! Who works at the finance desk: users, passwords, locks, sessions, the log, filters that are kept.

use super::contract::Harness;
use super::contract::build::at;
use thuho::domain::ids::Author;
use thuho::domain::time::Timestamp;
use thuho::domain::user::{Role, Roles, Theme, Tongue};
use thuho::store::users::{Attempt, DeskLog, SAVED_VIEWS_MAX, SavedView, Session, User, UserChange};

fn name(text: &str) -> Author {
    Author::parse(text).unwrap()
}

fn person(text: &str) -> User {
    User::new(name(text), Roles::of(&[Role::Maker, Role::Viewer]), "phc".to_owned(), (name("admin"), at(1)))
}

fn add(h: &mut Harness, text: &str) {
    assert!(h.tx(|tx| tx.add_user(&person(text))));
}

fn change(h: &mut Harness, text: &str, change: &UserChange) -> bool {
    h.tx(|tx| tx.change_user(&name(text), change))
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
    UserChange::Password { phc: "other".to_owned(), given: false }
}

pub fn somebody_is_added_once_and_read_back(mut h: Harness) {
    add(&mut h, "lan");
    add(&mut h, "an");
    let taken = User { roles: Roles::of(&[Role::Admin]), ..person("lan") };
    assert!(!h.tx(|tx| tx.add_user(&taken)), "the name is taken");
    assert_eq!(h.reports.users().unwrap(), vec![person("an"), person("lan")], "by name, and as they were added");
}

pub fn a_change_is_of_one_thing(mut h: Harness) {
    add(&mut h, "an");
    add(&mut h, "lan");
    let roles = Roles::of(&[Role::Checker]);
    let taste = UserChange::Taste(Tongue::En, Theme::Dark);
    for made in [UserChange::Roles(roles), UserChange::Disabled(true), new_password(), taste] {
        assert!(change(&mut h, "lan", &made));
        assert!(!change(&mut h, "nobody", &made), "there is no such user");
    }
    let expected = User {
        roles,
        disabled: true,
        password: "other".to_owned(),
        given: false,
        tongue: Tongue::En,
        theme: Theme::Dark,
        ..person("lan")
    };
    assert_eq!(h.reports.users().unwrap(), vec![person("an"), expected.clone()]);
    assert!(change(&mut h, "lan", &UserChange::Disabled(false)));
    assert_eq!(read(&mut h, "lan"), User { disabled: false, ..expected });
}

pub fn a_new_password_ends_every_session_and_every_lock(mut h: Harness) {
    for ends in [new_password(), UserChange::Disabled(true)] {
        let who = format!("lan{}", matches!(ends, UserChange::Disabled(_)));
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
    assert!(change(&mut h, "lan", &UserChange::Disabled(true)));
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

/// Every one of them over one kind of database.
macro_rules! users_suite {
    ($make:ident) => {
        $crate::store_contract::users::users_suite! { $make;
            somebody_is_added_once_and_read_back
            a_change_is_of_one_thing
            a_new_password_ends_every_session_and_every_lock
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
