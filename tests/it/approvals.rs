//! What stands between two people, through the real pages: the inbox, one decision on each proposal, nobody's own, and
//! lists that are proposed only as they were shown.

use crate::harness::http::Answer;
use crate::harness::people::{Browser, header};
use crate::harness::{Gateway, Setup, bill, pays};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Barrier;

/// What a second user of a role chooses.
const CHOSEN: &str = "sóng vỗ bờ cát trắng";

fn desk() -> Gateway {
    Gateway::with(Setup { people: true, ..Setup::default() })
}

/// What stands between two texts.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let rest = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}")).1;
    rest.split_once(to).unwrap().0
}

/// Everything between two texts.
fn each<'t>(text: &'t str, from: &str, to: &str) -> Vec<&'t str> {
    text.split(from).skip(1).map(|rest| rest.split_once(to).unwrap().0).collect()
}

fn post(gateway: &Gateway, path: &str, body: &Value) -> Answer {
    gateway.internal("POST", path, "application/json", body.to_string().as_bytes())
}

/// Lets somebody approve up to this sum of a list.
fn authorise(gateway: &Gateway, person: &str, action: &str) {
    let may = json!({ "person": person, "action": action, "dong": 1_000_000_000 });
    assert_eq!(post(gateway, "/api/v1/authorities", &may).status, 204);
}

/// Another user with these roles, at work.
fn joins<'g>(gateway: &'g Gateway, name: &str, roles: &[&str]) -> Browser<'g> {
    let fields: Vec<(&str, &str)> =
        [("name", name)].into_iter().chain(roles.iter().map(|role| ("role", *role))).collect();
    let page = Browser::of(gateway, "admin").post("/users", &fields).text();
    let given = between(&page, "id=\"made-password\">", "<");
    let mut browser = Browser::new(gateway);
    assert_eq!(browser.log_in(name, given).status, 303);
    let changed = browser.post("/me/password", &[("password", given), ("new", CHOSEN), ("again", CHOSEN)]);
    assert_eq!(changed.status, 303, "{}", changed.text());
    let mut again = Browser::new(gateway);
    assert_eq!(again.log_in(name, CHOSEN).status, 303);
    again
}

/// A payment of a bill that nobody knows: it waits in suspense, with the break of the answered number.
fn parked(gateway: &Gateway, event: &str, amount: i64) -> i64 {
    gateway.notify("standard", &pays(event, &format!("XX-{event}"), amount));
    gateway.get("/api/v1/breaks?limit=1").json()[0]["no"].as_i64().unwrap()
}

