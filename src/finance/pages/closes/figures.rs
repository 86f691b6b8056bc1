//! What is signed, for people: a close's figures are a text of JSON that never changes. What is not known here is shown as
//! it is, so that nobody signs what they did not see.

use crate::domain::review::BreakClass;
use crate::domain::statement::StatementKind;
use crate::domain::user::Tongue;
use crate::finance::pages::files::compared::{SumRow, bank_rows, sum_rows};
use crate::finance::pages::files::kind_word;
use crate::finance::show;
use crate::finance::words::Words;
use jiff::civil::Date;
use serde_json::Value;

/// Breaks that are listed one by one; the others are in the sums.
const LISTED: usize = 100;

/// Keys that are shown as what they are.
const KNOWN: [&str; 11] =
    ["close", "partner", "day", "month", "statement", "legs", "accounted", "earlier", "open", "previous", "days"];

/// One comparison that the close stands on.
pub(super) struct Leg {
    pub kind: &'static str,
    pub place: String,
    pub no: String,
    pub rows: Vec<SumRow>,
    pub bank: Vec<(&'static str, String)>,
}

/// A break that goes on open.
pub(super) struct Open {
    pub no: String,
    pub class: String,
    pub dong: String,
    pub since: String,
    pub age: String,
}

/// The figures as tables.
pub(super) struct Figures {
    pub statement: Option<[String; 3]>,
    pub legs: Vec<Leg>,
    pub accounted: Vec<[String; 3]>,
    /// What the first close takes in of the days before: how many, how much, why.
    pub earlier: Option<[String; 3]>,
    pub days: Vec<[String; 3]>,
    pub open: [String; 2],
    pub classes: Vec<[String; 4]>,
    pub listed: Vec<Open>,
    pub unlisted: bool,
    pub previous: Option<String>,
    pub unknown: Vec<(String, String)>,
}

fn text(of: &Value, key: &str) -> String {
    match of.get(key) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => show::NONE.to_owned(),
        Some(other) => other.to_string(),
    }
}

fn whole(of: &Value, key: &str, shown: impl FnOnce(i64) -> String) -> String {
    of.get(key).and_then(Value::as_i64).map_or_else(|| show::NONE.to_owned(), shown)
}

fn day(of: &Value, key: &str) -> String {
    let day = of.get(key).and_then(Value::as_str).and_then(|text| text.parse::<Date>().ok());
    day.map_or_else(|| text(of, key), show::day)
}

fn list<'v>(of: &'v Value, key: &str) -> &'v [Value] {
    of.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn class(code: &str, tongue: Tongue) -> String {
    let about = BreakClass::parse(code).map(BreakClass::about);
    about.map_or_else(
        || code.to_owned(),
        |about| match tongue {
            Tongue::Vi => about.label_vi.to_owned(),
            Tongue::En => about.label_en.to_owned(),
        },
    )
}

fn legs(figures: &Value, w: Words) -> Vec<Leg> {
    let (partner, day) = (text(figures, "partner"), text(figures, "day"));
    let leg = |kind: StatementKind| {
        let of = figures.get("legs")?.get(kind.word())?;
        let sums = of.get("sums").unwrap_or(&Value::Null);
        let bank = kind == StatementKind::Bank;
        Some(Leg {
            kind: kind_word(kind, w),
            place: format!("/reconciliations/{partner}/{day}?kind={}", kind.word()),
            no: text(of, "reconciliation"),
            rows: if bank { Vec::new() } else { sum_rows(sums, w) },
            bank: if bank { bank_rows(sums, w) } else { Vec::new() },
        })
    };
    StatementKind::ALL.into_iter().filter_map(leg).collect()
}

impl Figures {
    /// Of a close's text.
    pub(super) fn of(kept: &str, w: Words) -> Self {
        let tongue = w.0;
        let (money, count) = (|dong: i64| show::money(dong, tongue), |of: i64| show::count(of, tongue));
        let figures: Value = serde_json::from_str(kept).unwrap_or_else(|_not_json| Value::String(kept.to_owned()));
        let none = Value::Null;
        let open = figures.get("open").unwrap_or(&none);
        let accounted = figures.get("accounted").unwrap_or(&none);
        let total = |of: &Value, name: String| [name, whole(of, "count", count), whole(of, "dong", money)];
        let unknown = |(key, value): (&String, &Value)| {
            (!KNOWN.contains(&key.as_str())).then(|| (key.clone(), value.to_string()))
        };
        let statement = figures.get("statement").filter(|file| !file.is_null());
        Self {
            statement: statement.map(|file| [text(file, "file"), text(file, "name"), text(file, "sha256")]),
            legs: legs(&figures, w),
            accounted: match accounted {
                Value::Array(days) => days.iter().map(|of| total(of, day(of, "business_day"))).collect(),
                Value::Object(_) => vec![total(accounted, w.close_month_sum().to_owned())],
                _ => Vec::new(),
            },
            earlier: figures
                .get("earlier")
                .map(|of| [whole(of, "count", count), whole(of, "dong", money), text(of, "why")]),
            days: list(&figures, "days")
                .iter()
                .map(|of| [text(of, "day"), day(of, "day"), text(of, "sha256")])
                .collect(),
            open: [whole(open, "count", count), whole(open, "dong", money)],
            classes: list(open, "classes")
                .iter()
                .map(|of| {
                    let code = text(of, "class");
                    [class(&code, tongue), whole(of, "count", count), whole(of, "dong", money), code]
                })
                .collect(),
            listed: list(open, "listed")
                .iter()
                .take(LISTED)
                .map(|of| Open {
                    no: text(of, "break"),
                    class: class(&text(of, "class"), tongue),
                    dong: whole(of, "dong", money),
                    since: day(of, "since"),
                    age: text(of, "age"),
                })
                .collect(),
            unlisted: list(open, "listed").len() > LISTED,
            previous: figures.get("previous").and_then(Value::as_str).map(str::to_owned),
            unknown: match &figures {
                Value::Object(all) => all.iter().filter_map(unknown).collect(),
                other => vec![(show::NONE.to_owned(), other.to_string())],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_shown_as_it_is() {
        let w = Words(Tongue::Vi);
        let kept = r#"{"partner":"p","day":"2026-11-20","accounted":[{"business_day":"2026-11-20","count":2,"dong":-5}],
            "open":{"count":1,"dong":7,"classes":[{"class":"NEW_CLASS","count":1,"dong":7}]},"strange":{"a":1}}"#;
        let figures = Figures::of(kept, w);
        assert_eq!(figures.unknown, [("strange".to_owned(), "{\"a\":1}".to_owned())]);
        assert_eq!(figures.accounted, [["20/11/2026".to_owned(), "2".to_owned(), "-5\u{a0}₫".to_owned()]]);
        assert_eq!(figures.classes.first().map(|of| of[0].as_str()), Some("NEW_CLASS"));
        assert_eq!(Figures::of("no json", w).unknown.len(), 1);
    }
}
