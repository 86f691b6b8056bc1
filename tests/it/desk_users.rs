//! Who may come to the finance desk and as what, through the real program and its real sockets: log-in, sessions, forms of
//! other sites, users, roles, locks.

use crate::harness::http::{self, Answer};
use crate::harness::program::{Home, code, ended, signal};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::process::Child;

/// What the first admin chooses.
const ADMIN: &str = "mưa rơi trên vịnh 1";

/// The program, with an admin who has chosen a password.
struct Desk {
    home: Home,
    child: Option<Child>,
    given: String,
}

impl Desk {
    fn open() -> Self {
        let home = Home::new();
        let added = home.run(&["user", "add", "boss", "--role", "admin", "--config", "gateway.toml"]);
        let (done, text) = code(&added);
        assert_eq!(done, Some(0), "{text}");
        let given = text.lines().find_map(|line| line.strip_prefix("password  ")).unwrap().to_owned();
        let child = Some(home.serve_logging());
        Self { home, child, given }
    }

    fn browser(&self) -> Browser {
        Browser { to: self.home.internal, cookie: RefCell::default() }
    }

    /// The admin, logged in, past the first change of the password.
    fn admin(&self) -> Browser {
        let browser = self.browser();
        browser.log_in("boss", &self.given);
        browser.choose(&self.given, ADMIN);
        browser
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let child = self.child.take().unwrap();
        signal(&child, "-TERM");
        let end = ended(child);
        assert!(std::thread::panicking() || end.0 == Some(0), "{end:?}");
    }
}

/// Keeps a cookie, sends forms as a browser does.
struct Browser {
    to: SocketAddr,
    cookie: RefCell<Option<String>>,
}

fn header(answer: &Answer, name: &str) -> Option<String> {
    let of =
        |line: &str| line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_owned());
    answer.head.lines().find_map(of)
}

/// What stands between two texts.
fn between(text: &str, from: &str, to: &str) -> Option<String> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(found, _)| found.to_owned())
}

