//! Workbooks that are made to do harm: bombs, lies about sizes, entities, endless rows. And the limits of both formats.

use super::*;
use std::io::Cursor;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const PARTNER: StatementKind = StatementKind::Partner;

const LAYOUT: &str = r#"[statement]
event = ["A"]
first_row = 1
amount = { column = "B", means = "bill" }
paid_at = { column = "C", formats = ["%Y-%m-%d"] }
"#;

/// The parts of a small workbook, the sheet's rows and the table of texts given.
pub fn parts(rows: &str, texts: &str) -> Vec<(&'static str, String)> {
    let spaces = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    vec![
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{relation}/officeDocument\" \
                     Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook {spaces} xmlns:r=\"{relation}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/>\
                     </sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{relation}/worksheet\" \
                     Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        ("xl/sharedStrings.xml", texts.to_owned()),
        ("xl/worksheets/sheet1.xml", format!("<worksheet {spaces}><sheetData>{rows}</sheetData></worksheet>")),
    ]
}

pub const TEXTS: &str = "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" uniqueCount=\"2\">\
                         <si><t>e1</t></si><si><t>2026-04-01</t></si></sst>";

pub const ROW: &str = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\"><v>150000</v></c><c r=\"C1\" t=\"s\"><v>1</v>\
                       </c></row>";

