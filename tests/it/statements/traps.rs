//! The traps that real statements are known for, one test each.

use super::*;

const PARTNER: StatementKind = StatementKind::Partner;

const LAYOUT: &str = r#"[statement]
event = ["Mã GD"]
invoice = "Số HĐ"
amount = { column = "Số tiền", means = "bill", minus = "reversal" }
thousands = ","
paid_at = { column = "Ngày", formats = ["%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%-d/%-m/%Y"] }
"#;

fn layout(more: &str) -> Profile {
    profile_with(&format!("{LAYOUT}{more}")).unwrap_or_else(|errors| panic!("{errors}"))
}

fn head() -> Value {
    json!(["Mã GD", "Số HĐ", "Số tiền", "Ngày"])
}

/// Reads a workbook of these rows.
#[track_caller]
fn check(test: &str, more: &str, rows: &Value, expected: &str) {
    if let Some(file) = workbook(test, rows) {
        file.check(&layout(more), PARTNER, "2026-04-01", expected);
    }
}

fn csv(text: &str) -> Written {
    bytes(text.as_bytes())
}

const TOTALS: &str = "xlsx: 1 of 1 rows; payments 1/150000, reversals 0/0, ignored 0/0; 2026-04-01 to 2026-04-01";

#[test]
fn title_rows_stand_above_the_header() {
    let rows = json!([
        ["CÔNG TY"],
        ["Số tiền: đồng"],
        [],
        [null, "Mã GD"],
        head(),
        ["e1", "HĐ-1", 150000, "01/04/2026 10:00:00"],
    ]);
    check(
        "title_rows",
        "",
        &rows,
        &format!("6 payment 150000 [e1] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01\n{TOTALS}"),
    );
    let rows = json!([["CÔNG TY"], ["Mã GD", "Số tiền", "Ngày"], ["e1", 150000, "01/04/2026 10:00:00"]]);
    check("title_rows", "", &rows, "row 2, Số HĐ: found \"\", expected this column in the header");
    let rows = json!([["Mã GD", "Số HĐ", "Số tiền", "Ngày", " số  TIỀN"]]);
    check("title_rows", "", &rows, "row 1, Số tiền: found \"Số tiền\", expected one column of this name, found two");
    let rows = json!([["gì", "đó"]]);
    check(
        "title_rows",
        "",
        &rows,
        "found no header, expected one within 100 rows that names Mã GD, Số HĐ, Số tiền, Ngày",
    );
}

#[test]
fn a_footer_that_the_layout_does_not_know_refuses_the_file() {
    let rows = json!([head(), ["e1", "HĐ-1", 150000, "01/04/2026 10:00:00"], ["Tổng cộng", null, 150000]]);
    check(
        "a_footer",
        "",
        &rows,
        "row 3, Mã GD: found \"Tổng cộng\", expected fields of 1 to 128 printable ASCII characters \
        without spaces",
    );
    check(
        "a_footer",
        "end = { starts_with = [\"tổng\"] }",
        &rows,
        &format!("2 payment 150000 [e1] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01\n{TOTALS}"),
    );
}

#[test]
fn nothing_that_looks_like_a_payment_may_stand_below_the_end() {
    let rows = json!([
        head(),
        ["e1", "HĐ-1", 150000, "01/04/2026 10:00:00"],
        [],
        ["e2", "HĐ-2", 90000, "01/04/2026 10:00:00"],
    ]);
    check(
        "below_the_end",
        "end = { empty_row = true }",
        &rows,
        "row 4: found \"e2\", expected nothing below the end of the data that looks like a row of it",
    );
    check(
        "below_the_end",
        "",
        &rows,
        "\
2 payment 150000 [e1] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01
4 payment 90000 [e2] invoice=HĐ-2 2026-04-01T03:00:00.000Z day 2026-04-01
xlsx: 2 of 2 rows; payments 2/240000, reversals 0/0, ignored 0/0; 2026-04-01 to 2026-04-01",
    );
}

