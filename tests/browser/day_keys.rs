//! The same day by keyboard alone, in English: no test here clicks once the person is known. What has the focus is what the
//! next key acts on.

use crate::desk::{self, CHECKER, Demo, MAKER, Tongue, figure};
use crate::find::Finds;
use crate::page::Page;

/// Stops on the way to something by Tab, at most.
const STOPS_MAX: usize = 60;

const REASON: &str = "fee confirmed by the partner";
const SHARED: &str = "the customer said so";

/// Types into what has the focus, key by key.
#[track_caller]
fn types(page: &Page, text: &str) {
    for letter in text.chars() {
        page.press(&letter.to_string());
    }
}

/// Goes by Tab until something of that name has the focus.
#[track_caller]
fn tabs_to(page: &Page, role: &str, name: &str) {
    let mut passed = Vec::new();
    for _ in 0..STOPS_MAX {
        page.press("Tab");
        let at = page.focused();
        if at.name() == name && at.role() == role {
            return;
        }
        passed.push(format!("{} {}", at.role(), at.name()));
    }
    panic!("Tab does not come to the {role} {name:?}: {passed:?}");
}

/// The number of the row that keys act on.
#[track_caller]
fn here(page: &Page) -> String {
    page.css(".here[data-row]").attribute("data-row").unwrap_or_default()
}

/// Is the focus in the row that keys act on?
fn is_in_row(page: &Page) -> bool {
    let asked =
        "const row = document.querySelector('.here[data-row]'); return !!row && row.contains(document.activeElement);";
    page.script(asked, Vec::new()) == serde_json::Value::Bool(true)
}

fn order(page: &Page) -> Vec<String> {
    page.all("[data-row]").iter().map(|row| row.attribute("data-row").unwrap_or_default()).collect()
}

/// Goes by J and K to the row of this key.
#[track_caller]
fn goes_to(page: &Page, key: &str) {
    let order = order(page);
    let wanted = order.iter().position(|row| row == key).unwrap_or_else(|| panic!("no row {key}: {order:?}"));
    for _ in 0..2 * order.len() {
        let at = order.iter().position(|row| *row == here(page)).unwrap();
        if at == wanted && is_in_row(page) {
            return;
        }
        page.press(if at < wanted { "j" } else { "k" });
    }
    panic!("keys do not come to row {key}");
}

/// The key of the first row that says this.
#[track_caller]
fn that_says(page: &Page, text: &str) -> String {
    let rows = page.all("tbody tr[data-row]");
    let row = rows.iter().find(|row| row.text().contains(text));
    let row = row.unwrap_or_else(|| panic!("no row says {text:?}: {}", page.text()));
    row.attribute("data-row").unwrap()
}

/// The log-in by keyboard: the name's field has the focus when the page is there.
#[track_caller]
fn enters(demo: &Demo, page: &Page, name: &str) {
    page.goto(&demo.url("/login?lang=en"));
    assert_eq!(page.focused().name(), "User name");
    types(page, name);
    page.press("Tab");
    types(page, demo.password());
    page.loads(|page| page.press("Enter"));
    assert_eq!(page.url(), demo.url("/"));
}

/// To a part of the menu, past the link that skips it, as from the start of the page.
#[track_caller]
fn menu(page: &Page, name: &str) {
    page.press("Escape");
    page.script("document.activeElement.blur(); window.getSelection().removeAllRanges();", Vec::new());
    tabs_to(page, "link", name);
    page.loads(|page| page.press("Enter"));
}

#[track_caller]
fn leaves(page: &Page) {
    page.script("document.activeElement.blur();", Vec::new());
    tabs_to(page, "button", "Log out");
    page.loads(|page| page.press("Enter"));
    page.shows("You are logged out.");
}

/// Everybody reads English from here on.
fn begun(test: &str) -> Option<(Page, Demo)> {
    let page = Page::open(test)?;
    let demo = Demo::start(300);
    demo.authorise(&page, CHECKER, &["Đóng chênh lệch", "Phân bổ hoặc hoàn"]);
    for name in [MAKER, CHECKER] {
        demo.log_in(&page, name, Tongue::Vi);
        desk::speak(&page, &demo.url(""), Tongue::En);
        desk::log_out(&page, Tongue::En);
    }
    // The place that was kept for a mouse's way back.
    page.script("sessionStorage.clear();", Vec::new());
    Some((page, demo))
}

#[test]
fn a_day_by_keyboard_alone() {
    let Some((page, demo)) = begun("a day by keyboard") else { return };
    enters(&demo, &page, MAKER);
    the_first_stop_skips_the_menu(&page);
    help(&page);
    menu(&page, "Breaks");
    rows(&page);
    chosen(&page);
    let no = search(&page);
    notes(&page, &no);
    proposes(&page, &no);
    shares_out(&page);
    leaves(&page);
    enters(&demo, &page, CHECKER);
    approves(&page);
}

fn the_first_stop_skips_the_menu(page: &Page) {
    page.press("Tab");
    assert_eq!(page.focused().name(), "Skip to content");
    assert!(page.focused().is_seen());
    page.press("Enter");
    assert!(page.url().ends_with("#main"));
    page.press("Tab");
    let inside = page.script("return document.querySelector('main').contains(document.activeElement);", Vec::new());
    assert_eq!(inside, serde_json::Value::Bool(true), "the next stop is of the page itself");
}

fn help(page: &Page) {
    page.press("?");
    let dialog = page.css("dialog#keys[open]");
    assert!(
        dialog.text().contains("Ctrl+Enter") && dialog.text().contains("Next row, row before"),
        "{}",
        dialog.text()
    );
    assert_eq!(page.focused().name(), "Close", "the focus is in the dialog");
    page.press("Escape");
    assert!(page.all("dialog[open]").is_empty());
    page.press("?");
    page.css("dialog#keys[open]");
    page.press("Enter");
    assert!(page.all("dialog[open]").is_empty());
}

