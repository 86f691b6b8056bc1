//! Exports read back by others: openpyxl and Python's csv see texts as texts, amounts as numbers, days as days, no formula
//! anywhere, and every text as it was. A table whose rows are not what its head says is not finished.

use crate::statements::python;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use thuho::domain::break_class::BreakClass;
use thuho::domain::ids::{InvoiceId, PartnerCode};
use thuho::domain::money::Money;
use thuho::domain::resolution::BreakState;
use thuho::domain::time::Timestamp;
use thuho::reconcile::export::{
    self, Cell, Column, ExportError, Fact, Format, Head, Kind, Label, Language, Options, SHEET_ROWS_MAX, Separator,
    Table,
};
use thuho::store::desk::BreakView;

const fn column(key: &'static str, vi: &'static str, kind: Kind) -> Column {
    Column { key, label: Label { vi, en: key }, kind }
}

const COLUMNS: [Column; 7] = [
    column("id", "Mã", Kind::Id),
    column("words", "Nội dung", Kind::Text),
    column("dong", "Số tiền", Kind::Dong),
    column("count", "Số lượng", Kind::Count),
    column("day", "Ngày", Kind::Date),
    column("at", "Lúc", Kind::Instant),
    column("flag", "Có", Kind::Flag),
];

/// 2026-11-20 at 23:30:15 in the business zone, which is the same day in UTC but at 16:30:15.
const AT_MS: i64 = 1_795_107_600_000 + (23 * 3_600 + 30 * 60 + 15) * 1_000;

/// What somebody may write where we only pass it on.
const NASTY: &[&str] = &[
    "=1+1",
    "+84912345678",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =cmd|' /C calc'!A0",
    "\"=1\"",
    "'=1",
    "\u{a0}=1",
    "\n=1",
    "＝1+1",
    "a;=1+1",
    "a,=1+1",
    "9704360123456789",
    "00012345",
    "1e5",
    "TRUE",
    "2026-11-20",
    "Nguyễn Thị Ánh Đường trả tiền điện kỳ 1",
    "say \"yes\", then;go",
    "two\nlines\r\nthree",
    "nul\0 bell\u{7} esc\u{1b} del\u{7f} nel\u{85}",
    "not characters \u{fffe}\u{ffff}",
    "_x0041_ <b>&amp;</b> ]]>",
    "\u{202e}gnp.exe \u{1f4a1}",
    " leading and trailing ",
    "#REF!",
    "http://example.org/",
    "sep=;",
];

