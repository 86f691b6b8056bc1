//! The exact bytes a signature is over, built from a call.
//!
//! Two different calls never give one canonical string: a value that could be mistaken for the end of its field is
//! refused, and a missing field is an error, never an empty text. The tests hold both.

use super::file::{OverFile, PairsOf};
use super::locate::{Call, DOUBLED, Fault, Found, Location, Place, Sources};
use crate::domain::outcome::BadSignature;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Most pieces of one canonical string.
const PIECES_MAX: usize = 64;

/// How the bytes are put together.
#[derive(Clone, Debug)]
pub(super) enum Over {
    /// The body as received.
    RawBody,
    /// One value's text, exactly.
    ExactText(Place),
    /// Values in order.
    Joined { fields: Vec<Place>, separator: String },
    /// `name=value` of listed values, by name, joined by `&`, not escaped.
    SortedPairs(Vec<(String, Place)>),
    /// The pairs as received, still encoded, by name.
    RawPairs { of_form: bool, except: Vec<String>, prefix: String, skip_empty: bool },
    /// Literal text and values.
    Template(Vec<Piece>),
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Literal(String),
    Method,
    Query,
    Body,
    BodyHash(HashText),
    /// A value; it may not contain the byte that the literal behind it starts with.
    Value {
        place: Place,
        stop: Option<u8>,
    },
}

/// How a hash is written inside a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HashText {
    Hex,
    Base64,
}

impl HashText {
    /// SHA-256 of the bytes, written out.
    pub(super) fn of(self, bytes: &[u8]) -> String {
        let hash = Sha256::digest(bytes);
        match self {
            Self::Hex => hex::encode(hash),
            Self::Base64 => STANDARD.encode(hash),
        }
    }
}

/// A piece of template text: literal, or what stood between braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bit<'t> {
    Literal(&'t str),
    Hole(&'t str),
}

/// Splits a template at its braces. There is no way to write a brace as such: no partner's string has one.
pub(super) fn split(template: &str) -> Result<Vec<Bit<'_>>, String> {
    let mut bits = Vec::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (hole, after) = tail.split_once('}').ok_or("expected a closing brace")?;
        if !literal.is_empty() {
            bits.push(Bit::Literal(literal));
        }
        bits.push(Bit::Hole(hole));
        rest = after;
        if bits.len() > PIECES_MAX {
            return Err(format!("expected at most {PIECES_MAX} parts"));
        }
    }
    if rest.contains('}') {
        return Err("expected no closing brace without an opening one".to_owned());
    }
    if !rest.is_empty() {
        bits.push(Bit::Literal(rest));
    }
    Ok(bits)
}

/// What a canonical string covers: which values may be believed because of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage {
    /// Values, with all that is inside them.
    whole: Vec<Location>,
    /// All pairs of the query or form except some.
    pairs: Option<(PairsOf, Vec<String>, String)>,
}

impl Coverage {
    /// The headers under the signature.
    pub(super) fn headers(&self) -> Vec<String> {
        let header = |location: &Location| match location {
            Location::Header(name) => Some(name.clone()),
            _ => None,
        };
        self.whole.iter().filter_map(header).collect()
    }

    /// Is the value at this place under the signature?
    pub(super) fn covers(&self, location: &Location) -> bool {
        if matches!(location, Location::Const(_)) || self.whole.iter().any(|outer| outer.holds(location)) {
            return true;
        }
        match (&self.pairs, location) {
            (Some((PairsOf::Query, except, prefix)), Location::Query(name))
            | (Some((PairsOf::Form, except, prefix)), Location::Form(name)) => {
                name.starts_with(prefix.as_str()) && !except.contains(name)
            }
            _ => false,
        }
    }
}

