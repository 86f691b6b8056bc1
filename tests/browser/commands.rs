//! The commands that fantoccini has no function for: ChromeDriver's own, and how the browser names an element to those
//! who cannot see it.

use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// A command of the session, below its own path; asked for when it has no body.
#[derive(Debug)]
pub struct Below {
    path: String,
    body: Option<Value>,
}

impl WebDriverCompatibleCommand for Below {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        match &self.body {
            Some(body) => (Method::POST, Some(body.to_string())),
            None => (Method::GET, None),
        }
    }
}

/// What the page's console said since it was last asked.
pub fn console() -> Below {
    Below { path: "se/log".to_owned(), body: Some(json!({ "type": "browser" })) }
}

/// A command of the developers' tools.
pub fn tools(name: &str, parameters: &Value) -> Below {
    Below { path: "goog/cdp/execute".to_owned(), body: Some(json!({ "cmd": name, "params": parameters })) }
}

/// The name that a screen reader says of an element.
pub fn label(element: &str) -> Below {
    Below { path: format!("element/{element}/computedlabel"), body: None }
}

/// The role that a screen reader says of an element.
pub fn role(element: &str) -> Below {
    Below { path: format!("element/{element}/computedrole"), body: None }
}
