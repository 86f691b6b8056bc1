//! The parts of a workbook, in an archive that is made around them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thuho_fuzz::reading::{BOOK_CAP_BYTES, told};
use thuho_fuzz::{book, layouts};

fuzz_target!(|input: &[u8]| {
    if let Some((layout, content)) = book::of(input, layouts::of_books()) {
        told(layout, &content, BOOK_CAP_BYTES);
    }
});
