//! What a `[statement]` section may not be: found when the profile is loaded, with file, line and key.

use super::*;

const RIGHT: &str = r#"[statement]
format = "csv"
event = ["id"]
invoice = "bill"
amount = { column = "amount", means = "bill" }
paid_at = { column = "at", formats = ["%Y-%m-%d %H:%M:%S"] }
"#;

/// Puts one thing instead of another and compares the faults' keys and messages.
#[track_caller]
fn check(from: &str, to: &str, expected: &str) {
    assert!(RIGHT.contains(from), "{from}");
    let section = RIGHT.replace(from, to);
    let errors = profile_with(&section).map(drop).expect_err(to);
    let mut faults = Vec::new();
    for error in errors.lines() {
        let line_and_rest = error.strip_prefix("config/partners/standard.toml:").expect("the file is named");
        let (line, rest) = line_and_rest.split_once(": ").unwrap();
        assert!(line.parse::<usize>().is_ok_and(|line| line > 100), "the line of the section: {error}");
        faults.push(rest);
    }
    assert_eq!(faults.join("\n"), expected);
}

#[test]
fn a_section_that_is_right_loads() {
    let profile = profile_with(RIGHT).unwrap();
    assert!(profile.statement(StatementKind::Partner).is_some());
    assert!(profile.statement(StatementKind::Bank).is_none());
}

#[test]
fn a_wrong_section_is_refused_by_line_and_key() {
    check(
        "invoice =",
        "invoise =",
        "statement.invoise: unknown field `invoise`, expected one of `format`, `encoding`, \
        `separator`, `sheet`, `first_row`, `end`, `thousands`, `zone`, `day_ends`, `dates`, `grace_minutes`, `event`, \
        `invoice`, `order`, `customer`, `amount`, `discount`, `fee`, `paid_at`, `business_day`, `status`, `refund`, `control`",
    );
    check("\"csv\"", "\"pdf\"", "statement.format: unknown variant `pdf`, expected `csv` or `xlsx`");
    check("\"csv\"", "\"csv\"\nsheet = \"1\"", "statement.sheet: expected none in a csv");
    check("\"csv\"", "\"xlsx\"\nseparator = \";\"", "statement.format: expected csv beside an encoding or a separator");
    check("\"csv\"", "\"csv\"\nseparator = \"::\"", "statement.separator: expected \",\", \";\", \"\\t\" or \"|\"");
    check("\"csv\"", "\"csv\"\nthousands = \" \"", "statement.thousands: expected \",\", \".\" or \"\" for none");
    check("\"csv\"", "\"csv\"\nday_ends = \"24:00\"", "statement.day_ends: expected an hour such as 00:00 or 22:30");
    check("\"csv\"", "\"csv\"\nzone = \"Asia/Hue\"", "statement.zone: expected a time zone such as Asia/Ho_Chi_Minh");
    check(
        "\"csv\"",
        "\"csv\"\ngrace_minutes = 5",
        "statement.grace_minutes: expected dates = \"inside-day\" beside it",
    );
    check("[\"id\"]", "[\"id\", \"id2\"]", "statement.event: expected 1, as many parts as notice.event has");
    check(
        "[\"id\"]",
        "[{ const = \"a b\" }]",
        "statement.event: expected 1 to 128 printable ASCII characters without spaces\n\
        statement.event: expected at least one column",
    );
    check("\"bill\"\n", "\" \"\n", "statement.invoice: expected a header's text");
    check("column = \"amount\",", "", "statement.amount: expected column, column and sign, or credit and debit");
    check(
        "column = \"amount\"",
        "credit = \"in\", debit = \"out\"",
        "statement.amount.minus: expected \"reversal\" or \"ignored\": what a row is that takes money away",
    );
    check(
        "means = \"bill\"",
        "means = \"customer_paid\", customer_paid = \"paid\"",
        "statement.amount.customer_paid: expected means = \"bill\" beside it",
    );
    check("[\"%Y-%m-%d %H:%M:%S\"]", "[]", "statement.paid_at.formats: expected at least one");
    check(
        "[\"%Y-%m-%d %H:%M:%S\"]",
        "[\"%H:%M\"]",
        "statement.paid_at.formats: expected a pattern that writes year, month and day",
    );
    check(
        "[\"%Y-%m-%d %H:%M:%S\"]",
        "[\"dd/MM/yyyy\"]",
        "statement.paid_at.formats: expected unix-s, unix-ms, rfc3339, excel or a pattern such as %d/%m/%Y %H:%M:%S",
    );
    check(
        "[\"%Y-%m-%d %H:%M:%S\"]",
        "[\"%d/%m/%Y\", \"%m/%d/%Y\"]",
        "statement.paid_at.formats: expected formats that read 02/03/2026 in one way\n\
         statement.paid_at.formats: expected formats that read 03/02/2026 in one way",
    );
    check(
        "\"csv\"",
        "\"csv\"\nfirst_row = 2\nend = { empty_row = true }",
        "statement.invoice: expected a letter such as C or a number from 1 beside first_row\n\
         statement.amount.column: expected a letter such as C or a number from 1 beside first_row",
    );
}
