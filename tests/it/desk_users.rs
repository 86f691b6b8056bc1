//! Who may come to the finance desk and as what, through the real program and its real sockets: log-in, sessions, forms of
//! other sites, users, roles, locks.

use crate::harness::http::{self, Answer};
use crate::harness::program::{Home, code, ended, signal};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::process::Child;

/// What the first admin chooses.
const ADMIN: &str = "mưa rơi trên vịnh 1";

/// The program, with an admin and another one, both added on the command line.
struct Desk {
    home: Home,
    child: Option<Child>,
    given: String,
    /// Of the other admin.
    head: String,
}

impl Desk {
    fn open() -> Self {
        Self::of("boss")
    }

    /// With an admin of this name.
    fn of(name: &str) -> Self {
        let home = Home::new();
        let [given, head] =
            [name, "head"].map(|of| made(&home, &["user", "add", of, "--role", "admin", "--config", "gateway.toml"]));
        let child = Some(home.serve_logging());
        Self { home, child, given, head }
    }

    /// The other admin, past the first change of the password.
    fn head(&self) -> Browser {
        let browser = self.browser();
        browser.log_in("head", &self.head);
        browser.choose(&self.head, "trăng lên đầu núi 2");
        browser
    }

    /// Another user with this role, who has chosen a password.
    fn joins(&self, by: &Browser, name: &str, role: &str) -> Browser {
        let given = shown(&by.post("/users", &[("name", name), ("role", role)]));
        let browser = self.browser();
        browser.log_in(name, &given);
        browser.choose(&given, &format!("{}-1 của tôi", name.chars().rev().collect::<String>()));
        browser
    }

    /// Runs a command while nobody holds the books; the password that it prints, and all that it says.
    fn beside(&mut self, args: &[&str]) -> String {
        let child = self.child.take().unwrap();
        signal(&child, "-TERM");
        assert_eq!(ended(child).0, Some(0));
        let (done, text) = code(&self.home.run(args));
        assert_eq!(done, Some(0), "{text}");
        self.child = Some(self.home.serve_logging());
        text
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

/// The password that a command prints.
fn made(home: &Home, args: &[&str]) -> String {
    let (done, text) = code(&home.run(args));
    assert_eq!(done, Some(0), "{text}");
    text.lines().find_map(|line| line.strip_prefix("password  ")).unwrap().to_owned()
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

/// Lets somebody close breaks, by the form.
fn give(browser: &Browser, person: &str, sum: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [("person", person), ("action", "close"), ("sum", sum)];
    browser.post("/authorities", &fields.iter().chain(more).copied().collect::<Vec<_>>())
}

#[test]
fn authority_is_given_by_another_person_only() {
    let desk = Desk::open();
    let admin = desk.admin();
    let give = |person: &str, sum: &str, more: &[(&str, &str)]| give(&admin, person, sum, more);
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

/// The row's form names whom it is about as the books do, and not as people read it.
#[test]
fn what_rules_may_approve_is_taken_away_in_its_row() {
    let desk = Desk::open();
    let admin = desk.admin();
    assert_eq!(give(&admin, "system:rules", "1.500.000", &[]).status, 303);
    let page = admin.get("/users").text();
    let row = between(&page, "data-name=\"Người\">quy tắc tự động</td>", "</tr>").unwrap();
    let field = |name: &str| between(&row, &format!("name=\"{name}\" value=\""), "\"").unwrap();
    let form = [("person", field("person")), ("action", field("action")), ("none", field("none"))];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(admin.post("/authorities", &form).status, 303, "{row}");
    assert!(!admin.get("/users").text().contains("1.500.000\u{a0}₫"));
}

#[test]
fn authority_needs_two_admins() {
    let desk = Desk::open();
    let (boss, head) = (desk.admin(), desk.head());
    let lan = desk.joins(&boss, "lan", "checker");
    let puppet = desk.joins(&boss, "puppet", "admin");
    assert_eq!(give(&puppet, "lan", "1000", &[]).status, 200, "boss could log in as puppet");
    for (tongue, says) in
        [("vi", "hãy để quản trị viên khác cấp hạn mức duyệt"), ("en", "another admin gives the authority")]
    {
        assert_eq!(boss.post("/me", &[("language", tongue), ("theme", "auto")]).status, 303);
        let refused = give(&boss, "lan", "1000", &[]);
        assert!(refused.status == 200 && refused.text().contains(says), "{}", refused.text());
    }
    assert!(!boss.get("/audit").text().contains("lan close 1000"), "nothing was given");
    assert_eq!(give(&head, "lan", "1000", &[]).status, 303);
    assert!(boss.get("/users/lan").text().contains("1,000"), "the sum stands on the page");

    let before = boss.get("/users/lan").text();
    assert!(before.contains("every authority is withdrawn") && before.contains("Password last given by"));
    let reset = boss.post("/users/lan/password", &[]);
    assert!(reset.text().contains("These authorities are withdrawn: Close the break."), "{}", reset.text());
    assert!(!lan.is_known());
    assert!(boss.get("/audit").text().contains("lan; authorities withdrawn: close"));
    let row = |page: String| between(&page, "<td class=\"code\" data-name=\"Person\">lan</td>", "</tr>").unwrap();
    assert!(row(boss.get("/users").text()).contains("none") && row(boss.get("/users").text()).contains("boss, "));
    let quiet = boss.post("/users/lan/password", &[]);
    assert!(!quiet.text().contains("withdrawn"), "there was nothing left");

    assert_eq!(give(&head, "lan", "1000", &[]).status, 303);
    assert_eq!(boss.post("/users/lan/disable", &[]).status, 303);
    assert_eq!(boss.post("/users/lan/enable", &[]).status, 303);
    assert!(row(boss.get("/users").text()).contains("none"), "what was taken does not come back");
}

#[test]
fn the_api_leaves_authority_to_somebody_else_as_well() {
    // Called as the token that the API is asked with.
    let desk = Desk::of("ops");
    let admin = desk.browser();
    admin.log_in("ops", &desk.given);
    admin.choose(&desk.given, ADMIN);
    desk.joins(&admin, "lan", "checker");
    let ask = |person: &str, dong: i64| {
        let body = serde_json::json!({ "person": person, "action": "close", "dong": dong }).to_string();
        desk.home.internal("POST", "/api/v1/authorities", "application/json", body.as_bytes())
    };
    let refused = ask("lan", 1);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.json()["detail"].as_str().unwrap().contains("needs two"), "{}", refused.text());
    for (person, dong) in [("lan", -1), ("system:rules", 1), ("another.token", 1)] {
        assert_eq!(ask(person, dong).status, 204, "{person} {dong}");
    }
}

#[test]
fn what_is_done_on_the_command_line_is_in_the_desks_log() {
    let mut desk = Desk::open();
    let (boss, head) = (desk.admin(), desk.head());
    desk.joins(&boss, "lan", "checker");
    assert_eq!(give(&head, "lan", "1000", &[]).status, 303);
    let said = desk.beside(&["user", "passwd", "lan", "--config", "gateway.toml"]);
    assert!(said.contains("withdrawn close"), "{said}");
    let log = boss.get("/audit?name=system:command-line").text();
    for line in ["boss admin", "lan; authorities withdrawn: close"] {
        assert!(log.contains(line), "{line}");
    }
    assert_eq!(give(&boss, "lan", "1000", &[]).status, 200, "who added lan");
    assert_eq!(give(&head, "lan", "1000", &[]).status, 303);
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
