//! That the machinery does what a journey takes for granted: what is typed arrives, what is pressed is heard, what is
//! hidden is not found.

use crate::find::{BUTTON, Finds};
use crate::naughty;
use crate::page::{Page, Scheme};
use crate::served::{Reply, Served};
use serde_json::{Value, json};

const FORM: &str = "<body><nav><a href=/second>Second page</a> <a href=/file download>Statement</a></nav>
    <form action=/second><label for=r>Reason</label> <textarea id=r name=reason></textarea>
    <label>Partner <select name=partner><option>One<option>Two</select></label>
    <input aria-label=Amount name=amount><input type=file aria-label='Its file'>
    <button>Send</button><button hidden>Hidden</button></form>
    <table><tr id=a><th>A</th><td><button>Approve</button></td></tr><tr id=b><th>B</th><td><button>Approve</button></td></tr>
    </table><p id=keys></p><script>
    document.addEventListener('keydown', e => { keys.textContent += (e.ctrlKey ? 'Control+' : '') + e.key + ' '; });
    document.querySelectorAll('td button').forEach(b => b.onclick = () => { b.textContent = 'Done'; });</script>";

fn opened(test: &str) -> Option<(Page, Served)> {
    let page = Page::open(test)?;
    let file = Reply::html("<body>A file").with("content-disposition: attachment; filename=statement.csv");
    let second = Reply::html("<body><h1>The second page</h1><a href=/>Back</a>");
    let served = Served::pages([("/", Reply::html(FORM)), ("/second", second), ("/file", file)]);
    page.goto(&served.url("/"));
    Some((page, served))
}

#[test]
fn what_is_typed_arrives() {
    let Some((page, served)) = opened("typing") else { return };
    page.field("Reason").fill("Tiền điện tháng 11");
    page.field("Partner").choose("Two");
    page.field("Amount").fill("120000");
    assert_eq!(page.field("Reason").value(), "Tiền điện tháng 11");
    let file = std::env::temp_dir().join(format!("thuho-browser-{}", std::process::id()));
    std::fs::write(&file, "x").unwrap();
    page.field("Its file").attach(&file);
    std::fs::remove_file(&file).unwrap();
    assert!(page.field("Its file").value().contains("thuho-browser"));
    page.loads(|page| page.button("Send").click());
    page.shows("The second page");
    let sent = "/second?reason=Ti%E1%BB%81n+%C4%91i%E1%BB%87n+th%C3%A1ng+11&partner=Two&amount=120000";
    assert_eq!(page.url(), served.url(sent));
    page.loads(|page| page.link("Back").click());
    assert_eq!((page.title(), page.url()), ("A page".to_owned(), served.url("/")));
}

#[test]
fn every_naughty_string_can_be_put_into_a_field() {
    let test = "pasting";
    let (Some(strings), Some((page, _served))) = (naughty::strings(test), opened(test)) else { return };
    let reason = page.field("Reason");
    for text in strings {
        reason.paste(&text);
        assert_eq!(reason.value(), text.replace("\r\n", "\n").replace('\r', "\n"));
    }
}

#[test]
fn what_is_called_so_is_found_and_nothing_else() {
    let Some((page, _served)) = opened("finding") else { return };
    let rows = page.all("tr");
    let second = rows.get(1).expect("a second row");
    second.button("Approve").click();
    assert_eq!(second.button("Done").text(), "Done");
    assert_eq!(page.css("#a").text(), "A Approve");
    let send = page.button("Send");
    assert_eq!((send.role(), send.name()), ("button".to_owned(), "Send".to_owned()));
    assert_eq!((send.is_seen(), page.css("button[hidden]").is_seen()), (true, false));
    assert_eq!(page.link("Second page").attribute("href").as_deref(), Some("/second"));
    page.script("document.querySelector('#b button').textContent = 'Approve';", Vec::new());
    for (looked_for, because) in [("Hidden", "not on the page"), ("Sen", "which has"), ("Approve", "2 of that name")] {
        let said = page.now(&BUTTON, looked_for).map(|found| found.name()).expect_err("it is not to be found");
        assert!(said.contains(because), "{looked_for}: {said}");
    }
}

#[test]
fn a_keyboard_is_enough() {
    let Some((page, served)) = opened("keys") else { return };
    let fields = ["textbox Reason", "combobox Partner", "textbox Amount", "button Its file"];
    let mut stops = vec!["link Second page", "link Statement"];
    stops.extend(fields);
    stops.extend(["button Send", "button Approve", "button Approve"]);
    assert_eq!(page.stops(), stops);
    page.script("keys.textContent = ''; document.activeElement.blur();", Vec::new());
    for chord in ["j", "Control+Enter", "Escape"] {
        page.press(chord);
    }
    assert_eq!(page.css("#keys").text(), "j Control+Control Control+Enter Escape");
    page.press("Tab");
    assert_eq!(page.focused().name(), "Second page");
    assert_ne!(page.focused().style("outline-style"), "none");
    page.loads(|page| page.press("Enter"));
    assert_eq!(page.url(), served.url("/second"));
}

#[test]
fn a_window_can_be_dark_small_and_without_scripts() {
    let Some(page) = Page::open("the window") else { return };
    let look = "<body><meta name=viewport content='width=device-width'><style>@media (prefers-color-scheme: dark) { body { color: rgb(1, 2, 3) } }
        p { width: 600px }</style><p>Wide</p><noscript>No scripts</noscript>";
    let served = Served::page(Reply::html(look));
    page.goto(&served.url("/"));
    let colour = || page.css("body").style("color");
    page.scheme(Scheme::Light);
    assert_ne!(colour(), "rgba(1, 2, 3, 1)");
    page.scheme(Scheme::Dark);
    assert_eq!(colour(), "rgba(1, 2, 3, 1)");
    let wide = page.script("return [innerWidth, innerHeight];", Vec::new());
    assert!(!page.is_too_wide(), "in {wide}");
    page.phone();
    page.goto(&served.url("/"));
    assert_eq!(page.script("return screen.width;", Vec::new()), json!(390));
    assert!(page.is_too_wide());
    assert!(!page.text().contains("No scripts"));
    page.without_scripts();
    page.goto(&served.url("/"));
    page.shows("No scripts");
    assert_eq!(page.script("return 1 + arguments[0];", vec![json!(1)]), Value::from(2));
}

#[test]
fn what_is_saved_and_what_is_seen_are_files() {
    let Some((page, _served)) = opened("files") else { return };
    page.link("Statement").click();
    let saved = std::fs::read_to_string(page.downloaded("statement.csv")).unwrap();
    assert!(saved.contains("A file"));
    let picture = std::fs::read(page.screenshot("control")).unwrap();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 1_000);
}
