//! One reading of a text, or none.

use super::*;
use proptest::prelude::*;

fn check(text: &str, expected: Result<(), JsonFault>) {
    assert_eq!(Document::from_bytes(text.as_bytes()).map(drop), expected, "{text:.60}");
}

#[test]
fn only_one_reading_is_accepted() {
    check(r#"{"a":1,"b":{"a":1}}"#, Ok(()));
    check(r#"{"a":1,"a":1}"#, Err(JsonFault::RepeatedKey));
    check(r#"{"a":1,"\u0061":2}"#, Err(JsonFault::RepeatedKey));
    check(r#"[[{"x":{"y":1,"z":2,"y":3}}]]"#, Err(JsonFault::RepeatedKey));
    let many: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{n}")).collect();
    check(&format!("{{{}}}", many.join(",")), Ok(()));
    check(&format!("{{{},\"k7\":0}}", many.join(",")), Err(JsonFault::RepeatedKey));
}

#[test]
fn what_is_not_plain_json_is_refused() {
    check("", Err(JsonFault::Syntax));
    check("\u{feff}{}", Err(JsonFault::Bom));
    check("{\"a\":\"\0\"}", Err(JsonFault::Nul));
    check(r#"{"a":"\u0000"}"#, Err(JsonFault::Nul));
    check("{}\0", Err(JsonFault::Nul));
    check(r#"{"a":"\ud800"}"#, Err(JsonFault::NotUnicode));
    check(r#"{"a":"\udc00\ud800"}"#, Err(JsonFault::NotUnicode));
    check(r#"{"a":01}"#, Err(JsonFault::Syntax));
    check(r#"{"a":+1}"#, Err(JsonFault::Syntax));
    check(r#"{"a":.5}"#, Err(JsonFault::Syntax));
    check(r#"{"a":NaN}"#, Err(JsonFault::Syntax));
    check(r#"{"a":1,}"#, Err(JsonFault::Syntax));
    check(r#"{"a":1} {}"#, Err(JsonFault::Syntax));
    check("{\"a\":\"\n\"}", Err(JsonFault::Syntax));
    check(&"[".repeat(10_000), Err(JsonFault::TooDeep));
    check(&format!("{}{}", "[".repeat(65), "]".repeat(65)), Ok(()));
    check(&format!("{}{}", "[".repeat(66), "]".repeat(66)), Err(JsonFault::TooDeep));
    assert_eq!(Document::from_bytes(b"{\"a\":\"\xff\"}").map(drop), Err(JsonFault::NotUnicode));
}

#[test]
fn a_pointer_finds_the_exact_text() {
    let text = r#"{"a":{"b":[10,{"c\/d":"x\ny"}]},"n":12345678901234567890.50,"e":"\ud83d\ude00"}"#;
    let document = Document::from_bytes(text.as_bytes()).unwrap();
    let find = |path: &[&str]| {
        let pointer: Vec<String> = path.iter().map(ToString::to_string).collect();
        document.find(&pointer).map(|node| (document.raw(node).to_owned(), document.unescaped(node).into_owned()))
    };
    assert_eq!(find(&["n"]).unwrap().0, "12345678901234567890.50");
    assert_eq!(find(&["a", "b", "0"]).unwrap().0, "10");
    assert_eq!(find(&["a", "b", "1", "c/d"]).unwrap(), (r"x\ny".to_owned(), "x\ny".to_owned()));
    assert_eq!(find(&["e"]).unwrap().1, "\u{1f600}");
    assert_eq!(find(&["a", "b", "2"]), None);
    assert_eq!(find(&["a", "b", "00"]), None);
    assert_eq!(find(&["a", "c"]), None);
}

proptest! {
    /// An independent reader agrees on what is JSON, except where ours is stricter on purpose.
    #[test]
    fn never_more_lenient_than_an_independent_reader(text in r#"[\[\]{}:,"\\a0-9.eE+ \-tnu]{0,24}"#) {
        let ours = Document::from_bytes(text.as_bytes()).map(drop);
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text);
        match ours {
            Ok(()) => prop_assert!(theirs.is_ok(), "{}", text),
            Err(JsonFault::Syntax) => prop_assert!(theirs.is_err(), "{}", text),
            Err(_) => {}
        }
    }

    #[test]
    fn any_text_survives_the_way_through_json(text in "[^\0]{0,40}") {
        let json = format!("{{\"k\":{}}}", quoted(&text));
        let document = Document::from_bytes(json.as_bytes()).unwrap();
        let node = document.find(&["k".to_owned()]).unwrap();
        prop_assert_eq!(document.unescaped(node).into_owned(), text);
    }
}
