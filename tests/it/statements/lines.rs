//! CSVs: encodings, separators, quotes, the exact place of each line, the shipped bank's own file.

use super::*;

const PARTNER: StatementKind = StatementKind::Partner;

/// A layout for small files.
const SMALL: &str = "[statement]\nevent = [\"id\"]\ninvoice = \"hóa đơn\"\namount = { column = \"amount\", means = \"bill\" }\n\
                     paid_at = { column = \"at\", formats = [\"%Y-%m-%d %H:%M:%S\"] }\n";

fn small(more: &str) -> Profile {
    profile_with(&format!("{SMALL}{more}")).unwrap()
}

const ONE_LINE: &str = "2 payment 150000 [e1] invoice=HĐ-1 2026-04-01T03:00:00.000Z day 2026-04-01\n\
                        csv: 1 of 1 rows; payments 1/150000, reversals 0/0, ignored 0/0; 2026-04-01 to 2026-04-01";

#[test]
fn each_encoding_and_separator_is_read_as_the_layout_says() {
    let rows = json!([["id", "Hóa  Đơn", "amount", "at"], ["e1", "HĐ-1", "150000", "2026-04-01 10:00:00"]]);
    for (more, said) in [
        ("", json!({})),
        ("", json!({ "bom": true })),
        ("", json!({ "line": "\n", "quote": "all" })),
        ("encoding = \"utf-16le\"", json!({ "encoding": "utf-16-le", "bom": true })),
        ("encoding = \"utf-16be\"", json!({ "encoding": "utf-16-be", "bom": true })),
        ("separator = \";\"", json!({ "separator": ";" })),
        ("separator = \"\\t\"", json!({ "separator": "\t" })),
        ("separator = \"|\"", json!({ "separator": "|" })),
    ] {
        let Some(file) = write("each_encoding", "csv", &json!([{ "rows": rows }]), &said) else { return };
        file.check(&small(more), PARTNER, "2026-04-01", ONE_LINE);
    }
}

#[test]
fn the_vietnamese_code_page_is_read_and_its_letters_are_composed_for_the_header() {
    // ó is written as o and a combining acute, ơ in capitals.
    let mut content = b"id,ho\xeca \xf0\xd5n,amount,at\n".to_vec();
    content.extend(b"e1,H\xd0-1,150000,2026-04-01 10:00:00\n");
    bytes(&content).check(&small("encoding = \"windows-1258\""), PARTNER, "2026-04-01", ONE_LINE);
}

