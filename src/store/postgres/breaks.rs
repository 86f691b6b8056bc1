//! Breaks: opened by the commit of what caused them, one for one disagreement; not what two people have settled, as long
//! as both sides still say the same. What they settled of a line is settled for it also under a mark of before.

use super::row::Key;
use super::session::{Ask, Param};
use super::tx::PostgresTx;
use crate::domain::fold::fold;
use crate::domain::ids::{DispatchKey, InvoiceId, PartnerCode};
use crate::domain::review::NewBreak;
use crate::store::StoreError;
use jiff::civil::Date;

pub(super) struct Breaks<'w> {
    class: Vec<&'static str>,
    partner: Vec<Option<&'w str>>,
    event_key: Vec<Option<Key>>,
    invoice: Vec<Option<&'w str>>,
    dispatch: Vec<Option<&'w str>>,
    amount: Vec<i64>,
    detail: Vec<&'w str>,
    opened_at: Vec<i64>,
    mark: Vec<Option<&'w [u8]>>,
    leg: Vec<Option<&'static str>>,
    day: Vec<Option<Date>>,
    line: Vec<Option<i64>>,
    ours: Vec<Option<i64>>,
    theirs: Vec<Option<i64>>,
    carried: Vec<bool>,
    folded: Vec<String>,
}

impl<'w> Breaks<'w> {
    pub(super) fn new(breaks: &'w [NewBreak]) -> Self {
        let leg = |b: &NewBreak| b.leg;
        Self {
            class: breaks.iter().map(|b| b.class.code()).collect(),
            partner: breaks.iter().map(|b| b.partner.as_ref().map(PartnerCode::as_str)).collect(),
            event_key: breaks.iter().map(|b| b.event.map(|key| Key(*key.as_bytes()))).collect(),
            invoice: breaks.iter().map(|b| b.invoice.as_ref().map(InvoiceId::as_str)).collect(),
            dispatch: breaks.iter().map(|b| b.dispatch.as_ref().map(DispatchKey::as_str)).collect(),
            amount: breaks.iter().map(|b| b.amount.dong()).collect(),
            detail: breaks.iter().map(|b| b.detail.as_str()).collect(),
            opened_at: breaks.iter().map(|b| b.opened_at.unix_ms()).collect(),
            mark: breaks.iter().map(|b| b.mark.as_ref().map(<[u8; 32]>::as_slice)).collect(),
            leg: breaks.iter().map(|b| leg(b).map(|leg| leg.kind.word())).collect(),
            day: breaks.iter().map(|b| leg(b).map(|leg| leg.day)).collect(),
            line: breaks.iter().map(|b| leg(b).and_then(|leg| leg.line).map(|line| line.0)).collect(),
            ours: breaks.iter().map(|b| leg(b).and_then(|leg| leg.ours)).collect(),
            theirs: breaks.iter().map(|b| leg(b).and_then(|leg| leg.theirs)).collect(),
            carried: breaks.iter().map(|b| leg(b).is_some_and(|leg| leg.carried)).collect(),
            folded: breaks.iter().map(|b| fold(&b.detail)).collect(),
        }
    }

    pub(super) fn ask(&self) -> Option<Ask<'_>> {
        const ADD: &str = "-- breaks.add\nINSERT INTO breaks
                (class, partner, event_key, invoice, dispatch, amount, detail, opened_at, mark, leg, day, line_no, ours,
                 theirs, carried, about, unit, area, channel, folded)
            SELECT u.class, u.partner, u.event_key, u.invoice, u.dispatch, u.amount, u.detail, u.opened_at, u.mark, u.leg,
                u.day, u.line_no, u.ours, u.theirs, u.carried, a.id, i.unit, i.area, e.channel,
                u.folded || coalesce(' ' || lower(a.id COLLATE \"C\"), '')
            FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                $8::bigint[], $9::bytea[], $10::text[], $11::date[], $12::bigint[], $13::bigint[], $14::bigint[],
                $15::boolean[], $16::text[])
                u (class, partner, event_key, invoice, dispatch, amount, detail, opened_at, mark, leg, day, line_no, ours,
                    theirs, carried, folded)
                LEFT JOIN events e ON e.key = u.event_key
                CROSS JOIN LATERAL (SELECT coalesce(u.invoice, e.names_invoice, (SELECT n.id FROM statement_lines l
                    JOIN invoices n ON n.id = l.ref_invoice WHERE l.no = u.line_no)) AS id) a
                LEFT JOIN invoices i ON i.id = a.id
            WHERE NOT EXISTS (SELECT 1 FROM breaks s WHERE s.mark = u.mark AND s.mark IS NOT NULL
                AND s.closed_at IS NOT NULL AND s.proposal_no IS NOT NULL AND s.leg <> 'bank'
                AND s.ours IS NOT DISTINCT FROM u.ours AND s.theirs IS NOT DISTINCT FROM u.theirs)
                AND NOT EXISTS (SELECT 1 FROM breaks s WHERE s.event_key = u.event_key AND s.event_key IS NOT NULL
                    AND s.line_no = u.line_no AND s.day = u.day AND s.leg = u.leg AND s.class = u.class
                    AND s.closed_at IS NOT NULL AND s.proposal_no IS NOT NULL AND s.leg <> 'bank'
                    AND s.ours IS NOT DISTINCT FROM u.ours AND s.theirs IS NOT DISTINCT FROM u.theirs)
            ON CONFLICT (mark) WHERE mark IS NOT NULL AND closed_at IS NULL DO NOTHING";
        (!self.class.is_empty()).then(|| {
            let params: Vec<Param<'_>> = vec![
                &self.class,
                &self.partner,
                &self.event_key,
                &self.invoice,
                &self.dispatch,
                &self.amount,
                &self.detail,
                &self.opened_at,
                &self.mark,
                &self.leg,
                &self.day,
                &self.line,
                &self.ours,
                &self.theirs,
                &self.carried,
                &self.folded,
            ];
            Ask::new(ADD, params)
        })
    }
}

/// Opens breaks; says how many.
pub(super) fn open(tx: &mut PostgresTx<'_>, breaks: &[NewBreak]) -> Result<u64, StoreError> {
    let rows = Breaks::new(breaks);
    rows.ask().map_or(Ok(0), |ask| Ok(tx.ask_one(ask)?.count))
}
