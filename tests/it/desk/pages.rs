//! A day's statement through the pages, with the real program: brought, refused, compared, drawn up, signed, printed.

use super::closing::{DAY, grant, notify, statement};
use super::program::{bill, serve};
use crate::harness::http::{self, Answer};
use crate::harness::program::{Home, ended, signal};
use std::time::{Duration, Instant};

const BOUNDARY: &str = "----a-boundary-of-the-tests";

/// Somebody who is logged in.
struct Browser<'h> {
    home: &'h Home,
    cookie: String,
    csrf: String,
}

/// Added on the command line, before the gateway holds the books; says the password.
fn added(home: &Home, name: &str, role: &str) -> String {
    let said = home.run(&["user", "add", name, "--role", role, "--config", "gateway.toml"]);
    let text = String::from_utf8(said.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("password  ")).unwrap().to_owned()
}

fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    serde_urlencoded::to_string(fields).unwrap().into_bytes()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let found = answer.head.lines().find_map(|line| {
        let (of, value) = line.split_once(':')?;
        of.eq_ignore_ascii_case(name).then_some(value.trim())
    });
    found.unwrap_or_else(|| panic!("no {name}: {}", answer.head))
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).unwrap().0
}

impl<'h> Browser<'h> {
    /// Logs in, and changes the password that somebody else knows.
    fn log_in(home: &'h Home, name: &str, given: &str) -> Self {
        let mut browser = Self { home, cookie: String::new(), csrf: String::new() };
        let kind = "application/x-www-form-urlencoded";
        let fields = [("name", name), ("password", given)];
        let answer =
            http::call(home.internal, &http::request("POST", "/login", &[("content-type", kind)], &form(&fields)));
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser.keep(&answer);
        browser.look();
        let new = "mưa rơi trên vịnh";
        let changed = browser.post("/me/password", &[("password", given), ("new", new), ("again", new)]);
        assert_eq!(changed.status, 303, "{}", changed.text());
        browser.keep(&changed);
        browser.look();
        browser
    }

    fn keep(&mut self, answer: &Answer) {
        self.cookie = header(answer, "set-cookie").split(';').next().unwrap().to_owned();
    }

    /// What this session's forms carry.
    fn look(&mut self) {
        self.csrf = between(&self.get("/me").text(), "name=\"csrf\" value=\"", "\"").to_owned();
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let headers = [("cookie", self.cookie.as_str()), ("content-type", kind)];
        http::call(self.home.internal, &http::request(method, path, &headers, body))
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "text/plain", b"")
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [fields, &[("csrf", self.csrf.as_str())]].concat();
        self.send("POST", path, "application/x-www-form-urlencoded", &form(&fields))
    }

    fn bring(&self, csrf: &str, file: &str) -> Answer {
        let mut body = String::new();
        for (name, value) in [("csrf", csrf), ("partner", "standard"), ("kind", "partner"), ("day", DAY)] {
            body += &format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        body += &format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"ngày 20.csv\"\r\n\
             content-type: text/csv\r\n\r\n{file}\r\n--{BOUNDARY}--\r\n"
        );
        self.send("POST", "/files", &format!("multipart/form-data; boundary={BOUNDARY}"), body.as_bytes())
    }

    /// Where a work that was begun leads once it is over: an address, or a page that says why not.
    fn over(&self, begun: &Answer) -> Answer {
        assert_eq!(begun.status, 303, "{}", begun.text());
        let work = header(begun, "location").to_owned();
        let until = Instant::now() + Duration::from_secs(30);
        while self.get(&format!("{work}/progress")).json()["over"] != true {
            assert!(Instant::now() < until, "the work is never over");
            std::thread::sleep(Duration::from_millis(20));
        }
        let (once, again) = (self.get(&work), self.get(&work));
        assert_eq!((once.status, &once.body), (again.status, &again.body), "a reload shows the same");
        once
    }
}