#[test]
fn text_in_another_encoding_is_refused() {
    let content = "id,hóa đơn,amount,at\ne1,HĐ-1,150000,2026-04-01 10:00:00\n";
    let wide: Vec<u8> = "\u{feff}"
        .chars()
        .chain(content.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    bytes(&wide).check(&small(""), PARTNER, "2026-04-01", "found text in utf-16le, expected text in utf-8");
    let marked = format!("\u{feff}{content}");
    let profile = small("encoding = \"windows-1258\"");
    bytes(marked.as_bytes()).check(
        &profile,
        PARTNER,
        "2026-04-01",
        "found text in utf-8, expected text in windows-1258",
    );
    let broken = [content.as_bytes(), b"e2,H\xf0-1,1,2026-04-01 10:00:00\n"].concat();
    bytes(&broken).check(
        &small(""),
        PARTNER,
        "2026-04-01",
        "row 3: found \"e2,H\u{fffd}-1,1,2026-04-01 10:00:00\", expected text in utf-8",
    );
    let odd = [&wide[..], &[0x41]].concat();
    bytes(&odd).check(
        &small("encoding = \"utf-16le\""),
        PARTNER,
        "2026-04-01",
        "found other bytes, expected text in utf-16le",
    );
}

/// Cuts each line's bytes out of the file by its place, and compares them with what stands there.
fn check_places(profile: &Profile, content: &[u8], expected: &[&str], decode: fn(&[u8]) -> String) {
    let file = bytes(content);
    let told = told(profile, PARTNER, "2026-04-01", &file.path);
    assert!(told.end.is_ok(), "{}", told.text());
    let cut = |place: &Option<Place>| {
        let place = place.expect("a CSV's line has a place");
        let start = usize::try_from(place.offset).unwrap();
        decode(&content[start..start + usize::try_from(place.length).unwrap()])
    };
    let found: Vec<String> = told.lines.iter().map(|(_, place)| cut(place)).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_place_of_a_line_is_its_exact_bytes() {
    let rows =
        ["e1,\"HĐ\n-\"\"1\",150000,2026-04-01 10:00:00", "e2,HĐ-2,1,2026-04-01 10:00:00", "e3,,1,2026-04-01 10:00:01"];
    let content = format!("id,hóa đơn,amount,at\r\n{}\r\n\r\n{}\n{}", rows[0], rows[1], rows[2]);
    let utf8 = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    check_places(&small(""), content.as_bytes(), &rows, utf8);
    check_places(&small(""), format!("\u{feff}{content}").as_bytes(), &rows, utf8);
    let wide: Vec<u8> = format!("\u{feff}{content}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    check_places(&small("encoding = \"utf-16le\""), &wide, &rows, |bytes| {
        let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16(&units).unwrap()
    });
}

#[test]
fn quotes_that_would_hide_rows_are_refused() {
    let head = "id,hóa đơn,amount,at\n";
    let check = |rows: &str, expected: &str| {
        bytes(format!("{head}{rows}").as_bytes()).check(&small(""), PARTNER, "2026-04-01", expected);
    };
    check(
        "e1,\"HĐ-1,150000,2026-04-01 10:00:00\ne2,HĐ-2,1,2026-04-01 10:00:00\n",
        "row 2: found \"a quote that is never closed\", expected quotes in pairs",
    );
    check(
        "e1,5\" ống,150000,2026-04-01 10:00:00\ne2,6\" ống,1,2026-04-01 10:00:00\n",
        "row 2: found \"e1,5\" ống,150000,2026-04-01 10:00:00\u{fffd}e2,…\", expected fields quoted whole, with a quote inside \
         doubled",
    );
}

#[test]
fn the_banks_own_file_ties_out_or_is_refused() {
    let head = "trans_date,trans_id,type,customer_code,bill_id,amount,fee,trans_time\n";
    let rows = "20260401,VBA0000001,PAYMENT,PA03HL0000001,HD-1,150000,1100,2026-04-01T10:00:00+07:00\n\
                20260401,VBA0000002,REVERSAL,PA03HL0000001,HD-1,150000,0,2026-04-01T11:00:00+07:00\n\
                20260401,VBA0000003,PAYMENT,PA03HL0000002,HD-2,90000,1100,2026-04-01T23:59:59+07:00\n";
    let bank = shipped("agribank");
    let check = |text: &str, expected: &str| bytes(text.as_bytes()).check(&bank, PARTNER, "2026-04-01", expected);
    check(&format!("{head}{rows}TOTAL,count,3,,,90000\n"), "\
2 payment 150000 fee 1100 [20260401|VBA0000001] invoice=HD-1 customer=PA03HL0000001 2026-04-01T03:00:00.000Z day 2026-04-01
3 reversal 150000 [20260401|VBA0000002] invoice=HD-1 customer=PA03HL0000001 2026-04-01T04:00:00.000Z day 2026-04-01
4 payment 90000 fee 1100 [20260401|VBA0000003] invoice=HD-2 customer=PA03HL0000002 2026-04-01T16:59:59.000Z day 2026-04-01
csv: 3 of 3 rows; payments 2/240000, reversals 1/150000, ignored 0/0; 2026-04-01 to 2026-04-01");
    check(
        &format!("{head}{rows}TOTAL,count,4,,,240000\n"),
        "\
row 5, amount: found \"240000\", expected 90000, the payments less reversals of what was read
row 5, count: found \"4\", expected 3, the number of payments and reversals of what was read",
    );
    check(
        &format!("{head}{rows}"),
        "\
found no end of the data, expected a row that starts with total
found no control figure, expected one at amount
found no control figure, expected one at count",
    );
    check(&format!("{head}TOTAL,count,0,,,0\n"), "csv: 0 of 0 rows; payments 0/0, reversals 0/0, ignored 0/0");
}

#[test]
fn our_own_protocols_statements_are_read() {
    let profile = shipped("standard");
    let content = "payment_id,type,invoice_id,order,customer_code,amount,discount,fee,paid_at\n\
                   p1,payment.succeeded,HD-1,,PA03HL0000001,150000,20000,0,2026-04-01T10:00:00+07:00\n\
                   p2,payment.failed,HD-2,,PA03HL0000002,90000,0,0,\n\
                   TOTAL,count,1,,,150000\n";
    bytes(content.as_bytes()).check(
        &profile,
        PARTNER,
        "2026-04-01",
        "\
2 payment 150000 discount 20000 [p1] invoice=HD-1 customer=PA03HL0000001 2026-04-01T03:00:00.000Z day 2026-04-01
csv: 1 of 2 rows; payments 1/150000, reversals 0/0, ignored 1/90000; 2026-04-01 to 2026-04-01",
    );
    let content = "event,type,invoice_id,customer_code,amount,cleared_at\n\
                   p1,payment.settled,HD-1,PA03HL0000001,150000,2026-04-01T10:00:09+07:00\n\
                   TOTAL,count,1,,150000\n";
    bytes(content.as_bytes()).check(
        &profile,
        StatementKind::Core,
        "2026-04-01",
        "\
2 payment 150000 [p1] invoice=HD-1 customer=PA03HL0000001 2026-04-01T03:00:09.000Z day 2026-04-01
csv: 1 of 1 rows; payments 1/150000, reversals 0/0, ignored 0/0; 2026-04-01 to 2026-04-01",
    );
}

#[test]
fn progress_is_told_and_ends_with_the_files_size() {
    let mut text = "id,hóa đơn,amount,at\n".to_owned();
    for n in 0..20_000 {
        text.push_str(&format!("e{n},HĐ-1,1,2026-04-01 10:00:00\n"));
    }
    let (file, profile) = (bytes(text.as_bytes()), small(""));
    let layout = profile.statement(PARTNER).unwrap();
    let mut told = Vec::new();
    let job = Job { layout, day: day("2026-04-01"), limits: &Limits::default() };
    read(job, &file.path, &mut |progress| told.push(progress), &mut |_line, _place| ControlFlow::Continue(())).unwrap();
    assert_eq!(told.len(), 3);
    assert!(told.iter().is_sorted_by_key(|progress| progress.bytes));
    let last = told.last().unwrap();
    assert_eq!((last.rows, last.bytes), (20_000, last.of_bytes));
    assert_eq!(last.of_bytes, u64::try_from(text.len()).unwrap());
}
