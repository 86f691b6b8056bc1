//! The internal API: who may call, what it answers, and that openapi.yaml says the same routes.

use crate::harness::http::{self, Answer};
use crate::harness::{Gateway, READ_TOKEN, SECOND_TOKEN, TOKEN, bearer, bill, pays};
use yaml_rust2::{Yaml, YamlLoader};

fn with_token(gateway: &Gateway, method: &str, path: &str, authorization: &[&str]) -> Answer {
    let headers: Vec<_> = authorization.iter().map(|a| ("authorization", *a)).collect();
    http::call(gateway.running().internal(), &http::request(method, path, &headers, b""))
}

#[test]
fn a_call_needs_a_token_with_the_right_scope() {
    let gateway = Gateway::start();
    let all = bearer(TOKEN);
    let read = bearer(READ_TOKEN);
    let status = |method, path, authorization: &[&str]| with_token(&gateway, method, path, authorization).status;
    assert_eq!(status("GET", "/api/v1/breaks", &[]), 401);
    assert_eq!(status("GET", "/api/v1/breaks", &["Bearer wrong"]), 401);
    assert_eq!(status("GET", "/api/v1/breaks", &["Basic abc"]), 401);
    assert_eq!(status("GET", "/api/v1/breaks", &[&all, &all]), 401);
    assert_eq!(status("GET", "/api/v1/breaks", &[&read]), 200);
    assert_eq!(status("GET", "/api/v1/outbox", &[&read]), 403);
    assert_eq!(status("PUT", "/api/v1/invoices", &[&read]), 403);
    assert_eq!(status("POST", "/api/v1/partners/standard/pause", &[&read]), 403);
    assert_eq!(status("GET", "/api/v1/outbox", &[&all]), 200);
}

#[test]
fn errors_are_problem_json() {
    let gateway = Gateway::start();
    let answer = gateway.get("/api/v1/payments");
    assert_eq!(answer.status, 400);
    assert!(answer.head.to_lowercase().contains("content-type: application/problem+json"), "{}", answer.head);
    assert_eq!(answer.json()["status"], 400);
}

#[test]
fn invoices_are_taken_row_by_row_and_rejects_are_named() {
    let gateway = Gateway::start();
    let good = bill("HD-1", 150_000).json();
    let wrong = bill("HD-2", 1).json().replace("\"total\":1", "\"total\":2");
    let put = |query: &str, kind: &str, body: &str| {
        gateway.internal("PUT", &format!("/api/v1/invoices{query}"), kind, body.as_bytes())
    };
    let lines = format!("{good}\n{wrong}\n");
    let atomic = put("?atomic=true", "application/x-ndjson", &lines);
    assert_eq!(atomic.status, 422, "{}", atomic.text());
    assert_eq!(atomic.json()["rejects"][0]["line"], 2);
    assert_eq!(gateway.get("/api/v1/invoices/HD-1").status, 404, "nothing was taken");
    let answer = put("", "application/x-ndjson", &lines);
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!((&json["added"], &json["rejected"]), (&1.into(), &1.into()));
    assert_eq!(json["rejects"][0]["field"], "total");
    let again = put("?atomic=true", "application/json", &format!("[{good},\n{}]", bill("HD-3", 5).json())).json();
    assert_eq!((&again["same"], &again["added"]), (&1.into(), &1.into()));
    let older = bill("HD-1", 100).json().replace("\"version\":1", "\"version\":0");
    assert_eq!(put("", "application/json", &format!("[{older}]")).json()["older"], 1);
    assert_eq!(put("", "application/json", "{}").status, 400);
    assert_eq!(put("", "text/csv", "x").status, 415);
    assert!(
        std::fs::read_dir(gateway.dir()).unwrap().all(|f| !f.unwrap().file_name().to_string_lossy().ends_with(".tmp"))
    );
}