/// J and K, and the arrows.
fn rows(page: &Page) {
    let rows = order(page);
    assert!(rows.len() > 5 && here(page) == rows[0], "keys begin at the first row");
    for (key, row) in [("j", 1), ("j", 2), ("k", 1), ("Down", 2), ("Up", 1), ("k", 0), ("k", 0)] {
        page.press(key);
        assert_eq!(here(page), rows[row], "after {key}");
        assert!(is_in_row(page), "the focus goes with the row");
    }
    assert_ne!(page.focused().style("outline-style"), "none", "the focus is seen");
}

/// X, and X with Shift; the sum goes with it, and what is marked keeps the place.
fn chosen(page: &Page) {
    let dong = |row: &str| {
        let boxed = page.css(&format!("[data-row='{row}'] input[data-dong]"));
        figure(&boxed.attribute("data-dong").unwrap())
    };
    let count = || page.css("[data-chosen-count]").text();
    let sum = || figure(page.css("[data-chosen-sum]").text().trim());
    let rows = order(page);
    page.press("j");
    page.press("x");
    assert_eq!((count(), sum()), ("1".to_owned(), dong(&rows[1])));
    page.press("j");
    page.press("j");
    page.press("Shift+X");
    let three: i64 = rows[1..4].iter().map(|row| dong(row)).sum();
    assert_eq!((count(), sum()), ("3".to_owned(), three));
    page.press("n");
    assert_eq!(page.focused().name(), "Reason");
    page.press("Escape");
    assert!(is_in_row(page), "Escape goes back to the row");
    tabs_to(page, "button", "Take it");
    page.loads(|page| page.press("Enter"));
    assert_eq!(page.css("p.said").text(), "Done for 3 rows.");
    assert_eq!(here(page), rows[3], "the place is kept");
    assert!(is_in_row(page));
    assert!(page.css(&format!("[data-row='{}']", rows[2])).text().contains(MAKER));
}

/// `/`, and Enter opens the row. Says its number.
fn search(page: &Page) -> String {
    page.press("/");
    assert_eq!(page.focused().name(), "Search amount, code, transaction, text");
    let fee = page.all("tbody tr[data-row]").into_iter().find(|row| row.text().contains("Fee mismatch")).unwrap();
    let (no, amount) = (fee.attribute("data-row").unwrap(), figure(&fee.css("td.concerned").text()));
    types(page, &amount.to_string());
    page.loads(|page| page.press("Enter"));
    assert_eq!(order(page), std::slice::from_ref(&no));
    page.press("j");
    assert!(is_in_row(page));
    page.loads(|page| page.press("Enter"));
    page.shows(&format!("#{no} Fee mismatch"));
    no
}

/// N opens the note, Ctrl+Enter keeps it.
fn notes(page: &Page, no: &str) {
    page.press("n");
    assert_eq!((page.focused().name(), page.focused().role()), ("Text".to_owned(), "textbox".to_owned()));
    types(page, "asked j and k, x?");
    page.loads(|page| page.press("Control+Enter"));
    assert!(page.css("p.said").text().contains("the note is kept."), "{}", page.css("p.said").text());
    page.shows("asked j and k, x?");
    assert_eq!(here(page), no);
    assert!(is_in_row(page), "the focus is where it was");
}

/// R opens the close, Ctrl+Enter proposes; without the search's filter the next break is there to be worked on.
fn proposes(page: &Page, no: &str) {
    menu(page, "Breaks");
    goes_to(page, no);
    assert_eq!(here(page), no);
    page.loads(|page| page.press("Enter"));
    page.press("r");
    assert_eq!(page.focused().name(), "Reason");
    types(page, REASON);
    page.loads(|page| page.press("Control+Enter"));
    assert!(page.css("p.said").text().contains("it is proposed."), "{}", page.css("p.said").text());
    let next = here(page);
    assert_ne!(next, no, "the next row is there");
    page.shows(&format!("#{next}"));
    // The keys go on from there.
    let rows = order(page);
    let at = rows.iter().position(|row| *row == next).unwrap();
    page.press("j");
    assert_eq!(here(page), rows[at + 1]);
    assert!(is_in_row(page));
}

/// A takes the suggestion, F shares out anew, Ctrl+Enter proposes what it is.
fn shares_out(page: &Page) {
    menu(page, "Matching desk");
    goes_to(page, &that_says(page, "Amount mismatch"));
    page.loads(|page| page.press("Enter"));
    page.loads(|page| page.press("a"));
    let filled = || page.all("input[name=share]").iter().filter(|field| !field.value().is_empty()).count();
    assert!(filled() > 0, "the suggestion is in the form");
    page.press("f");
    assert!(filled() > 0, "so are the oldest debts");
    tabs_to(page, "textbox", "Reason");
    types(page, SHARED);
    page.loads(|page| page.press("Control+Enter"));
    assert!(page.css("p.said").text().contains("it is proposed."), "{}", page.css("p.said").text());
}

/// The checker: Enter opens, A and Enter approve.
fn approves(page: &Page) {
    for reason in [SHARED, REASON] {
        menu(page, "Approvals");
        goes_to(page, &that_says(page, reason));
        page.loads(|page| page.press("Enter"));
        // What two people decide is not decided by one key: A goes to the button, Enter presses it.
        page.press("a");
        assert!(page.focused().name().starts_with("Approve ("), "{}", page.focused().name());
        page.loads(|page| page.press("Enter"));
        assert_eq!(page.css("p.said").text(), "Approved. 1 rows carried out, 0 rows not possible.");
    }
}
