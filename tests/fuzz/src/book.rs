//! A workbook from an input. Arbitrary bytes are hardly ever an archive, and changed XML hardly ever has the right checksum, so
//! the input gives the parts and the archive is made around them.
//!
//! ```text
//! LPRR      layout, packing, what is repeated and how often: one byte each
//! <row ..   the sheet's rows, or the whole part if it begins with <worksheet
//! ===       then the table of texts, the formats, the workbook, its relations; a missing one is as small as can be
//! ```

use crate::partner::statement::Layout;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Between two parts.
const CUT: &str = "\n===\n";

/// The most that an input is made to by repeating, in bytes: beyond the limit of what may be unpacked.
const REPEATED_MAX_BYTES: usize = 3 << 20;

const SPACES: &str = r#"xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main""#;
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";

/// The layout that an input names, and its workbook.
pub fn of<'l>(input: &[u8], layouts: &'l [Layout]) -> Option<(&'l Layout, Vec<u8>)> {
    let (head, text) = input.split_at_checked(4)?;
    let layout = layouts.get(usize::from(head[0]) % layouts.len())?;
    let text = String::from_utf8_lossy(text);
    let mut given: Vec<String> = text.split(CUT).take(5).map(str::to_owned).collect();
    given.resize(5, String::new());
    repeat(&mut given, head[2], head[3]);
    Some((layout, archive(&parts(given), head[1])))
}

/// Repeats the last element of a part, so that much can come of little: rows, cells, texts, formats without an end.
fn repeat(given: &mut [String], which: u8, times: u8) {
    let Some(part) = given.get_mut(usize::from(which) % 6) else { return };
    let (Some(start), Some(end)) = (part.rfind("<!--(-->"), part.rfind("<!--)-->")) else { return };
    let Some(piece) = part.get(start..end).map(str::to_owned).filter(|piece| !piece.is_empty()) else { return };
    let wanted = 1_usize << (times % 18);
    let times = wanted.min((REPEATED_MAX_BYTES.saturating_sub(part.len())) / piece.len());
    part.insert_str(end, &piece.repeat(times));
}

fn parts(given: Vec<String>) -> Vec<(&'static str, String)> {
    let mut given = given.into_iter();
    let mut next = |whole: &str, otherwise: &dyn Fn(&str) -> String| {
        let text = given.next().unwrap_or_default();
        if text.starts_with(whole) || text.starts_with("<?xml") { text } else { otherwise(&text) }
    };
    let sheet = next("<worksheet", &|rows| format!("<worksheet {SPACES}><sheetData>{rows}</sheetData></worksheet>"));
    let texts = next("<sst", &|texts| format!("<sst {SPACES}>{texts}</sst>"));
    let formats = next("<styleSheet", &|formats| format!("<styleSheet {SPACES}>{formats}</styleSheet>"));
    let book = next("<workbook ", &|more| {
        let sheets = r#"<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>"#;
        format!("<workbook {SPACES} xmlns:r=\"{OFFICE}\">{more}{sheets}</workbook>")
    });
    let relation = |id: &str, kind: &str, to: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{to}\"/>")
    };
    let relations = next("<Relationships", &|more| {
        let sheet = relation("r1", "worksheet", "worksheets/sheet1.xml");
        format!("<Relationships xmlns=\"{PACKAGE}\">{sheet}{more}</Relationships>")
    });
    let root = relation("r1", "officeDocument", "xl/workbook.xml");
    vec![
        ("_rels/.rels", format!("<Relationships xmlns=\"{PACKAGE}\">{root}</Relationships>")),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/sharedStrings.xml", texts),
        ("xl/styles.xml", formats),
        ("xl/worksheets/sheet1.xml", sheet),
    ]
}

fn archive(parts: &[(&str, String)], packing: u8) -> Vec<u8> {
    let method = if packing % 4 == 1 { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let options = SimpleFileOptions::default().compression_method(method).compression_level(Some(1));
    let options = if method == CompressionMethod::Stored { options.compression_level(None) } else { options };
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer
            .start_file(*name, options)
            .and_then(|()| Ok(writer.write_all(text.as_bytes())?))
            .expect("it is in memory");
    }
    writer.finish().expect("it is in memory").into_inner()
}
