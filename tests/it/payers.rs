//! Whoever may not see payers sees nothing of one on the pages that are about a payment: neither the code nor the text that
//! the payer wrote, wherever on the page it would stand (I11).

use crate::harness::people::{Browser, header};
use crate::harness::{Gateway, Setup, bill, pays};
use serde_json::Value;
use thuho::partner::forge::Wanted;

/// What payers are known by; no part of an address of these pages.
const CODE: &str = "PA03HL0770077";
const WRITTEN: &str = "NGUYEN THI CANARY";
const BILL: &str = "HD-7070707";

/// A payment on a bill, one that came again for it, and one that is for nothing known: its payer wrote words.
fn gateway() -> Gateway {
    let gateway = Gateway::with(Setup { people: true, ..Setup::default() });
    gateway.put(&[bill(BILL, 150_000).of(CODE)]);
    let says = |text: &str, wanted: Wanted| Wanted { customer: Some(text.to_owned()), ..wanted };
    gateway.notify("standard", &says(CODE, pays("p1", BILL, 150_000)));
    gateway.notify("standard", &says(CODE, pays("p2", BILL, 150_000)));
    gateway.notify("standard", &says(WRITTEN, pays("p3", "", 90_000)));
    gateway
}

/// The pages of the customer, of each break, and of each payment, with what stands there for a maker.
fn pages(gateway: &Gateway) -> Vec<(String, &'static str)> {
    let mut pages = vec![(format!("/customers?q={BILL}"), CODE)];
    let written = |about: &Value| if about["class"] == "UNKNOWN_REF" { WRITTEN } else { CODE };
    for about in gateway.get("/api/v1/breaks").json().as_array().unwrap() {
        pages.push((format!("/breaks/{}", about["no"]), written(about)));
        pages.push((format!("/payments/{}", about["payment"].as_str().unwrap()), written(about)));
    }
    let settled = gateway.get(&format!("/api/v1/payments?invoice={BILL}")).json();
    let first = settled.as_array().unwrap().iter().find(|of| of["state"] == "settled").expect("one settled the bill");
    pages.push((format!("/payments/{}", first["payment"].as_str().unwrap()), CODE));
    assert_eq!(pages.len(), 6, "{pages:?}");
    pages
}

/// A page, or the one that it leads to.
fn opened(browser: &Browser<'_>, place: &str) -> String {
    let mut answer = browser.get(place);
    if let Some(to) = header(&answer, "location") {
        answer = browser.get(&to);
    }
    assert_eq!(answer.status, 200, "{place}");
    answer.text()
}

#[test]
fn whoever_may_not_see_payers_sees_none_of_one() {
    let gateway = gateway();
    let mut wrong = Vec::new();
    for (place, stands) in pages(&gateway) {
        for role in ["maker", "checker"] {
            if !opened(&Browser::of(&gateway, role), &place).contains(stands) {
                wrong.push(format!("{role} {place}: no {stands}"));
            }
        }
        for role in ["viewer", "ops", "admin"] {
            let page = opened(&Browser::of(&gateway, role), &place);
            wrong.extend(
                [CODE, WRITTEN]
                    .iter()
                    .filter(|text| page.contains(**text))
                    .map(|text| format!("{role} {place}: {text}")),
            );
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let known = opened(&Browser::of(&gateway, "viewer"), &format!("/customers/{CODE}"));
    assert!(!known.contains(CODE), "not even to whoever asks by the code");
}