/// What no spreadsheet's file holds is seen as such.
fn held(text: &str) -> String {
    text.replace(['\0', '\u{7}', '\u{1b}', '\u{7f}', '\u{85}', '\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// A line ends in one way inside a cell.
fn in_a_cell(text: &str) -> String {
    held(text).replace("\r\n", "\n").replace('\r', "\n")
}

fn rows() -> Vec<Vec<Cell<'static>>> {
    let row = |(at, text): (i64, &'static &'static str)| {
        vec![
            Cell::text(*text),
            Cell::text(*text),
            Cell::Whole(if at % 2 == 0 { 1_513_874 } else { -1_513_874 } * (at + 1)),
            Cell::Whole(at),
            Cell::Date(jiff::civil::date(2026, 11, 20)),
            Cell::Instant(Timestamp::from_unix_ms(AT_MS)),
            Cell::Flag(at % 2 == 0),
        ]
    };
    (0_i64..).zip(NASTY).map(row).collect()
}

fn sum(rows: &[Vec<Cell<'_>>], at: usize) -> i64 {
    rows.iter().map(|row| if let Cell::Whole(dong) = row[at] { dong } else { 0 }).sum()
}

fn table(rows: &[Vec<Cell<'_>>]) -> Table<'static> {
    let fact = |key, vi, value| Fact { name: column(key, vi, Kind::Text), value };
    let head = Head {
        filter: vec![fact("partner", "Đối tác", Cell::text("=standard"))],
        at: Timestamp::from_unix_ms(AT_MS),
        author: "lan.nt".to_owned(),
        rows: u64::try_from(rows.len()).unwrap(),
        sums: vec![("dong", sum(rows, 2))],
        figures: vec![Fact { name: column("owed", "Phải trả", Kind::Dong), value: Cell::Whole(5_000_000) }],
        more: serde_json::Map::new(),
    };
    Table { title: Label { vi: "Bảng kê", en: "A table" }, rows_key: "rows", columns: &COLUMNS, head }
}

fn written(table: &Table<'_>, rows: Vec<Vec<Cell<'static>>>, options: &Options) -> Result<Vec<u8>, ExportError> {
    let mut out = Vec::new();
    export::write(table, &mut rows.into_iter(), options, &mut out)?;
    Ok(out)
}

/// What Python reads; `None` where there is none, which is said.
fn read(test: &str, bytes: &[u8], what: &[&str]) -> Option<Value> {
    let Some(python) = python() else {
        eprintln!("SKIPPED {test}: no python3 with openpyxl, and it cannot be installed here");
        return None;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("export.{}", what[0]));
    std::fs::write(&path, bytes).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exports/read.py");
    let (kind, rest) = what.split_first().unwrap();
    let done = Command::new(python).arg(script).arg(kind).arg(&path).args(rest).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(serde_json::from_slice(&done.stdout).unwrap())
}

/// Every cell of every sheet, as the reader sees it.
fn cells(book: &Value) -> impl Iterator<Item = &Value> {
    let pages = book.as_array().unwrap().iter();
    pages.flat_map(|page| page["rows"].as_array().unwrap()).flat_map(|row| row.as_array().unwrap())
}

#[test]
fn a_workbook_is_typed_and_holds_no_formula() {
    let rows = rows();
    let bytes = written(&table(&rows), rows.clone(), &Options::of(Format::Xlsx)).unwrap();
    let Some(book) = read("a workbook", &bytes, &["xlsx"]) else { return };
    assert!(cells(&book).all(|cell| cell["type"] != "f"), "no formula");
    let page = &book[0];
    assert_eq!((&page["title"], &page["frozen"]), (&Value::from("Chi tiết"), &Value::from("A6")));
    let lines = page["rows"].as_array().unwrap();
    let value = |row: usize, at: usize| &lines[row][at]["value"];
    assert_eq!(value(0, 0), "Bảng kê");
    assert_eq!(value(1, 0), "Đối tác: =standard");
    let said = format!("Thời điểm lập: 20/11/2026 23:30:15 · Người lập: lan.nt · Số dòng: {}", NASTY.len());
    assert_eq!(value(2, 0), &said);
    assert_eq!((value(3, 0), value(3, 2)), (&Value::from("Tổng cộng"), &Value::from(sum(&rows, 2))));
    assert_eq!(value(4, 1), "Nội dung");
    assert_eq!(lines.len(), 5 + NASTY.len());
    for (at, text) in NASTY.iter().enumerate() {
        let line = &lines[5 + at];
        let texts = [0, 1].map(|column| line[column]["value"].as_str().unwrap().to_owned());
        assert_eq!(texts, [in_a_cell(text), in_a_cell(text)], "{text:?}");
        assert!(line[0]["type"] == "s" || line[0]["type"] == "inlineStr", "{text:?}: {line}");
        let amount = &line[2];
        assert_eq!((&amount["type"], &amount["format"]), (&Value::from("n"), &Value::from("#,##0")), "{amount}");
        assert!(amount["value"].is_i64(), "{amount}");
        assert_eq!((&line[4]["type"], &line[4]["value"]), (&Value::from("d"), &Value::from("2026-11-20T00:00:00")));
        assert_eq!((&line[5]["type"], &line[5]["value"]), (&Value::from("d"), &Value::from("2026-11-20T23:30:15")));
    }
    assert_eq!(lines[5..].iter().map(|line| line[2]["value"].as_i64().unwrap()).sum::<i64>(), sum(&rows, 2));
    let summary = &book[1];
    assert_eq!(summary["rows"][0][1]["value"], 5_000_000);
}

#[test]
fn an_amount_beyond_what_a_spreadsheet_counts_keeps_its_digits() {
    let most = 999_999_999_999_999;
    for (dong, kind, shown) in [
        (most, "n", Value::from(most)),
        (most + 1, "s", Value::from("1000000000000000")),
        (i64::MIN, "s", Value::from("-9223372036854775808")),
    ] {
        let mut rows = rows();
        rows.truncate(1);
        rows[0][2] = Cell::Whole(dong);
        let bytes = written(&table(&rows), rows, &Options::of(Format::Xlsx)).unwrap();
        let Some(book) = read("long amounts", &bytes, &["xlsx"]) else { return };
        let cell = &book[0]["rows"][5][2];
        assert_eq!((&cell["type"], &cell["value"]), (&Value::from(kind), &shown));
    }
}

#[test]
fn a_text_longer_than_a_cell_is_cut_where_it_is_seen() {
    let mut rows = rows();
    rows.truncate(2);
    rows[0][1] = Cell::text("ạ".repeat(32_767));
    rows[1][1] = Cell::text("\u{1f4a1}".repeat(20_000));
    let bytes = written(&table(&rows), rows, &Options::of(Format::Xlsx)).unwrap();
    let Some(book) = read("long texts", &bytes, &["xlsx"]) else { return };
    let text = |row: usize| book[0]["rows"][row][1]["value"].as_str().unwrap();
    assert_eq!(text(5), "ạ".repeat(32_767));
    assert!(text(6).ends_with("\u{1f4a1}…") && text(6).encode_utf16().count() == 32_767);
}

#[test]
fn rows_beyond_a_sheet_go_on_in_the_next_one() {
    assert_eq!(Options::of(Format::Xlsx).sheet_rows_max, 1_048_576, "what the format can hold");
    assert_eq!(SHEET_ROWS_MAX, 1_048_576);
    let rows = rows();
    let options = Options { sheet_rows_max: 15, ..Options::of(Format::Xlsx) };
    let bytes = written(&table(&rows), rows, &options).unwrap();
    let Some(book) = read("several sheets", &bytes, &["xlsx"]) else { return };
    let pages = book.as_array().unwrap();
    let titles: Vec<&str> = pages.iter().map(|page| page["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Chi tiết", "Chi tiết 2", "Chi tiết 3", "Tổng hợp"]);
    let mut texts = Vec::new();
    for page in &pages[..3] {
        let lines = page["rows"].as_array().unwrap();
        assert!(lines.len() <= 15, "{}", lines.len());
        assert_eq!(lines[4][0]["value"], "Mã", "each one says its columns");
        texts.extend(lines[5..].iter().map(|line| line[0]["value"].as_str().unwrap().to_owned()));
    }
    assert_eq!(texts, NASTY.iter().map(|text| in_a_cell(text)).collect::<Vec<_>>());
}

/// As a spreadsheet looks at a text, spaces and quotes in front of it stripped.
fn looks_like_a_formula(text: &str) -> bool {
    let bare = text.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
    bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with(['\t', '\r'])
}

#[test]
fn a_csv_holds_no_formula_and_every_text() {
    for (separator, word) in [(Separator::Comma, ","), (Separator::Semicolon, ";")] {
        let rows = rows();
        let options = Options { separator, language: Language::En, ..Options::of(Format::Csv) };
        let bytes = written(&table(&rows), rows.clone(), &options).unwrap();
        assert!(bytes.starts_with(b"\xef\xbb\xbf\"A table\"\r\n"));
        assert!(!bytes.starts_with(b"\xef\xbb\xbfsep="));
        let Some(lines) = read("a CSV", &bytes, &["csv", word]) else { return };
        let lines: Vec<Vec<String>> = serde_json::from_value(lines).unwrap();
        let begin = lines.iter().position(|line| line.first().is_some_and(|first| first == "id")).unwrap();
        let head: Vec<String> = lines[..begin].iter().map(|line| line.join("|")).collect();
        let expected = format!(
            "A table\npartner|'=standard\nMade at|2026-11-20T23:30:15+07:00\nMade by|lan.nt\nRows|{}\nSum: dong|{}\nowed|5000000\n",
            NASTY.len(),
            sum(&rows, 2)
        );
        assert_eq!(head.join("\n"), expected);
        assert_eq!(lines.len(), begin + 1 + NASTY.len());
        for (line, text) in lines[begin + 1..].iter().zip(NASTY) {
            assert!(!looks_like_a_formula(&line[0]) && !looks_like_a_formula(&line[1]), "{line:?}");
            assert!(line[0] == held(text) || line[0] == format!("'{}", held(text)), "{line:?} {text:?}");
            let quoted = text.trim_start_matches('\'');
            assert_eq!(line[0].len() > held(text).len(), looks_like_a_formula(quoted), "{line:?}: only where it must");
            assert!(line[2].parse::<i64>().is_ok(), "{line:?}");
            assert_eq!((line[4].as_str(), line[5].as_str()), ("2026-11-20", "2026-11-20T23:30:15+07:00"));
        }
        // Whoever divides by the other sign finds no cell that begins inside one of ours.
        let other = if word == "," { ";" } else { "," };
        for text in ["a;=1+1", "a,=1+1"] {
            assert!(String::from_utf8_lossy(&bytes).contains(&format!("\"{text}\"{word}")), "quoted against {other}");
        }
    }
}

#[test]
fn a_json_has_integers_and_the_texts_as_they_are() {
    let rows = rows();
    let bytes = written(&table(&rows), rows.clone(), &Options::of(Format::Json)).unwrap();
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["filter"]["partner"], "=standard");
    assert_eq!((&json["author"], &json["at"]), (&"lan.nt".into(), &"2026-11-20T23:30:15+07:00".into()));
    assert_eq!(json["totals"], serde_json::json!({ "rows": NASTY.len(), "dong": sum(&rows, 2) }));
    let list = json["rows"].as_array().unwrap();
    assert_eq!(list.iter().map(|row| row["words"].as_str().unwrap()).collect::<Vec<_>>(), NASTY);
    assert!(list.iter().all(|row| row["dong"].is_i64() && row["flag"].is_boolean()));
    let empty = table(&[]);
    let bytes = written(&empty, Vec::new(), &Options::of(Format::Json)).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap()["rows"], serde_json::json!([]));
}

/// I14: what does not tie out is not finished, in any form.
#[test]
fn a_table_that_does_not_tie_out_is_an_error() {
    for format in [Format::Xlsx, Format::Csv, Format::Json] {
        let check = |change: fn(&mut Vec<Vec<Cell<'static>>>), expected: &str| {
            let right = rows();
            let mut wrong = rows();
            change(&mut wrong);
            let error = written(&table(&right), wrong, &Options::of(format)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(|rows| drop(rows.pop()), "29 rows, 30 in the head");
        check(|rows| rows[3][2] = Cell::Whole(1), "dong adds up to");
        check(|rows| rows[3][2] = Cell::Whole(i64::MAX), "dong");
        check(|rows| rows[3][2] = Cell::text("1513874"), "row 4");
        check(|rows| drop(rows[3].pop()), "row 4");
    }
}

#[test]
fn breaks_are_exported_with_their_labels_and_their_sum() {
    let view = |no: i64, class, dong| BreakView {
        no,
        class,
        partner: PartnerCode::parse("standard").ok(),
        event: None,
        invoice: InvoiceId::parse("0012345").ok(),
        amount: Money::from_dong(dong).unwrap(),
        detail: "=1+1 was written in the transfer".to_owned(),
        opened_at: Timestamp::from_unix_ms(AT_MS),
        dispatch: None,
        leg: None,
        aged_from: jiff::civil::date(2026, 11, 20),
        state: BreakState::Investigating,
        accepted: false,
        assignee: None,
        proposal: None,
        closed_at: None,
        closed_by: None,
        close_reason: Some("@hold".to_owned()),
    };
    let views = [view(1, BreakClass::MissingWebhook, 150_000), view(2, BreakClass::AmountMismatch, -50_000)];
    let table = export::breaks(&views, Vec::new(), "lan.nt", Timestamp::from_unix_ms(AT_MS));
    for format in [Format::Xlsx, Format::Csv, Format::Json] {
        let mut out = Vec::new();
        export::write(&table, &mut views.iter().map(export::break_cells), &Options::of(format), &mut out).unwrap();
        if format == Format::Json {
            let json: Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(json["totals"], serde_json::json!({ "rows": 2, "amount": 100_000 }));
            assert_eq!(json["breaks"][0]["class_vi"], "Thiếu thông báo");
            assert_eq!(json["breaks"][1]["invoice_id"], "0012345");
        }
    }
}