#[test]
fn numbers_are_texts_with_thousands() {
    let rows = |amount: Value| json!([head(), ["e1", "HĐ-1", amount, "01/04/2026 10:00:00"]]);
    let right = format!("2 payment 150000 [e1] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01\n{TOTALS}");
    for amount in [json!("150,000"), json!(" 150,000.00 "), json!("150000"), json!(150000), json!(150000.0)] {
        check("numbers_are_texts", "", &rows(amount), &right);
    }
    for (amount, found, expected) in [
        (json!("150.000"), "150.000", "an amount that can be read in one way only: see thousands"),
        (json!("1.500.000"), "1.500.000", "an amount in plain digits, with the thousands of the layout"),
        (json!("150,00"), "150,00", "an amount in plain digits, with the thousands of the layout"),
        (json!(150000.5), "150000.5", "whole dong"),
        (json!("150,000 VND"), "150,000 VND", "an amount in plain digits, with the thousands of the layout"),
        (json!(null), "", "more than nothing"),
        (json!(0), "0", "more than nothing"),
        (json!(1e300), "1000000000000000000000000000000000000000…", "an amount in range"),
        (json!({"formula": "=1/0"}), "", "more than nothing"),
    ] {
        check(
            "numbers_are_texts",
            "",
            &rows(amount),
            &format!("row 2, Số tiền: found \"{found}\", expected {expected}"),
        );
    }
}

#[test]
fn dates_are_texts_in_several_forms() {
    let row = |id: &str, at: Value| json!([id, "HĐ-1", 1, at]);
    let rows = json!([
        head(),
        row("e1", json!("01/04/2026 10:00:00")),
        row("e2", json!("2026-04-01 10:00:00")),
        row("e3", json!("1/4/2026")),
        row("e4", json!({"moment": "2026-04-01T10:00:00"})),
        row("e5", json!({"date": "2026-04-01"})),
    ]);
    check(
        "dates_are_texts",
        "",
        &rows,
        "\
2 payment 1 [e1] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01
3 payment 1 [e2] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01
4 payment 1 [e3] invoice=HĐ-1 2026-03-31T17:00:00.000Z day 2026-04-01
5 payment 1 [e4] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01
6 payment 1 [e5] invoice=HĐ-1 2026-03-31T17:00:00.000Z day 2026-04-01
xlsx: 5 of 5 rows; payments 5/5, reversals 0/0, ignored 0/0; 2026-04-01 to 2026-04-01",
    );
    for at in
        ["04/13/2026 10:00:00", "31/04/2026 10:00:00", "01/04/26 10:00:00", "01/04/1026 10:00:00", "hôm nay", "46113"]
    {
        let expected = format!("row 2, Ngày: found \"{at}\", expected a moment that exists, in a form of the layout");
        check("dates_are_texts", "", &json!([head(), row("e1", json!(at))]), &expected);
    }
}

#[test]
fn a_time_of_day_may_have_a_column_of_its_own() {
    let more = LAYOUT.replace("paid_at = { column = \"Ngày\",", "paid_at = { column = \"Ngày\", time = \"Giờ\",");
    let profile = profile_with(&more).unwrap();
    let rows = json!([
        ["Mã GD", "Số HĐ", "Số tiền", "Ngày", "Giờ"],
        ["e1", "HĐ-1", 1, "01/04/2026", "10:00:00"],
        ["e2", "HĐ-1", 1, {"date": "2026-04-01"}, {"time": "10:00:00"}],
        ["e3", "HĐ-1", 1, {"date": "2026-04-01"}, "10:00:00"],
        ["e4", "HĐ-1", 1, "01/04/2026", {"time": "10:00:00"}],
    ]);
    let Some(file) = workbook("a_time_of_day", &rows) else { return };
    let told = told(&profile, PARTNER, "2026-04-01", &file.path);
    assert!(told.end.is_ok(), "{}", told.text());
    let ten = "2026-04-01T03:00:00.000Z".to_owned();
    let moments: Vec<String> = told.lines.iter().map(|(line, _)| line.paid_at.to_string()).collect();
    assert_eq!(moments, [ten.clone(), ten.clone(), ten.clone(), ten]);
}

