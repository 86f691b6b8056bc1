//! Invoice rows as the billing core writes them: CSV with a header, or JSON objects (NDJSON lines, array elements).
//! Both become an [`Invoice`] or a [`Reject`] that names line, field and what was expected. Pure; nothing is kept.
//!
//! Amounts are read from their text: whole dong, never through a float. Keeps I10: a row has a length limit.

use crate::domain::ids::{BadId, CustomerCode, InvoiceId, UnitCode};
use crate::domain::invoice::{Area, Invoice, InvoiceKind, InvoiceStatus};
use crate::domain::money::Money;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The columns of the CSV, in the order in which they are documented. A file may order them otherwise; its header says.
pub const COLUMNS: [&str; 16] = [
    "invoice_id",
    "customer_code",
    "payer_code",
    "unit",
    "area",
    "period",
    "kind",
    "net",
    "vat",
    "total",
    "issued_on",
    "due_on",
    "status",
    "paid_elsewhere",
    "adjusts",
    "version",
];

/// The longest row, in bytes: some ten times the longest real one.
pub const ROW_MAX_BYTES: usize = 4096;

/// A row that was not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {field}: expected {expected}")]
pub struct Reject {
    /// The line in the file, from 1; for a JSON array the element, from 1.
    pub line: u64,
    /// The column or member.
    pub field: String,
    /// What would have been right.
    pub expected: String,
}

/// Where each documented column is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header(Vec<Option<usize>>);

/// Columns that may be missing or empty.
const OPTIONAL: [&str; 4] = ["payer_code", "paid_elsewhere", "adjusts", "version"];

impl Header {
    /// Reads the header row. Unknown and repeated columns are refused: a misspelt `paid_elsewhere` must not become zero.
    ///
    /// # Errors
    /// A [`Reject`] of line 1.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Reject> {
        let reject = |field: &str, expected: String| Reject { line: 1, field: field.to_owned(), expected };
        let mut at = vec![None; COLUMNS.len()];
        for (index, name) in names.into_iter().enumerate() {
            let name = name.trim_start_matches('\u{feff}').trim();
            let slot = COLUMNS.iter().position(|column| *column == name).and_then(|column| at.get_mut(column));
            match slot {
                Some(slot @ None) => *slot = Some(index),
                Some(Some(_)) => return Err(reject(name, "each column once".to_owned())),
                None => return Err(reject(name, format!("one of {}", COLUMNS.join(",")))),
            }
        }
        for (column, found) in COLUMNS.iter().zip(&at) {
            if found.is_none() && !OPTIONAL.contains(column) {
                return Err(reject(column, "this column".to_owned()));
            }
        }
        Ok(Self(at))
    }

    /// Reads one record of a file with this header.
    ///
    /// # Errors
    /// A [`Reject`] naming line and field.
    pub fn read(&self, line: u64, record: &csv::StringRecord) -> Result<Invoice, Reject> {
        invoice(line, |column| {
            let at = COLUMNS.iter().position(|c| *c == column).and_then(|c| self.0.get(c).copied().flatten());
            at.and_then(|at| record.get(at)).unwrap_or("")
        })
    }
}

/// One JSON object. Members are kept as their text, so that no amount passes a float.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonRow<'a> {
    #[serde(borrow)]
    invoice_id: &'a RawValue,
    #[serde(borrow)]
    customer_code: &'a RawValue,
    #[serde(borrow, default)]
    payer_code: Option<&'a RawValue>,
    #[serde(borrow)]
    unit: &'a RawValue,
    #[serde(borrow)]
    area: &'a RawValue,
    #[serde(borrow)]
    period: &'a RawValue,
    #[serde(borrow)]
    kind: &'a RawValue,
    #[serde(borrow)]
    net: &'a RawValue,
    #[serde(borrow)]
    vat: &'a RawValue,
    #[serde(borrow)]
    total: &'a RawValue,
    #[serde(borrow)]
    issued_on: &'a RawValue,
    #[serde(borrow)]
    due_on: &'a RawValue,
    #[serde(borrow)]
    status: &'a RawValue,
    #[serde(borrow, default)]
    paid_elsewhere: Option<&'a RawValue>,
    #[serde(borrow, default)]
    adjusts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    version: Option<&'a RawValue>,
}

