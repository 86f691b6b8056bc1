//! Arbitrary bytes and good files with some bytes changed: read or refused, never a panic, never without an end, and never
//! more lines than rows. (Each case is small, so what hangs or grows without a limit does not pass unseen.)

use super::workbook::{ROW, TEXTS, archive, layout, parts};
use super::*;
use proptest::prelude::*;

const PARTNER: StatementKind = StatementKind::Partner;

/// Reads under small limits; whatever comes of it is within them.
fn survives(profile: &Profile, content: &[u8]) {
    let file = bytes(content);
    let limits = Limits { rows_max: 1000, unpacked_max_bytes: 1 << 20, row_max_bytes: 4096, ..Limits::default() };
    let told = told_within(profile, PARTNER, "2026-04-01", (&file.path, &limits));
    assert!(told.lines.len() <= 2000, "two lines a row at most");
    match told.end {
        Ok(summary) => assert_eq!(summary.lines, u64::try_from(told.lines.len()).unwrap()),
        Err(ReadError::Refused(faults)) => {
            assert!((1..=20).contains(&faults.len()));
            assert!(faults.iter().all(|fault| fault.row == 0 || fault.found.chars().count() <= 41));
        }
        Err(other) => panic!("a file is read or refused: {other:?}"),
    }
}

/// A good file with some of its bytes changed, some cut out and some put in.
fn mutated(good: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let change = (0..good.len(), any::<u8>(), 0..4_u8);
    prop::collection::vec(change, 1..12).prop_map(move |changes| {
        let mut content = good.to_vec();
        for (at, byte, how) in changes {
            let at = at.min(content.len().saturating_sub(1));
            match how {
                0 => content.insert(at, byte),
                1 => content.truncate(at.max(8)),
                2 if !content.is_empty() => drop(content.remove(at)),
                _ if !content.is_empty() => content[at] = byte,
                _ => {}
            }
        }
        content
    })
}

fn leaked(content: Vec<u8>) -> &'static [u8] {
    Box::leak(content.into_boxed_slice())
}

const LINES: &[u8] = b"payment_id,type,invoice_id,order,customer_code,amount,discount,fee,paid_at\n\
    p1,payment.succeeded,HD-1,,PA03HL0000001,150000,20000,0,2026-04-01T10:00:00+07:00\n\
    p2,payment.reversed,\"HD,\"\"2\",,PA03HL0000002,90000,0,0,2026-04-01T10:00:00+07:00\n\
    TOTAL,count,2,,,60000\n";

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(content in prop::collection::vec(any::<u8>(), 0..4000)) {
        survives(&layout(), &content);
    }

    #[test]
    fn any_bytes_after_an_archives_mark_are_read_or_refused(content in prop::collection::vec(any::<u8>(), 0..4000)) {
        survives(&layout(), &[b"PK\x03\x04", &content[..]].concat());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([a-z0-9,;\"\n\r./: -]{0,30}\n){0,30}") {
        survives(&layout(), text.as_bytes());
    }

    #[test]
    fn a_changed_file_of_lines_is_read_or_refused(content in mutated(LINES)) {
        survives(&shipped("standard"), &content);
    }

    #[test]
    fn a_changed_archive_is_read_or_refused(content in mutated(leaked(archive(&parts(ROW, TEXTS))))) {
        survives(&layout(), &content);
    }

    /// The archive is whole, what is in it is not.
    #[test]
    fn a_changed_sheet_is_read_or_refused(
        sheet in mutated(ROW.as_bytes()),
        texts in mutated(TEXTS.as_bytes()),
        which in 0..2_u8,
    ) {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (sheet, texts) = if which == 0 { (lossy(&sheet), TEXTS.to_owned()) } else { (ROW.to_owned(), lossy(&texts)) };
        survives(&layout(), &archive(&parts(&sheet, &texts)));
    }
}
