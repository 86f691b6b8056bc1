//! Where a value is: one declared place per field, compiled so that a call is read once and without guessing.
//!
//! As written in a profile: `body`, `json:/a/b`, `json:/a > /b` (the text at `/a` is itself JSON), `form:name`,
//! `query:name`, `header:name`, `path`, `const:text`. A form, query or header value that occurs twice is refused:
//! two readers would take two different ones.

use super::json::{Document, Kind};
use crate::domain::notice::RawNotice;
use std::borrow::Cow;
use std::fmt;

/// The longest chain of JSON inside JSON: our order data is text in text in the body, one more to spare.
const CHAIN_MAX: usize = 4;

/// Most pairs read from one form or query; the rest of the road has no use for more.
const PAIRS_MAX: usize = 256;

/// A place as the profile wrote it, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// The whole body.
    Body,
    /// The path of the call.
    Path,
    /// A chain of pointers; each but the first into the text that the one before names.
    Json(Vec<Vec<String>>),
    /// A pair of an urlencoded body.
    Form(String),
    /// A pair of the query.
    Query(String),
    /// A header, in lower case.
    Header(String),
    /// A text of the profile itself.
    Const(String),
}

impl Location {
    /// Reads a profile's spelling.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            "expected one of body, path, json:/pointer, json:/pointer > /pointer, form:name, query:name, header:name, \
             const:text"
                .to_owned()
        };
        match text {
            "body" => return Ok(Self::Body),
            "path" => return Ok(Self::Path),
            _ => {}
        }
        let (kind, rest) = text.split_once(':').ok_or_else(expected)?;
        if rest.is_empty() && kind != "json" {
            return Err(expected());
        }
        match kind {
            "json" => {
                let chain = rest.split(" > ").map(pointer).collect::<Option<Vec<_>>>().ok_or_else(expected)?;
                if chain.len() > CHAIN_MAX {
                    return Err(format!("expected at most {CHAIN_MAX} JSON texts inside each other"));
                }
                Ok(Self::Json(chain))
            }
            "form" => Ok(Self::Form(rest.to_owned())),
            "query" => Ok(Self::Query(rest.to_owned())),
            "header" if rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') => {
                Ok(Self::Header(rest.to_owned()))
            }
            "header" => Err("expected a header's name in lower case".to_owned()),
            "const" => Ok(Self::Const(rest.to_owned())),
            _ => Err(expected()),
        }
    }

    /// Is the value at `inner` part of the value at `self`?
    pub(super) fn holds(&self, inner: &Self) -> bool {
        match (self, inner) {
            (Self::Body, Self::Body | Self::Json(_) | Self::Form(_)) => true,
            (Self::Json(outer), Self::Json(inner)) => {
                let Some((last, before)) = outer.split_last() else { return false };
                let Some((step, _deeper)) = inner.get(before.len()..).and_then(<[Vec<String>]>::split_first) else {
                    return false;
                };
                inner.starts_with(before) && step.starts_with(last)
            }
            (one, other) => one == other,
        }
    }
}

fn pointer(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let tokens = text.strip_prefix('/')?;
    Some(tokens.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("body"),
            Self::Path => f.write_str("path"),
            Self::Json(chain) => {
                f.write_str("json:")?;
                for (n, pointer) in chain.iter().enumerate() {
                    f.write_str(if n == 0 { "" } else { " > " })?;
                    for token in pointer {
                        write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
                    }
                }
                Ok(())
            }
            Self::Form(name) => write!(f, "form:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Const(text) => write!(f, "const:{text}"),
        }
    }
}

/// A place, compiled: JSON texts are numbered, so that each is read once a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Body,
    Path,
    Json { text: usize, pointer: Vec<String> },
    Form(String),
    Query(String),
    Header(String),
    Const(String),
}

/// One JSON text of a call: the body, or the text at a place of an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TextSource {
    Body,
    Inside { text: usize, pointer: Vec<String> },
}

/// Which parts of a call the plan reads. The signature's own come first, so that proving opens no more than these.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    texts: Vec<TextSource>,
    form: bool,
    query: bool,
    /// How much of the above proving needs.
    proving: usize,
    proving_form: bool,
    proving_query: bool,
}

