//! A strict reader of one JSON text. It keeps the text and a flat list of where each value stands; no tree is built
//! and no number is ever interpreted (I1's reader, not its judge: what a field means is `decode`'s).
//!
//! Stricter than the standard where leniency would lose money: a key twice in one object, at any depth, is refused
//! (two readers would see two payments); so are a byte-order mark, a NUL in any spelling, half a surrogate pair, and
//! anything nested deeper than [`DEPTH_MAX`]. Numbers are handed out as their text.

use std::borrow::Cow;

/// The deepest nesting read. Partners' notices use three or four levels; a deeper one is an attack on the stack.
pub(super) const DEPTH_MAX: usize = 64;

/// Up to this many keys of one object are compared pairwise; more are sorted first.
const PAIRWISE_KEYS_MAX: usize = 12;

/// Why a text is not the JSON we read. Names no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JsonFault {
    /// Not the grammar.
    #[error("JSON")]
    Syntax,
    /// One object says one key twice.
    #[error("JSON without a repeated key")]
    RepeatedKey,
    /// Nested beyond [`DEPTH_MAX`].
    #[error("JSON of at most 64 levels")]
    TooDeep,
    /// Not UTF-8, or half of a surrogate pair.
    #[error("JSON in UTF-8")]
    NotUnicode,
    /// A NUL, written in any way.
    #[error("JSON without NUL")]
    Nul,
    /// Starts with a byte-order mark.
    #[error("JSON without a byte-order mark")]
    Bom,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{..}`
    Object,
    /// `[..]`
    Array,
    /// `".."`; the span is inside the quotes.
    Text,
    /// A number, as written.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`
    Null,
}

/// A stretch of the text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Does it hold backslashes?
    escaped: bool,
}

/// One value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// The member's name, when the parent is an object.
    key: Span,
    /// Index of the first node after this value and all that is in it.
    after: usize,
}

/// A JSON text that was read from end to end.
#[derive(Debug)]
pub(super) struct Document<'t> {
    text: Cow<'t, str>,
    nodes: Vec<Node>,
}

impl<'t> Document<'t> {
    /// Reads bytes.
    pub(super) fn from_bytes(bytes: &'t [u8]) -> Result<Self, JsonFault> {
        let text = std::str::from_utf8(bytes).map_err(|_not_utf8| JsonFault::NotUnicode)?;
        Self::read(Cow::Borrowed(text))
    }

    /// Reads a text.
    pub(super) fn read(text: Cow<'t, str>) -> Result<Self, JsonFault> {
        if text.starts_with('\u{feff}') {
            return Err(JsonFault::Bom);
        }
        let mut reader = Reader { text: &text, bytes: text.as_bytes(), at: 0, nodes: Vec::with_capacity(32) };
        reader.blank();
        reader.value(Span::default(), 0)?;
        reader.blank();
        if reader.at != reader.bytes.len() {
            return Err(if reader.bytes.get(reader.at) == Some(&0) { JsonFault::Nul } else { JsonFault::Syntax });
        }
        let nodes = reader.nodes;
        Ok(Self { text, nodes })
    }

    /// The value a pointer names.
    pub(super) fn find(&self, pointer: &[String]) -> Option<&Node> {
        let mut at = 0;
        for token in pointer {
            at = self.child(at, token)?;
        }
        self.nodes.get(at)
    }

    /// The exact text of a value: between the quotes for a text.
    pub(super) fn raw(&self, node: &Node) -> &str {
        slice(&self.text, node.span)
    }

    /// A text value, unescaped.
    pub(super) fn unescaped(&self, node: &Node) -> Cow<'_, str> {
        unescape(slice(&self.text, node.span), node.span.escaped)
    }

    /// The whole text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn child(&self, parent: usize, token: &str) -> Option<usize> {
        let node = self.nodes.get(parent)?;
        let index = match node.kind {
            Kind::Object => None,
            // RFC 6901: digits without leading zeros.
            Kind::Array if token == "0" || !token.starts_with('0') => Some(token.parse::<usize>().ok()?),
            Kind::Array | Kind::Text | Kind::Number | Kind::Bool | Kind::Null => return None,
        };
        let mut at = parent + 1;
        let mut nth = 0;
        while at < node.after {
            let child = self.nodes.get(at)?;
            let found = match index {
                Some(index) => nth == index,
                None if child.key.escaped => unescape(slice(&self.text, child.key), true) == token,
                None => slice(&self.text, child.key) == token,
            };
            if found {
                return Some(at);
            }
            nth += 1;
            at = child.after;
        }
        None
    }
}

/// Writes a text as a JSON string, quotes included.
pub(super) fn quoted(text: &str) -> String {
    // A text always serialises.
    serde_json::to_string(text).unwrap_or_else(|_never| "\"\"".to_owned())
}

fn slice(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap_or_default()
}