/// Reads one JSON object, from an NDJSON line or an array's element.
///
/// # Errors
/// A [`Reject`] naming line and member.
pub fn read_json(line: u64, text: &str) -> Result<Invoice, Reject> {
    let reject = |field: &str, expected: String| Reject { line, field: field.to_owned(), expected };
    if text.len() > ROW_MAX_BYTES {
        return Err(reject("row", format!("at most {ROW_MAX_BYTES} bytes")));
    }
    let row: JsonRow<'_> = serde_json::from_str(text).map_err(|error| reject("row", error.to_string()))?;
    let member = |column: &str| match column {
        "invoice_id" => Some(row.invoice_id),
        "customer_code" => Some(row.customer_code),
        "payer_code" => row.payer_code,
        "unit" => Some(row.unit),
        "area" => Some(row.area),
        "period" => Some(row.period),
        "kind" => Some(row.kind),
        "net" => Some(row.net),
        "vat" => Some(row.vat),
        "total" => Some(row.total),
        "issued_on" => Some(row.issued_on),
        "due_on" => Some(row.due_on),
        "status" => Some(row.status),
        "paid_elsewhere" => row.paid_elsewhere,
        "adjusts" => row.adjusts,
        _ => row.version,
    };
    let mut texts = Vec::with_capacity(COLUMNS.len());
    for column in COLUMNS {
        texts.push(member(column).map(|raw| member_text(raw.get())).unwrap_or_default());
    }
    invoice(line, |column| {
        COLUMNS.iter().position(|c| *c == column).and_then(|at| texts.get(at)).map_or("", String::as_str)
    })
}

/// A string without its quotes, a number as it is written, `null` as nothing. Anything else stays as its text and
/// is refused by whatever field it stands in.
fn member_text(raw: &str) -> String {
    match raw {
        "null" => String::new(),
        text if text.starts_with('"') => serde_json::from_str(text).unwrap_or_else(|_bad_escape| text.to_owned()),
        text => text.to_owned(),
    }
}

/// The one reading of a row, whatever it was written in. `text` answers an empty text for what is missing.
fn invoice<'a>(line: u64, text: impl Fn(&'static str) -> &'a str) -> Result<Invoice, Reject> {
    let reject = |field: &str, expected: &str| Reject { line, field: field.to_owned(), expected: expected.to_owned() };
    let id = |field: &'static str, bad: BadId| reject(field, bad.expected);
    let money = |field: &'static str| {
        Money::parse(text(field), 0).map_err(|_not_money| reject(field, "whole dong, such as 412500"))
    };
    let optional_money = |field: &'static str| if text(field).is_empty() { Ok(Money::ZERO) } else { money(field) };
    let day = |field: &'static str| {
        let well_formed = text(field).len() == 10;
        well_formed
            .then(|| text(field).parse::<Date>().ok())
            .flatten()
            .ok_or_else(|| reject(field, "a date, YYYY-MM-DD"))
    };
    let customer = CustomerCode::parse(text("customer_code")).map_err(|bad| id("customer_code", bad))?;
    let payer = match text("payer_code") {
        "" => customer.clone(),
        payer => CustomerCode::parse(payer).map_err(|bad| id("payer_code", bad))?,
    };
    let adjusts = match text("adjusts") {
        "" => None,
        adjusted => Some(InvoiceId::parse(adjusted).map_err(|bad| id("adjusts", bad))?),
    };
    let version = match text("version") {
        "" => 0,
        version => version.parse().map_err(|_not_a_number| reject("version", "a whole number"))?,
    };
    let (net, vat, total) = (money("net")?, money("vat")?, money("total")?);
    if net.plus(vat).ok() != Some(total) {
        return Err(reject("total", "net + vat"));
    }
    let (issued_on, due_on) = (day("issued_on")?, day("due_on")?);
    let paid_elsewhere = optional_money("paid_elsewhere")?;
    if paid_elsewhere < Money::ZERO {
        return Err(reject("paid_elsewhere", "zero or more dong"));
    }
    let period = text("period");
    if !is_period(period) {
        return Err(reject("period", "YYYY-MM-K with K from 1 to 9"));
    }
    Ok(Invoice {
        id: InvoiceId::parse(text("invoice_id")).map_err(|bad| id("invoice_id", bad))?,
        customer,
        payer,
        unit: UnitCode::parse(text("unit")).map_err(|bad| id("unit", bad))?,
        area: Area::parse(text("area")).ok_or_else(|| reject("area", "urban, rural or island"))?,
        period: period.to_owned(),
        kind: InvoiceKind::parse(text("kind")).ok_or_else(|| reject("kind", "TD, TC or DV"))?,
        net,
        vat,
        total,
        issued_on,
        due_on,
        status: InvoiceStatus::parse(text("status")).ok_or_else(|| reject("status", "open, paid or cancelled"))?,
        paid_elsewhere,
        adjusts,
        version,
    })
}

