//! Every page of the desk that openapi.yaml names, in both languages and both themes: it answers, axe finds nothing that
//! keeps people out, the browser complains of nothing, and nobody scrolls sideways. What it looks like is in target/screens.

use crate::axe::Axe;
use crate::desk::{self, ADMIN, CHECKER, DAY, Demo, MAKER, Tongue};
use crate::find::Finds;
use crate::page::{Page, Scheme};
use crate::quiet::Noise;
use serde_json::json;
use std::time::Instant;
use yaml_rust2::YamlLoader;

const BOTH: [(Scheme, &str); 2] = [(Scheme::Light, "light"), (Scheme::Dark, "dark")];

/// A path of the description, with the right that it needs.
struct Described {
    path: String,
    right: String,
}

/// All that a browser is shown by GET under the tag `desk`.
fn described() -> Vec<Described> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.yaml")).unwrap();
    let documents = YamlLoader::load_from_str(&text).unwrap();
    let document = documents.first().unwrap();
    let paths = document["paths"].as_hash().unwrap();
    let of_desk = paths.iter().filter_map(|(path, methods)| {
        let get = &methods["get"];
        let is_desk = get["tags"].as_vec().is_some_and(|tags| tags.iter().any(|tag| tag.as_str() == Some("desk")));
        let right = get["x-right"].as_str().unwrap_or_default().to_owned();
        is_desk.then(|| Described { path: path.as_str().unwrap().to_owned(), right })
    });
    let found: Vec<Described> = of_desk.collect();
    assert!(found.len() > 25, "only {} pages", found.len());
    found
}

/// The name of a picture, and where the page is.
struct Place {
    name: String,
    path: String,
    status: i64,
}

/// What is at a path that is not looked at as a page.
enum Other {
    Page(Place),
    /// A file to be saved or an answer for scripts: it is there, that is all.
    Answer(String),
}

/// Fills a path with what the demo's books have.
fn filled(demo: &Books, path: &str) -> Other {
    let answering = |address: String, status: i64| {
        let name = path.trim_matches('/').replace(['{', '}'], "").replace('/', "-");
        let name = if name.is_empty() { "today".to_owned() } else { name };
        Other::Page(Place { name, path: address, status })
    };
    let page = |address: String| answering(address, 200);
    match path {
        "/breaks/export" => Other::Answer("/breaks/export?format=csv".to_owned()),
        "/work/{id}/progress" => Other::Answer(format!("/work/{}/progress", demo.work)),
        "/breaks/{no}/files/{note}" => Other::Answer(demo.attached.clone()),
        "/breaks/{no}" => page(demo.a_break.clone()),
        "/files/{no}" => page("/files/2".to_owned()),
        // Work that was done leads to its result: what failed is what stays.
        "/work/{id}" => answering(format!("/work/{}", demo.work), 422),
        "/reconciliations/{partner}/{date}" => page(format!("/reconciliations/standard/{DAY}")),
        "/settlement" => page(format!("/settlement?from={DAY}&to={DAY}")),
        "/settlement/{partner}" => page(format!("/settlement/standard?from={DAY}&to={DAY}")),
        "/closes/{partner}/{period}" => page(format!("/closes/standard/{DAY}")),
        "/minutes" => page(format!("/minutes?partner=standard&from={DAY}&to={DAY}")),
        "/minutes/{partner}" => page(format!("/minutes/standard?from={DAY}&to={DAY}")),
        "/approvals/{no}" => page(demo.a_proposal.clone()),
        "/desk/{no}" => page(demo.a_parked.clone()),
        "/customers" => page("/customers?q=1".to_owned()),
        "/customers/{code}" => page(demo.a_customer.clone()),
        "/payments" => page(format!("/payments?partner=standard&day={DAY}")),
        "/payments/{key}" => page(demo.a_payment.clone()),
        "/users/{name}" => page(format!("/users/{CHECKER}")),
        "/partners/{code}" => page("/partners/standard".to_owned()),
        "/audit/certificate" => page(format!("/audit/certificate?partner=standard&day={DAY}")),
        _ if path.contains('{') => panic!("a new page: say here with what {path} is to be filled"),
        _ => page(path.to_owned()),
    }
}

/// Addresses of one thing of each kind.
struct Books {
    a_break: String,
    a_proposal: String,
    a_parked: String,
    a_customer: String,
    a_payment: String,
    work: String,
    attached: String,
}

/// The first link of a page that begins so.
#[track_caller]
fn first(page: &Page, begins: &str) -> String {
    page.css(&format!("#main a[href^='{begins}']")).attribute("href").unwrap_or_default()
}

