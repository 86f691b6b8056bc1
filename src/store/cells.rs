//! Rows back into nouns, whichever database they come from: each value is checked on its way in, none is trusted.

use super::StoreError;
use super::reports::{DispatchView, StoredReceipt};
use super::rows::{EventRecord, EventState};
use crate::domain::dispatch::ParkCause;
use crate::domain::ids::{CustomerCode, DispatchKey, EventKey, Funder, InvoiceId, Movement, PartnerCode, UnitCode};
use crate::domain::invoice::{Area, Invoice, InvoiceAccount, InvoiceKind, InvoiceStatus};
use crate::domain::money::Money;
use crate::domain::notice::{Content, Method, ReferenceText, References};
use crate::domain::posting::Account;
use crate::domain::receipt::{Evidence, Verdict};
use crate::domain::statement::LineNo;
use crate::domain::time::Timestamp;
use bytes::Bytes;
use jiff::civil::Date;

/// The columns of an event, in the order that [`event`] reads them.
macro_rules! event_columns {
    () => {
        "e.key, s.partner, s.account, e.event, e.movement, e.amount, e.discount, e.ref_invoice, e.ref_order, \
         e.ref_customer, e.reverses, e.fee, e.funder, e.channel, e.paid_at, e.business_day, e.state, e.park_reason, \
         e.reversal, e.names_invoice, e.postings, e.made_from"
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

/// The columns of a [`DispatchView`], in the order that [`dispatch_view`] reads them.
macro_rules! dispatch_columns {
    () => {
        "d.key, i.id, d.sequence, d.state, d.cause, d.reason, d.attempts, d.created_at, d.delivered_at, d.urgent, \
         d.close_proposed_by, (SELECT e.key FROM postings p JOIN events e ON e.no = p.event_no WHERE p.no = d.no >> 16), \
         (SELECT w.amount FROM allocations w WHERE w.invoice_no = d.invoice_no AND w.sequence = d.sequence)"
    };
}
pub(super) use dispatch_columns;

/// A question with the columns of an event in it.
macro_rules! event_query {
    ($name:literal, $rest:literal) => {
        concat!("-- ", $name, "\nSELECT e.no, ", event_columns!(), " FROM ", events!(), " ", $rest)
    };
}
pub(super) use event_query;

/// A question with the columns of a message in it.
macro_rules! dispatch_query {
    ($name:literal, $filter:literal) => {
        concat!(
            "-- ",
            $name,
            "\nSELECT ",
            dispatch_columns!(),
            " FROM dispatches d JOIN invoices i ON i.no = d.invoice_no ",
            $filter
        )
    };
}
pub(super) use dispatch_query;

/// One row, read from left to right.
pub(super) trait Cells {
    /// The next column, a text, through its own check; the text is not copied.
    fn word<T>(&mut self, check: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        self.word_some(check)?.ok_or_else(|| self.bad())
    }

    /// The same, if it is not null.
    fn word_some<T>(&mut self, check: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, StoreError>;

    /// The next column, bytes, if it is not null.
    fn bytes_some(&mut self) -> Result<Option<&[u8]>, StoreError>;

    /// The next column, a whole number, if it is not null.
    fn whole_some(&mut self) -> Result<Option<i64>, StoreError>;

    /// The next column, 16 bytes, if it is not null.
    fn key_some(&mut self) -> Result<Option<[u8; 16]>, StoreError>;

    /// The next column, a day.
    fn day(&mut self) -> Result<Date, StoreError> {
        self.day_some()?.ok_or_else(|| self.bad())
    }

    /// The same, if it is not null.
    fn day_some(&mut self) -> Result<Option<Date>, StoreError>;

    /// The next column, yes or no.
    fn flag(&mut self) -> Result<bool, StoreError>;

    /// What was read does not mean anything here.
    fn bad(&self) -> StoreError;

    fn text(&mut self) -> Result<String, StoreError> {
        self.word(|text| Some(text.to_owned()))
    }

    fn text_some(&mut self) -> Result<Option<String>, StoreError> {
        self.word_some(|text| Some(text.to_owned()))
    }

    fn whole(&mut self) -> Result<i64, StoreError> {
        self.whole_some()?.ok_or_else(|| self.bad())
    }

    fn count(&mut self) -> Result<u32, StoreError> {
        let whole = self.whole()?;
        u32::try_from(whole).map_err(|_out_of_range| self.bad())
    }

    fn hash(&mut self) -> Result<[u8; 32], StoreError> {
        let hash = self.bytes_some()?.and_then(|bytes| bytes.try_into().ok());
        hash.ok_or_else(|| self.bad())
    }

    fn money(&mut self) -> Result<Money, StoreError> {
        let dong = self.whole()?;
        Money::from_dong(dong).map_err(|_out_of_range| self.bad())
    }

    fn at(&mut self) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_unix_ms(self.whole()?))
    }

    fn at_some(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.whole_some()?.map(Timestamp::from_unix_ms))
    }

    fn event_key(&mut self) -> Result<EventKey, StoreError> {
        self.event_key_some()?.ok_or_else(|| self.bad())
    }

    fn event_key_some(&mut self) -> Result<Option<EventKey>, StoreError> {
        Ok(self.key_some()?.map(EventKey::from_bytes))
    }

    fn dispatch_key(&mut self) -> Result<DispatchKey, StoreError> {
        let key = self.key_some()?.and_then(|bytes| DispatchKey::parse(format!("dsp_{}", hex::encode(bytes))).ok());
        key.ok_or_else(|| self.bad())
    }

    fn partner(&mut self) -> Result<PartnerCode, StoreError> {
        self.word(|text| PartnerCode::parse(text).ok())
    }

    fn invoice_id(&mut self) -> Result<InvoiceId, StoreError> {
        self.word(|text| InvoiceId::parse(text).ok())
    }

    fn invoice_id_some(&mut self) -> Result<Option<InvoiceId>, StoreError> {
        self.word_some(|text| InvoiceId::parse(text).ok())
    }

    /// A text that was written from a [`ReferenceText`], so it is short enough to come back as it is.
    fn reference(&mut self) -> Result<Option<ReferenceText>, StoreError> {
        self.word_some(ReferenceText::new)
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
pub(super) fn event(cells: &mut impl Cells) -> Result<EventRecord, StoreError> {
    let key = cells.event_key()?;
    let partner = cells.partner()?;
    let (account, name) = (cells.text()?, cells.text()?);
    let movement = cells.word(|word| Movement::ALL.into_iter().find(|movement| movement.word() == word))?;
    let (amount, discount) = (cells.money()?, cells.money()?);
    let references =
        References { invoice: cells.reference()?, order: cells.reference()?, customer: cells.reference()? };
    let content = Content { amount, discount, references, reverses: cells.event_key_some()? };
    let fee = cells.money()?;
    let funder = cells.word_some(|text| Funder::parse(text).ok())?;
    let channel = cells.text_some()?;
    let (paid_at, business_day) = (cells.at()?, cells.day()?);
    let (word, reason, reversal) = (cells.text()?, cells.text_some()?, cells.event_key_some()?);
    let state = EventState::parse(&word, reason.as_deref(), reversal).ok_or_else(|| cells.bad())?;
    let names_invoice = cells.invoice_id_some()?;
    let postings = cells.count()?;
    let made_from = cells.whole_some()?.map(LineNo);
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
        made_from,
    })
}