impl Sources {
    /// Compiles a place.
    pub(super) fn place(&mut self, location: &Location) -> Place {
        match location {
            Location::Body => Place::Body,
            Location::Path => Place::Path,
            Location::Form(name) => {
                self.form = true;
                Place::Form(name.clone())
            }
            Location::Query(name) => {
                self.query = true;
                Place::Query(name.clone())
            }
            Location::Header(name) => Place::Header(name.clone()),
            Location::Const(text) => Place::Const(text.clone()),
            Location::Json(chain) => {
                let mut text = self.number(TextSource::Body);
                let mut chain = chain.iter().peekable();
                let mut last = Vec::new();
                while let Some(pointer) = chain.next() {
                    if chain.peek().is_some() {
                        text = self.number(TextSource::Inside { text, pointer: pointer.clone() });
                    } else {
                        last.clone_from(pointer);
                    }
                }
                Place::Json { text, pointer: last }
            }
        }
    }

    /// Says that the signature reads all pairs of the form or the query.
    pub(super) fn all_pairs(&mut self, of_form: bool) {
        if of_form {
            self.form = true;
        } else {
            self.query = true;
        }
    }

    /// What was named until now is what proving needs.
    pub(super) fn proving_ends_here(&mut self) {
        self.proving = self.texts.len();
        self.proving_form = self.form;
        self.proving_query = self.query;
    }

    fn number(&mut self, source: TextSource) -> usize {
        if let Some(known) = self.texts.iter().position(|text| *text == source) {
            return known;
        }
        self.texts.push(source);
        self.texts.len() - 1
    }
}

/// Why a value could not be taken. Names no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault(pub(super) String);

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found<'c> {
    /// Nothing, or JSON's null.
    Absent,
    /// A text.
    Text(Cow<'c, str>),
    /// A JSON number, as written.
    Number(&'c str),
    /// `true` or `false`, in JSON.
    Bool(&'c str),
    /// An object or an array.
    Nested,
}

/// The name and value of a pair, as received and decoded.
#[derive(Clone, Debug)]
pub(super) struct Pair<'r> {
    /// As received.
    pub(super) raw: &'r str,
    /// Decoded.
    pub(super) name: String,
    /// Decoded.
    pub(super) value: String,
    /// Is there anything after the equals sign?
    pub(super) empty: bool,
}

/// A call while it is being read.
#[derive(Debug)]
pub(super) struct Call<'r> {
    pub(super) raw: &'r RawNotice,
    texts: Vec<Option<Document<'r>>>,
    pub(super) form: Vec<Pair<'r>>,
    pub(super) query: Vec<Pair<'r>>,
}

impl<'r> Call<'r> {
    /// Opens what proving needs.
    pub(super) fn for_proof(raw: &'r RawNotice, sources: &Sources) -> Result<Self, Fault> {
        let mut call =
            Self { raw, texts: Vec::with_capacity(sources.texts.len()), form: Vec::new(), query: Vec::new() };
        if sources.proving_form {
            call.form = pairs_of_body(raw)?;
        }
        if sources.proving_query {
            call.query = pairs(&raw.query)?;
        }
        call.open_texts(sources, sources.proving)?;
        Ok(call)
    }

    /// Opens a call only to repeat fields of it; what cannot be opened is absent. Of a call that is not proved,
    /// nothing of body and query is read.
    pub(super) fn for_echo(raw: &'r RawNotice, sources: &Sources, proved: bool) -> Self {
        let mut call = Self { raw, texts: Vec::new(), form: Vec::new(), query: Vec::new() };
        if proved && call.open_rest(sources).is_err() {
            call.texts.clear();
        }
        call
    }

    /// Opens the rest, once the call is proved.
    pub(super) fn open_rest(&mut self, sources: &Sources) -> Result<(), Fault> {
        if sources.form && !sources.proving_form {
            self.form = pairs_of_body(self.raw)?;
        }
        if sources.query && !sources.proving_query {
            self.query = pairs(&self.raw.query)?;
        }
        self.open_texts(sources, sources.texts.len())
    }

    fn open_texts(&mut self, sources: &Sources, up_to: usize) -> Result<(), Fault> {
        for source in sources.texts.iter().take(up_to).skip(self.texts.len()) {
            let opened = match source {
                TextSource::Body => Some(Document::from_bytes(&self.raw.body).map_err(|f| Fault(f.to_string()))?),
                TextSource::Inside { text, pointer } => self.open_inside(*text, pointer)?,
            };
            self.texts.push(opened);
        }
        Ok(())
    }

