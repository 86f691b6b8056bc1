//! People at the finance desk: one user of each role, and a browser that keeps cookies and sends forms, byte for byte.

use super::Gateway;
use super::http::{self, Answer};
use std::sync::OnceLock;
use thuho::domain::ids::Author;
use thuho::domain::time::Timestamp;
use thuho::domain::user::{Role, Roles};
use thuho::finance::password;
use thuho::ledger::transact;
use thuho::store::sqlite::{SqliteOptions, SqliteStore};
use thuho::store::users::User;

/// Everybody's.
pub const PASSWORD: &str = "canary-password-of-people";

/// Adds users to a file that nobody holds: one for each role, called like it.
pub fn add(db: &std::path::Path) {
    static PHC: OnceLock<String> = OnceLock::new();
    let phc = PHC.get_or_init(|| password::hash(PASSWORD).unwrap());
    let by = Author::parse("system:test").unwrap();
    let mut store = SqliteStore::open(db, &SqliteOptions::default()).unwrap();
    for role in Role::ALL {
        let name = Author::parse(role.word()).unwrap();
        let user = User::new(name, Roles::of(&[role]), phc.clone(), (by.clone(), Timestamp::from_unix_ms(0)));
        let user = User { given: false, ..user };
        assert!(transact(&mut store, |tx| tx.add_user(&user)).unwrap().0.is_some());
    }
}

/// One person's browser.
pub struct Browser<'g> {
    gateway: &'g Gateway,
    pub cookie: Option<String>,
    pub csrf: String,
}

impl<'g> Browser<'g> {
    /// Nobody is logged in.
    pub fn new(gateway: &'g Gateway) -> Self {
        Self { gateway, cookie: None, csrf: String::new() }
    }

    /// Logged in under this name.
    pub fn of(gateway: &'g Gateway, name: &str) -> Self {
        let mut browser = Self::new(gateway);
        let answer = browser.log_in(name, PASSWORD);
        assert_eq!((answer.status, header(&answer, "location").as_deref()), (303, Some("/")), "{}", answer.text());
        browser
    }

    pub fn log_in(&mut self, name: &str, password: &str) -> Answer {
        let answer = self.post("/login", &[("name", name), ("password", password), ("next", "/")]);
        if let Some(set) = header(&answer, "set-cookie") {
            self.cookie = set.split(';').next().map(str::to_owned);
            let page = self.get("/me").text();
            let (_, from) = page.split_once("name=\"csrf\" value=\"").expect("a form of this session");
            self.csrf = from.split('"').next().unwrap().to_owned();
        }
        answer
    }

    pub fn get(&self, target: &str) -> Answer {
        self.call("GET", target, &[], b"")
    }

    /// Sends a form with these fields and the session's own.
    pub fn post(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        if !self.csrf.is_empty() {
            fields.push(("csrf", &self.csrf));
        }
        self.call("POST", target, &[("sec-fetch-site", "same-origin")], encoded(&fields).as_bytes())
    }

    pub fn call(&self, method: &str, target: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut headers = more.to_vec();
        if method == "POST" && !more.iter().any(|(name, _)| *name == "content-type") {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        if let Some(cookie) = &self.cookie {
            headers.push(("cookie", cookie));
        }
        http::call(self.gateway.running().internal(), &http::request(method, target, &headers, body))
    }
}

pub fn header(answer: &Answer, name: &str) -> Option<String> {
    let mut lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
        other => format!("%{other:02X}"),
    };
    let text = |text: &str| text.bytes().map(byte).collect::<String>();
    fields.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect::<Vec<_>>().join("&")
}
