//! The negative controls: pages with one fault each, which the judges must find, and a good one, in which they find none.

use crate::axe::Axe;
use crate::find::Finds;
use crate::naughty;
use crate::page::Page;
use crate::quiet::{self, Noise};
use crate::served::{Reply, Served};

/// As strict as the gateway's own: nothing but what the page's own host serves.
const POLICY: &str = "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'";

/// What is said by something that must fail.
fn complaint(fails: impl FnOnce()) -> String {
    let failure = std::panic::catch_unwind(std::panic::AssertUnwindSafe(fails)).expect_err("it does not fail");
    failure.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn axe_finds_what_keeps_people_out() {
    let test = "axe's control";
    let (Some(axe), Some(page)) = (Axe::load(test), Page::open(test)) else { return };
    let served = Served::page(Reply::html(
        "<body style='background:#fff'><main><img src='data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='>\
         <button></button><p style='color:#bbb'>Pale</p></main>",
    ));
    page.goto(&served.url("/"));
    let mut rules: Vec<String> = axe.faults(&page).into_iter().map(|fault| fault.rule).collect();
    rules.sort();
    assert_eq!(rules, ["button-name", "color-contrast", "image-alt"]);
}

#[test]
fn a_page_with_a_fault_fails_its_test() {
    let test = "axe's second control";
    let (Some(axe), Some(page)) = (Axe::load(test), Page::open(test)) else { return };
    let served = Served::page(Reply::html("<body><main><button></button></main>"));
    page.goto(&served.url("/"));
    let said = complaint(|| axe.assert_none(&page));
    assert!(said.contains("button-name (critical) at button"), "{said}");
}

/// What axe does in a page with a strict policy is no breach of it.
#[test]
fn a_good_page_is_quiet_and_without_faults() {
    let test = "a good page";
    let (Some(axe), Some(page)) = (Axe::load(test), Page::open(test)) else { return };
    let good = Reply::html(
        "<body><main><h1>Hello</h1><form><label>Reason <input name=reason></label><button>Send</button></form>\
         <script src=/script.js></script></main>",
    );
    let script = Reply::script("document.title = 'Scripted'; console.warn('only a warning');");
    let served = Served::pages([("/", good.with(POLICY)), ("/script.js", script)]);
    page.goto(&served.url("/"));
    assert_eq!(page.title(), "Scripted", "what the policy allows is done");
    axe.assert_none(&page);
    assert_eq!(page.noise(), []);
}

/// The noise of a page, which must be of one kind and name what was done.
#[track_caller]
fn heard(test: &str, reply: Reply) -> Option<Vec<Noise>> {
    let page = Page::open(test)?;
    let served = Served::page(reply);
    page.goto(&served.url("/"));
    let noise = page.noise();
    assert!(complaint(|| quiet::assert_none(&noise)).contains("the page was not quiet"));
    Some(noise)
}

#[test]
fn a_script_that_the_policy_refuses_is_heard() {
    let page = Reply::html("<body><script>document.title = 'Inline'</script>").with(POLICY);
    let Some(noise) = heard("the policy's control", page) else { return };
    assert!(matches!(&*noise, [Noise::Policy(text)] if text.contains("inline script")), "{noise:?}");
}

#[test]
fn a_style_that_the_policy_refuses_is_heard() {
    let page = Reply::html("<body><p style='color:red'>Red</p>").with(POLICY);
    let Some(noise) = heard("the policy's second control", page) else { return };
    assert!(matches!(&*noise, [Noise::Policy(text)] if text.contains("inline style")), "{noise:?}");
}

#[test]
fn a_dialog_is_heard() {
    let Some(noise) = heard("the dialogs' control", Reply::html("<body><script>alert('Boo')</script>")) else { return };
    assert_eq!(noise, [Noise::Dialog("Boo".to_owned())]);
}

#[test]
fn a_dialog_ends_what_comes_after_it() {
    let Some(page) = Page::open("the dialogs' second control") else { return };
    let served = Served::page(Reply::html("<body><button onclick=\"alert('Clicked')\">Click</button>"));
    page.goto(&served.url("/"));
    page.button("Click").click();
    let said = complaint(|| page.shows("anything"));
    assert!(said.contains("Clicked"), "{said}");
    assert_eq!(page.noise(), [Noise::Dialog("Clicked".to_owned())]);
}

#[test]
fn an_error_in_the_console_is_heard() {
    let page = Reply::html("<body><script>console.error('Oh no'); throw new Error('Uncaught it is')</script>");
    let Some(noise) = heard("the console's control", page) else { return };
    let [Noise::Console(first), Noise::Console(second)] = &*noise else { panic!("{noise:?}") };
    assert!(first.contains("Oh no") && second.contains("Uncaught it is"), "{noise:?}");
}

#[test]
fn an_answer_that_is_an_error_is_heard() {
    let page = Reply::html("<body><script src=/gone.js></script>");
    let Some(browser) = Page::open("the answers' control") else { return };
    let served = Served::pages([("/", page), ("/gone.js", Reply::gone())]);
    browser.goto(&served.url("/"));
    let noise = browser.noise();
    assert!(matches!(&*noise, [Noise::Console(text)] if text.contains("404")), "{noise:?}");
}

/// Nobody has to ask: a page that was not quiet fails its test at its end.
#[test]
fn a_page_that_nobody_asks_fails_its_test() {
    let Some(page) = Page::open("the end's control") else { return };
    let served = Served::page(Reply::html("<body><script>alert('Boo')</script>"));
    page.goto(&served.url("/"));
    assert!(complaint(|| drop(page)).contains("dialog: Boo"));
}

#[test]
fn a_page_that_repeats_what_it_is_given_is_caught() {
    let test = "the naughty strings' control";
    let (Some(strings), Some(page)) = (naughty::strings(test), Page::open(test)) else { return };
    let tags: Vec<String> = strings.into_iter().filter(|text| text.contains("<script>alert")).collect();
    assert!(!tags.is_empty(), "the list tries to run scripts");
    let served = Served::page(Reply::html(&format!("<body>{}", tags.join("<hr>"))));
    page.goto(&served.url("/"));
    let noise = page.noise();
    assert!(noise.iter().any(|one| matches!(one, Noise::Dialog(_))), "{noise:?}");
}