    /// An absent or empty text holds no JSON: its fields are absent.
    fn open_inside(&self, text: usize, pointer: &[String]) -> Result<Option<Document<'r>>, Fault> {
        let Some(outer) = self.texts.get(text).and_then(Option::as_ref) else { return Ok(None) };
        let Some(node) = outer.find(pointer) else { return Ok(None) };
        match node.kind {
            Kind::Null => Ok(None),
            Kind::Text => {
                let inner = outer.unescaped(node).into_owned();
                if inner.is_empty() {
                    return Ok(None);
                }
                Document::read(Cow::Owned(inner)).map(Some).map_err(|f| Fault(format!("a text that is {f}")))
            }
            Kind::Object | Kind::Array | Kind::Number | Kind::Bool => {
                Err(Fault("a text that is itself JSON".to_owned()))
            }
        }
    }

    /// What stands at a place.
    pub(super) fn find<'c>(&'c self, place: &'c Place) -> Result<Found<'c>, Fault> {
        match place {
            Place::Body => match std::str::from_utf8(&self.raw.body) {
                Ok(text) => Ok(Found::Text(Cow::Borrowed(text))),
                Err(_not_utf8) => Err(Fault("a body in UTF-8".to_owned())),
            },
            Place::Path => Ok(Found::Text(Cow::Borrowed(&self.raw.path))),
            Place::Const(text) => Ok(Found::Text(Cow::Borrowed(text))),
            Place::Header(name) => {
                once(self.raw.header(name)).map(|v| v.map_or(Found::Absent, |text| Found::Text(Cow::Borrowed(text))))
            }
            Place::Form(name) => pair(&self.form, name),
            Place::Query(name) => pair(&self.query, name),
            Place::Json { text, pointer } => {
                let Some(document) = self.texts.get(*text).and_then(Option::as_ref) else { return Ok(Found::Absent) };
                let Some(node) = document.find(pointer) else { return Ok(Found::Absent) };
                Ok(match node.kind {
                    Kind::Null => Found::Absent,
                    Kind::Text => Found::Text(document.unescaped(node)),
                    Kind::Number => Found::Number(document.raw(node)),
                    Kind::Bool => Found::Bool(document.raw(node)),
                    Kind::Object | Kind::Array => Found::Nested,
                })
            }
        }
    }
}

/// The one value, none, or a fault for two.
pub(super) fn once<'v>(mut values: impl Iterator<Item = &'v str>) -> Result<Option<&'v str>, Fault> {
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_second) => Err(Fault(DOUBLED.to_owned())),
    }
}

/// What a doubled value is called.
pub(super) const DOUBLED: &str = "one value, not several";

fn pair<'c>(pairs: &'c [Pair<'_>], name: &str) -> Result<Found<'c>, Fault> {
    let values = pairs.iter().filter(|pair| pair.name == name).map(|pair| pair.value.as_str());
    once(values).map(|value| value.map_or(Found::Absent, |text| Found::Text(Cow::Borrowed(text))))
}

fn pairs_of_body(raw: &RawNotice) -> Result<Vec<Pair<'_>>, Fault> {
    let text = std::str::from_utf8(&raw.body).map_err(|_not_utf8| Fault("a form in UTF-8".to_owned()))?;
    pairs(text)
}

/// Splits and decodes `name=value&..`.
fn pairs(text: &str) -> Result<Vec<Pair<'_>>, Fault> {
    let mut pairs = Vec::new();
    for raw in text.split('&').filter(|raw| !raw.is_empty()) {
        if pairs.len() == PAIRS_MAX {
            return Err(Fault(format!("at most {PAIRS_MAX} pairs")));
        }
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        pairs.push(Pair { raw, name: decoded(name)?, value: decoded(value)?, empty: value.is_empty() });
    }
    Ok(pairs)
}

fn decoded(text: &str) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                let code = digit(rest.next()).zip(digit(rest.next())).map(|(high, low)| high * 16 + low);
                let code = code.and_then(|code| u8::try_from(code).ok());
                code.filter(|code| *code != 0).ok_or_else(|| Fault("percent-encoded pairs".to_owned()))?
            }
            0 => return Err(Fault("pairs without NUL".to_owned())),
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_not_utf8| Fault("pairs in UTF-8".to_owned()))
}