/// Proposed by a program: its number.
fn proposed(gateway: &Gateway, break_no: i64, resolution: &Value) -> i64 {
    let body = json!({ "reason": "as said", "items": [{ "break": break_no, "resolution": resolution }] });
    let answer = post(gateway, "/api/v1/proposals", &body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["no"].as_i64().unwrap()
}

fn sha256(browser: &Browser<'_>, no: i64) -> String {
    gateway_hash(&browser.get(&format!("/approvals/{no}")).text()).to_owned()
}

fn gateway_hash(page: &str) -> &str {
    between(page, "name=\"sha256\" value=\"", "\"")
}

#[test]
fn of_two_who_approve_at_once_one_does_and_the_other_is_told() {
    const ROUNDS: usize = 12;
    let gateway = desk();
    let bills: Vec<_> = (0..ROUNDS).map(|n| bill(&format!("HD-{n}"), 150_000)).collect();
    gateway.put(&bills);
    let checkers = [Browser::of(&gateway, "checker"), joins(&gateway, "second", &["checker"])];
    authorise(&gateway, "checker", "allocate");
    authorise(&gateway, "second", "allocate");
    for n in 0..ROUNDS {
        let (event, id) = (format!("p{n}"), format!("HD-{n}"));
        let of = parked(&gateway, &event, 150_000);
        let onto = json!({ "action": "allocate", "invoices": [{ "invoice": id, "dong": 150_000 }] });
        let no = proposed(&gateway, of, &onto);
        let hash = sha256(&checkers[0], no);
        let start = Barrier::new(checkers.len());
        let mut answers: Vec<Answer> = std::thread::scope(|scope| {
            let approve = |browser| {
                let (start, hash) = (&start, &hash);
                scope.spawn(move || {
                    let browser: &Browser<'_> = browser;
                    start.wait();
                    browser.post(&format!("/approvals/{no}/approve"), &[("sha256", hash), ("words", "yes")])
                })
            };
            let begun: Vec<_> = checkers.iter().map(approve).collect();
            begun.into_iter().map(|one| one.join().unwrap()).collect()
        });
        answers.sort_by_key(|answer| answer.status);
        let [won, late] = answers.as_slice() else { unreachable!() };
        let to = header(won, "location").unwrap_or_else(|| panic!("{}: {}", won.status, won.text()));
        assert_eq!(to, format!("/approvals/{no}?done=approve&carried=1&refused=0"));
        assert_eq!(late.status, 409, "{}", late.text());
        assert!(late.text().contains("Người khác đã quyết định trước."), "{}", late.text());
        assert_eq!(gateway.settled(&id), 150_000, "it is carried out once");
        let kept = gateway.get(&format!("/api/v1/proposals/{no}")).json();
        assert_eq!((kept["state"].as_str(), kept["list"].as_array().unwrap().len()), (Some("done"), 1), "{kept}");
        let history = gateway.get(&format!("/api/v1/breaks/{of}")).json()["history"].to_string();
        assert_eq!(history.matches("\"approved\"").count(), 1, "{history}");
        assert_eq!(history.matches("\"done\"").count(), 1, "{history}");
    }
}

#[test]
fn nobody_approves_their_own_on_the_page_whatever_they_are() {
    let gateway = desk();
    let both = joins(&gateway, "both", &["maker", "checker"]);
    authorise(&gateway, "both", "close");
    authorise(&gateway, "checker", "close");
    let of = parked(&gateway, "p1", 1_000);
    let fields = [("action", "close"), ("reason", "as said")];
    assert_eq!(both.post(&format!("/breaks/{of}/propose"), &fields).status, 303);
    let (page, other) = (both.get("/approvals/1").text(), Browser::of(&gateway, "checker").get("/approvals/1").text());
    for action in ["/approvals/1/approve", "/approvals/1/reject"] {
        assert!(!page.contains(action) && other.contains(action), "{action} is another's");
    }
    assert!(page.contains("/approvals/1/withdraw") && page.contains("Bạn đã lập đề xuất này: người khác duyệt."));
    let hash = gateway_hash(&other).to_owned();
    for verb in ["approve", "reject"] {
        let forged = both.post(&format!("/approvals/1/{verb}"), &[("sha256", &hash), ("words", "mine")]);
        assert_eq!(forged.status, 409, "{verb}");
        assert!(forged.text().contains("Không ai duyệt hoặc từ chối đề xuất của chính mình"), "{}", forged.text());
    }
    assert_eq!(gateway.get("/api/v1/proposals/1").json()["state"], "proposed");
    let withdrawn = Browser::of(&gateway, "checker").post("/approvals/1/withdraw", &[("sha256", &hash)]);
    assert_eq!(withdrawn.status, 403, "who may not propose takes nothing back");
    assert_eq!(both.post("/approvals/1/withdraw", &[("sha256", &hash)]).status, 303);
    assert_eq!(gateway.get("/api/v1/proposals/1").json()["state"], "withdrawn");
}

#[test]
fn the_inbox_says_how_many_wait_and_shows_all_of_them_a_page_at_a_time() {
    const COUNT: i64 = 230;
    let gateway = desk();
    let close = json!({ "action": "close" });
    for n in 1..=COUNT {
        let of = parked(&gateway, &format!("p{n}"), n);
        assert_eq!(proposed(&gateway, of, &close), n);
    }
    // Some are decided: they wait no more.
    let decided = |no: i64| no % 23 == 0;
    for no in (1..=COUNT).filter(|no| decided(*no)) {
        let sha256 = gateway.get(&format!("/api/v1/proposals/{no}")).json()["sha256"].clone();
        let path = format!("/api/v1/proposals/{no}/withdraw");
        assert_eq!(post(&gateway, &path, &json!({ "sha256": sha256 })).status, 200);
    }
    let waiting: Vec<i64> = (1..=COUNT).filter(|no| !decided(*no)).collect();
    let list = gateway.get("/api/v1/proposals?state=proposed&limit=1000").json();
    let dong: i64 = list.as_array().unwrap().iter().map(|of| of["dong"].as_i64().unwrap()).sum();
    assert_eq!(list.as_array().unwrap().len(), waiting.len());

    let checker = Browser::of(&gateway, "checker");
    let rows = |page: &str| -> Vec<i64> {
        each(page, "<tr data-row=\"", "\"").into_iter().map(|no| no.parse().unwrap()).collect()
    };
    let link = |page: &str, rel: &str| {
        let tag = page.split("<a ").find(|tag| tag.starts_with(&format!("rel=\"{rel}\"")))?;
        Some(between(tag, "href=\"", "\"").replace("&#38;", "&").replace("&amp;", "&"))
    };
    let head = format!("{} đề xuất chờ duyệt, tổng số tiền {}", waiting.len(), vietnamese(dong));
    let mut newest = waiting.clone();
    newest.reverse();
    let history: Vec<i64> = (1..=COUNT).filter(|no| decided(*no)).rev().collect();
    for (tab, expected) in [("newest", &newest), ("oldest", &waiting), ("history", &history)] {
        let mut pages = vec![checker.get(&format!("/approvals?tab={tab}")).text()];
        while let Some(next) = link(pages.last().unwrap(), "next") {
            pages.push(checker.get(&next).text());
        }
        let all: Vec<i64> = pages.iter().flat_map(|page| rows(page)).collect();
        assert_eq!(&all, expected, "{tab}");
        assert!(pages.iter().all(|page| page.contains(&head)), "{head}: {}", pages[0]);
        assert_eq!(link(&pages[0], "prev"), None, "{tab}");
        for two in pages.windows(2).rev() {
            let back = checker.get(&link(&two[1], "prev").unwrap()).text();
            assert_eq!(rows(&back), rows(&two[0]), "{tab}");
        }
    }
    let today = checker.get("/").text();
    let tile = between(&today, "href=\"/approvals\"><span>", "</a>").to_owned();
    assert!(tile.contains(&waiting.len().to_string()) && tile.contains(&vietnamese(dong)), "{tile}");

    // The API's list goes the same ways.
    let numbers = |query: &str| -> Vec<i64> {
        let found = gateway.get(&format!("/api/v1/proposals?state=proposed&{query}")).json();
        found.as_array().unwrap().iter().map(|of| of["no"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers("order=oldest&limit=3"), waiting[..3]);
    assert_eq!(numbers(&format!("order=oldest&limit=3&before={}", waiting[2])), waiting[3..6]);
    assert_eq!(numbers(&format!("order=oldest&limit=3&after={}", waiting[6])), waiting[3..6]);
    assert_eq!(numbers(&format!("limit=3&before={}", newest[2])), newest[3..6]);
    assert_eq!(gateway.get("/api/v1/proposals?order=largest").status, 400);
}

/// A sum as the pages say it.
fn vietnamese(dong: i64) -> String {
    let digits = dong.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    format!("{}\u{a0}₫", groups.join("."))
}

#[test]
fn all_of_a_filter_is_exactly_the_filter_and_only_what_was_shown_is_proposed() {
    let gateway = desk();
    let maker = Browser::of(&gateway, "maker");
    let made: Vec<(i64, i64)> = (1..=6).map(|n| (parked(&gateway, &format!("p{n}"), n * 1_000), n * 1_000)).collect();
    let asked = [("all", "1"), ("filter", "from=2000&to=5000&class=UNKNOWN_REF"), ("action", "close")];
    let shown = maker.post("/proposals/preview", &asked);
    assert_eq!(shown.status, 200, "{}", shown.text());
    let page = shown.text();
    let listed: BTreeSet<i64> =
        each(&page, "name=\"break\" value=\"", "\"").into_iter().map(|no| no.parse().unwrap()).collect();
    let expected: BTreeSet<i64> =
        made.iter().filter(|(_, dong)| (2_000..=5_000).contains(dong)).map(|(no, _)| *no).collect();
    assert_eq!((listed.len(), &listed), (4, &expected));
    // What comes meanwhile, and fits as well, is not meant.
    parked(&gateway, "p7", 3_000);
    let hash = gateway_hash(&page).to_owned();
    let numbers: Vec<String> = listed.iter().map(ToString::to_string).collect();
    let propose = |breaks: &[String], action: &str, hash: &str| {
        let mut fields = vec![("action", action), ("reason", "as said"), ("sha256", hash)];
        fields.extend(breaks.iter().map(|no| ("break", no.as_str())));
        maker.post("/proposals", &fields)
    };
    let (fewer, more) = (&numbers[1..], [numbers.as_slice(), &[made[5].0.to_string()]].concat());
    for (breaks, action) in [(fewer, "close"), (more.as_slice(), "close"), (numbers.as_slice(), "reverse")] {
        let refused = propose(breaks, action, &hash);
        assert_eq!(refused.status, 409, "{breaks:?} {action}");
        assert!(refused.text().contains("Danh sách đã khác: hãy xem lại rồi trình duyệt."), "{}", refused.text());
        assert_ne!(gateway_hash(&refused.text()), hash, "it is shown again as it would be now");
    }
    assert_eq!(gateway.get("/api/v1/proposals").json(), json!([]), "nothing of it is proposed");

    // One of them goes into somebody else's proposal meanwhile.
    let taken = *listed.first().unwrap();
    proposed(&gateway, taken, &json!({ "action": "close" }));
    let refused = propose(&numbers, "close", &hash);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("Đã bỏ ra khỏi danh sách dưới đây."), "{}", refused.text());
    assert!(!refused.text().contains(&format!("name=\"break\" value=\"{taken}\"")));
    let rest = gateway_hash(&refused.text()).to_owned();
    let done = propose(&numbers[1..], "close", &rest);
    assert_eq!(header(&done, "location").as_deref(), Some("/approvals/2?done=proposed"), "{}", done.text());
    let list = gateway.get("/api/v1/proposals/2").json()["list"].clone();
    let kept: BTreeSet<i64> = list.as_array().unwrap().iter().map(|item| item["break"].as_i64().unwrap()).collect();
    assert_eq!(kept, listed.iter().copied().filter(|no| *no != taken).collect());
}

#[test]
fn a_rule_runs_only_as_it_was_shown() {
    let gateway = desk();
    authorise(&gateway, "system:rules", "allocate");
    gateway.put(&[bill("HD-1", 150_000)]);
    gateway.notify("standard", &pays("p1", "HD-1", 150_000));
    gateway.notify("standard", &pays("p2", "HD-1", 150_000));
    let maker = Browser::of(&gateway, "maker");
    let dry_run = || gateway_hash(&maker.get("/rules?rule=refund-later").text()).to_owned();
    let run = |hash: &str| maker.post("/rules/refund-later", &[("partner", ""), ("sha256", hash)]);
    let shown = dry_run();
    gateway.notify("standard", &pays("p3", "HD-1", 150_000));
    let refused = run(&shown);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("Danh sách của quy tắc đã thay đổi từ lúc hiển thị"), "{}", refused.text());
    assert_eq!(run("").status, 409, "and not without having been shown");
    assert_eq!(gateway.get("/api/v1/proposals").json(), json!([]));
    let ran = run(&dry_run());
    assert!(ran.status == 200 && ran.text().contains("Đã tự duyệt trong hạn mức."), "{}", ran.text());
    let kept = gateway.get("/api/v1/proposals/1").json();
    assert_eq!((kept["state"].as_str(), kept["list"].as_array().unwrap().len()), (Some("done"), 2), "{kept}");
}
