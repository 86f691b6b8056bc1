//! Every page and action of the finance desk, as openapi.yaml lists them, for every role: nobody does what they may not,
//! nobody is sent away from what they may, nobody at all gets in without a session, and no form is taken that is not of it.

use crate::harness::http::Answer;
use crate::harness::people::{Browser, header};
use crate::harness::{Gateway, Setup, bill, pays};

use thuho::domain::user::{Right, Role, Roles};
use yaml_rust2::{Yaml, YamlLoader};

/// An operation of the desk, and what is needed for it; `None` needs no session.
struct Operation {
    method: String,
    path: String,
    right: Option<Right>,
    /// Does its form carry a file?
    file: bool,
}

fn right(word: &str) -> Option<Right> {
    match word {
        "none" => None,
        "look" => Some(Right::Look),
        "see_payers" => Some(Right::SeePayers),
        "propose" => Some(Right::Propose),
        "decide" => Some(Right::Decide),
        "operate" => Some(Right::Operate),
        "manage" => Some(Right::Manage),
        "oversee" => Some(Right::Oversee),
        other => panic!("openapi.yaml: x-right {other}"),
    }
}

fn operations() -> Vec<Operation> {
    let documents = YamlLoader::load_from_str(include_str!("../../openapi.yaml")).unwrap();
    let mut found = Vec::new();
    for (path, item) in documents[0]["paths"].as_hash().unwrap() {
        for (method, operation) in item.as_hash().unwrap() {
            let desk = operation["tags"].as_vec().is_some_and(|tags| tags.contains(&Yaml::String("desk".to_owned())));
            if desk {
                let word = operation["x-right"].as_str().unwrap_or_else(|| panic!("{path:?}: no x-right"));
                let (method, path) = (method.as_str().unwrap().to_uppercase(), path.as_str().unwrap().to_owned());
                let file = !operation["requestBody"]["content"]["multipart/form-data"].is_badvalue();
                found.push(Operation { method, path, right: right(word), file });
            }
        }
    }
    found
}

/// A day's statement of one line, which nobody notified.
const STATEMENT: &str = "payment_id,type,invoice_id,order,customer_code,amount,discount,fee,paid_at,reverses\n\
    p9,payment.succeeded,HD-9,,,1000,0,0,2026-11-20T02:00:00Z,\nTOTAL,count,1,,,1000,,,,\n";

/// Books with a payment, a break about it with a file and in a proposal, a statement, and something in most lists.
fn gateway() -> Gateway {
    let gateway = Gateway::with(Setup { people: true, ..Setup::default() });
    gateway.put(&[bill("HD-1", 150_000)]);
    gateway.notify("standard", &pays("p1", "HD-1", 150_000));
    gateway.notify("standard", &pays("p2", "HD-1", 150_000));
    let day = "/api/v1/statements?partner=standard&date=2026-11-20&name=day.csv";
    let propose = r#"{"reason":"as said","items":[{"break":1,"resolution":{"action":"close"}}]}"#;
    for (path, kind, body) in [
        (day, "text/csv", STATEMENT),
        ("/api/v1/reconciliations/standard/2026-11-20", "application/json", ""),
        ("/api/v1/breaks/1/files?name=letter.txt", "text/plain", "a letter"),
        ("/api/v1/proposals", "application/json", propose),
    ] {
        let answer = gateway.internal("POST", path, kind, body.as_bytes());
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
    }
    gateway
}

/// Long work that was begun, by its address.
fn work(gateway: &Gateway) -> String {
    let begun = Browser::of(gateway, "maker").post("/reconciliations/standard/2026-11-20", &[("kind", "partner")]);
    header(&begun, "location").expect("the work has a page").trim_start_matches("/work/").to_owned()
}

fn target(gateway: &Gateway, work: &str, path: &str) -> String {
    let payment = gateway.get("/api/v1/breaks/1").json()["payment"].as_str().unwrap_or_default().to_owned();
    let message = gateway.get("/api/v1/outbox").json()[0]["key"].as_str().unwrap_or_default().to_owned();
    let key = if path.starts_with("/outbox") { message } else { payment };
    let asked = match path {
        "/minutes/{partner}" => "?from=2026-11-20&to=2026-11-20",
        "/audit/certificate" => "?partner=standard&day=2026-11-20",
        "/breaks/export" => "?format=csv",
        _ => "",
    };
    format!("{path}{asked}")
        .replace("{partner}", "standard")
        .replace("{code}", if path.starts_with("/partners") { "standard" } else { "PA03HL0000001" })
        .replace("{key}", &key)
        .replace("{name}", if path.starts_with("/rules") { "create-missing" } else { "viewer" })
        .replace("{period}", "2026-11-20")
        .replace("{date}", "2026-11-20")
        .replace("{no}", "1")
        .replace("{break}", "1")
        .replace("{note}", "1")
        .replace("{id}", work)
        .replace("{verb}", "withdraw")
        .replace("{action}", "retry")
}