/// Compiles the profile's `signature.over`. Errors name what was expected.
pub(super) fn compile(
    over: &OverFile,
    sources: &mut Sources,
    allow_legacy: bool,
) -> Result<(Over, Coverage), Vec<String>> {
    let mut coverage = Coverage::default();
    let mut faults = Vec::new();
    let mut place = |text: &String| match Location::parse(text) {
        Ok(location) => {
            let place = sources.place(&location);
            coverage.whole.push(location);
            place
        }
        Err(fault) => {
            faults.push(fault);
            Place::Body
        }
    };
    let compiled = match over {
        OverFile::RawBody {} => {
            coverage.whole.push(Location::Body);
            Over::RawBody
        }
        OverFile::ExactText { at } => Over::ExactText(place(at)),
        OverFile::JoinedFields { fields, separator } => {
            let fields: Vec<Place> = fields.iter().map(&mut place).collect();
            if fields.is_empty() {
                faults.push("expected at least one field".to_owned());
            }
            if separator.is_empty() && !allow_legacy {
                faults.push(
                    "expected a separator: without one two contents have one signature (allow_legacy permits it)"
                        .to_owned(),
                );
            }
            Over::Joined { fields, separator: separator.clone() }
        }
        OverFile::SortedPairs { pairs } => {
            let pairs: Vec<(String, Place)> = pairs.iter().map(|(name, at)| (name.clone(), place(at))).collect();
            let plain = |name: &String| !name.is_empty() && !name.contains(['&', '=']);
            if pairs.is_empty() || !pairs.iter().all(|(name, _)| plain(name)) {
                faults.push("expected names without & and =".to_owned());
            }
            Over::SortedPairs(pairs)
        }
        OverFile::RawPairs { of, except, prefix, skip_empty } => {
            let of_form = *of == PairsOf::Form;
            coverage.pairs = Some((*of, except.clone(), prefix.clone()));
            sources.all_pairs(of_form);
            Over::RawPairs { of_form, except: except.clone(), prefix: prefix.clone(), skip_empty: *skip_empty }
        }
        OverFile::Template { text } => match template(text, sources, &mut coverage) {
            Ok(pieces) => Over::Template(pieces),
            Err(fault) => {
                faults.push(fault);
                Over::RawBody
            }
        },
    };
    if faults.is_empty() { Ok((compiled, coverage)) } else { Err(faults) }
}

fn template(text: &str, sources: &mut Sources, coverage: &mut Coverage) -> Result<Vec<Piece>, String> {
    let bits = split(text)?;
    let mut pieces = Vec::with_capacity(bits.len());
    for (n, bit) in bits.iter().enumerate() {
        let next = bits.get(n + 1);
        let stop = match next {
            Some(Bit::Literal(literal)) => literal.bytes().next(),
            Some(Bit::Hole(_)) | None => None,
        };
        let open_ended = matches!(next, Some(Bit::Hole(_)));
        pieces.push(match bit {
            Bit::Literal(literal) => Piece::Literal((*literal).to_owned()),
            Bit::Hole("method") => Piece::Method,
            Bit::Hole("query") if next.is_none() => Piece::Query,
            Bit::Hole("query") => return Err("expected {query} at the end of the template".to_owned()),
            Bit::Hole("body") if next.is_none() => {
                coverage.whole.push(Location::Body);
                Piece::Body
            }
            Bit::Hole("body") => return Err("expected {body} at the end of the template".to_owned()),
            Bit::Hole("body:sha256:hex") => {
                coverage.whole.push(Location::Body);
                Piece::BodyHash(HashText::Hex)
            }
            Bit::Hole("body:sha256:base64") => {
                coverage.whole.push(Location::Body);
                Piece::BodyHash(HashText::Base64)
            }
            Bit::Hole(hole) => {
                if open_ended {
                    return Err(format!("expected literal text between {{{hole}}} and the next value"));
                }
                let location = Location::parse(hole)?;
                let place = sources.place(&location);
                coverage.whole.push(location);
                Piece::Value { place, stop }
            }
        });
    }
    if pieces.is_empty() {
        return Err("expected at least one part".to_owned());
    }
    Ok(pieces)
}