fn unescape(raw: &str, escaped: bool) -> Cow<'_, str> {
    if !escaped {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, tail)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('u') => {
                let first = hex4(chars.as_str().as_bytes()).unwrap_or_default();
                chars = chars.as_str().get(4..).unwrap_or_default().chars();
                let mut code = first;
                if (0xd800..0xdc00).contains(&first) {
                    let second = chars.as_str().get(2..).and_then(|t| hex4(t.as_bytes())).unwrap_or_default();
                    chars = chars.as_str().get(6..).unwrap_or_default().chars();
                    code = 0x1_0000 + ((first - 0xd800) << 10) + second.saturating_sub(0xdc00);
                }
                text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            Some(other) => text.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn hex4(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.get(..4)?;
    digits.iter().try_fold(0_u32, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Reader<'_> {
    fn peek(&self) -> Result<u8, JsonFault> {
        self.bytes.get(self.at).copied().ok_or(JsonFault::Syntax)
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonFault> {
        if self.peek()? != byte {
            return Err(JsonFault::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, key: Span, depth: usize) -> Result<(), JsonFault> {
        if depth > DEPTH_MAX {
            return Err(JsonFault::TooDeep);
        }
        let index = self.nodes.len();
        let start = self.at;
        let first = self.peek()?;
        let kind = match first {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::Text,
            b't' | b'f' => Kind::Bool,
            b'n' => Kind::Null,
            b'-' | b'0'..=b'9' => Kind::Number,
            0 => return Err(JsonFault::Nul),
            _ => return Err(JsonFault::Syntax),
        };
        self.nodes.push(Node { kind, span: Span::default(), key, after: index + 1 });
        let mut span = Span::default();
        match kind {
            Kind::Object => self.object(index, depth)?,
            Kind::Array => self.array(depth)?,
            Kind::Text => span = self.string()?,
            Kind::Bool => self.word(if first == b't' { b"true" } else { b"false" })?,
            Kind::Null => self.word(b"null")?,
            Kind::Number => self.number()?,
        }
        if kind != Kind::Text {
            span = Span { start, end: self.at, escaped: false };
        }
        let after = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(index) {
            node.span = span;
            node.after = after;
        }
        Ok(())
    }

    fn object(&mut self, index: usize, depth: usize) -> Result<(), JsonFault> {
        self.at += 1;
        self.blank();
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blank();
            if self.peek()? != b'"' {
                return Err(JsonFault::Syntax);
            }
            let key = self.string()?;
            self.blank();
            self.expect(b':')?;
            self.blank();
            self.value(key, depth + 1)?;
            self.blank();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return Err(JsonFault::Syntax),
            }
        }
        self.at += 1;
        self.no_key_twice(index)
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonFault> {
        self.at += 1;
        self.blank();
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blank();
            self.value(Span::default(), depth + 1)?;
            self.blank();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return Err(JsonFault::Syntax),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn no_key_twice(&self, object: usize) -> Result<(), JsonFault> {
        let mut keys: Vec<Cow<'_, str>> = Vec::with_capacity(PAIRWISE_KEYS_MAX);
        let mut at = object + 1;
        while let Some(child) = self.nodes.get(at) {
            keys.push(unescape(slice(self.text, child.key), child.key.escaped));
            at = child.after;
        }
        let repeated = if keys.len() <= PAIRWISE_KEYS_MAX {
            keys.iter().enumerate().any(|(n, key)| keys.iter().skip(n + 1).any(|other| other == key))
        } else {
            keys.sort_unstable();
            keys.iter().zip(keys.iter().skip(1)).any(|(a, b)| a == b)
        };
        if repeated { Err(JsonFault::RepeatedKey) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Span, JsonFault> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                0 => return Err(JsonFault::Nul),
                1..=0x1f => return Err(JsonFault::Syntax),
                _ => self.at += 1,
            }
        }
        let span = Span { start, end: self.at, escaped };
        self.at += 1;
        Ok(span)
    }

    fn escape(&mut self) -> Result<(), JsonFault> {
        self.at += 1;
        let letter = self.peek()?;
        self.at += 1;
        match letter {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.code()? {
                0 => Err(JsonFault::Nul),
                0xd800..=0xdbff => {
                    if self.peek()? != b'\\' || self.bytes.get(self.at + 1) != Some(&b'u') {
                        return Err(JsonFault::NotUnicode);
                    }
                    self.at += 2;
                    if (0xdc00..0xe000).contains(&self.code()?) { Ok(()) } else { Err(JsonFault::NotUnicode) }
                }
                0xdc00..=0xdfff => Err(JsonFault::NotUnicode),
                _ => Ok(()),
            },
            _ => Err(JsonFault::Syntax),
        }
    }

    fn code(&mut self) -> Result<u32, JsonFault> {
        let code = self.bytes.get(self.at..).and_then(hex4).ok_or(JsonFault::Syntax)?;
        self.at += 4;
        Ok(code)
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonFault> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(JsonFault::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonFault> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
        if self.at == start { Err(JsonFault::Syntax) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