#[test]
fn a_day_goes_through_the_pages() {
    let home = Home::new();
    let passwords =
        [("lan", "maker"), ("minh", "checker"), ("nga", "viewer")].map(|(name, role)| added(&home, name, role));
    let gateway = serve(&home);
    let [lan, minh, nga] = &passwords;
    let (lan, minh, nga) =
        (Browser::log_in(&home, "lan", lan), Browser::log_in(&home, "minh", minh), Browser::log_in(&home, "nga", nga));
    bill(&home, "HD-1", 100_000);
    notify(&home, "P1", "HD-1", 100_000, 9);
    let good = statement(&[("P1", "HD-1", 100_000, 9)]);

    // A form of another session, and somebody who may only look.
    assert_eq!(lan.bring("of-another-session", &good).status, 403);
    assert_eq!(nga.bring(&nga.csrf, &good).status, 403);
    let refused = lan.over(&lan.bring(&lan.csrf, &good.replacen("100000", "1.000.00", 1)));
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("<td class=\"code bad\">1.000.00</td>"), "{}", refused.text());
    assert!(lan.get("/files").text().contains("Không có tệp nào"), "nothing of it is taken");

    let taken = lan.over(&lan.bring(&lan.csrf, &good));
    assert_eq!(header(&taken, "location"), "/files/1?done=taken");
    let file = lan.get("/files/1?done=taken").text();
    assert!(file.contains("ngày 20.csv") && file.contains(">HD-1<") && file.contains("Đối soát ngay"), "{file}");
    let masked = nga.get("/files/1").text();
    assert!(!masked.contains("HD-1") && !masked.contains("Đối soát ngay"), "{masked}");
    let before = lan.over(&lan.bring(&lan.csrf, &good));
    assert_eq!(header(&before, "location"), "/files/1?done=before");
    let listed = |query: &str| nga.get(&format!("/files?{query}")).text().contains("data-place=\"/files/1\"");
    assert!(listed(&format!("partner=standard&kind=partner&day={DAY}&state=taken")));
    assert!(!listed("state=superseded") && !listed("kind=bank") && !listed("before=1"));

    let close = format!("/closes/standard/{DAY}");
    assert_eq!(lan.post(&format!("{close}/draft"), &[]).status, 409, "not compared yet");
    let compared = lan.over(&lan.post(&format!("/reconciliations/standard/{DAY}"), &[("kind", "partner")]));
    let result = nga.get(header(&compared, "location")).text();
    assert!(result.contains("✓ Không có chênh lệch"), "{result}");

    assert_eq!(lan.post(&format!("{close}/draft"), &[]).status, 303);
    let draft = minh.get(&close).text();
    let hash = between(&draft, "name=\"sha256\" value=\"", "\"").to_owned();
    let sign = |who: &Browser, hash: &str| who.post(&format!("{close}/sign"), &[("sha256", hash)]);
    assert_eq!(sign(&lan, &hash).status, 403);
    let beyond = sign(&minh, &hash);
    assert!(beyond.status == 409 && beyond.text().contains("vượt hạn mức"), "{}", beyond.text());
    grant(&home, "minh", "seal", 1_000_000);
    let other = sign(&minh, &"0".repeat(64));
    assert!(other.status == 409 && other.text().contains("đã thay đổi"), "{}", other.text());
    assert_eq!(sign(&minh, &hash).status, 303);
    assert!(nga.get(&close).text().contains("✓ Đã chốt sổ"));
    let sealed = lan.over(&lan.post(&format!("/reconciliations/standard/{DAY}"), &[("kind", "partner")]));
    assert!(sealed.status == 422 && sealed.text().contains("đã chốt sổ"), "{}", sealed.text());

    let paper = minh.get(&format!("/minutes/standard?from={DAY}&to={DAY}"));
    let policy = header(&paper, "content-security-policy");
    assert!(paper.status == 200 && policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(!paper.text().contains(" style="), "the policy refuses styles on elements");
    assert_eq!(nga.get(&format!("/minutes/standard?from={DAY}&to={DAY}")).status, 403);
    for page in ["/settlement", "/settlement/standard", "/closes", "/closes?partner=standard", "/minutes"] {
        assert_eq!(nga.get(page).status, 200, "{page}");
    }
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}
