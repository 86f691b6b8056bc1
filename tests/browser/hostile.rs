//! Partners that send what breaks programs: the big list of naughty strings and tries to run scripts, in every field that a
//! partner writes, by notices and by a statement, and beside them by people. On every page that shows them nothing runs,
//! nothing becomes markup, and the page stays as wide as the window.

use crate::desk::{self, Tongue};
use crate::find::Finds;
use crate::harness::{Gateway, Setup, keys, people};
use crate::naughty;
use crate::page::Page;
use crate::quiet::Noise;
use crate::served::{Reply, Served};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use thuho::domain::money::Money;
use thuho::domain::time::Clock;
use thuho::partner::forge::Wanted;

/// The day of the statement: the one before the harness's day.
const DAY: &str = "2026-11-21";

/// No spaces: events are named without them. Each marks the window if it runs.
const ATTACKS: [&str; 14] = [
    "<script>window.hurt=1;alert(1)</script>",
    "\"><img/src='x'/onerror=window.hurt=1>",
    "'><svg/onload=window.hurt=1>",
    "</td></tr></table><iframe/srcdoc='<script>parent.hurt=1</script>'></iframe>",
    "</title></textarea></script><script>window.hurt=1</script>",
    "<a/href=javascript:window.hurt=1>bill</a>",
    "javascript:window.hurt=1",
    "\"/autofocus/onfocus=\"window.hurt=1",
    "<base/href=//evil.test/><form/action=//evil.test/><button>",
    "<meta/http-equiv='refresh'/content='99;url=//evil.test/'>",
    "<style>*{display:none!important}</style>",
    "<!--<dialog/open>",
    "&lt;script&gt;&#60;b&#62;{{7*7}}${7*7}",
    "-1+1=2@SUM(A1:A9)|cmd",
];

/// As long as an event's field may be, without a place to break it.
const LONG: &str = "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW";

/// What must not come of a text, wherever the page puts it.
const MARKUP: &str = "return [...document.querySelectorAll('script:not([src^=\"/\"]), style, iframe, img, svg, base, \
    object, embed, meta[http-equiv], [onerror], [onload], [onfocus], a[href^=\"javascript:\"], [action^=\"//\"]')]\
    .map(e => e.outerHTML.slice(0, 200));";

fn wanted(event: String, text: &str, amount: i64) -> Wanted {
    let text = || Some(text.to_owned());
    Wanted {
        event: Some(vec![event]),
        invoice: text(),
        order: text(),
        customer: text(),
        amount: Some(Money::from_dong(amount).unwrap()),
        ..Wanted::default()
    }
}

/// Sends each text as all references at once and as the event's id, and each attack in each field alone. Says how many
/// were taken.
fn notify(gateway: &Gateway, texts: &[String]) -> usize {
    let mut calls = Vec::new();
    for (n, text) in (0_i64..).zip(texts) {
        calls.push(wanted(format!("n{n}"), text, 10_000 + n));
        calls.push(wanted(text.clone(), "", 20_000 + n));
    }
    for (n, text) in (0_i64..).zip(ATTACKS) {
        let alone = |field: &str| {
            let mut one = wanted(format!("{field}{n}"), "", 30_000 + n);
            one.set(field, text).unwrap();
            one
        };
        calls.extend(["invoice", "order", "customer", "status", "account"].map(alone));
    }
    let (next, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(wanted) = calls.get(next.fetch_add(1, Ordering::SeqCst)) {
                    // Some are what no notice can say: an event without a name.
                    let profile = gateway.profile("standard");
                    let now = gateway.clock.now();
                    let Ok(forged) = profile.forge(keys().of("standard"), wanted, now) else { continue };
                    let answer = gateway.send("standard", &forged);
                    assert!((200..500).contains(&answer.status), "{}: {wanted:?}", answer.text());
                    taken.fetch_add(usize::from(answer.status == 200), Ordering::SeqCst);
                }
            });
        }
    });
    taken.into_inner()
}

