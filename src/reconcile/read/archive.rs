//! A workbook's archive, looked through before the workbook is opened: how many parts, how large they become, that no part
//! holds what XML can be made to blow up with, and how much whoever opens it will hold. Each part is unpacked once and
//! counted, because what an archive says of its sizes need not be true.

use super::Limits;
use super::faults::ReadError;
use super::held::{Held, Watch};
use memchr::memmem::Finder;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use zip::ZipArchive;

/// Parts smaller than this may shrink as they like, in bytes: an empty styles part does.
const RATIO_FREE_BYTES: u64 = 1 << 20;

/// The smallest entry of a table of texts, in bytes. Its stated length is believed by who allocates for it.
const TEXT_MIN_BYTES: u64 = 8;

/// The longest piece that is looked for, across the ends of chunks, in bytes.
const KEPT_BYTES: usize = 96;

const CHUNK_BYTES: usize = 64 << 10;

/// Looks the archive through.
pub(super) fn check(file: &mut File, limits: &Limits) -> Result<(), ReadError> {
    file.seek(SeekFrom::Start(0)).map_err(ReadError::Io)?;
    let damaged = |_error| ReadError::whole("a damaged archive", "a workbook saved as .xlsx");
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    if archive.len() > limits.parts_max {
        let found = format!("{} parts", archive.len());
        return Err(ReadError::whole(&found, &format!("a workbook of at most {} parts", limits.parts_max)));
    }
    let mut left = limits.unpacked_max_bytes;
    let mut held = Held::default();
    for index in 0..archive.len() {
        // A part under a password is not opened.
        let part = archive.by_index(index).map_err(damaged)?;
        let (stated, packed) = (part.size(), part.compressed_size());
        if stated > left {
            return Err(too_large(limits));
        }
        let grows = stated > RATIO_FREE_BYTES && stated / limits.unpack_ratio_max.max(1) > packed;
        if grows {
            let expected = format!("parts that unpack to at most {} times their size", limits.unpack_ratio_max);
            return Err(ReadError::whole("an archive that blows up", &expected));
        }
        let watch = Watch::of(&part.name().map_err(damaged)?);
        left -= scan(part, stated, watch, &mut held)?;
    }
    if held.bytes() > limits.held_max_bytes {
        let expected = format!("formats, sheets and texts of at most {} bytes in memory", limits.held_max_bytes);
        return Err(ReadError::whole("a workbook that grows when it is opened", &expected));
    }
    Ok(())
}

fn too_large(limits: &Limits) -> ReadError {
    ReadError::whole("a larger workbook", &format!("at most {} bytes unpacked", limits.unpacked_max_bytes))
}

/// Unpacks a part, looks for what must not be in it, and gives its size.
fn scan(mut part: impl Read, stated: u64, mut watch: Watch, held: &mut Held) -> Result<u64, ReadError> {
    let declares = [Finder::new("<!DOCTYPE"), Finder::new("<!ENTITY")];
    let count = Finder::new("uniqueCount");
    let mut window = vec![0; KEPT_BYTES + CHUNK_BYTES];
    let (mut kept, mut size) = (0, 0_u64);
    loop {
        let room = window.get_mut(kept..).unwrap_or_default();
        let more =
            part.read(room).map_err(|_damaged| ReadError::whole("a damaged archive", "a workbook saved as .xlsx"))?;
        size += u64::try_from(more).unwrap_or(u64::MAX);
        if size > stated {
            return Err(ReadError::whole("a part that is larger than it says", "a workbook saved as .xlsx"));
        }
        let seen = window.get(..kept + more).unwrap_or_default();
        if declares.iter().any(|word| word.find(seen).is_some()) {
            return Err(ReadError::whole("a document type or an entity of its own", "XML without them"));
        }
        // The tail is looked at again with what follows it, unless nothing does.
        let whole = if more == 0 { seen.len() } else { seen.len().saturating_sub(KEPT_BYTES) };
        for at in count.find_iter(seen).filter(|at| *at < whole) {
            check_count(seen.get(at + "uniqueCount".len()..).unwrap_or_default(), stated)?;
        }
        watch.look(seen, whole, held);
        if more == 0 {
            return Ok(size);
        }
        let tail = seen.len().min(KEPT_BYTES);
        window.copy_within(kept + more - tail..kept + more, 0);
        kept = tail;
    }
}

/// The stated length of a table of texts must fit into its part.
fn check_count(after: &[u8], stated: u64) -> Result<(), ReadError> {
    let window = after.get(..after.len().min(KEPT_BYTES / 2)).unwrap_or_default();
    let rest = window.trim_ascii_start();
    let Some(rest) = rest.strip_prefix(b"=") else {
        // Nothing but spaces up to the window's end may still be an attribute.
        let hides = rest.is_empty() && !window.is_empty();
        return if hides { Err(odd_count()) } else { Ok(()) };
    };
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest).trim_ascii_start();
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let number = rest.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok());
    match number.and_then(|number| number.parse::<u64>().ok()) {
        Some(number) if number.checked_mul(TEXT_MIN_BYTES).is_some_and(|least| least <= stated) => Ok(()),
        _ => Err(odd_count()),
    }
}

fn odd_count() -> ReadError {
    ReadError::whole("a table of texts that is longer than its part", "a workbook saved as .xlsx")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &str) -> Result<u64, String> {
        let stated = u64::try_from(text.len()).unwrap();
        scan(text.as_bytes(), stated, Watch::of("a"), &mut Held::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_blows_up_is_found_wherever_it_stands() {
        for before in [0, 1, CHUNK_BYTES - 5, CHUNK_BYTES + KEPT_BYTES - 4, 3 * CHUNK_BYTES] {
            let pad = "x".repeat(before);
            assert!(scanned(&format!("{pad}<!DOCTYPE a [<!ENTITY b \"c\">]>")).is_err(), "{before}");
            assert!(scanned(&format!("{pad}<sst uniqueCount=\"99999999999\">")).is_err(), "{before}");
            assert!(scanned(&format!("{pad}<sst uniqueCount\n = '99999999999'>")).is_err(), "{before}");
            assert!(scanned(&format!("{pad}<sst uniqueCount{}=\"9\">", " ".repeat(99))).is_err(), "{before}");
            let fits = format!("{pad}<sst uniqueCount=\"2\"><si>a</si><si>b</si></sst>");
            assert_eq!(scanned(&fits), Ok(u64::try_from(fits.len()).unwrap()));
        }
        assert!(scanned("<sst uniqueCount=\"0\"/>").is_ok());
        let longer = scan("abc".as_bytes(), 2, Watch::of("a"), &mut Held::default());
        assert!(longer.is_err(), "larger than it says");
    }
}