#[test]
fn a_bom_is_no_part_of_the_first_header() {
    let text = "\u{feff}Mã GD,Số HĐ,Số tiền,Ngày\r\ne1,HĐ-1,\"150,000\",01/04/2026 10:00:00\r\n";
    csv(text).check(
        &layout(""),
        PARTNER,
        "2026-04-01",
        &format!(
            "2 payment 150000 [e1] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01\n{}",
            TOTALS.replace("xlsx", "csv")
        ),
    );
}

#[test]
fn an_old_xls_is_refused_with_what_to_do() {
    let old = [&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1][..], &[0; 512]].concat();
    let expected = "found an old .xls, or a workbook under a password, expected a workbook saved as .xlsx";
    bytes(&old).check(&layout(""), PARTNER, "2026-04-01", expected);
    bytes(b"").check(&layout(""), PARTNER, "2026-04-01", "found an empty file, expected a statement");
}

#[test]
fn a_file_of_the_other_format_is_refused() {
    let csv_only = layout("format = \"csv\"");
    if let Some(file) = workbook("the_other_format", &json!([head()])) {
        file.check(&csv_only, PARTNER, "2026-04-01", "found a file in xlsx, expected a file in csv");
    }
    let xlsx_only = layout("format = \"xlsx\"");
    csv("Mã GD,Số HĐ").check(&xlsx_only, PARTNER, "2026-04-01", "found a file in csv, expected a file in xlsx");
}

#[test]
fn headers_and_words_in_decomposed_letters_are_the_same() {
    let apart = |text: &str| unicode_normalization::UnicodeNormalization::nfd(text).collect::<String>();
    let header = [apart("MÃ GD"), apart("Số  HĐ"), apart("số tiền"), apart("Ngày"), apart("Trạng thái")];
    assert_ne!(header[0], "MÃ GD", "it is decomposed");
    let rows = json!([header, ["e1", "HĐ-1", 150000, "01/04/2026 10:00:00", apart("Thành Công")]]);
    let more = "status = { column = \"Trạng thái\", map = { \"thành công\" = \"payment\" } }";
    check(
        "decomposed",
        more,
        &rows,
        &format!("2 payment 150000 [e1] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01\n{TOTALS}"),
    );
}

#[test]
fn an_id_that_was_turned_into_a_number_is_refused() {
    let word = "expected an id: this one was turned into a number by a spreadsheet; send it as text";
    let row = |id: Value| json!([head(), [id, "HĐ-1", 150000, "01/04/2026 10:00:00"]]);
    check(
        "an_id",
        "",
        &row(json!(2_604_010_000_001_750_i64)),
        &format!("row 2, Mã GD: found \"2604010000001750\", {word}"),
    );
    check("an_id", "", &row(json!("2.60401E+15")), &format!("row 2, Mã GD: found \"2.60401E+15\", {word}"));
    check(
        "an_id",
        "",
        &row(json!(260_401_000_000_175_i64)),
        &format!("2 payment 150000 [260401000000175] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01\n{TOTALS}"),
    );
    check(
        "an_id",
        "",
        &row(json!({"date": "2026-04-01"})),
        "row 2, Mã GD: found \"46113\", expected an id: this one was \
        turned into a date by a spreadsheet; send it as text",
    );
    check("an_id", "", &row(json!(null)), "row 2, Mã GD: found \"\", expected the partner's id of the payment");
}

