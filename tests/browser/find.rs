//! How what is on a page is found: as a person finds it, by what a screen reader calls it, or by a CSS selector.

use crate::commands;
use crate::part::Part;
use crate::tab::Tab;
use fantoccini::elements::{Element, ElementRef};
use serde_json::{Value, json};
use std::rc::Rc;

/// The key under which WebDriver sends an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A kind of thing that a person looks for by its name: what it is called in a failure, and its selector.
pub struct Kind(&'static str, &'static str);

pub const BUTTON: Kind =
    Kind("button", "button, summary, [role=button], input:is([type=submit], [type=button], [type=reset])");
pub const LINK: Kind = Kind("link", "a[href], area[href], [role=link]");
pub const FIELD: Kind =
    Kind("field", "input:not([type=hidden], [type=submit], [type=button], [type=reset]), select, textarea");

/// What is seen below a root and matches a selector, with the texts that its name may be made of.
const CANDIDATES: &str = "
    const [root, selector] = arguments;
    const of = e => [e.textContent, e.value, e.title, e.placeholder, e.getAttribute('aria-label'),
        ...[...e.querySelectorAll('img[alt]')].map(i => i.alt), ...[...(e.labels || [])].map(l => l.textContent),
        ...(e.getAttribute('aria-labelledby') || '').split(/\\s+/).map(i => document.getElementById(i)?.textContent)];
    return [...(root || document).querySelectorAll(selector)]
        .filter(e => e.checkVisibility({ visibilityProperty: true }))
        .map(e => [e, of(e).filter(t => t).map(t => t.replace(/\\s+/g, ' ').trim())]);";

/// What is on a page or in a part of it.
pub trait Finds {
    fn tab(&self) -> &Rc<Tab>;

    /// `null` is the whole document.
    fn root(&self) -> Value;

    /// All that match now, seen or not.
    #[track_caller]
    fn all(&self, selector: &str) -> Vec<Part> {
        let body = "return [...(arguments[0] || document).querySelectorAll(arguments[1])];";
        let found = self.tab().script(body, vec![self.root(), json!(selector)]);
        let found = found.as_array().cloned().unwrap_or_default();
        found.iter().map(|element| part_of(self.tab(), element)).collect()
    }

    /// The first that matches, as soon as there is one.
    #[track_caller]
    fn css(&self, selector: &str) -> Part {
        self.tab().until(selector, || {
            self.all(selector).into_iter().next().ok_or_else(|| format!("not on the page {}", location(self.tab())))
        })
    }

    /// The one button of that name, as soon as there is one.
    #[track_caller]
    fn button(&self, name: &str) -> Part {
        self.soon(&BUTTON, name)
    }

    /// The one link of that name, as soon as there is one.
    #[track_caller]
    fn link(&self, name: &str) -> Part {
        self.soon(&LINK, name)
    }

    /// The one field of that label, as soon as there is one.
    #[track_caller]
    fn field(&self, label: &str) -> Part {
        self.soon(&FIELD, label)
    }

    #[track_caller]
    fn soon(&self, kind: &Kind, name: &str) -> Part {
        self.tab().until(&format!("the {} {name:?}", kind.0), || self.now(kind, name))
    }

    /// The one that is called so now, or why there is none. Two of one name are as bad as none, to a person too.
    #[track_caller]
    fn now(&self, kind: &Kind, name: &str) -> Result<Part, String> {
        let (mut named, others) = called(self.tab(), &self.root(), kind, name);
        match (named.pop(), named.len()) {
            (Some(one), 0) => Ok(one),
            (None, _) => Err(format!("not on the page {}, which has {others:?}", location(self.tab()))),
            (Some(_), more) => Err(format!("{} of that name", more + 1)),
        }
    }
}

/// Those of exactly that name, and what the others may be called.
#[track_caller]
fn called(tab: &Rc<Tab>, root: &Value, kind: &Kind, name: &str) -> (Vec<Part>, Vec<String>) {
    let found = tab.script(CANDIDATES, vec![root.clone(), json!(kind.1)]);
    let (mut named, mut others) = (Vec::new(), Vec::new());
    for candidate in found.as_array().into_iter().flatten() {
        let texts = candidate.get(1).and_then(Value::as_array).cloned().unwrap_or_default();
        let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
        let element = part_of(tab, candidate.get(0).unwrap_or(&Value::Null));
        // The texts save a question for each of a long table's buttons.
        if texts.iter().any(|text| !text.is_empty() && name.contains(text) || text.contains(name))
            && element.name() == name
        {
            named.push(element);
        } else {
            others.push(texts.join(" | "));
        }
    }
    (named, others)
}

/// An element of a script's answer.
#[track_caller]
pub fn part_of(tab: &Rc<Tab>, answer: &Value) -> Part {
    let id = answer.get(ELEMENT).and_then(Value::as_str).unwrap_or_else(|| panic!("no element: {answer}"));
    let element = Element::from_element_id(tab.client().clone(), ElementRef::from(id.to_owned()));
    Part::of(Rc::clone(tab), element)
}

/// What a screen reader says of an element, or nothing of one that is gone.
pub fn spoken(tab: &Tab, command: commands::Below) -> String {
    let said = tab.attempt(tab.client().issue_cmd(command));
    let said = said.ok().and_then(|said| said.as_str().map(str::to_owned)).unwrap_or_default();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn location(tab: &Tab) -> String {
    tab.attempt(tab.client().current_url()).map_or_else(|e| e.to_string(), |url| url.to_string())
}