#[test]
fn an_import_brings_parked_money_to_its_invoice() {
    let gateway = Gateway::start();
    assert_eq!(gateway.notify("standard", &pays("p1", "HD-1", 150_000)).json()["outcome"], "unknown_invoice");
    let breaks = gateway.get("/api/v1/breaks").json();
    assert_eq!(breaks[0]["class"], "UNKNOWN_REF");
    assert_eq!(gateway.put(&[bill("HD-1", 150_000)]).json()["rematched"], 1);
    assert_eq!(gateway.notify("standard", &pays("p1", "HD-1", 150_000)).json()["outcome"], "duplicate");
    let invoice = gateway.get("/api/v1/invoices/HD-1").json();
    assert_eq!((&invoice["settled"], &invoice["open"], &invoice["parked"]), (&150_000.into(), &0.into(), &0.into()));
    assert_eq!(invoice["on_its_way"], 1);
    let payment = gateway.get("/api/v1/payments/standard/p1").json();
    assert_eq!(payment["state"], "settled");
    assert_eq!(payment["postings"].as_array().unwrap().len(), 2);
    assert_eq!(payment["dispatches"].as_array().unwrap().len(), 1);
    assert_eq!(gateway.get("/api/v1/payments?reference=HD-1").json().as_array().unwrap().len(), 1);
    assert_eq!(gateway.get("/api/v1/payments/standard/nothing").status, 404);
}

