//! Rows back into nouns, each value checked on its way in.

use super::statement::Cells;
use crate::domain::ids::{CustomerCode, DispatchKey, EventKey, Funder, InvoiceId, Movement, PartnerCode, UnitCode};
use crate::domain::invoice::{Area, Invoice, InvoiceKind, InvoiceStatus};
use crate::domain::money::Money;
use crate::domain::notice::{Content, ReferenceText, References};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::rows::{EventRecord, EventState};
use jiff::civil::Date;

/// The columns of an event, in the order that [`event`] reads them.
macro_rules! event_columns {
    () => {
        "e.key, s.partner, s.account, e.event, e.movement, e.amount, e.discount, e.ref_invoice, e.ref_order, \
         e.ref_customer, e.reverses, e.fee, e.funder, e.channel, e.paid_at, e.business_day, e.state, e.park_reason, \
         e.reversal, e.names_invoice, e.postings"
    };
}
pub(super) use event_columns;

/// Where they come from.
macro_rules! events {
    () => {
        "events e JOIN senders s ON s.no = e.sender_no"
    };
}
pub(super) use events;

/// The columns of an invoice, in the order that [`invoice`] reads them.
macro_rules! invoice_columns {
    () => {
        "i.id, i.customer, i.payer, i.unit, i.area, i.period, i.kind, i.net, i.vat, i.total, i.issued_on, i.due_on, \
         i.status, i.paid_elsewhere, i.adjusts, i.version"
    };
}
pub(super) use invoice_columns;

impl Cells<'_, '_> {
    pub(super) fn money(&mut self) -> Result<Money, StoreError> {
        self.parse(|dong: i64| Money::from_dong(dong).ok())
    }

    pub(super) fn at(&mut self) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_unix_ms(self.next()?))
    }

    pub(super) fn at_some(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.next::<Option<i64>>()?.map(Timestamp::from_unix_ms))
    }

    pub(super) fn day(&mut self) -> Result<Date, StoreError> {
        self.word(|text| text.parse().ok())
    }

    pub(super) fn event_key(&mut self) -> Result<EventKey, StoreError> {
        Ok(EventKey::from_bytes(self.next()?))
    }

    pub(super) fn event_key_some(&mut self) -> Result<Option<EventKey>, StoreError> {
        Ok(self.next::<Option<[u8; 16]>>()?.map(EventKey::from_bytes))
    }

    pub(super) fn partner(&mut self) -> Result<PartnerCode, StoreError> {
        self.parse(|text: String| PartnerCode::parse(text).ok())
    }

    pub(super) fn invoice_id(&mut self) -> Result<InvoiceId, StoreError> {
        self.parse(|text: String| InvoiceId::parse(text).ok())
    }

    pub(super) fn dispatch_key(&mut self) -> Result<DispatchKey, StoreError> {
        self.parse(|bytes: [u8; 16]| DispatchKey::parse(format!("dsp_{}", hex::encode(bytes))).ok())
    }

    /// A text that was written from a [`ReferenceText`], so it is short enough to come back as it is.
    fn reference(&mut self) -> Result<Option<ReferenceText>, StoreError> {
        self.parse_some(|text: String| ReferenceText::new(&text))
    }
}

/// The 16 bytes of a dispatch key.
pub(super) fn key_bytes(key: &DispatchKey) -> [u8; 16] {
    let mut bytes = [0; 16];
    // A DispatchKey is `dsp_` and 32 hex digits by construction; anything else finds no row.
    hex::decode_to_slice(key.as_str().trim_start_matches("dsp_"), &mut bytes).ok();
    bytes
}

/// An event row.
pub(super) fn event(cells: &mut Cells<'_, '_>) -> Result<EventRecord, StoreError> {
    let key = cells.event_key()?;
    let partner = cells.partner()?;
    let account = cells.next()?;
    let name = cells.next()?;
    let movement = cells.word(|word| Movement::ALL.into_iter().find(|movement| movement.word() == word))?;
    let (amount, discount) = (cells.money()?, cells.money()?);
    let references =
        References { invoice: cells.reference()?, order: cells.reference()?, customer: cells.reference()? };
    let content = Content { amount, discount, references, reverses: cells.event_key_some()? };
    let fee = cells.money()?;
    let funder = cells.parse_some(|text: String| Funder::parse(text).ok())?;
    let channel = cells.next()?;
    let (paid_at, business_day) = (cells.at()?, cells.day()?);
    let word: String = cells.next()?;
    let reason: Option<String> = cells.next()?;
    let reversal = cells.event_key_some()?;
    let state = EventState::parse(&word, reason.as_deref(), reversal).ok_or_else(|| cells.bad())?;
    let names_invoice = cells.parse_some(|text: String| InvoiceId::parse(text).ok())?;
    let postings = cells.next()?;
    Ok(EventRecord {
        key,
        partner,
        account,
        event: name,
        movement,
        content,
        fee,
        funder,
        channel,
        paid_at,
        business_day,
        state,
        names_invoice,
        postings,
    })
}

/// An invoice row.
pub(super) fn invoice(cells: &mut Cells<'_, '_>) -> Result<Invoice, StoreError> {
    let customer = |text: String| CustomerCode::parse(text).ok();
    Ok(Invoice {
        id: cells.invoice_id()?,
        customer: cells.parse(customer)?,
        payer: cells.parse(customer)?,
        unit: cells.parse(|text: String| UnitCode::parse(text).ok())?,
        area: cells.word(Area::parse)?,
        period: cells.next()?,
        kind: cells.word(InvoiceKind::parse)?,
        net: cells.money()?,
        vat: cells.money()?,
        total: cells.money()?,
        issued_on: cells.day()?,
        due_on: cells.day()?,
        status: cells.word(InvoiceStatus::parse)?,
        paid_elsewhere: cells.money()?,
        adjusts: cells.parse_some(|text: String| InvoiceId::parse(text).ok())?,
        version: cells.next()?,
    })
}
