//! A payer's text with what was read out of it marked: people trust a match whose letters they see.

use crate::domain::notice::References;
use crate::finance::show::masked;
use crate::matching::{self, Named, Stated};

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its letters.
    pub text: String,
    /// Was it read?
    pub read: bool,
}

/// A text in pieces.
pub type Pieces = Vec<Piece>;

/// The texts that a payment states: invoice, order, customer; in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stating {
    /// Stated as an invoice.
    pub invoice: Pieces,
    /// Stated as our order reference.
    pub order: Pieces,
    /// Stated as a customer.
    pub customer: Pieces,
}

/// The ids that matching reads out of these texts.
#[must_use]
pub fn read_ids(references: &References) -> Vec<String> {
    match matching::read(references).named {
        Named::Invoice { id, customer: Stated::Id(code) } => vec![id.to_string(), code.to_string()],
        Named::Invoice { id, .. } => vec![id.to_string()],
        Named::Customer(code) => vec![code.to_string()],
        Named::Nothing | Named::Contradiction => Vec::new(),
    }
}

/// The texts with what was read marked; for those who may not see payers they are masked, and nothing is marked.
#[must_use]
pub fn stating(references: &References, may_see: bool) -> Stating {
    let ids = read_ids(references);
    let shown = |text: &Option<crate::domain::notice::ReferenceText>| match text {
        Some(text) if may_see => pieces(text.as_str(), &ids),
        Some(text) => vec![Piece { text: masked(text.as_str()), read: false }],
        None => Vec::new(),
    };
    Stating {
        invoice: shown(&references.invoice),
        order: shown(&references.order),
        customer: shown(&references.customer),
    }
}

/// A text cut where any of these ids stands in it first.
#[must_use]
pub fn pieces(text: &str, ids: &[String]) -> Pieces {
    let found = ids.iter().filter(|id| !id.is_empty()).find_map(|id| Some((text.find(id.as_str())?, id.len())));
    let Some((at, length)) = found else { return vec![Piece { text: text.to_owned(), read: false }] };
    let (before, rest) = text.split_at(at);
    let (id, after) = rest.split_at(length);
    let piece = |text: &str, read: bool| Piece { text: text.to_owned(), read };
    let all = [piece(before, false), piece(id, true), piece(after, false)];
    all.into_iter().filter(|piece| !piece.text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{pieces, stating};
    use crate::domain::notice::{ReferenceText, References};

    #[test]
    fn what_was_read_is_marked_where_it_stands() {
        let references = References {
            invoice: None,
            order: ReferenceText::new("260115_HD-1.2"),
            customer: ReferenceText::new("PA03HL0000001"),
        };
        let shown = stating(&references, true);
        let order: Vec<_> = shown.order.iter().map(|piece| (piece.text.as_str(), piece.read)).collect();
        assert_eq!(order, [("260115_", false), ("HD-1", true), (".2", false)]);
        assert!(shown.customer.iter().all(|piece| piece.read) && shown.invoice.is_empty());
    }

    #[test]
    fn a_masked_text_shows_nothing_of_what_was_read() {
        let references = References { customer: ReferenceText::new("PA03HL0000001"), ..References::default() };
        let shown = stating(&references, false);
        assert!(shown.customer.iter().all(|piece| !piece.read && !piece.text.contains("HL00000")));
    }

    #[test]
    fn a_text_of_several_letters_is_cut_between_letters() {
        let cut = pieces("trả tiền điện HD-1 ế", &["HD-1".to_owned()]);
        assert_eq!(cut.iter().map(|piece| piece.text.as_str()).collect::<String>(), "trả tiền điện HD-1 ế");
        assert_eq!(cut.len(), 3);
    }
}