fn is_period(text: &str) -> bool {
    let mut parts = text.split('-');
    let digits = |part: Option<&str>, len: usize| {
        part.filter(|p| p.len() == len && p.bytes().all(|b| b.is_ascii_digit())).and_then(|p| p.parse::<u16>().ok())
    };
    digits(parts.next(), 4).is_some()
        && digits(parts.next(), 2).is_some_and(|month| (1..=12).contains(&month))
        && digits(parts.next(), 1).is_some_and(|k| k >= 1)
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [&str; 16] = [
        "HD-1",
        "PA03HL0000001",
        "",
        "PA03HL",
        "urban",
        "2026-11-1",
        "TD",
        "381944",
        "30556",
        "412500",
        "2026-11-01",
        "2026-11-10",
        "open",
        "",
        "",
        "",
    ];

    fn check(field: &str, text: &str, expected: Result<(), &str>) {
        let header = Header::parse(COLUMNS).unwrap();
        let record: csv::StringRecord =
            COLUMNS.iter().zip(GOOD).map(|(column, good)| if *column == field { text } else { good }).collect();
        let got = header.read(7, &record).map(|_| ()).map_err(|r| r.to_string());
        assert_eq!(got, expected.map_err(ToOwned::to_owned), "{field} = {text}");
        let members: Vec<String> = COLUMNS
            .iter()
            .zip(GOOD)
            .map(|(column, good)| {
                format!("\"{column}\":{}", serde_json::to_string(if *column == field { text } else { good }).unwrap())
            })
            .collect();
        let json = read_json(7, &format!("{{{}}}", members.join(","))).map(|_| ()).map_err(|r| r.to_string());
        assert_eq!(json, expected.map_err(ToOwned::to_owned), "JSON, {field} = {text}");
    }

    #[test]
    fn a_row_is_taken_or_refused_with_line_field_and_rule() {
        check("invoice_id", "HD-1", Ok(()));
        check("invoice_id", "", Err("line 7: invoice_id: expected 1 to 40 of A-Z a-z 0-9 - _ /"));
        check("invoice_id", "HD.1", Err("line 7: invoice_id: expected 1 to 40 of A-Z a-z 0-9 - _ /"));
        check("total", "412501", Err("line 7: total: expected net + vat"));
        check("net", "1e3", Err("line 7: net: expected whole dong, such as 412500"));
        check("net", "381.944", Err("line 7: net: expected whole dong, such as 412500"));
        check("area", "city", Err("line 7: area: expected urban, rural or island"));
        check("period", "2026-13-1", Err("line 7: period: expected YYYY-MM-K with K from 1 to 9"));
        check("period", "2026-11-0", Err("line 7: period: expected YYYY-MM-K with K from 1 to 9"));
        check("kind", "XX", Err("line 7: kind: expected TD, TC or DV"));
        check("issued_on", "2026-02-30", Err("line 7: issued_on: expected a date, YYYY-MM-DD"));
        check("due_on", "10/11/2026", Err("line 7: due_on: expected a date, YYYY-MM-DD"));
        check("status", "OPEN", Err("line 7: status: expected open, paid or cancelled"));
        check("paid_elsewhere", "-1", Err("line 7: paid_elsewhere: expected zero or more dong"));
        check("version", "two", Err("line 7: version: expected a whole number"));
        check("payer_code", "PA03HL0000002", Ok(()));
        check("adjusts", "HD-0", Ok(()));
    }

    #[test]
    fn zero_and_negative_bills_exist() {
        let header = Header::parse(COLUMNS).unwrap();
        for (net, vat, total) in [("0", "0", "0"), ("-1000", "-80", "-1080")] {
            let record: csv::StringRecord = COLUMNS
                .iter()
                .zip(GOOD)
                .map(|(c, good)| match *c {
                    "net" => net,
                    "vat" => vat,
                    "total" => total,
                    _ => good,
                })
                .collect();
            assert_eq!(header.read(2, &record).unwrap().total.to_string(), total);
        }
    }

    #[test]
    fn a_header_with_an_unknown_a_repeated_or_a_missing_column_is_refused() {
        let misspelt = COLUMNS.map(|c| if c == "paid_elsewhere" { "paid_elsewere" } else { c });
        assert_eq!(Header::parse(misspelt).unwrap_err().field, "paid_elsewere");
        let repeated = COLUMNS.map(|c| if c == "version" { "total" } else { c });
        assert_eq!(Header::parse(repeated).unwrap_err().to_string(), "line 1: total: expected each column once");
        assert_eq!(Header::parse(COLUMNS.into_iter().filter(|c| *c != "total")).unwrap_err().field, "total");
        assert!(Header::parse(COLUMNS.into_iter().filter(|c| !OPTIONAL.contains(c))).is_ok());
    }

    #[test]
    fn json_amounts_are_read_from_their_text_and_members_are_checked() {
        let row = |net: &str, extra: &str| {
            format!(
                r#"{{"invoice_id":"HD-1","customer_code":"PA03HL0000001","unit":"PA03HL","area":"urban","period":"2026-11-1","kind":"TD","net":{net},"vat":0,"total":{net},"issued_on":"2026-11-01","due_on":"2026-11-10","status":"open"{extra}}}"#
            )
        };
        assert_eq!(read_json(1, &row("412500", "")).unwrap().total.dong(), 412_500);
        assert_eq!(
            read_json(3, &row("4.125e5", "")).unwrap_err().to_string(),
            "line 3: net: expected whole dong, such as 412500"
        );
        assert_eq!(read_json(3, &row("412500.5", "")).unwrap_err().field, "net");
        assert_eq!(read_json(3, &row("1", r#","net":2"#)).unwrap_err().field, "row");
        assert_eq!(read_json(3, &row("1", r#","nett":2"#)).unwrap_err().field, "row");
        assert_eq!(read_json(3, &row("1", r#","adjusts":null,"version":3"#)).unwrap().version, 3);
    }
}
