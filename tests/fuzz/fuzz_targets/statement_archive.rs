//! Bytes as the archive of a workbook: what is before and around the parts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thuho_fuzz::layouts;
use thuho_fuzz::reading::{BOOK_CAP_BYTES, told};

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let layouts = layouts::of_books();
    let mut content = b"PK\x03\x04".to_vec();
    content.extend_from_slice(rest);
    told(&layouts[usize::from(*first) % layouts.len()], &content, BOOK_CAP_BYTES);
});