/// A statement of these texts, as the standard layout says.
fn statement(texts: &[String]) -> Vec<u8> {
    let mut file = csv::Writer::from_writer(Vec::new());
    let header = ["payment_id", "type", "invoice_id", "order", "customer_code", "amount", "discount", "fee", "paid_at"];
    file.write_record(header).unwrap();
    let mut sum = 0;
    for (n, text) in (0_i64..).zip(texts) {
        let (event, amount) = (format!("s{n}"), 40_000 + n);
        sum += amount;
        let at = format!("{DAY}T10:00:00+07:00");
        let money = amount.to_string();
        file.write_record([&event, "payment.succeeded", text, text, text, &money, "0", "0", &at]).unwrap();
    }
    let count = texts.len().to_string();
    file.write_record(["TOTAL", "count", &count, "", "", &sum.to_string(), "", "", ""]).unwrap();
    file.into_inner().unwrap()
}

/// Leaves out what the layout refuses, until the rest is taken. Says how many lines that has.
fn bring(gateway: &Gateway, texts: &[String]) -> usize {
    let mut kept = texts.to_vec();
    for _ in 0..40 {
        let path = format!("/api/v1/statements?partner=standard&date={DAY}&kind=partner&name=%3Cscript%3Ehurt%3D1.csv");
        let answer = gateway.internal("POST", &path, "application/octet-stream", &statement(&kept));
        if answer.status == 201 {
            let path = format!("/api/v1/reconciliations/standard/{DAY}");
            let compared = gateway.internal("POST", &path, "application/json", b"");
            assert_eq!(compared.status, 200, "{}", compared.text());
            return kept.len();
        }
        assert_eq!(answer.status, 422, "{}", answer.text());
        let bad = refused_rows(&answer.json());
        assert!(!bad.is_empty(), "{}", answer.text());
        // As an editor counts them: a text of several lines, in three columns, has as many rows.
        let mut row = 2;
        kept.retain(|text| {
            let rows = row..=row + 3 * text.matches('\n').count();
            row = rows.end() + 1;
            !bad.iter().any(|bad| rows.contains(bad))
        });
    }
    panic!("the statement is refused again and again");
}

/// The rows that a refusal names.
fn refused_rows(answer: &Value) -> BTreeSet<usize> {
    let said = answer.get("detail").and_then(Value::as_str).unwrap_or_default();
    let rows = said.split("row ").skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    rows.collect()
}

struct Tour<'p> {
    page: &'p Page,
    base: String,
}