impl Over {
    /// The bytes for this call.
    pub(super) fn bytes<'c>(&'c self, call: &'c Call<'_>) -> Result<Cow<'c, [u8]>, BadSignature> {
        match self {
            Self::RawBody => Ok(Cow::Borrowed(&call.raw.body)),
            Self::ExactText(place) => match text(call, place)? {
                Cow::Borrowed(text) => Ok(Cow::Borrowed(text.as_bytes())),
                Cow::Owned(text) => Ok(Cow::Owned(text.into_bytes())),
            },
            Self::Joined { fields, separator } => joined(call, fields, separator),
            Self::SortedPairs(pairs) => sorted(call, pairs),
            Self::RawPairs { of_form, except, prefix, skip_empty } => {
                let pairs = if *of_form { &call.form } else { &call.query };
                let mut kept = Vec::with_capacity(pairs.len());
                for pair in pairs {
                    let counts = pair.name.starts_with(prefix.as_str()) && !except.contains(&pair.name);
                    if counts && !(*skip_empty && pair.empty) {
                        kept.push(pair);
                    }
                }
                kept.sort_by(|a, b| a.name.cmp(&b.name));
                if kept.iter().zip(kept.iter().skip(1)).any(|(a, b)| a.name == b.name) {
                    return Err(BadSignature::Doubled);
                }
                if kept.is_empty() {
                    return Err(BadSignature::Missing);
                }
                Ok(Cow::Owned(kept.iter().map(|pair| pair.raw).collect::<Vec<_>>().join("&").into_bytes()))
            }
            Self::Template(pieces) => filled(call, pieces),
        }
    }
}

fn joined<'c>(call: &'c Call<'_>, fields: &'c [Place], separator: &str) -> Result<Cow<'c, [u8]>, BadSignature> {
    let mut bytes = Vec::with_capacity(256);
    for (n, place) in fields.iter().enumerate() {
        let value = text(call, place)?;
        if value.chars().any(|c| separator.contains(c)) {
            return Err(BadSignature::Encoding);
        }
        if n > 0 {
            bytes.extend_from_slice(separator.as_bytes());
        }
        bytes.extend_from_slice(value.as_bytes());
    }
    Ok(Cow::Owned(bytes))
}

/// Names are known and fixed, so only a value that contains `&name=` of one of them could be read in two ways.
fn sorted<'c>(call: &'c Call<'_>, pairs: &'c [(String, Place)]) -> Result<Cow<'c, [u8]>, BadSignature> {
    let mut bytes = Vec::with_capacity(512);
    for (n, (name, place)) in pairs.iter().enumerate() {
        let value = text(call, place)?;
        if value.contains('&') && pairs.iter().any(|(other, _)| value.contains(&format!("&{other}="))) {
            return Err(BadSignature::Encoding);
        }
        if n > 0 {
            bytes.push(b'&');
        }
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(b'=');
        bytes.extend_from_slice(value.as_bytes());
    }
    Ok(Cow::Owned(bytes))
}

fn filled<'c>(call: &'c Call<'_>, pieces: &'c [Piece]) -> Result<Cow<'c, [u8]>, BadSignature> {
    let mut bytes = Vec::with_capacity(call.raw.body.len() + 160);
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => bytes.extend_from_slice(literal.as_bytes()),
            Piece::Method => bytes.extend_from_slice(call.raw.method.word().as_bytes()),
            Piece::Query => bytes.extend_from_slice(call.raw.query.as_bytes()),
            Piece::Body => bytes.extend_from_slice(&call.raw.body),
            Piece::BodyHash(written) => bytes.extend_from_slice(written.of(&call.raw.body).as_bytes()),
            Piece::Value { place, stop } => {
                let value = text(call, place)?;
                if stop.is_some_and(|stop| value.as_bytes().contains(&stop)) {
                    return Err(BadSignature::Encoding);
                }
                bytes.extend_from_slice(value.as_bytes());
            }
        }
    }
    Ok(Cow::Owned(bytes))
}

/// The text of a value that must be there.
pub(super) fn text<'c>(call: &'c Call<'_>, place: &'c Place) -> Result<Cow<'c, str>, BadSignature> {
    match call.find(place) {
        Ok(Found::Text(text)) => Ok(text),
        Ok(Found::Number(text) | Found::Bool(text)) => Ok(Cow::Borrowed(text)),
        Ok(Found::Absent) => Err(BadSignature::Missing),
        Ok(Found::Nested) => Err(BadSignature::Encoding),
        Err(fault) => Err(fault_of_proof(&fault)),
    }
}