/// An event row behind its number.
pub(super) fn numbered_event(cells: &mut impl Cells) -> Result<(i64, EventRecord), StoreError> {
    Ok((cells.whole()?, event(cells)?))
}

/// An invoice row.
pub(super) fn invoice(cells: &mut impl Cells) -> Result<Invoice, StoreError> {
    Ok(Invoice {
        id: cells.invoice_id()?,
        customer: cells.word(|text| CustomerCode::parse(text).ok())?,
        payer: cells.word(|text| CustomerCode::parse(text).ok())?,
        unit: cells.word(|text| UnitCode::parse(text).ok())?,
        area: cells.word(Area::parse)?,
        period: cells.text()?,
        kind: cells.word(InvoiceKind::parse)?,
        net: cells.money()?,
        vat: cells.money()?,
        total: cells.money()?,
        issued_on: cells.day()?,
        due_on: cells.day()?,
        status: cells.word(InvoiceStatus::parse)?,
        paid_elsewhere: cells.money()?,
        adjusts: cells.invoice_id_some()?,
        version: cells.whole()?,
    })
}

/// An invoice behind its number, its last sequence and what is settled on it.
pub(super) fn account(cells: &mut impl Cells) -> Result<(i64, InvoiceAccount), StoreError> {
    let no = cells.whole()?;
    let sequence = cells.whole_some()?.unwrap_or_default();
    let sequence = u32::try_from(sequence).map_err(|_out_of_range| cells.bad())?;
    let settled = cells.whole_some()?.unwrap_or_default();
    let settled = Money::from_dong(settled).map_err(|_out_of_range| cells.bad())?;
    Ok((no, InvoiceAccount { invoice: invoice(cells)?, settled, sequence }))
}

/// A message as people see it.
pub(super) fn dispatch_view(cells: &mut impl Cells) -> Result<DispatchView, StoreError> {
    Ok(DispatchView {
        key: cells.dispatch_key()?,
        invoice: cells.invoice_id()?,
        sequence: cells.count()?,
        state: cells.text()?,
        cause: cells.word_some(ParkCause::parse)?,
        reason: cells.text_some()?,
        attempts: cells.count()?,
        created_at: cells.at()?,
        delivered_at: cells.at_some()?,
        urgent: cells.flag()?,
        close_proposed_by: cells.text_some()?,
        event: cells.event_key()?,
        amount: cells.money()?,
    })
}

/// A stored receipt, and what came if it was asked for.
pub(super) fn stored_receipt(cells: &mut impl Cells, with_evidence: bool) -> Result<StoredReceipt, StoreError> {
    let mut receipt = StoredReceipt {
        lane: cells.count()?,
        n: cells.whole()?,
        previous: cells.hash()?,
        hash: cells.hash()?,
        raw_hash: cells.hash()?,
        verdict: cells.word(Verdict::parse)?,
        partner: cells.partner()?,
        received_at: cells.at()?,
        amount_dong: cells.whole_some()?,
        event: cells.event_key_some()?,
        evidence: None,
        redone_at: cells.at_some()?,
    };
    if with_evidence {
        receipt.evidence = evidence(cells, &receipt)?;
    }
    Ok(receipt)
}

/// The raw call; none if it was erased.
fn evidence(cells: &mut impl Cells, receipt: &StoredReceipt) -> Result<Option<Evidence>, StoreError> {
    let Some(key_id) = cells.text_some()? else {
        return Ok(None);
    };
    Ok(Some(Evidence {
        partner: receipt.partner.clone(),
        key_id,
        method: cells.word(|word| [Method::Get, Method::Post].into_iter().find(|m| m.word() == word))?,
        path: cells.text()?,
        query: cells.text()?,
        headers: cells.word(|json| serde_json::from_str(json).ok())?,
        body: Bytes::copy_from_slice(cells.bytes_some()?.unwrap_or_default()),
        received_at: receipt.received_at,
    }))
}

/// An account's name with an amount.
pub(super) fn account_and_money(cells: &mut impl Cells) -> Result<(Account, Money), StoreError> {
    Ok((cells.word(Account::parse)?, cells.money()?))
}
