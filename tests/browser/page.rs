//! What a journey is written with: one window of one browser with a fresh profile.

use crate::commands;
use crate::driver::Driver;
use crate::find::{Finds, part_of};
use crate::keys;
use crate::part::Part;
use crate::quiet::{self, Noise};
use crate::tab::Tab;
use base64::Engine;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How many stops the way through a page by Tab may have.
const STOPS_MAX: usize = 300;

#[derive(Clone, Copy, Debug)]
pub enum Scheme {
    Light,
    Dark,
}

pub struct Page {
    tab: Rc<Tab>,
}

impl Finds for Page {
    fn tab(&self) -> &Rc<Tab> {
        &self.tab
    }

    fn root(&self) -> Value {
        Value::Null
    }
}

impl Page {
    /// A new browser; `None` (said aloud) where there is none.
    pub fn open(test: &str) -> Option<Self> {
        let driver = Driver::shared(test)?;
        Some(Self { tab: Rc::new(Tab::open(driver)) })
    }

    /// Goes to an address and waits until it is loaded.
    #[track_caller]
    pub fn goto(&self, url: &str) {
        self.tab.run(url, self.tab.client().goto(url));
    }

    #[track_caller]
    pub fn url(&self) -> String {
        self.tab.run("the address", self.tab.client().current_url()).to_string()
    }

    #[track_caller]
    pub fn title(&self) -> String {
        self.tab.run("the title", self.tab.client().title())
    }

    /// All text that is seen.
    #[track_caller]
    pub fn text(&self) -> String {
        let text = self.tab.script("return document.body ? document.body.innerText : '';", Vec::new());
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a text is seen.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        self.tab.until(&format!("the text {text:?}"), || {
            let seen = self.text();
            if seen.contains(text) { Ok(()) } else { Err(format!("on {} is only: {seen}", self.url())) }
        });
    }

    /// Does what leads to another page, or to this one again, and waits until that is loaded.
    #[track_caller]
    pub fn loads(&self, leave: impl FnOnce(&Self)) {
        self.tab.script("window.beforeLeaving = true;", Vec::new());
        leave(self);
        let come = "return !window.beforeLeaving && document.readyState === 'complete';";
        self.tab.until("another page", || match self.tab.attempt(self.tab.client().execute(come, Vec::new())) {
            Ok(Value::Bool(true)) => Ok(()),
            Ok(_) => Err(format!("it stayed on {}", self.url())),
            // Asked between two pages.
            Err(between) => Err(between.to_string()),
        });
    }

    /// Runs a function's body in the page.
    #[track_caller]
    pub fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.tab.script(body, arguments)
    }

    /// Runs a function's body, whose last argument is called with what it found.
    #[track_caller]
    pub fn script_that_calls_back(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.tab.run("script", self.tab.client().execute_async(body, arguments))
    }

    /// A command of the developers' tools.
    #[track_caller]
    pub fn tools(&self, name: &str, parameters: &Value) -> Value {
        self.tab.run(name, self.tab.client().issue_cmd(commands::tools(name, parameters)))
    }

    /// Presses keys at once, where the focus is: `Tab`, `a`, `Control+Enter`.
    #[track_caller]
    pub fn press(&self, names: &str) {
        self.tab.run(names, self.tab.client().perform_actions(keys::chord(names)));
    }

    /// What has the focus: the body when nothing has.
    #[track_caller]
    pub fn focused(&self) -> Part {
        part_of(&self.tab, &self.tab.script("return document.activeElement;", Vec::new()))
    }

    /// Goes by Tab from the start of the page to its end: role and name of each stop.
    #[track_caller]
    pub fn stops(&self) -> Vec<String> {
        self.tab.script("document.activeElement.blur();", Vec::new());
        let mut stops = Vec::new();
        let on_body = "return document.activeElement === document.body;";
        while stops.len() < STOPS_MAX {
            self.press("Tab");
            if self.tab.script(on_body, Vec::new()) == Value::Bool(true) {
                return stops;
            }
            let focused = self.focused();
            stops.push(format!("{} {}", focused.role(), focused.name()));
        }
        panic!("Tab never comes to the end of {}: {stops:?}", self.url());
    }

    /// Pages that ask for a colour scheme get this one, at once: what changes slowly would be judged halfway.
    #[track_caller]
    pub fn scheme(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let scheme = json!({ "name": "prefers-color-scheme", "value": value });
        let still = json!({ "name": "prefers-reduced-motion", "value": "reduce" });
        self.tools("Emulation.setEmulatedMedia", &json!({ "features": [scheme, still] }));
    }

    /// The window of a phone, touched and not clicked.
    #[track_caller]
    pub fn phone(&self) {
        let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        self.tools("Emulation.setDeviceMetricsOverride", &phone);
        self.tools("Emulation.setTouchEmulationEnabled", &json!({ "enabled": true }));
    }

    /// Pages run no scripts from the next one on; `script` still does.
    #[track_caller]
    pub fn without_scripts(&self) {
        self.tools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// Must one scroll sideways?
    #[track_caller]
    pub fn is_too_wide(&self) -> bool {
        let measured = "const e = document.documentElement; return e.scrollWidth > e.clientWidth;";
        self.tab.script(measured, Vec::new()) == Value::Bool(true)
    }

    /// A file of that name, when it was saved.
    #[track_caller]
    pub fn downloaded(&self, name: &str) -> PathBuf {
        let path = self.tab.downloads().join(name);
        // The browser writes under another name until all is there.
        self.tab.until(&format!("the file {name}"), || {
            if path.is_file() { Ok(path.clone()) } else { Err(format!("only {:?}", names_in(&self.tab.downloads()))) }
        })
    }

    /// The whole page as a picture, target/screens/NAME.png.
    #[track_caller]
    pub fn screenshot(&self, name: &str) -> PathBuf {
        let sizes = self.tools("Page.getLayoutMetrics", &json!({}));
        let (width, height) = (sizes.pointer("/cssContentSize/width"), sizes.pointer("/cssContentSize/height"));
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.tools("Page.captureScreenshot", &wanted);
        let picture = picture.get("data").and_then(Value::as_str).unwrap_or_default();
        save(name, &base64::engine::general_purpose::STANDARD.decode(picture).unwrap())
    }

    /// What the page should not have said since it was last asked.
    #[track_caller]
    pub fn noise(&self) -> Vec<Noise> {
        quiet::noise(&self.tab)
    }
}

fn save(name: &str, picture: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screens");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.png"));
    std::fs::write(&path, picture).unwrap();
    path
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().display().to_string()).collect()
}

impl Drop for Page {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        let noise = quiet::listen(&self.tab);
        if failed {
            if let Ok(picture) = self.tab.attempt(self.tab.client().screenshot()) {
                let test = std::thread::current().name().unwrap_or("a test").replace("::", "-");
                eprintln!("its page is in {}", save(&format!("failed-{test}"), &picture).display());
            }
            eprintln!("its page said: {noise:?}");
        }
        self.tab.close();
        if !failed {
            quiet::assert_none(&noise.unwrap_or_else(|e| panic!("the console does not answer: {e}")));
        }
    }
}
