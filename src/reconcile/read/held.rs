//! How much a workbook's parts come to in the memory of whoever opens it, counted before it is opened. A format and a sheet
//! are kept with copies of what they name, so that a few bytes that name a long text again and again become many.

use memchr::memmem::Finder;

/// What each cell format, sheet and defined name holds beside the two texts that are copied into it, in bytes.
const COPY_BYTES: u64 = 512;

/// What each text of the table holds beside its letters, in bytes: its place, thrice while the table grows.
const TEXT_BYTES: u64 = 72;

/// What any other element of the formats and the relations holds, in bytes.
const ELEMENT_BYTES: u64 = 128;

/// What was counted in all parts.
#[derive(Debug, Default)]
pub(super) struct Held {
    copies: u64,
    longest: u64,
    texts: u64,
    text_bytes: u64,
    elements: u64,
}

impl Held {
    /// At most so many.
    pub(super) fn bytes(&self) -> u64 {
        let copy = self.longest.saturating_mul(2).saturating_add(COPY_BYTES);
        self.copies
            .saturating_mul(copy)
            .saturating_add(self.texts.saturating_mul(TEXT_BYTES))
            .saturating_add(self.elements.saturating_mul(ELEMENT_BYTES))
            .saturating_add(self.text_bytes)
    }
}

/// Counts in one part.
#[derive(Debug)]
pub(super) struct Watch {
    /// Does it hold texts that are copied?
    copied: bool,
    /// Does it hold the table of texts?
    texts: bool,
    copies: [Finder<'static>; 6],
    entries: [Finder<'static>; 2],
    /// How far it was read, and where the last quote of each kind stood.
    at: u64,
    quotes: [Option<u64>; 2],
}

impl Watch {
    /// For the part of this name.
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        Self {
            copied: name.ends_with("styles.xml") || name.ends_with(".rels"),
            texts: name.ends_with("sharedstrings.xml"),
            // Whatever the prefix of their namespace is.
            copies: ["<xf", ":xf", "<sheet", ":sheet", "<definedName", ":definedName"].map(Finder::new),
            entries: ["<si", ":si"].map(Finder::new),
            at: 0,
            quotes: [None; 2],
        }
    }

    /// Looks at what begins before `whole`; the rest comes again with what follows it.
    pub(super) fn look(&mut self, seen: &[u8], whole: usize, held: &mut Held) {
        let count = |finders: &[Finder<'_>]| {
            let found = finders.iter().flat_map(|finder| finder.find_iter(seen)).filter(|at| *at < whole).count();
            u64::try_from(found).unwrap_or(u64::MAX)
        };
        held.copies += count(&self.copies);
        let new = seen.get(..whole).unwrap_or_default();
        let length = u64::try_from(new.len()).unwrap_or(u64::MAX);
        if self.texts {
            held.texts += count(&self.entries);
            held.text_bytes += length;
        }
        if self.copied {
            held.elements += u64::try_from(memchr::memchr_iter(b'<', new).count()).unwrap_or(u64::MAX);
            held.longest = held.longest.max(self.longest(new));
        }
        self.at += length;
    }

    /// The longest text between two quotes of a kind: no value of an attribute is longer, whatever else is in it.
    fn longest(&mut self, new: &[u8]) -> u64 {
        let mut longest = 0;
        for offset in memchr::memchr2_iter(b'"', b'\'', new) {
            let at = self.at + u64::try_from(offset).unwrap_or_default();
            let kind = usize::from(new.get(offset) == Some(&b'"'));
            if let Some(last) = self.quotes.get_mut(kind) {
                longest = longest.max(last.replace(at).map_or(0, |last| at - last));
            }
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In pieces of one size, the end of each seen twice.
    fn counted(name: &str, text: &str, piece: usize) -> u64 {
        let (mut watch, mut held) = (Watch::of(name), Held::default());
        let mut start = 0;
        while start < text.len() {
            let whole = piece.min(text.len() - start);
            let end = (start + whole + 16).min(text.len());
            watch.look(&text.as_bytes()[start..end], whole, &mut held);
            start += whole;
        }
        held.bytes()
    }

    #[test]
    fn what_is_copied_is_counted_with_its_longest_text_wherever_it_stands() {
        let formats = "<numFmt formatCode=\"0123'56>'89\"/><x:xf a='1'/><xf/>";
        for piece in [1, 2, 3, 7, 1000] {
            // 14 from the last ' of the format to the next one: rather more than less.
            assert_eq!(counted("xl/Styles.xml", formats, piece), 2 * (2 * 14 + 512) + 3 * 128, "{piece}");
            assert_eq!(counted("xl/a.xml", "<sheet/><sheet/>", piece), 2 * 512, "{piece}");
            assert_eq!(counted("xl/sharedStrings.xml", "<si/><si><t>a</t></si>", piece), 2 * 72 + 22, "{piece}");
            assert_eq!(counted("xl/a.xml", "<si/><c t=\"s\"/>", piece), 0, "{piece}");
        }
    }
}