/// A fault met before anything is proved.
pub(super) fn fault_of_proof(fault: &Fault) -> BadSignature {
    if fault.0 == DOUBLED { BadSignature::Doubled } else { BadSignature::Encoding }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::{Method, RawNotice};
    use crate::domain::time::Timestamp;
    use bytes::Bytes;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn raw(query: &str, headers: &[(&str, &str)], body: &str) -> RawNotice {
        RawNotice {
            method: Method::Post,
            path: "/webhooks/p".to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            body: Bytes::from(body.to_owned().into_bytes()),
            peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            received_at: Timestamp::default(),
        }
    }

    fn build(over: &OverFile, raw: &RawNotice) -> Result<String, BadSignature> {
        let mut sources = Sources::default();
        let (over, _) = compile(over, &mut sources, false).unwrap();
        sources.proving_ends_here();
        let call = Call::for_proof(raw, &sources).map_err(|fault| fault_of_proof(&fault))?;
        over.bytes(&call).map(|bytes| String::from_utf8(bytes.into_owned()).unwrap())
    }

    fn check(over: &OverFile, raw: &RawNotice, expected: Result<&str, BadSignature>) {
        assert_eq!(build(over, raw).as_deref().map_err(|e| *e), expected, "{over:?}");
    }

    fn fields(names: &[&str], separator: &str) -> OverFile {
        let fields = names.iter().map(|name| format!("json:/{name}")).collect();
        OverFile::JoinedFields { fields, separator: separator.to_owned() }
    }

    fn pairs(names: &[&str]) -> OverFile {
        OverFile::SortedPairs { pairs: names.iter().map(|n| ((*n).to_owned(), format!("json:/{n}"))).collect() }
    }

    fn raw_pairs(of: PairsOf) -> OverFile {
        let except = vec!["pay_SecureHash".to_owned()];
        OverFile::RawPairs { of, except, prefix: "pay_".to_owned(), skip_empty: true }
    }

    fn template(text: &str) -> OverFile {
        OverFile::Template { text: text.to_owned() }
    }

    #[test]
    fn each_form_builds_what_it_says() {
        let body = r#"{"b":"x\"y","a":12,"c":{"d":"e"},"n":null}"#;
        check(&OverFile::RawBody {}, &raw("", &[], body), Ok(body));
        check(&OverFile::ExactText { at: "json:/b".to_owned() }, &raw("", &[], body), Ok("x\"y"));
        check(&fields(&["a", "b"], "|"), &raw("", &[], body), Ok("12|x\"y"));
        check(&pairs(&["b", "a"]), &raw("", &[], body), Ok("a=12&b=x\"y"));
        check(&fields(&["a", "missing"], "|"), &raw("", &[], body), Err(BadSignature::Missing));
        check(&fields(&["a", "n"], "|"), &raw("", &[], body), Err(BadSignature::Missing));
        check(&fields(&["a", "c"], "|"), &raw("", &[], body), Err(BadSignature::Encoding));
        check(&fields(&["a"], "|"), &raw("", &[], "{}{}"), Err(BadSignature::Encoding));
        check(&fields(&["a"], "|"), &raw("", &[], r#"{"a":1,"a":2}"#), Err(BadSignature::Encoding));
    }

    #[test]
    fn query_pairs_are_signed_as_they_came() {
        // The published vector of a widely used query scheme, in another order.
        let query = "pay_TxnRef=1716257871703&pay_OrderInfo=Thanh+toan+2024-05-21T02%3A17&pay_Empty=&other=1&pay_Amount=1000000&pay_SecureHash=ff";
        let expected = "pay_Amount=1000000&pay_OrderInfo=Thanh+toan+2024-05-21T02%3A17&pay_TxnRef=1716257871703";
        check(&raw_pairs(PairsOf::Query), &raw(query, &[], ""), Ok(expected));
        check(&raw_pairs(PairsOf::Form), &raw("", &[], query), Ok(expected));
        check(&raw_pairs(PairsOf::Query), &raw("pay_A=1&pay_A=2", &[], ""), Err(BadSignature::Doubled));
        check(&raw_pairs(PairsOf::Query), &raw("pay_A=1&pay%5FA=2", &[], ""), Err(BadSignature::Doubled));
        check(&raw_pairs(PairsOf::Query), &raw("pay_A=%zz", &[], ""), Err(BadSignature::Encoding));
        check(&raw_pairs(PairsOf::Query), &raw("pay_A=%00", &[], ""), Err(BadSignature::Encoding));
        check(&raw_pairs(PairsOf::Query), &raw("x=1", &[], ""), Err(BadSignature::Missing));
    }

    #[test]
    fn a_template_takes_headers_method_path_and_the_bodys_hash() {
        let call = raw("", &[("x-id", "7")], "abc");
        let text = "{method}\n{path}\n{header:x-id}\n{body:sha256:base64}";
        let hash = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        check(&template(text), &call, Ok(&format!("POST\n/webhooks/p\n7\n{hash}")));
        check(&template("{header:x-id}.{body}"), &call, Ok("7.abc"));
        check(&template("{header:x-id}.{body}"), &raw("", &[("x-id", "7.8")], "abc"), Err(BadSignature::Encoding));
        check(&template("{header:x-id}"), &raw("", &[("x-id", "7"), ("x-id", "8")], ""), Err(BadSignature::Doubled));
        check(&template("{header:x-other}"), &call, Err(BadSignature::Missing));
        for wrong in ["{header:a}{header:b}", "{body}x", "{nothing}", "{", "}", "", "{query}{path}"] {
            assert!(compile(&template(wrong), &mut Sources::default(), false).is_err(), "{wrong}");
        }
        assert!(compile(&fields(&["a"], ""), &mut Sources::default(), false).is_err(), "no separator");
        assert!(compile(&fields(&["a"], ""), &mut Sources::default(), true).is_ok(), "legacy");
    }

    #[test]
    fn coverage_is_what_the_bytes_hold() {
        let covered = |over: &OverFile, place: &str| {
            let (_, coverage) = compile(over, &mut Sources::default(), false).unwrap();
            coverage.covers(&Location::parse(place).unwrap())
        };
        let exact = OverFile::ExactText { at: "json:/data".to_owned() };
        assert!(covered(&exact, "json:/data > /a > /b"));
        assert!(covered(&exact, "json:/data"));
        assert!(!covered(&exact, "json:/type"));
        assert!(!covered(&exact, "json:/data2"));
        assert!(covered(&OverFile::RawBody {}, "json:/any > /thing"));
        assert!(covered(&OverFile::RawBody {}, "form:any"));
        assert!(!covered(&OverFile::RawBody {}, "header:x"));
        assert!(!covered(&OverFile::RawBody {}, "query:x"));
        assert!(covered(&template("{header:x}.{body}"), "header:x"));
        assert!(covered(&fields(&["a"], "|"), "json:/a/b"));
        assert!(!covered(&fields(&["a/b"], "|"), "json:/a"));
        assert!(covered(&raw_pairs(PairsOf::Query), "query:pay_Amount"));
        assert!(!covered(&raw_pairs(PairsOf::Query), "query:pay_SecureHash"));
        assert!(!covered(&raw_pairs(PairsOf::Query), "query:amount"));
        assert!(!covered(&raw_pairs(PairsOf::Query), "form:pay_Amount"));
        assert!(covered(&exact, "const:x"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Different values never share a canonical string, whatever the values hold.
        #[test]
        fn two_contents_never_have_one_string(
            one in prop::collection::vec("[ab|&=.\n]{0,5}", 3),
            two in prop::collection::vec("[ab|&=.\n]{0,5}", 3),
        ) {
            prop_assume!(one != two);
            let names = ["a", "b", "c"];
            let body = |values: &[String]| {
                let map: BTreeMap<&str, &String> = names.into_iter().zip(values).collect();
                serde_json::to_string(&map).unwrap()
            };
            let (one, two) = (raw("", &[], &body(&one)), raw("", &[], &body(&two)));
            let forms = [
                fields(&names, "|"),
                fields(&names, "|&"),
                pairs(&names),
                template("{json:/a}.{json:/b}\n{json:/c}"),
            ];
            for form in forms {
                if let (Ok(first), Ok(second)) = (build(&form, &one), build(&form, &two)) {
                    prop_assert_ne!(first, second, "{:?}", form);
                }
            }
        }
    }
}
