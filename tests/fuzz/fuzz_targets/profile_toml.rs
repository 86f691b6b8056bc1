//! Text as a partner's profile: it loads or says what is wrong, and a statement layout that loads reads or refuses. The first
//! byte says whether the text is a whole profile or the sections on statements of one that is right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thuho_fuzz::domain::statement::StatementKind;
use thuho_fuzz::partner::Partners;
use thuho_fuzz::reading::{BOOK_CAP_BYTES, LINES_CAP_BYTES, told};
use thuho_fuzz::{layouts, watch};

/// What compiling a profile may hold, in bytes.
const PROFILE_CAP_BYTES: usize = 24 << 20;

const LINES: &[u8] = b"id,type,bill,order,amount,paid,fee,at,customer\n\
    p1,ok,HD-1,,150000,150000,0,2026-04-01 10:00:00,\np2,back,HD-2,,90000,90000,0,2026-04-01 11:00:00,\n\
    TOTAL,count,2,,60000,,,,\n";

fuzz_target!(|input: &[u8]| {
    let Some((first, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let compile = || match first % 2 {
        0 => layouts::with_sections(text),
        _ => Partners::compile(layouts::FILE, text, None).map_err(|errors| errors.to_string()),
    };
    let profile = match watch::within(PROFILE_CAP_BYTES, compile) {
        Ok(profile) => profile,
        Err(errors) => {
            assert!(!errors.is_empty(), "a refusal has its reasons");
            return;
        }
    };
    assert!(compile().is_ok(), "what loads once loads again");
    let book = thuho_fuzz::book::of(include_bytes!("../seeds/statement_xlsx/plain"), layouts::of_books());
    for layout in StatementKind::ALL.into_iter().filter_map(|kind| profile.statement(kind)) {
        told(layout, LINES, LINES_CAP_BYTES);
        if let Some((_, content)) = &book {
            told(layout, content, BOOK_CAP_BYTES);
        }
    }
});
