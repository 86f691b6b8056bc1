//! The finance desk's pages over a month of a large company's books: how long the server takes for each, from the first
//! byte of the question to the last of the answer, one after the other, by somebody who may see everything. Which pages
//! there are is asked of `openapi.yaml`: one that is neither measured nor named here as left out fails the run.

use crate::bench::Bench;
use crate::books::{Books, Store};
use crate::desk_books::{self, CUSTOMERS, DAYS, NAME, PARTNERS, PASSWORD, day_back, partner};
use crate::postgres::Postgres;
use crate::processes::Server;
use crate::requests::{Chance, customer};
use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;
use yaml_rust2::{Yaml, YamlLoader};

/// How often each page is asked for.
const ASKED: u64 = 40;

/// Pages of something that these books have none of: no work goes on, and nothing is attached.
const NO_OBJECT: [&str; 3] = ["/work/{id}", "/work/{id}/progress", "/breaks/{no}/files/{note}"];

/// Files that are as long as their filter: people wait for them.
const FILES: [&str; 2] = ["/breaks/export", "/audit/certificate"];

pub fn run(bench: &mut Bench) {
    let mut wrong = Vec::new();
    for store in Store::asked() {
        let Some(books) = desk_books::make(bench, store) else { continue };
        let server = desk_books::setup(bench, &books).start();
        let browser = Browser::log_in(server.internal);
        measure(bench, (store, &books), &browser, &server);
        server.stop();
        books.remove();
        wrong.extend(browser.wrong.into_inner());
    }
    assert_eq!(wrong, Vec::<String>::new(), "each page answers");
}

/// A question: its page's name in `openapi.yaml`, and addresses that it is asked under in turn.
struct Page {
    name: &'static str,
    about: &'static str,
    at: Box<dyn Fn(u64) -> String>,
}

fn page(name: &'static str, about: &'static str, at: impl Fn(u64) -> String + 'static) -> Page {
    Page { name, about, at: Box::new(at) }
}

