//! Reading a notice's references: three texts of a stranger become checked ids, or nothing. Not a search in free
//! text: a text is the id it should be, whole, or it names nothing known. Keeps I9 (pure).

use crate::domain::ids::{CustomerCode, InvoiceId};
use crate::domain::notice::{ReferenceText, References, Wanted};

/// What a notice's references name, by the most specific of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// One invoice. A customer code was stated beside it, perhaps, and must then be that invoice's.
    Invoice {
        /// Which.
        id: InvoiceId,
        /// The customer code stated beside it.
        customer: Stated<CustomerCode>,
    },
    /// A customer: the oldest open invoices.
    Customer(CustomerCode),
    /// Nothing that can be known: none stated, or no valid id.
    Nothing,
    /// Two of them name different invoices.
    Contradiction,
}

/// One reference, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stated<T> {
    /// Not stated.
    Absent,
    /// Stated, and no valid id: agrees with no id.
    Foreign,
    /// Stated.
    Id(T),
}

/// References once read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What they name.
    pub named: Named,
}

impl Reading {
    /// What to look up before the payment can be decided.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        match &self.named {
            Named::Invoice { id, .. } => Wanted { invoices: vec![id.clone()], customers: Vec::new() },
            Named::Customer(code) => Wanted { invoices: Vec::new(), customers: vec![code.clone()] },
            Named::Nothing | Named::Contradiction => Wanted::default(),
        }
    }

    /// The invoice that is named exactly: what an import may bring later.
    #[must_use]
    pub fn names_invoice(&self) -> Option<&InvoiceId> {
        match &self.named {
            Named::Invoice { id, .. } => Some(id),
            Named::Customer(_) | Named::Nothing | Named::Contradiction => None,
        }
    }
}

/// Reads the references: invoice id before order reference before customer code. Two invoices that differ
/// contradict each other, and so does an invoice beside a text that is no invoice id; whether a customer code
/// agrees is seen when the invoice is known.
#[must_use]
pub fn read(references: &References) -> Reading {
    let invoice = stated(references.invoice.as_ref(), |text| InvoiceId::parse(text).ok());
    let order = stated(references.order.as_ref(), order_invoice);
    let customer = stated(references.customer.as_ref(), |text| CustomerCode::parse(text).ok());
    let named = match (invoice, order) {
        (Stated::Id(a), Stated::Id(b)) if a != b => Named::Contradiction,
        (Stated::Id(_), Stated::Foreign) | (Stated::Foreign, Stated::Id(_)) => Named::Contradiction,
        (Stated::Id(id), Stated::Id(_) | Stated::Absent) | (Stated::Absent, Stated::Id(id)) => {
            Named::Invoice { id, customer }
        }
        (Stated::Foreign, Stated::Foreign | Stated::Absent) | (Stated::Absent, Stated::Foreign) => Named::Nothing,
        (Stated::Absent, Stated::Absent) => match customer {
            Stated::Id(code) => Named::Customer(code),
            Stated::Foreign | Stated::Absent => Named::Nothing,
        },
    };
    Reading { named }
}

fn stated<T>(text: Option<&ReferenceText>, read: impl Fn(&str) -> Option<T>) -> Stated<T> {
    match text {
        None => Stated::Absent,
        Some(text) => read(text.as_str()).map_or(Stated::Foreign, Stated::Id),
    }
}

/// Every invoice and customer that a reference's text can mean, in whichever of the three places it stood.
#[must_use]
pub fn meanings(text: &str) -> Wanted {
    let invoices = InvoiceId::parse(text).ok().into_iter().chain(order_invoice(text)).collect();
    Wanted { invoices, customers: CustomerCode::parse(text).ok().into_iter().collect() }
}

/// The invoice in our order reference `yyMMdd_<invoice_id>[.<attempt>]`: six digits that are a day, an underscore,
/// the id, and perhaps a dot and the attempt's digits.
#[must_use]
pub fn order_invoice(text: &str) -> Option<InvoiceId> {
    let (day, rest) = text.split_once('_')?;
    if !is_day(day) {
        return None;
    }
    let id = match rest.split_once('.') {
        None => rest,
        Some((id, attempt)) if !attempt.is_empty() && attempt.bytes().all(|b| b.is_ascii_digit()) => id,
        Some(_) => return None,
    };
    InvoiceId::parse(id).ok()
}

/// `yyMMdd` of a day that exists in this century.
fn is_day(text: &str) -> bool {
    if text.len() != 6 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|t| t.parse::<i8>().ok());
    let (Some(year), Some(month), Some(day)) = (number(0..2), number(2..4), number(4..6)) else {
        return false;
    };
    jiff::civil::Date::new(i16::from(year).saturating_add(2000), month, day).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(invoice: &str, order: &str, customer: &str, expected: &str) {
        let references = References {
            invoice: ReferenceText::new(invoice),
            order: ReferenceText::new(order),
            customer: ReferenceText::new(customer),
        };
        let found = match read(&references).named {
            Named::Invoice { id, customer: Stated::Id(code) } => format!("invoice {id} of {code}"),
            Named::Invoice { id, customer: Stated::Absent } => format!("invoice {id}"),
            Named::Invoice { id, customer: Stated::Foreign } => format!("invoice {id} of a stranger"),
            Named::Customer(code) => format!("customer {code}"),
            Named::Nothing => "nothing".to_owned(),
            Named::Contradiction => "contradiction".to_owned(),
        };
        assert_eq!(found, expected, "invoice {invoice:?} order {order:?} customer {customer:?}");
    }

    #[test]
    fn the_most_specific_reference_wins() {
        check("INV-1", "", "", "invoice INV-1");
        check("INV-1", "260115_INV-1", "PA1", "invoice INV-1 of PA1");
        check("", "260115_INV-1", "PA1", "invoice INV-1 of PA1");
        check("", "", "PA1", "customer PA1");
        check("", "", "", "nothing");
    }

    #[test]
    fn invoices_that_differ_contradict_each_other() {
        check("INV-1", "260115_INV-2", "", "contradiction");
        check("INV-1", "my order", "", "contradiction");
        check("my invoice", "260115_INV-1", "", "contradiction");
    }

    #[test]
    fn a_text_that_is_no_id_names_nothing_known() {
        check("my invoice", "", "", "nothing");
        check("my invoice", "", "PA1", "nothing");
        check("", "not ours", "PA1", "nothing");
        check("", "", "pa-1", "nothing");
        check("INV-1", "", "'; drop table", "invoice INV-1 of a stranger");
        check("\u{202e}INV-1", "", "", "nothing");
        check("<b>INV-1</b>", "", "", "nothing");
        check(&"9".repeat(10_000), "", "", "nothing");
    }

    #[test]
    fn an_order_reference_is_a_day_an_invoice_and_perhaps_an_attempt() {
        check("", "260115_HD/2026-1.12", "", "invoice HD/2026-1");
        check("", "260115_A_B", "", "invoice A_B");
        for bad in [
            "260115",
            "260115_",
            "260115_A.",
            "260115_A.x",
            "260115_A.1.2",
            "261315_A",
            "260230_A",
            "2601150_A",
            "26o115_A",
            "_A",
            "260115 _A",
        ] {
            check("", bad, "", "nothing");
        }
    }
}
