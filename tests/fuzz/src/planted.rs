//! The rig's own controls: a fault put in on purpose, behind what only a well-formed file reaches. `FUZZ_PLANTED` names it,
//! and the run must find it.

use crate::domain::ids::Movement;
use crate::domain::notice::Effect;
use crate::domain::statement::StatementLine;
use std::hint::black_box;
use std::sync::OnceLock;

/// The largest payment in the seeds, and some.
const LARGEST_DONG: i64 = 1_200_000;

fn named() -> &'static str {
    static NAMED: OnceLock<String> = OnceLock::new();
    NAMED.get_or_init(|| {
        std::env::var_os("FUZZ_PLANTED").map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    })
}

/// Reads a line as a reader with the planted fault would: a payment larger than any in the seeds is its undoing.
pub fn line(line: &StatementLine) {
    let reached = line.effect == Effect::Moves(Movement::Payment) && line.amount.dong() > LARGEST_DONG;
    if !reached {
        return;
    }
    match named() {
        "panic" => panic!("planted: a panic"),
        // Over what the reader may hold and far below libFuzzer's own limit, so that always the same of the two speaks.
        "memory" => drop(black_box(vec![1_u8; 1 << 26])),
        "endless" => loop {
            black_box(line);
        },
        _ => {}
    }
}