fn measure(bench: &mut Bench, (store, books): (Store, &Books), browser: &Browser, server: &Server) {
    let word = store.word();
    let pages = pages(browser);
    let measured: Vec<&str> = pages.iter().map(|page| page.name).chain(NO_OBJECT).chain(FILES).collect();
    let missing: Vec<String> = of_openapi().into_iter().filter(|path| !measured.contains(&path.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new(), "each page is measured");
    println!(
        "  {:<32} {:<24} {:>8} {:>8} {:>8} {:>8} {:>7}",
        format!("the desk, {word}"),
        "",
        "first ms",
        "p50 ms",
        "p95 ms",
        "CPU ms",
        "KiB"
    );
    let mut slowest = (0.0, "");
    for Page { name, about, at } in &pages {
        let (first, length) = browser.timed(&at(0));
        let cpu = || server.cpu_seconds() + books.postgres().map_or(0.0, Postgres::cpu_seconds);
        let before = cpu();
        let mut took: Vec<f64> = (1..=ASKED).map(|n| browser.timed(&at(n)).0).collect();
        let each = (cpu() - before) * 1_000.0 / f64::from(u32::try_from(ASKED).expect("few"));
        took.sort_by(f64::total_cmp);
        let of = |per_cent: usize| took.get((took.len() * per_cent).div_ceil(100) - 1).copied().unwrap_or(f64::NAN);
        println!(
            "  {name:<32} {about:<24} {first:>8.1} {:>8.1} {:>8.1} {each:>8.1} {:>7}",
            of(50),
            of(95),
            length / 1024
        );
        bench.figures.add(&format!("desk, {word}, {name} {about} p95 ms"), of(95));
        bench.figures.add(&format!("desk, {word}, {name} {about} first ms"), first);
        if of(95) > slowest.0 {
            slowest = (of(95), name);
        }
    }
    println!("  slowest: {} with {:.1} ms; resident {:.0} MiB", slowest.1, slowest.0, server.resident_mib().0);
    bench.figures.add(&format!("desk, {word}, slowest page p95 ms"), slowest.0);
    for (about, at) in files() {
        let (took, length) = browser.timed(&at);
        println!("  a file, no page: {about:<48} {took:>8.0} ms, {} KiB", length / 1024);
    }
}

fn files() -> [(&'static str, String); 2] {
    let day = day_back(2);
    [
        ("export of the breaks of a partner", format!("/breaks/export?partner={}&format=csv", partner(3))),
        ("certificate of a partner's day", format!("/audit/certificate?partner={}&day={day}", partner(3))),
    ]
}

fn pages(browser: &Browser) -> Vec<Page> {
    let breaks = browser.numbers("/breaks?order=newest", "/breaks/");
    let old = browser.numbers("/breaks?order=oldest", "/breaks/");
    let deep = old.last().cloned().unwrap_or_default();
    let desk = browser.numbers("/desk", "/desk/");
    let files = browser.numbers("/files", "/files/");
    let payments =
        browser.links(&format!("/payments?partner={}&day={}", partner(5), day_back(3)), "/payments/", |id| {
            id.chars().take_while(char::is_ascii_hexdigit).collect()
        });
    let lists = browser.numbers("/approvals", "/approvals/");
    let found = [("breaks", &breaks), ("desk", &desk), ("files", &files), ("payments", &payments), ("lists", &lists)];
    for (what, found) in found {
        assert!(found.len() > 10, "{what}: the lists lead to what is in them");
    }
    let turn = |of: Vec<String>| {
        move |n: u64| of.get(usize::try_from(n).expect("few") % of.len()).cloned().expect("one of them")
    };
    let (at_break, at_old, at_desk, at_file, at_payment, at_list) =
        (turn(breaks), turn(old), turn(desk), turn(files), turn(payments), turn(lists));
    let code = |n: u64| partner(n % PARTNERS);
    // Whoever has a bill, in a short run too.
    let somebody = |n: u64| customer(Chance(n).next() % CUSTOMERS.min(desk_books::payments()));
    let week = format!("from={}&to={}", day_back(6), day_back(0));
    let (w1, w2, w3) = (week.clone(), week.clone(), week);
    vec![
        page("/", "a week", |_| "/".to_owned()),
        page("/", "a month", |_| format!("/?days={DAYS}")),
        page("/", "another week each", |n| format!("/?until={}", day_back(n % 20 + 3))),
        page("/breaks", "newest", |_| "/breaks".to_owned()),
        page("/breaks", "oldest", |_| "/breaks?order=oldest".to_owned()),
        page("/breaks", "largest", |_| "/breaks?order=largest".to_owned()),
        page("/breaks", "oldest, deep", move |n| format!("/breaks?order=oldest&before={}", number(&deep) + n * 2_000)),
        page("/breaks", "closed ones too", |_| "/breaks?closed=true".to_owned()),
        page("/breaks", "a partner's day", move |n| format!("/breaks?partner={}&day={}", code(n), day_back(n % 7))),
        page("/breaks", "sums between", |n| format!("/breaks?from={}&to={}", 100_000 + n, 500_000 + n)),
        page("/breaks", "search: an amount", |n| format!("/breaks?q=1.0{:02}.000", n % 99)),
        page("/breaks", "search: words", |_| "/breaks?q=khong+sao+ke".to_owned()),
        page("/breaks", "search: a customer", move |n| format!("/breaks?q={}", somebody(n))),
        page("/breaks", "search: a bill", |n| format!("/breaks?q=D{:09}", n * 997)),
        page("/breaks/{no}", "new ones", at_break),
        page("/breaks/{no}", "old ones", at_old),
        page("/approvals", "what waits", |_| "/approvals".to_owned()),
        page("/approvals", "history", |_| "/approvals?tab=history".to_owned()),
        page("/approvals/{no}", "lists of a thousand", at_list),
        page("/desk", "the list", |_| "/desk".to_owned()),
        page("/desk/{no}", "one each", at_desk),
        page("/customers", "by code", move |n| format!("/customers?q={}", somebody(n))),
        page("/customers", "by a part of a name", |_| "/customers?q=PA03HL00".to_owned()),
        page("/customers/{code}", "one each", move |n| format!("/customers/{}", somebody(n))),
        page("/payments", "a partner's day", move |n| {
            format!("/payments?partner={}&day={}", code(n), day_back(n % DAYS))
        }),
        page("/payments/{key}", "one each", at_payment),
        page("/files", "all", |_| "/files".to_owned()),
        page("/files/{no}", "one each", at_file),
        page("/reconciliations/{partner}/{date}", "one each", move |n| {
            format!("/reconciliations/{}/{}", code(n), day_back(n % 6))
        }),
        page("/settlement", "a week", move |_| format!("/settlement?{w1}")),
        page("/settlement/{partner}", "a week", move |n| format!("/settlement/{}?{w2}", code(n))),
        page("/closes", "all", |_| "/closes".to_owned()),
        page("/closes", "of a partner", move |n| format!("/closes?partner={}", code(n))),
        page("/closes/{partner}/{period}", "drafts", move |n| format!("/closes/{}/{}", code(n), day_back(1))),
        page("/closes/{partner}/{period}", "sealed ones", move |n| {
            format!("/closes/{}/{}", code(n), day_back(2 + n % 5))
        }),
        page("/minutes", "the form", |_| "/minutes".to_owned()),
        page("/minutes/{partner}", "a week", move |n| format!("/minutes/{}?{w3}", code(n))),
        page("/partners", "all", |_| "/partners".to_owned()),
        page("/partners/{code}", "one each", move |n| format!("/partners/{}", code(n))),
        page("/outbox", "parked", |_| "/outbox".to_owned()),
        page("/outbox", "waiting", |_| "/outbox?state=waiting".to_owned()),
        page("/rules", "all", |_| "/rules".to_owned()),
        page("/rules", "one, run dry", move |n| format!("/rules?rule=create-missing&partner={}", code(n))),
        page("/users", "all", |_| "/users".to_owned()),
        page("/users/{name}", "one", |_| format!("/users/{NAME}")),
        page("/audit", "all", |_| "/audit".to_owned()),
        page("/me", "", |_| "/me".to_owned()),
        page("/login", "", |_| "/login".to_owned()),
    ]
}

/// The number at the end of an address.
fn number(link: &str) -> u64 {
    link.rsplit('/').next().and_then(|no| no.parse().ok()).expect("a number")
}

/// Every page that there is.
fn of_openapi() -> Vec<String> {
    let documents = YamlLoader::load_from_str(include_str!("../../openapi.yaml")).expect("it is YAML");
    let paths = documents.first().and_then(|document| document["paths"].as_hash().cloned()).expect("it has paths");
    let desk = Yaml::String("desk".to_owned());
    let is_page = |item: &Yaml| item["get"]["tags"].as_vec().is_some_and(|tags| tags.contains(&desk));
    paths.iter().filter(|(_, item)| is_page(item)).filter_map(|(path, _)| Some(path.as_str()?.to_owned())).collect()
}

/// Somebody who is logged in.
struct Browser {
    at: SocketAddr,
    cookie: String,
    /// Pages that did not answer as they should.
    wrong: RefCell<Vec<String>>,
}

impl Browser {
    fn log_in(at: SocketAddr) -> Self {
        let mut browser = Self { at, cookie: String::new(), wrong: RefCell::default() };
        let form = format!("name={NAME}&password={PASSWORD}&next=%2F");
        let answer = browser.call("POST", "/login", &form);
        let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a session begins");
        set.split(';').next().unwrap_or_default().clone_into(&mut browser.cookie);
        browser
    }

    fn call(&self, method: &str, target: &str, form: &str) -> String {
        let mut stream = TcpStream::connect(self.at).expect("the gateway listens");
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: bench\r\ncookie: {}\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{form}",
            self.cookie,
            form.len()
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).expect("it answers");
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// How long a page takes, in milliseconds, and how long it is, in bytes.
    fn timed(&self, target: &str) -> (f64, usize) {
        let since = Instant::now();
        let answer = self.call("GET", target, "");
        let took = since.elapsed().as_secs_f64() * 1_000.0;
        let said = answer.lines().next().unwrap_or_default();
        // What is found by its whole code leads to its page, and whoever is logged in is sent on.
        let leads = target.starts_with("/customers?") && answer.contains("location: /customers/")
            || target == "/login" && answer.contains("location: /\r\n");
        if said.split(' ').nth(1) != Some(if leads { "303" } else { "200" }) {
            self.wrong.borrow_mut().push(format!("{target}: {said}"));
        }
        (took, answer.len())
    }

    /// The addresses on a page that begin so and go on with a number.
    fn numbers(&self, target: &str, begin: &str) -> Vec<String> {
        self.links(target, begin, |id| id.chars().take_while(char::is_ascii_digit).collect())
    }

    /// The addresses on a page that begin so, each once; `id` takes what it goes on with.
    fn links(&self, target: &str, begin: &str, id: impl Fn(&str) -> String) -> Vec<String> {
        let text = self.call("GET", target, "");
        let mut found: Vec<String> = Vec::new();
        for part in text.split(&format!("\"{begin}")).skip(1) {
            let (id, link) = (id(part), format!("{begin}{}", id(part)));
            if !id.is_empty() && !found.contains(&link) {
                found.push(link);
            }
        }
        found
    }
}