impl Browser {
    fn send(&self, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let kept = self.cookie.borrow().clone().unwrap_or_default();
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        if !kept.is_empty() {
            headers.push(("cookie", &kept));
        }
        headers.extend(more);
        let answer = http::call(self.to, &http::request(method, path, &headers, body.as_bytes()));
        if let Some(set) = header(&answer, "set-cookie") {
            let pair = set.split(';').next().unwrap().to_owned();
            *self.cookie.borrow_mut() = (!pair.ends_with('=')).then_some(pair);
        }
        answer
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// What forms of this session carry.
    fn csrf(&self) -> String {
        between(&self.get("/me").text(), "name=\"csrf\" value=\"", "\"").expect("a page with a form")
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf();
        let all: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        self.send("POST", path, &[("sec-fetch-site", "same-origin")], &serde_urlencoded::to_string(all).unwrap())
    }

    fn try_log_in(&self, name: &str, password: &str) -> Answer {
        let body = serde_urlencoded::to_string([("name", name), ("password", password), ("next", "/users")]).unwrap();
        self.send("POST", "/login", &[], &body)
    }

    fn log_in(&self, name: &str, password: &str) {
        let answer = self.try_log_in(name, password);
        assert_eq!((answer.status, self.cookie.borrow().is_some()), (303, true), "{}", answer.text());
    }

    fn choose(&self, old: &str, new: &str) {
        let answer = self.post("/me/password", &[("password", old), ("new", new), ("again", new)]);
        assert_eq!(header(&answer, "location").as_deref(), Some("/me?done=password"), "{}", answer.text());
    }

    /// Does the desk know who this is?
    fn is_known(&self) -> bool {
        self.get("/me").status == 200
    }
}

/// The password that a page shows.
fn shown(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    between(&answer.text(), "id=\"made-password\">", "<").expect("a page with a password")
}

#[test]
fn a_cookie_is_for_this_host_alone_and_pages_load_nothing_of_others() {
    let desk = Desk::open();
    let browser = desk.browser();
    let answer = browser.try_log_in("boss", &desk.given);
    assert_eq!((answer.status, header(&answer, "location").as_deref()), (303, Some("/users")));
    let cookie = header(&answer, "set-cookie").unwrap();
    let mut parts: Vec<&str> = cookie.split("; ").skip(1).collect();
    parts.sort_unstable();
    assert_eq!(parts, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"], "no domain, no age: {cookie}");
    assert!(cookie.starts_with("__Host-thuho="), "{cookie}");
    let page = browser.get("/me");
    for (name, value) in [
        ("content-security-policy", "default-src 'none'; script-src 'self'; style-src 'self'"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
    ] {
        assert!(header(&page, name).is_some_and(|found| found.starts_with(value)), "{name}: {}", page.head);
    }
    for (path, next) in [("/users", "%2Fusers"), ("/audit?name=a", "%2Faudit%3Fname%3Da")] {
        let stranger = desk.browser().get(path);
        let to = header(&stranger, "location").unwrap();
        assert_eq!((stranger.status, to), (303, format!("/login?next={next}")));
    }
}

#[test]
fn a_given_password_is_changed_before_anything_else_and_a_log_out_ends_the_session() {
    let desk = Desk::open();
    let browser = desk.browser();
    browser.log_in("boss", &desk.given);
    assert_eq!(header(&browser.get("/users"), "location").as_deref(), Some("/me"), "first the password");
    for (new, again) in [("short", "short"), ("the boss is here", "the boss is here"), (ADMIN, "another one 12")] {
        let refused = browser.post("/me/password", &[("password", &desk.given), ("new", new), ("again", again)]);
        assert!(refused.status == 200 && refused.text().contains("role=\"alert\""), "{new}");
    }
    let wrong = browser.post("/me/password", &[("password", "not this one"), ("new", ADMIN), ("again", ADMIN)]);
    assert!(wrong.status == 200 && wrong.text().contains("role=\"alert\""));
    let other = desk.browser();
    other.log_in("boss", &desk.given);
    browser.choose(&desk.given, ADMIN);
    assert_eq!(browser.get("/users").status, 200);
    assert!(!other.is_known(), "a new password ends the other sessions");

    let old = browser.cookie.borrow().clone();
    let out = browser.post("/logout", &[]);
    assert_eq!(header(&out, "location").as_deref(), Some("/login?left=true"));
    assert!(header(&out, "set-cookie").unwrap().contains("Max-Age=0"), "{}", out.head);
    *browser.cookie.borrow_mut() = old;
    assert!(!browser.is_known(), "who kept the cookie is out as well");
    assert_eq!(browser.try_log_in("boss", &desk.given).status, 200, "the given password is none any more");
}

#[test]
fn a_form_of_another_site_changes_nothing() {
    let desk = Desk::open();
    let admin = desk.admin();
    let form = |csrf: &str| serde_urlencoded::to_string([("name", "eve"), ("role", "admin"), ("csrf", csrf)]).unwrap();
    let (own, other) = (admin.csrf(), "0".repeat(64));
    let post = |body: &str, more: &[(&str, &str)]| admin.send("POST", "/users", more, body).status;
    assert_eq!(post("name=eve&role=admin", &[]), 403, "without what our forms carry");
    assert_eq!(post(&form(&other), &[]), 403);
    for site in ["cross-site", "same-site"] {
        assert_eq!(post(&form(&own), &[("sec-fetch-site", site)]), 403, "{site}");
    }
    let log_in = serde_urlencoded::to_string([("name", "boss"), ("password", ADMIN)]).unwrap();
    let crossed = desk.browser().send("POST", "/login", &[("sec-fetch-site", "cross-site")], &log_in);
    assert_eq!(crossed.status, 403, "nobody is logged in by another site");
    assert!(!admin.get("/users").text().contains("/users/eve"));
    assert_eq!(post(&form(&own), &[("sec-fetch-site", "same-origin")]), 200);
    assert!(admin.get("/users").text().contains("/users/eve"));
}

#[test]
fn users_are_added_changed_and_sent_away_and_nobody_does_it_to_themselves() {
    let desk = Desk::open();
    let admin = desk.admin();
    for (name, role) in [("has space", "maker"), ("rule:x", "maker"), ("", "maker"), ("lan", "")] {
        let refused = admin.post("/users", &[("name", name), ("role", role)]);
        assert!(refused.status == 200 && refused.text().contains("role=\"alert\""), "{name} {role}");
    }
    let added = admin.post("/users", &[("name", "lan"), ("role", "maker"), ("role", "viewer")]);
    let given = shown(&added);
    assert!(admin.post("/users", &[("name", "lan"), ("role", "admin")]).text().contains("role=\"alert\""), "taken");

    let lan = desk.browser();
    lan.log_in("lan", &given);
    lan.choose(&given, "sóng vỗ bờ cát trắng");
    assert_eq!([lan.get("/customers").status, lan.get("/users").status, lan.get("/audit").status], [200, 403, 403]);
    assert_eq!(lan.post("/users/lan/roles", &[("role", "admin")]).status, 403);
    assert_eq!(lan.post("/authorities", &[("person", "lan"), ("action", "close"), ("sum", "1")]).status, 403);

    let made = admin.post("/users/lan/roles", &[("role", "checker")]);
    assert_eq!(header(&made, "location").as_deref(), Some("/users/lan?done=roles"));
    assert_eq!(lan.get("/audit").status, 200, "it counts at once");
    for (action, fields) in
        [("roles", vec![("role", "viewer")]), ("disable", vec![]), ("password", vec![]), ("unlock", vec![])]
    {
        assert_eq!(admin.post(&format!("/users/boss/{action}"), &fields).status, 409, "{action}");
    }
    assert_eq!(admin.post("/users/nobody/disable", &[]).status, 404);

    let second = shown(&admin.post("/users/lan/password", &[]));
    assert!(!lan.is_known(), "a new password ends every session");
    assert_eq!(lan.try_log_in("lan", "sóng vỗ bờ cát trắng").status, 200, "the old one is none any more");
    lan.log_in("lan", &second);
    assert_eq!(admin.post("/users/lan/disable", &[]).status, 303);
    assert!(!lan.is_known(), "who is sent away is out at once");
    assert_eq!(lan.try_log_in("lan", &second).status, 200);
    assert_eq!(admin.post("/users/lan/enable", &[]).status, 303);
    lan.log_in("lan", &second);

    let log = admin.get("/audit?name=boss").text();
    for what in ["user-add", "user-roles", "user-password", "user-disable", "user-enable"] {
        assert!(log.contains(what), "{what} is noted");
    }
    let said = desk.home.log();
    for secret in [ADMIN, &given, &second, &desk.given] {
        assert!(!said.contains(secret) && !log.contains(secret), "a password is in a log");
    }
}

#[test]
fn authority_is_given_by_another_person_only() {
    let desk = Desk::open();
    let admin = desk.admin();
    let give = |person: &str, sum: &str, more: &[(&str, &str)]| {
        let fields = [("person", person), ("action", "close"), ("sum", sum)];
        admin.post("/authorities", &fields.iter().chain(more).copied().collect::<Vec<_>>())
    };
    for (person, sum) in [("boss", "1000"), ("lan", ""), ("lan", "-5"), ("lan", "much"), ("", "1000")] {
        let refused = give(person, sum, &[]);
        assert!(refused.status == 200 && refused.text().contains("role=\"alert\""), "{person} {sum}");
    }
    assert_eq!(give("lan", "1.500.000", &[]).status, 303);
    assert!(admin.get("/users").text().contains("1.500.000\u{a0}₫"));
    assert_eq!(give("lan", "", &[("none", "1")]).status, 303);
    assert!(!admin.get("/users").text().contains("1.500.000\u{a0}₫"));
    assert!(admin.get("/audit").text().contains("lan close -1"), "it is noted");
}

#[test]
fn five_wrong_passwords_lock_a_user_out_and_an_admin_ends_it() {
    let desk = Desk::open();
    let admin = desk.admin();
    let given = shown(&admin.post("/users", &[("name", "lan"), ("role", "viewer")]));
    let lan = desk.browser();
    let wrong = lan.try_log_in("lan", "not this password").text();
    assert_eq!(desk.browser().try_log_in("nobody", "not this password").text().replace("nobody", "lan"), wrong);
    for _ in 2..=5 {
        assert_eq!(lan.try_log_in("lan", "not this password").text(), wrong);
    }
    let locked = lan.try_log_in("lan", &given);
    assert!(locked.status == 200 && lan.cookie.borrow().is_none(), "the right one comes too late");
    assert_eq!(locked.text(), wrong, "nobody learns by the answer who works here");
    assert!(admin.get("/users/lan").text().contains("/users/lan/unlock"));
    assert_eq!(admin.post("/users/lan/unlock", &[]).status, 303);
    lan.log_in("lan", &given);
}