#[test]
fn refunds_are_rows_or_columns() {
    let rows = json!([
        head(),
        ["e1", "HĐ-1", 150000, "01/04/2026 10:00:00"],
        ["e2", "HĐ-1", "-150,000", "01/04/2026 11:00:00"],
    ]);
    check(
        "refunds",
        "",
        &rows,
        "\
2 payment 150000 [e1] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01
3 reversal 150000 [e2] invoice=HĐ-1 2026-04-01T04:00:00.000Z day 2026-04-01
xlsx: 2 of 2 rows; payments 1/150000, reversals 1/150000, ignored 0/0; 2026-04-01 to 2026-04-01",
    );
    let strict = profile_with(&LAYOUT.replace(", minus = \"reversal\"", "")).unwrap();
    if let Some(file) = workbook("refunds", &rows) {
        file.check(
            &strict,
            PARTNER,
            "2026-04-01",
            "row 3, Số tiền: found \"-150,000\", expected an amount of a payment, which takes nothing away",
        );
    }
    let beside = profile_with(&format!(
        "{}refund = {{ amount = \"Hoàn\", paid_at = {{ column = \"Ngày hoàn\", formats = \
        [\"%d/%m/%Y\"] }} }}",
        LAYOUT.replace(", minus = \"reversal\"", "")
    ))
    .unwrap();
    let row = |refund: Value, at: Value| {
        json!([
            ["Mã GD", "Số HĐ", "Số tiền", "Ngày", "Hoàn", "Ngày hoàn"],
            ["e1", "HĐ-1", 150000, "01/04/2026 10:00:00", refund, at]
        ])
    };
    for (refund, at, expected) in [
        (
            json!("150,001"),
            json!("02/04/2026"),
            "row 2, Hoàn: found \"150,001\", expected at most the amount of a payment in the same row",
        ),
        (json!(150000), json!(null), "row 2, Ngày hoàn: found \"\", expected the moment of the refund"),
    ] {
        let Some(file) = workbook("refunds", &row(refund, at)) else { return };
        file.check(&beside, PARTNER, "2026-04-01", expected);
    }
}

#[test]
fn the_day_ends_at_midnight_in_the_partners_zone() {
    let rows = |at: &str| json!([head(), ["e1", "HĐ-1", 150000, at]]);
    let inside = "dates = \"inside-day\"\n";
    for at in ["01/04/2026 00:00:00", "01/04/2026 23:59:59"] {
        let Some(file) = workbook("the_day_ends", &rows(at)) else { return };
        let told = told(&layout(inside), PARTNER, "2026-04-01", &file.path);
        assert_eq!(told.end.unwrap().payments.count, 1, "{at}");
    }
    for at in ["31/03/2026 23:59:59", "02/04/2026 00:00:00"] {
        let expected = format!("row 2, Ngày: found \"{at}\", expected a moment of the business day 2026-04-01");
        check("the_day_ends", inside, &rows(at), &expected);
        let graced = format!("{inside}grace_minutes = 1\n");
        let Some(file) = workbook("the_day_ends", &rows(at)) else { return };
        let told = told(&layout(&graced), PARTNER, "2026-04-01", &file.path);
        let line = &told.lines[0].0;
        assert_ne!(line.day, day("2026-04-01"), "the line keeps its own day: {at}");
    }
    let graced = format!("{inside}grace_minutes = 1\n");
    check(
        "the_day_ends",
        &graced,
        &rows("02/04/2026 00:01:00"),
        "row 2, Ngày: found \"02/04/2026 00:01:00\", expected a moment of the business day 2026-04-01",
    );
}

