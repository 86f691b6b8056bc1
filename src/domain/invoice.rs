//! A bill of the electricity company, as the billing core says it and as our entries reduce it.

use super::ids::{CustomerCode, InvoiceId, UnitCode};
use super::money::Money;
use jiff::civil::Date;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The word in files and in the database.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// From its word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    )*};
}

words! {
    /// What the billing core says of the invoice.
    InvoiceStatus {
        /// May be paid.
        Open = "open",
        /// Paid, wherever.
        Paid = "paid",
        /// Withdrawn.
        Cancelled = "cancelled",
    }
    /// Where the customer lives: a KPI dimension.
    Area {
        /// A ward.
        Urban = "urban",
        /// A commune.
        Rural = "rural",
        /// A special zone at sea.
        Island = "island",
    }
    /// What is billed.
    InvoiceKind {
        /// Active energy.
        ActiveEnergy = "TD",
        /// Reactive energy.
        ReactiveEnergy = "TC",
        /// A service.
        Service = "DV",
    }
}

/// One invoice as the billing core last said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// The core's id.
    pub id: InvoiceId,
    /// Whose electricity.
    pub customer: CustomerCode,
    /// Who pays; may be another customer. Empty in the file means the customer.
    pub payer: CustomerCode,
    /// The district unit whose receivable it is.
    pub unit: UnitCode,
    /// Kind of area.
    pub area: Area,
    /// `YYYY-MM-K`, K from 1 to 9.
    pub period: String,
    /// What is billed.
    pub kind: InvoiceKind,
    /// Before VAT.
    pub net: Money,
    /// VAT, copied from the bill and never computed.
    pub vat: Money,
    /// What is to be paid: net + vat. Zero and negative bills exist.
    pub total: Money,
    /// Day of issue: the order in which a customer's bills are paid.
    pub issued_on: Date,
    /// Last day to pay; overdue after it.
    pub due_on: Date,
    /// The core's word.
    pub status: InvoiceStatus,
    /// What the core says was paid past us.
    pub paid_elsewhere: Money,
    /// The invoice that this one adjusts.
    pub adjusts: Option<InvoiceId>,
    /// Rises with each change in the core; an older one is ignored.
    pub version: i64,
}

/// An invoice together with what our own entries did to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceAccount {
    /// The core's figures.
    pub invoice: Invoice,
    /// Settled less reversed, by our entries.
    pub settled: Money,
    /// How many effects on this invoice the core has been or will be told: the next one's `sequence` is one more.
    pub sequence: u32,
}

impl InvoiceAccount {
    /// What is still owed: total - settled here - paid elsewhere. Nothing for a paid or cancelled invoice.
    /// Figures are within range by construction; a difference that left it counts as nothing owed.
    #[must_use]
    pub fn open(&self) -> Money {
        match self.invoice.status {
            InvoiceStatus::Open => self
                .invoice
                .total
                .minus(self.settled)
                .and_then(|rest| rest.minus(self.invoice.paid_elsewhere))
                .ok()
                .filter(|rest| rest.is_positive())
                .unwrap_or_default(),
            InvoiceStatus::Paid | InvoiceStatus::Cancelled => Money::ZERO,
        }
    }
}
