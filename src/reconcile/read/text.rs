//! Text as a CSV encodes it, made UTF-8. What is not in the encoding of the layout is refused, never replaced: an id with
//! a replaced letter would be another id.

use crate::partner::statement::Encoding;
use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1258};
use std::borrow::Cow;
use std::io::{Error, ErrorKind, Read};

/// The mark at the beginning of a text, by which its encoding is known.
const MARKS: [(&[u8], &str); 3] =
    [(&[0xef, 0xbb, 0xbf], "utf-8"), (&[0xff, 0xfe], "utf-16le"), (&[0xfe, 0xff], "utf-16be")];

/// The word of an encoding.
pub(super) fn word(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Utf16Le => "utf-16le",
        Encoding::Utf16Be => "utf-16be",
        Encoding::Windows1258 => "windows-1258",
    }
}

/// The length of the mark, or the encoding that it says instead.
pub(super) fn mark(encoding: Encoding, head: &[u8]) -> Result<usize, &'static str> {
    match MARKS.iter().find(|(mark, _)| head.starts_with(mark)) {
        None => Ok(0),
        Some((mark, said)) if *said == word(encoding) => Ok(mark.len()),
        Some((_, said)) => Err(said),
    }
}

/// A row of a text whose bytes below 128 are ASCII.
pub(super) fn row(encoding: Encoding, bytes: &[u8]) -> Option<Cow<'_, str>> {
    match encoding {
        Encoding::Windows1258 if !bytes.is_ascii() => {
            WINDOWS_1258.decode_without_bom_handling_and_without_replacement(bytes)
        }
        _ => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
    }
}

/// Makes UTF-8 of UTF-16 while it is read.
pub(super) struct Wide<R> {
    from: R,
    decoder: Decoder,
    chunk: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

impl<R: Read> Wide<R> {
    pub(super) fn new(from: R, encoding: Encoding) -> Self {
        let wide = if encoding == Encoding::Utf16Be { UTF_16BE } else { UTF_16LE };
        let decoder = wide.new_decoder_without_bom_handling();
        Self { from, decoder, chunk: vec![0; CHUNK_BYTES], start: 0, end: 0, ended: false }
    }
}

impl<R: Read> Read for Wide<R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if self.start == self.end && !self.ended {
                self.start = 0;
                self.end = self.from.read(&mut self.chunk)?;
                self.ended = self.end == 0;
            }
            let bytes = self.chunk.get(self.start..self.end).unwrap_or_default();
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(bytes, to, self.ended);
            self.start += read;
            match result {
                DecoderResult::Malformed(..) => return Err(Error::from(ErrorKind::InvalidData)),
                // Nothing is the end to whoever reads; no room for a letter is not the end.
                DecoderResult::OutputFull if written == 0 => return Err(Error::from(ErrorKind::InvalidInput)),
                DecoderResult::OutputFull => return Ok(written),
                DecoderResult::InputEmpty if written > 0 || self.ended => return Ok(written),
                DecoderResult::InputEmpty => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widen(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn read(bytes: &[u8]) -> std::io::Result<String> {
        let (mut wide, mut text, mut piece) = (Wide::new(bytes, Encoding::Utf16Le), Vec::new(), [0; 1000]);
        loop {
            match wide.read(&mut piece)? {
                0 => return Ok(String::from_utf8(text).unwrap()),
                length => text.extend(&piece[..length]),
            }
        }
    }

    #[test]
    fn utf_16_becomes_utf_8_or_nothing() {
        let text = "Tiền điện 😀,".repeat(20_000);
        assert!(read(&widen(&text)).unwrap() == text, "the same text");
        let mut small = Wide::new(&b"A\0"[..], Encoding::Utf16Le);
        assert!(small.read(&mut [0; 1]).is_err(), "no room is not the end");
        assert_eq!(read(&[]).unwrap(), "");
        assert_eq!(read(&[0x41]).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read(&[0x00, 0xd8, 0x41, 0x00]).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_mark_must_say_the_layouts_encoding() {
        assert_eq!(mark(Encoding::Utf8, b"\xef\xbb\xbfa"), Ok(3));
        assert_eq!(mark(Encoding::Utf8, b"abc"), Ok(0));
        assert_eq!(mark(Encoding::Utf8, b"\xff\xfea"), Err("utf-16le"));
        assert_eq!(mark(Encoding::Windows1258, b"\xef\xbb\xbf"), Err("utf-8"));
    }

    #[test]
    fn the_vietnamese_code_page_is_read() {
        // "Số" is written as o with circumflex and a combining acute.
        assert_eq!(row(Encoding::Windows1258, b"S\xf4\xec").as_deref(), Some("S\u{f4}\u{301}"));
        assert_eq!(row(Encoding::Utf8, b"S\xf4\xec"), None);
    }
}