/// The cut-off and the business day of some moments.
#[test]
fn a_cut_off_before_noon_is_of_the_morning_after_and_after_noon_of_the_evening_before() {
    let days = |ends: &str| {
        let text = [
            "31/03/2026 23:30:00",
            "01/04/2026 05:59:59",
            "01/04/2026 06:00:00",
            "01/04/2026 22:59:59",
            "01/04/2026 23:00:00",
        ]
        .iter()
        .enumerate()
        .fold("Mã GD,Số HĐ,Số tiền,Ngày\n".to_owned(), |text, (n, at)| format!("{text}e{n},HĐ-1,1,{at}\n"));
        let file = csv(&text);
        let told = told(&layout(&format!("day_ends = \"{ends}\"")), PARTNER, "2026-04-01", &file.path);
        assert!(told.end.is_ok(), "{}", told.text());
        told.lines.iter().map(|(line, _)| line.day.to_string()[5..].to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(days("00:00"), "03-31 04-01 04-01 04-01 04-01");
    assert_eq!(days("06:00"), "03-31 03-31 04-01 04-01 04-01");
    assert_eq!(days("23:00"), "04-01 04-01 04-01 04-01 04-02");
}

#[test]
fn merged_and_empty_cells_are_empty() {
    let rows = json!([
        ["BÁO CÁO", null, null, null],
        head(),
        ["e1", "HĐ-1", 150000, "01/04/2026 10:00:00"],
        ["e2", null, 90000, "01/04/2026 10:00:01"],
        [null, "HĐ-3", 90000, "01/04/2026 10:00:02"],
    ]);
    let sheets = json!([{ "title": "Sheet1", "rows": rows, "merged": ["A1:D1", "B3:B4", "A4:A5"] }]);
    let Some(file) = write("merged", "xlsx", &sheets, &json!({})) else { return };
    file.check(
        &layout(""),
        PARTNER,
        "2026-04-01",
        "row 5, Mã GD: found \"\", expected the partner's id of the payment",
    );
}

#[test]
fn separators_and_line_ends_inside_a_field_are_text() {
    let text = "Mã GD,Số HĐ,Số tiền,Ngày\ne1,\"HĐ,\n\"\"1\"\"\",\"150,000\",01/04/2026 10:00:00\n";
    csv(text).check(
        &layout(""),
        PARTNER,
        "2026-04-01",
        &format!(
            "2 payment 150000 [e1] invoice=HĐ,\n\"1\" 2026-04-01T03:00:00.000Z day 2026-04-01\n{}",
            TOTALS.replace("xlsx", "csv")
        ),
    );
}

#[test]
fn a_separator_inside_a_field_without_quotes_is_found_out() {
    let head = "Mã GD,Số HĐ,Số tiền,Ngày";
    let file = csv(&format!("{head}\ne1,HĐ-1,1,500,01/04/2026 10:00:00\ne2,HĐ-1\ne3,HĐ-1,1,01/04/2026 10:00:00,,\n"));
    file.check(
        &layout(""),
        PARTNER,
        "2026-04-01",
        "\
row 2: found \"5 fields\", expected 4, as many as above
row 3: found \"2 fields\", expected 4, as many as above",
    );
}

#[test]
fn a_status_that_the_map_does_not_know_refuses_the_file() {
    let more = "status = { column = \"TT\", map = { \"Thành công\" = \"payment\" } }";
    let rows = json!([
        ["Mã GD", "Số HĐ", "Số tiền", "Ngày", "TT"],
        ["e1", "HĐ-1", 150000, "01/04/2026 10:00:00", "Thành công"],
        ["e2", "HĐ-2", 90000, "01/04/2026 10:00:00", "Chờ\u{202e}"],
        ["e3", "HĐ-3", 90000, "01/04/2026 10:00:00", null],
    ]);
    check(
        "a_status",
        more,
        &rows,
        "\
row 3, TT: found \"Chờ\u{fffd}\", expected a status of the layout's map
row 4, TT: found \"\", expected a status of the layout's map",
    );
}

#[test]
fn only_the_first_faults_are_listed_and_nothing_of_the_file_is_taken() {
    let rows = (0..50)
        .fold("Mã GD,Số HĐ,Số tiền,Ngày\n".to_owned(), |text, n| format!("{text}e{n},HĐ-1,x,01/04/2026\n"));
    let file = csv(&rows);
    let told = told(&layout(""), PARTNER, "2026-04-01", &file.path);
    match told.end {
        Err(ReadError::Refused(faults)) => assert_eq!(faults.len(), 20),
        other => panic!("{other:?}"),
    }
    assert!(told.lines.is_empty());
}

#[test]
fn whoever_takes_the_lines_may_stop() {
    let file = csv("Mã GD,Số HĐ,Số tiền,Ngày\ne1,HĐ-1,1,01/04/2026 10:00:00\ne2,HĐ-1,1,01/04/2026 10:00:00\n");
    let profile = layout("");
    let job = Job { layout: profile.statement(PARTNER).unwrap(), day: day("2026-04-01"), limits: &Limits::default() };
    let mut taken = 0;
    let end = read(job, &file.path, &mut |_progress| {}, &mut |_line, _place| {
        taken += 1;
        ControlFlow::Break(())
    });
    assert!(matches!(end, Err(ReadError::Stopped)), "{end:?}");
    assert_eq!(taken, 1);
}
