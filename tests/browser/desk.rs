//! The finance desk itself: the real program as `thuho demo`, and who logs in to it.

use crate::find::Finds;
use crate::page::Page;
use crate::part::Part;
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long its day may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// One seed, one day.
const SEED: &str = "7";

pub const MAKER: &str = "demo-maker";
pub const CHECKER: &str = "demo-checker";
pub const ADMIN: &str = "demo-admin";

/// The day that the demo plays, signs and leaves; the clock stands on the next morning.
pub const DAY: &str = "2026-11-20";
pub const NEXT_DAY: &str = "2026-11-21";

/// The language of somebody's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    Vi,
    En,
}

impl Tongue {
    /// The word of HTML.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// One of two texts.
    pub fn pick<'t>(self, vi: &'t str, en: &'t str) -> &'t str {
        match self {
            Self::Vi => vi,
            Self::En => en,
        }
    }
}

pub struct Demo {
    child: Child,
    base: String,
    password: String,
    /// Its books and its log, gone with it.
    _dir: TempDir,
}

impl Demo {
    /// Plays a day of so many payments and waits until the pages are there.
    pub fn start(payments: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let file = std::fs::File::create(&log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_thuho"));
        command.args(["demo", "--seed", SEED, "--port", "0", "--payments", &payments.to_string()]);
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env("TMPDIR", dir.path()).stdin(Stdio::null());
        let mut child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        let since = Instant::now();
        loop {
            let said = std::fs::read_to_string(&log).unwrap();
            // Its last line: all of the others are there.
            if let (Some(base), Some(password), true) =
                (after(&said, "open"), after(&said, "password"), said.contains("ties out"))
            {
                let base = base.trim_end_matches('/').to_owned();
                return Self { child, base, password, _dir: dir };
            }
            if since.elapsed() > PATIENCE || child.try_wait().unwrap().is_some() {
                child.kill().ok();
                child.wait().ok();
                panic!("the demo did not start: {said}");
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// Logs in by mouse; the pages are in this language from then on.
    #[track_caller]
    pub fn log_in(&self, page: &Page, name: &str, tongue: Tongue) {
        log_in(page, &self.base, (name, &self.password), tongue);
    }

    /// The head of the office lets somebody decide up to a sum: by mouse, in Vietnamese.
    #[track_caller]
    pub fn authorise(&self, page: &Page, person: &str, actions: &[&str]) {
        self.log_in(page, ADMIN, Tongue::Vi);
        page.loads(|page| page.link("Người dùng").click());
        for action in actions {
            let form = page.css("#give");
            form.field("Người").fill(person);
            form.field("Việc").choose(action);
            form.field("Đến số tiền").fill("1.000.000.000");
            page.loads(|_| form.button("Cấp hạn mức duyệt").click());
            page.shows("Đã ghi hạn mức duyệt.");
        }
        log_out(page, Tongue::Vi);
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What stands behind a word at the start of a line.
fn after(said: &str, word: &str) -> Option<String> {
    let line = said.lines().find_map(|line| line.strip_prefix(word).filter(|rest| rest.starts_with(' ')))?;
    Some(line.trim().to_owned())
}

/// Logs in to any gateway's desk.
#[track_caller]
pub fn log_in(page: &Page, base: &str, (name, password): (&str, &str), tongue: Tongue) {
    page.goto(&format!("{base}/login?lang={}", tongue.word()));
    page.field(tongue.pick("Tên người dùng", "User name")).fill(name);
    page.field(tongue.pick("Mật khẩu", "Password")).fill(password);
    page.loads(|page| page.button(tongue.pick("Đăng nhập", "Log in")).click());
    assert_eq!(page.url(), format!("{base}/"), "{name} is in: {}", page.text());
    speak(page, base, tongue);
}

/// Sets the language by the form of one's own settings, if it is another one.
#[track_caller]
pub fn speak(page: &Page, base: &str, tongue: Tongue) {
    if lang(page) == tongue.word() {
        return;
    }
    page.goto(&format!("{base}/me"));
    let form = page.css("form[action='/me']");
    form.css("select[name=language]").choose(tongue.pick("Tiếng Việt", "English"));
    page.loads(|_| form.css("button.primary").click());
    assert_eq!(lang(page), tongue.word());
    page.goto(&format!("{base}/"));
}

/// The language that the page says it is in.
pub fn lang(page: &Page) -> String {
    page.css("html").attribute("lang").unwrap_or_default()
}

#[track_caller]
pub fn log_out(page: &Page, tongue: Tongue) {
    page.loads(|page| page.button(tongue.pick("Đăng xuất", "Log out")).click());
    assert!(page.url().contains("/login"), "{}", page.url());
}

/// Puts a day into a field of days, as its calendar does.
#[track_caller]
pub fn set_day(page: &Page, field: &Part, day: &str) {
    let put = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', { bubbles: true }));";
    page.script(put, vec![field.root(), json!(day)]);
    assert_eq!(field.value(), day);
}

/// Scrolls to it as a person does, clear of the bars that stay at the edges, and clicks.
#[track_caller]
pub fn scroll_and_click(page: &Page, part: &Part) {
    page.script("arguments[0].scrollIntoView({ block: 'center' });", vec![part.root()]);
    part.click();
}

/// The digits of a figure: `10.725.244 ₫` is 10725244.
#[track_caller]
pub fn figure(text: &str) -> i64 {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
    digits.parse().unwrap_or_else(|e| panic!("{text:?} is no figure: {e}"))
}

/// The answer's status of the page that is shown.
#[track_caller]
pub fn status(page: &Page) -> i64 {
    let asked = "return performance.getEntriesByType('navigation')[0].responseStatus;";
    page.script(asked, Vec::new()).as_i64().unwrap_or_default()
}