impl Tour<'_> {
    /// Opens a page; nothing of what it shows may have become more than text.
    #[track_caller]
    fn see(&self, path: &str) {
        self.page.goto(&format!("{}{path}", self.base));
        assert_eq!(desk::status(self.page), 200, "{path}: {}", self.page.text());
        self.safe(path);
        assert_eq!(self.page.noise(), [], "{path}");
    }

    /// The same of a page that may say no.
    #[track_caller]
    fn see_whatever(&self, path: &str) {
        self.page.goto(&format!("{}{path}", self.base));
        self.safe(path);
    }

    /// No script of it ran, none of it is markup or a style, it is as wide as the window, and no policy was breached.
    #[track_caller]
    fn safe(&self, path: &str) {
        let hurt = self.page.script("return window.hurt === undefined;", Vec::new());
        assert_eq!(hurt, Value::Bool(true), "a script ran on {path}");
        assert_eq!(self.page.script(MARKUP, Vec::new()), json!([]), "markup on {path}");
        assert_eq!(self.page.css("#main").style("display"), "block", "a style took effect on {path}");
        assert!(!self.page.is_too_wide(), "{path} is wider than the window");
        let noise = self.page.noise();
        let policy: Vec<_> = noise.iter().filter(|one| !matches!(one, Noise::Console(_))).collect();
        assert!(policy.is_empty(), "{path}: {policy:?}");
    }

    /// From page to page of a list; the addresses of what is in it, of those that begin so.
    #[track_caller]
    fn list(&self, first: &str, begins: &str) -> Vec<String> {
        let (mut found, mut path) = (Vec::new(), first.to_owned());
        for _ in 0..40 {
            self.see(&path);
            found.extend(self.addresses(begins));
            let next = self.page.all("a[rel=next]").first().and_then(|link| link.attribute("href"));
            match next {
                Some(next) => path = next,
                None => return found,
            }
        }
        panic!("{first} never ends");
    }

    fn addresses(&self, begins: &str) -> Vec<String> {
        let asked = "return [...new Set([...document.querySelectorAll('#main a[href]')].map(a => a.getAttribute('href')))]\
            .filter(h => h.startsWith(arguments[0]) && !h.startsWith('/breaks/export'));";
        let found = self.page.script(asked, vec![json!(begins)]);
        found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// What people may write, from the browser that sends forms byte for byte.
fn people_write(gateway: &Gateway, breaks: &[String]) {
    let maker = people::Browser::of(gateway, "maker");
    for (path, text) in breaks.iter().zip(ATTACKS) {
        let path = path.split('?').next().unwrap();
        let noted = maker.post(&format!("{path}/mark"), &[("what", "comment"), ("text", text)]);
        assert_eq!(noted.status, 303, "{}", noted.text());
        let proposed = maker.post(&format!("{path}/propose"), &[("action", "close"), ("reason", text)]);
        assert_eq!(proposed.status, 303, "{}", proposed.text());
        let kept = maker.post("/breaks/views", &[("filter", "order=largest"), ("label", text)]);
        assert!(kept.status == 303 || text.len() > 60, "{}", kept.text());
    }
}

#[test]
fn what_others_write_stays_text_on_every_page() {
    let test = "hostile texts";
    let (Some(mut texts), Some(page)) = (naughty::strings(test), Page::open(test)) else { return };
    texts.extend(ATTACKS.map(str::to_owned));
    texts.push(LONG.to_owned());
    let no_limits = ["peer_per_second", "peer_burst", "total_per_second", "total_burst"];
    let toml = no_limits.map(|name| format!("limits.{name} = 1000000\n")).concat();
    let gateway = Gateway::with(Setup { people: true, toml, ..Setup::default() });
    let taken = notify(&gateway, &texts);
    assert!(taken > texts.len(), "only {taken} notices were taken");
    let lines = bring(&gateway, &texts);
    assert!(lines > texts.len() / 2, "only {lines} of {} lines were taken", texts.len());

    let base = format!("http://{}", gateway.running().internal());
    desk::log_in(&page, &base, ("maker", people::PASSWORD), Tongue::Vi);
    let tour = Tour { page: &page, base: base.clone() };
    let breaks = tour.list("/breaks?order=largest", "/breaks/");
    assert!(breaks.len() > texts.len(), "{} breaks", breaks.len());
    people_write(&gateway, &breaks);
    let found = tour.list("/breaks?q=window.hurt", "/breaks/");
    let mut shown = 0;
    for path in breaks.iter().take(ATTACKS.len()).chain(found.iter().step_by(5)) {
        tour.see(path);
        shown += usize::from(page.text().contains("window.hurt=1"));
    }
    assert!(shown > 5, "what was sent is seen as text on {shown} pages only");
    for path in tour.list("/desk", "/desk/").iter().step_by(40).take(25) {
        tour.see(path);
    }
    let payments = tour.list("/payments?partner=standard&day=2026-11-22", "/payments/");
    for path in payments.iter().step_by(60).take(25) {
        tour.see(path);
    }
    for path in tour.list("/files", "/files/") {
        tour.list(&path, "/payments/");
    }
    for path in tour.list("/approvals", "/approvals/") {
        tour.see(&path);
    }
    let rest =
        ["/", "/outbox", "/partners", "/partners/standard", "/settlement", "/closes", "/rules", "/me", "/minutes"];
    for path in rest.into_iter().chain(["/customers?q=PA03", "/reconciliations/standard/2026-11-21"]) {
        tour.see(path);
    }
    minutes(&tour);
    reflected(&tour);
    refused_file(&tour);
    desk::log_out(&page, Tongue::Vi);
    desk::log_in(&page, &base, ("admin", people::PASSWORD), Tongue::Vi);
    let tour = Tour { page: &page, base };
    tour.list("/audit", "/nothing");
    tour.see("/users");
}

/// The paper has a style of its own, and no frame.
fn minutes(tour: &Tour<'_>) {
    let page = tour.page;
    page.goto(&format!("{}/minutes/standard?from={DAY}&to=2026-11-22", tour.base));
    assert_eq!(desk::status(page), 200, "{}", page.text());
    assert!(page.text().contains("BIÊN BẢN ĐỐI SOÁT"), "{}", page.text());
    assert_eq!(page.script("return window.hurt === undefined;", Vec::new()), Value::Bool(true));
    assert_eq!(
        page.script("return document.querySelectorAll('script, img, iframe, svg, base').length;", Vec::new()),
        json!(0)
    );
    assert_eq!(page.noise(), []);
}

/// What stands in an address is on the page too.
fn reflected(tour: &Tour<'_>) {
    let coded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    for text in ATTACKS {
        let text = coded(text);
        for path in
            ["/breaks?q=", "/breaks?assignee=", "/customers?q=", "/audit?name=", "/payments?day=", "/files?day="]
        {
            tour.see_whatever(&format!("{path}{text}"));
        }
    }
    let text = coded("\"><script>window.hurt=1</script>");
    for path in ["/customers/", "/payments/", "/work/", "/partners/", "/minutes?from=", "/closes?partner=", "/?until="]
    {
        tour.see_whatever(&format!("{path}{text}"));
    }
    // What was not found is an error in the console, and no fault here.
    tour.page.noise();
}

/// A file that is refused: what was found in it, and its name, are shown.
fn refused_file(tour: &Tour<'_>) {
    let page = tour.page;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("<img src=x onerror=window.hurt=1>.csv");
    let rows = ATTACKS
        .map(|text| format!("\"{}\",e,,,,\"{}\",0,0,never\n", text.replace('"', "\"\""), text.replace('"', "\"\"")));
    let header = "type,payment_id,invoice_id,order,customer_code,amount,discount,fee,paid_at\n";
    std::fs::write(&file, format!("{header}{}TOTAL,,,,,1,,,\ncount,1,,,,,,,\n", rows.concat())).unwrap();
    page.goto(&format!("{}/files", tour.base));
    let form = page.css("#bring");
    form.css("select[name=partner]").choose("standard");
    form.css("input[type=file]").attach(&file);
    page.loads(|_| form.css("button.primary").click());
    page.shows("Tệp không đúng mẫu");
    let text = page.text();
    assert!(text.contains("<script>window.hurt=1") && text.contains("<img src=x onerror=window.hurt=1>.csv"), "{text}");
    tour.safe("the refused file");
    page.noise();
}

/// The negative control: a page that repeats what it is given is caught, whichever of them it is.
#[test]
fn a_page_that_repeats_an_attack_is_caught() {
    let Some(page) = Page::open("the attacks' control") else { return };
    let tour = Tour { page: &page, base: String::new() };
    let active = |text: &&str| text.contains('<') && !text.starts_with("&lt;") && !text.starts_with("<!--");
    for text in ATTACKS.into_iter().filter(active) {
        let served = Served::page(Reply::html(&format!("<body><main id=main><input value=\"{text}\">{text}</main>")));
        page.goto(&served.url("/"));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tour.safe("a page that repeats")));
        assert!(caught.is_err(), "{text}");
        page.noise();
    }
}