pub fn archive(parts: &[(&str, String)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, text) in parts {
        writer.start_file(*name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub fn layout() -> Profile {
    profile_with(LAYOUT).unwrap()
}

#[track_caller]
fn check(content: &[u8], limits: &Limits, expected: &str) {
    let file = bytes(content);
    assert_eq!(told_within(&layout(), PARTNER, "2026-04-01", (&file.path, limits)).text(), expected);
}

const RIGHT: &str = "1 payment 150000 [e1] 2026-03-31T17:00:00.000Z day 2026-04-01\n\
                     xlsx: 1 of 1 rows; payments 1/150000, reversals 0/0, ignored 0/0; 2026-04-01 to 2026-04-01";

#[test]
fn a_small_workbook_is_read() {
    check(&archive(&parts(ROW, TEXTS)), &Limits::default(), RIGHT);
}

#[test]
fn a_bomb_is_refused_before_it_is_opened() {
    let spaces = " ".repeat(40 << 20);
    let bomb = archive(&parts(&format!("{ROW}{spaces}"), TEXTS));
    assert!(bomb.len() < 1 << 20, "a small file");
    let expected = "found an archive that blows up, expected parts that unpack to at most 250 times their size";
    check(&bomb, &Limits::default(), expected);
    let limits = Limits { unpack_ratio_max: 2000, unpacked_max_bytes: 16 << 20, ..Limits::default() };
    check(&bomb, &limits, "found a larger workbook, expected at most 16777216 bytes unpacked");
    let limits = Limits { unpack_ratio_max: 2000, ..Limits::default() };
    check(&bomb, &limits, RIGHT);
}

#[test]
fn an_archive_that_lies_about_its_sizes_is_refused() {
    let honest = archive(&parts(&format!("{ROW}{}", " ".repeat(100_000)), TEXTS));
    // The sheet's size unpacked stands in its entry of the directory, little end first.
    let size = u32::try_from(parts(&format!("{ROW}{}", " ".repeat(100_000)), TEXTS)[4].1.len()).unwrap();
    let mut lying = honest.clone();
    let at: Vec<usize> = (0..lying.len() - 3).filter(|at| lying[*at..at + 4] == size.to_le_bytes()).collect();
    assert!(!at.is_empty(), "the size is written somewhere");
    for at in at {
        lying[at..at + 4].copy_from_slice(&1000_u32.to_le_bytes());
    }
    let file = bytes(&lying);
    let text = told(&layout(), PARTNER, "2026-04-01", &file.path).text();
    let known = [
        "found a part that is larger than it says, expected a workbook saved as .xlsx",
        "found a damaged archive, expected a workbook saved as .xlsx",
    ];
    assert!(known.contains(&text.as_str()), "{text}");
}

#[test]
fn entities_and_document_types_are_refused() {
    let expected = "found a document type or an entity of its own, expected XML without them";
    let laughs = "<!DOCTYPE sst [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>";
    check(&archive(&parts(ROW, &format!("{laughs}{TEXTS}"))), &Limits::default(), expected);
    let outside = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">";
    check(&archive(&parts(&format!("{outside}{ROW}"), TEXTS)), &Limits::default(), expected);
}

#[test]
fn a_table_of_texts_that_claims_to_be_endless_is_refused() {
    let texts = TEXTS.replace("uniqueCount=\"2\"", "uniqueCount=\"999999999999999\"");
    let expected = "found a table of texts that is longer than its part, expected a workbook saved as .xlsx";
    check(&archive(&parts(ROW, &texts)), &Limits::default(), expected);
}

#[test]
fn rows_columns_cells_and_parts_have_limits() {
    let row = |n: u32| {
        let cells = [("A", " t=\"s\"", 0), ("B", "", 150_000), ("C", " t=\"s\"", 1)];
        let cell = |(column, kind, value): (&str, &str, u32)| format!("<c r=\"{column}{n}\"{kind}><v>{value}</v></c>");
        format!("<row r=\"{n}\">{}</row>", cells.map(cell).concat())
    };
    let rows: String = (1..=20).map(row).collect();
    let limits = Limits { rows_max: 10, ..Limits::default() };
    let text = |content: &[u8], limits: &Limits| {
        let file = bytes(content);
        told_within(&layout(), PARTNER, "2026-04-01", (&file.path, limits)).text()
    };
    let last = text(&archive(&parts(&rows, TEXTS)), &limits);
    assert!(last.ends_with("row 11: found \"a row\", expected at most 10 rows"), "{last}");
    let far = "<row r=\"1\"><c r=\"XFD1\"><v>1</v></c></row>";
    assert_eq!(
        text(&archive(&parts(far, TEXTS)), &Limits::default()),
        "row 1: found \"a cell beyond them\", expected at most 512 columns"
    );
    let backwards = "<row r=\"2\"><c r=\"A2\"><v>1</v></c></row><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>";
    assert!(
        text(&archive(&parts(backwards, TEXTS)), &Limits::default())
            .ends_with("found rows out of order, expected a workbook saved as .xlsx")
    );
    let long = TEXTS.replace("e1", &"e".repeat(40_000));
    assert!(
        text(&archive(&parts(ROW, &long)), &Limits::default())
            .starts_with("row 1: found \"a longer text\", expected at most 32768 bytes in a cell")
    );
    let limits = Limits { parts_max: 4, ..Limits::default() };
    check(&archive(&parts(ROW, TEXTS)), &limits, "found 5 parts, expected a workbook of at most 4 parts");
    let limits = Limits { xlsx_max_bytes: 100, ..Limits::default() };
    assert!(text(&archive(&parts(ROW, TEXTS)), &limits).ends_with("bytes, expected at most 100 bytes"));

    let line = "e1,150000,2026-04-01\n";
    let limits = Limits { rows_max: 2, ..Limits::default() };
    check(line.repeat(3).as_bytes(), &limits, "row 3: found \"a row\", expected at most 2 rows");
    let limits = Limits { csv_max_bytes: 30, ..Limits::default() };
    check(line.repeat(3).as_bytes(), &limits, "found 63 bytes, expected at most 30 bytes");
    let limits = Limits { columns_max: 2, ..Limits::default() };
    check(line.as_bytes(), &limits, "row 1: found \"3 columns\", expected at most 2 columns");
    let limits = Limits { cell_max_bytes: 5, ..Limits::default() };
    check(line.as_bytes(), &limits, "row 1: found \"e1,150000,2026-04-01\", expected at most 5 bytes in a field");
    let limits = Limits { row_max_bytes: 10, ..Limits::default() };
    check(
        line.as_bytes(),
        &limits,
        "row 1: found \"a longer row\", expected at most 10 bytes in a row, quotes in pairs",
    );
}

/// With formats and relations of its own.
fn with(rows: &str, formats: &str, sheets: &str, relations: &str) -> Vec<u8> {
    let mut parts = parts(rows, TEXTS);
    for (name, text) in &mut parts {
        match *name {
            "xl/workbook.xml" => *text = text.replace("<sheets>", &format!("<sheets>{sheets}")),
            "xl/_rels/workbook.xml.rels" => *text = text.replace("</Rel", &format!("{relations}</Rel")),
            _ => {}
        }
    }
    parts.push(("xl/styles.xml", format!("<styleSheet>{formats}</styleSheet>")));
    archive(&parts)
}

#[test]
fn formats_and_sheets_that_copy_a_long_text_are_refused_before_it_is_copied() {
    let limits = Limits { held_max_bytes: 1 << 20, ..Limits::default() };
    let expected = "found a workbook that grows when it is opened, expected formats, sheets and texts of at most \
                    1048576 bytes in memory";
    let long = "0".repeat(10_000);
    let formats = |count: usize, name: &str| {
        let each = format!("<xf numFmtId=\"164\" fontId=\"0\"{name}/>").repeat(count);
        format!("<numFmts><numFmt numFmtId=\"164\" formatCode=\"{long}\"/></numFmts><cellXfs>{each}</cellXfs>")
    };
    check(&with(ROW, &formats(100, ""), "", ""), &limits, expected);
    check(&with(ROW, &formats(10, ""), "", ""), &limits, RIGHT);
    // In the other quotes, with marks of the end in it.
    check(&with(ROW, &formats(100, "").replace('"', "'").replace("0000", "<0>\""), "", ""), &limits, expected);
    let relation = format!("<Relationship Id=\"r2\" Type=\"a/worksheet\" Target=\"{long}\"/>");
    let sheets = |count: usize| "<sheet name=\"T\" sheetId=\"2\" r:id=\"r2\"/>".repeat(count);
    check(&with(ROW, "", &sheets(100), &relation), &limits, expected);
    let texts = TEXTS.replace("</sst>", &format!("{}</sst>", "<si/>".repeat(20_000)));
    check(&archive(&parts(ROW, &texts)), &limits, expected);
    check(&archive(&parts(ROW, &texts)), &Limits::default(), RIGHT);
}

#[test]
fn cells_that_show_one_long_text_again_and_again_are_refused() {
    let texts = TEXTS.replace("e1", &"e".repeat(30_000));
    let columns = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
    let wide = columns.map(|column| format!("<c r=\"{column}1\" t=\"s\"><v>0</v></c>")).concat();
    let expected = "row 1: found \"a longer row\", expected at most 262144 bytes in a row";
    check(&archive(&parts(&format!("<row r=\"1\">{wide}</row>"), &texts)), &Limits::default(), expected);
    let again = "<c r=\"A1\" t=\"s\"><v>0</v></c>".repeat(2);
    let expected = "found cells out of order, expected a workbook saved as .xlsx";
    check(&archive(&parts(&format!("<row r=\"1\">{again}</row>"), TEXTS)), &Limits::default(), expected);
    let back = ROW.replace("A1", "D1");
    check(&archive(&parts(&back, TEXTS)), &Limits::default(), expected);
}