/// A form as browsers send it, with this token.
fn plain(csrf: &str) -> (&'static str, String) {
    ("application/x-www-form-urlencoded", format!("csrf={csrf}"))
}

/// The same with a file behind it.
fn with_file(csrf: &str) -> (&'static str, String) {
    let part = |about: &str, text: &str| format!("--x\r\ncontent-disposition: form-data; {about}\r\n\r\n{text}\r\n");
    let parts = part("name=\"csrf\"", csrf) + &part("name=\"file\"; filename=\"a.csv\"", "a") + "--x--\r\n";
    ("multipart/form-data; boundary=x", parts)
}

/// A page that was made for the log-in, or that sends there.
fn asks_for_a_log_in(answer: &Answer) -> bool {
    answer.status == 303 && header(answer, "location").is_some_and(|to| to.starts_with("/login"))
}

#[test]
fn nobody_does_what_they_may_not_and_everybody_does_what_they_may() {
    let gateway = gateway();
    let (work, operations) = (work(&gateway), operations());
    assert!(operations.len() >= 20, "the desk has pages");
    // Whoever logs out, or changes a password, is gone for the rest.
    let ends = |path: &str| matches!(path, "/logout" | "/me/password" | "/login");
    let mut wrong = Vec::new();
    for role in Role::ALL {
        let browser = Browser::of(&gateway, role.word());
        for Operation { method, path, right, .. } in &operations {
            if ends(path) {
                continue;
            }
            let target = target(&gateway, &work, path);
            let answer = if method == "GET" { browser.get(&target) } else { browser.post(&target, &[]) };
            let may = right.is_none_or(|right| Roles::of(&[role]).may(right));
            // A form with nothing in it does what it says, or says what is missing or in its way.
            let fits = match (may, method.as_str()) {
                (false, _) => answer.status == 403,
                // What is over shows what came of it.
                (true, "GET") if path == "/work/{id}" => {
                    matches!(answer.status, 200 | 303) && !asks_for_a_log_in(&answer)
                }
                // A day is certified once all of it lies between two seals.
                (true, "GET") if path == "/audit/certificate" => answer.status == 409,
                (true, "GET") => answer.status == 200,
                (true, _) => matches!(answer.status, 200 | 303 | 400 | 404 | 409 | 422) && !asks_for_a_log_in(&answer),
            };
            if !fits {
                wrong.push(format!("{} {method} {path}: {}, may: {may}", role.word(), answer.status));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn nobody_gets_in_without_a_session_and_no_form_is_taken_that_is_not_of_it() {
    let gateway = gateway();
    let work = work(&gateway);
    let nobody = Browser::new(&gateway);
    let mut forged = Browser::new(&gateway);
    forged.cookie = Some(format!("__Host-thuho={}", "0".repeat(64)));
    let (maker, other) = (Browser::of(&gateway, "maker"), Browser::of(&gateway, "checker"));
    let mut wrong = Vec::new();
    for Operation { method, path, right, file } in operations() {
        let target = target(&gateway, &work, &path);
        if right.is_some() {
            for stranger in [&nobody, &forged] {
                let answer = if method == "GET" { stranger.get(&target) } else { stranger.post(&target, &[]) };
                if !asks_for_a_log_in(&answer) {
                    wrong.push(format!("{method} {path} without a session: {}", answer.status));
                }
            }
        }
        if method == "POST" && path != "/login" {
            for (what, site, csrf) in [
                ("without a token", "same-origin", ""),
                ("with another's token", "same-origin", other.csrf.as_str()),
                ("from another site", "cross-site", maker.csrf.as_str()),
            ] {
                let (kind, body) = if file { with_file(csrf) } else { plain(csrf) };
                let headers = [("sec-fetch-site", site), ("content-type", kind)];
                let answer = maker.call("POST", &target, &headers, body.as_bytes());
                if answer.status != 403 {
                    wrong.push(format!("{method} {path} {what}: {}", answer.status));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
