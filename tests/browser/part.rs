//! One element of a page.

use crate::commands;
use crate::find::{Finds, spoken};
use crate::tab::Tab;
use fantoccini::elements::Element;
use serde_json::{Value, json};
use std::path::Path;
use std::rc::Rc;

#[derive(Clone)]
pub struct Part {
    tab: Rc<Tab>,
    element: Element,
}

impl Finds for Part {
    fn tab(&self) -> &Rc<Tab> {
        &self.tab
    }

    fn root(&self) -> Value {
        serde_json::to_value(&self.element).unwrap()
    }
}

impl Part {
    pub fn of(tab: Rc<Tab>, element: Element) -> Self {
        Self { tab, element }
    }

    /// Its text as it is seen.
    #[track_caller]
    pub fn text(&self) -> String {
        self.tab.run("text", self.element.text())
    }

    /// What a screen reader calls it.
    pub fn name(&self) -> String {
        spoken(&self.tab, commands::label(&self.element.element_id()))
    }

    /// What a screen reader says that it is: `button`, `link`, `textbox`.
    pub fn role(&self) -> String {
        spoken(&self.tab, commands::role(&self.element.element_id()))
    }

    #[track_caller]
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.tab.run(name, self.element.attr(name))
    }

    /// What a field holds.
    #[track_caller]
    pub fn value(&self) -> String {
        self.tab.run("value", self.element.prop("value")).unwrap_or_default()
    }

    /// A property of its style, as the browser computed it.
    #[track_caller]
    pub fn style(&self, property: &str) -> String {
        self.tab.run(property, self.element.css_value(property))
    }

    #[track_caller]
    pub fn is_seen(&self) -> bool {
        self.tab.run("is it seen", self.element.is_displayed())
    }

    /// Scrolls to it and clicks in its middle; fails if something lies over it.
    #[track_caller]
    pub fn click(&self) {
        self.tab.run("click", self.element.click());
    }

    /// Empties it and types, key by key.
    #[track_caller]
    pub fn fill(&self, text: &str) {
        self.tab.run("clear", self.element.clear());
        self.tab.run("type", self.element.send_keys(text));
    }

    /// Empties it and puts a text in as if it was pasted: any characters, lines too.
    #[track_caller]
    pub fn paste(&self, text: &str) {
        self.tab.run("clear", self.element.clear());
        self.tab.script("arguments[0].focus();", vec![self.root()]);
        let command = commands::tools("Input.insertText", &json!({ "text": text }));
        self.tab.run("paste", self.tab.client().issue_cmd(command));
    }

    /// Chooses an option by what it is called.
    #[track_caller]
    pub fn choose(&self, option: &str) {
        self.tab.run(option, self.element.select_by_label(option));
    }

    /// Gives a file to a field that takes one.
    #[track_caller]
    pub fn attach(&self, file: &Path) {
        self.tab.run("attach", self.element.send_keys(&file.display().to_string()));
    }
}
