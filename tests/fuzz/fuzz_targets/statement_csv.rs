//! Lines of text as a statement: the first byte names the layout. What is taken as UTF-8 is taken as UTF-16 too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thuho_fuzz::reading::{LINES_CAP_BYTES, told};
use thuho_fuzz::{layouts, watch};

fuzz_target!(|input: &[u8]| {
    let Some((first, content)) = input.split_first() else { return };
    let layouts = layouts::of_lines();
    let index = usize::from(*first) % layouts.len();
    // An archive is another target's.
    if content.starts_with(b"PK\x03\x04") {
        return;
    }
    let narrow = told(&layouts[index], content, LINES_CAP_BYTES);
    let Some(text) = std::str::from_utf8(content).ok().filter(|text| index == 0 && !text.starts_with('\u{feff}'))
    else {
        return;
    };
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let wide = told(&layouts[1], &wide, LINES_CAP_BYTES);
    if narrow.end.is_ok() || wide.end.is_ok() {
        let lines = |told: thuho_fuzz::reading::Told| told.lines.into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        if narrow.end != wide.end || lines(narrow) != lines(wide) {
            watch::end("one text in two encodings is not the same statement");
        }
    }
});