#[test]
fn a_message_is_held_retried_and_ended_by_two_people() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    gateway.notify("standard", &pays("p1", "HD-1", 150_000));
    let list = gateway.get("/api/v1/outbox?state=waiting").json();
    let key = list[0]["key"].as_str().unwrap().to_owned();
    let give = |action: &str, body: &str| {
        gateway.internal("POST", &format!("/api/v1/outbox/{key}/{action}"), "application/json", body.as_bytes()).status
    };
    assert_eq!(give("hold", ""), 204);
    assert_eq!(gateway.get("/api/v1/outbox?state=parked").json()[0]["cause"], "held");
    assert_eq!(give("retry", ""), 204);
    assert_eq!(give("hold", ""), 204);
    assert_eq!(give("close", r#"{"author":"lan.nt","reason":""}"#), 400);
    assert_eq!(give("close", r#"{"author":"lan.nt","reason":"paid at the counter"}"#), 204);
    assert_eq!(give("approve", r#"{"author":"lan.nt"}"#), 409);
    assert_eq!(give("approve", r#"{"author":"minh.tv"}"#), 409, "one token with two names is one person");
    let approve = format!("/api/v1/outbox/{key}/approve");
    let second = bearer(SECOND_TOKEN);
    let request = http::request("POST", &approve, &[("authorization", &second)], b"");
    assert_eq!(http::call(gateway.running().internal(), &request).status, 204);
    assert_eq!(gateway.get("/api/v1/outbox?state=closed").json().as_array().unwrap().len(), 1);
}

#[test]
fn forgetting_is_for_operators_and_never_of_what_is_young() {
    let gateway = Gateway::start();
    assert_eq!(with_token(&gateway, "POST", "/api/v1/retention", &[&bearer(READ_TOKEN)]).status, 403);
    let forget = |body: &str| gateway.internal("POST", "/api/v1/retention", "application/json", body.as_bytes());
    let good = r#"{"what":"attempts","older_than_days":90,"after":"7","dry_run":true}"#;
    assert_eq!(forget(good).json(), serde_json::json!({"looked_at": 0, "erased": 0, "kept": 0, "next": null}));
    for (from, to, expected) in [
        ("attempts", "entries", "what: expected raw or attempts"),
        ("90", "89", "older_than_days: expected at least 90 days"),
        ("\"7\"", "\"seven\"", "after: expected"),
        ("dry_run", "dryrun", "openapi.yaml"),
    ] {
        let answer = forget(&good.replace(from, to));
        assert!(answer.status == 400 && answer.text().contains(expected), "{}", answer.text());
    }
}

fn documented() -> Vec<(String, String)> {
    let text = include_str!("../../openapi.yaml");
    let documents = YamlLoader::load_from_str(text).unwrap();
    let mut routes = Vec::new();
    for (path, item) in documents[0]["paths"].as_hash().unwrap() {
        for method in ["get", "put", "post"] {
            // Pages are held to it with a session each: `roles`.
            let desk =
                item[method]["tags"].as_vec().is_some_and(|tags| tags.contains(&Yaml::String("desk".to_owned())));
            if !desk && item.as_hash().unwrap().contains_key(&Yaml::String(method.to_owned())) {
                routes.push((method.to_uppercase(), path.as_str().unwrap().to_owned()));
            }
        }
    }
    routes
}

/// Each documented route answers something else than "no such route"; one that is not documented does not.
#[test]
fn openapi_and_the_routes_are_the_same() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    gateway.notify("standard", &pays("p1", "HD-1", 150_000));
    // A second payment of the bill is a break, with a file and in a proposal.
    gateway.notify("standard", &pays("p2", "HD-1", 150_000));
    let post = |path: &str, body: &[u8]| {
        let headers = [("authorization", bearer(TOKEN)), ("content-type", "application/json".to_owned())];
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        http::call(gateway.running().internal(), &http::request("POST", path, &headers, body)).status
    };
    assert_eq!(post("/api/v1/breaks/1/files?name=letter.txt", b"a letter"), 204);
    let close = br#"{"reason":"x","items":[{"break":1,"resolution":{"action":"close"}}]}"#;
    assert_eq!(post("/api/v1/proposals", close), 201);
    // A day on which nothing happened.
    assert_eq!(post("/api/v1/closes/standard/2026-01-05/draft", b"{}"), 200);
    let key = gateway.get("/api/v1/outbox").json()[0]["key"].as_str().unwrap().to_owned();
    let routes = documented();
    assert!(routes.len() >= 17, "{routes:?}");
    for (method, path) in routes {
        let action = match () {
            () if path.contains("outbox") => "retry",
            () if path.contains("breaks") => "comment",
            () => "resume",
        };
        let target = path
            .replace("{partner}", "standard")
            .replace("{id}", "HD-1")
            .replace("{event}", "p1")
            .replace("{key}", &key)
            .replace("{no}", "1")
            .replace("{note}", "1")
            .replace("{verb}", if path.contains("closes") { "reopen" } else { "withdraw" })
            .replace("{period}", "2026-01-05")
            .replace("{name}", "create-missing")
            .replace("{action}", action);
        let public = path.starts_with("/webhooks") || path.ends_with("/bills") || path.ends_with("/status");
        let to = if public { gateway.running().public() } else { gateway.running().internal() };
        let body: &[u8] = if path.ends_with("redo") { br#"{"partner":"standard"}"# } else { b"" };
        let headers = [("authorization", bearer(TOKEN)), ("content-type", "application/json".to_owned())];
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = http::call(to, &http::request(&method, &target, &headers, body));
        // A GET profile's route answers 405 for a POST profile; it is there all the same.
        let there = answer.status != 404 && (answer.status != 405 || (public && method == "GET"));
        assert!(there, "{method} {path}: {} {}", answer.status, answer.text());
    }
    assert_eq!(gateway.get("/api/v1/undocumented").status, 404);
}

#[test]
fn readiness_health_and_the_log_in_need_no_token_and_show_no_payer() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    gateway.notify("standard", &pays("p1", "HD-1", 150_000));
    let open = |path: &str| with_token(&gateway, "GET", path, &[]);
    assert_eq!(open("/healthz").status, 200);
    assert_eq!(open("/readyz").json()["state"], "ready");
    let page = open("/login");
    assert!(page.head.to_lowercase().contains("content-security-policy: default-src 'none'"));
    assert_eq!((page.status, open("/").status), (200, 303));
    assert!(!page.text().contains("PA03HL0000001"));
}