/// Looks everything up as the maker, and leaves a refused file and a file beside a break.
fn look_up(demo: &Demo, page: &Page) -> Books {
    let at = |path: &str, begins: &str| {
        page.goto(&demo.url(path));
        first(page, begins)
    };
    let a_proposal = at("/approvals", "/approvals/");
    let a_parked = at("/desk", "/desk/");
    let a_payment = at(&format!("/payments?partner=standard&day={DAY}"), "/payments/");
    let a_customer = at("/files/2", "/customers/");
    let a_break = {
        page.goto(&demo.url("/breaks?class=FEE_MISMATCH"));
        page.css("a[data-open]").attribute("href").unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wrong.csv");
    std::fs::write(&file, "type,payment_id\nwrong\n").unwrap();
    page.goto(&demo.url(&a_break));
    let details = page.css("form[action*='/files']");
    page.script("arguments[0].closest('details').open = true;", vec![details.root()]);
    details.css("input[type=file]").attach(&file);
    page.loads(|_| details.css("button").click());
    let attached = first(page, &format!("{}/files/", a_break.split('?').next().unwrap()));
    page.goto(&demo.url("/files"));
    let form = page.css("#bring");
    form.css("select[name=partner]").choose("standard");
    form.css("input[type=file]").attach(&file);
    page.loads(|_| form.css("button.primary").click());
    page.css("p.wrong");
    let work = page.url().rsplit('/').next().unwrap().to_owned();
    Books { a_break, a_proposal, a_parked, a_customer, a_payment, work, attached }
}

/// One page as it is now, in both themes.
fn look(page: &Page, axe: &Axe, name: &str, tongue: Tongue, faults: &mut Vec<String>) {
    let word = tongue.word();
    if page.is_too_wide() {
        faults.push(format!("{name}, {word}: one scrolls sideways"));
    }
    for (scheme, theme) in BOTH {
        page.scheme(scheme);
        faults.extend(axe.faults(page).iter().map(|fault| format!("{name}, {word}, {theme}: {fault}")));
        page.screenshot(&format!("{name}-{word}-{theme}"));
    }
    let mut noise = page.noise();
    noise.retain(|one| !matches!(one, Noise::Console(text) if text.contains("status of 422")));
    faults.extend(noise.iter().map(|noise| format!("{name}, {word}: {noise}")));
}

fn answers(page: &Page, path: &str) -> i64 {
    let asked = "const [path, done] = arguments; fetch(path).then(a => done(a.status), e => done(-1));";
    page.script_that_calls_back(asked, vec![json!(path)]).as_i64().unwrap_or_default()
}

/// Those pages of somebody in a language.
fn tour(demo: &Demo, page: &Page, axe: &Axe, (tongue, places): (Tongue, &[Other]), faults: &mut Vec<String>) {
    for place in places {
        match place {
            Other::Answer(path) => assert_eq!(answers(page, path), 200, "{path}"),
            Other::Page(Place { name, path, status }) => {
                page.goto(&demo.url(path));
                assert_eq!(desk::status(page), *status, "{path}: {}", page.text());
                // The minutes are Vietnamese, as they are signed.
                assert!(
                    desk::lang(page) == tongue.word() || name == "minutes-partner",
                    "{path} is {}",
                    desk::lang(page)
                );
                look(page, axe, name, tongue, faults);
            }
        }
    }
}

#[test]
fn everybody_can_use_every_page() {
    let test = "every page";
    let (Some(axe), Some(page)) = (Axe::load(test), Page::open(test)) else { return };
    let (demo, mut faults) = (Demo::start(300), Vec::new());
    let since = Instant::now();
    for tongue in [Tongue::Vi, Tongue::En] {
        page.goto(&demo.url(&format!("/login?lang={}", tongue.word())));
        look(&page, &axe, "login", tongue, &mut faults);
    }
    demo.log_in(&page, MAKER, Tongue::Vi);
    let books = look_up(&demo, &page);
    let (of_admin, of_maker): (Vec<_>, Vec<_>) = described()
        .into_iter()
        .filter(|of| of.path != "/login")
        .partition(|of| matches!(&*of.right, "manage" | "oversee"));
    let places = |all: &[Described]| all.iter().map(|of| filled(&books, &of.path)).collect::<Vec<_>>();
    for (who, places) in [(MAKER, places(&of_maker)), (ADMIN, places(&of_admin))] {
        for tongue in [Tongue::Vi, Tongue::En] {
            desk::speak(&page, &demo.url(""), tongue);
            tour(&demo, &page, &axe, (tongue, &places), &mut faults);
        }
        if who == MAKER {
            page.goto(&demo.url("/"));
            desk::log_out(&page, Tongue::En);
            demo.log_in(&page, ADMIN, Tongue::Vi);
        }
    }
    eprintln!("every page: {} s", since.elapsed().as_secs());
    assert!(faults.is_empty(), "{} faults:\n  {}", faults.len(), faults.join("\n  "));
}

#[test]
fn today_fits_a_phone() {
    let test = "a phone";
    let (Some(axe), Some(page)) = (Axe::load(test), Page::open(test)) else { return };
    let demo = Demo::start(100);
    page.phone();
    demo.log_in(&page, CHECKER, Tongue::Vi);
    let mut faults = Vec::new();
    look(&page, &axe, "today-phone", Tongue::Vi, &mut faults);
    page.goto(&demo.url(&format!("/closes/standard/{DAY}")));
    look(&page, &axe, "close-phone", Tongue::Vi, &mut faults);
    page.goto(&demo.url("/"));
    assert!(faults.is_empty(), "{} faults:\n  {}", faults.len(), faults.join("\n  "));
    // Rows are cards: each figure says what it is.
    let named = "return getComputedStyle(document.querySelector('table.cards td[data-name]'), '::before').content;";
    let named = page.script(named, Vec::new());
    assert!(named.as_str().is_some_and(|text| text.contains("Ngày")), "{named}");
    page.loads(|page| page.css("a.tile[href='/breaks']").click());
    assert_eq!(desk::status(&page), 200);
}
