//! The naive program on SQLite: the rows that the gateway writes, in one transaction a notice, on one connection.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use std::path::Path;
use thuho::domain::ids::{DispatchKey, InvoiceId};
use thuho::domain::notice::{Notice, RawNotice};

/// One connection, one transaction a notice, the rows that the gateway writes.
pub struct Naive {
    db: Connection,
    receipt: i64,
    chain: [u8; 32],
}

impl Naive {
    pub fn open(books: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(books)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.set_prepared_statement_cache_capacity(64);
        db.execute_batch(
            "INSERT OR IGNORE INTO accounts (name) VALUES ('receivable:PA03HL'), ('clearing:zalopay'), ('suspense:zalopay');
             INSERT OR IGNORE INTO senders (no, partner, account) VALUES (1, 'zalopay', '2553')",
        )?;
        Ok(Self { db, receipt: 0, chain: [0; 32] })
    }

    /// Books a notice in a transaction of its own.
    pub fn book(&mut self, notice: &Notice, raw: &RawNotice) -> rusqlite::Result<()> {
        let key = notice.key().expect("the bench's notices are payments");
        let order = notice.references.order.as_ref().map_or("", |r| r.as_str());
        let wanted = order.split_once('_').map_or("", |(_, id)| id);
        let (now, day) = (raw.received_at.unix_ms(), "2026-11-22");
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known = tx.prepare_cached("SELECT no FROM events WHERE key = ?1")?.exists([&key.as_bytes()[..]])?;
        if known {
            return tx.commit();
        }
        let invoice: Option<(i64, i64, String, i64)> = tx
            .prepare_cached(
                "SELECT no, total, customer, paid_elsewhere FROM invoices WHERE id = ?1 AND status = 'open'",
            )?
            .query_row([wanted], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
            .optional()?;
        let amount = notice.amount.dong();
        let paid: i64 = match &invoice {
            Some((no, ..)) => tx
                .prepare_cached("SELECT coalesce(sum(amount), 0) FROM allocations WHERE invoice_no = ?1")?
                .query_row([no], |r| r.get(0))?,
            None => 0,
        };
        let settles = invoice.as_ref().filter(|(_, total, _, elsewhere)| total - elsewhere - paid == amount);
        tx.prepare_cached(
            "INSERT INTO events (key, sender_no, event, movement, amount, discount, ref_order, fee, channel, paid_at,
             business_day, state, park_reason, postings, listed, first_posting)
             VALUES (?1, 1, ?2, 'payment', ?3, 0, ?4, 0, ?5, ?6, ?7, ?8, ?9, 1, ?9 IS NOT NULL,
                 (SELECT coalesce(max(no), 0) + 1 FROM postings))",
        )?
        .execute(params![
            &key.as_bytes()[..],
            notice.event.to_string(),
            amount,
            order,
            notice.channel,
            notice.paid_at.unix_ms(),
            day,
            if settles.is_some() { "settled" } else { "parked" },
            if settles.is_some() { None } else { Some("unknown_invoice") },
        ])?;
        let event = tx.last_insert_rowid();
        let kind = if settles.is_some() { "settle" } else { "park" };
        tx.prepare_cached("INSERT INTO postings (event_no, kind, posted_at, business_day) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![event, kind, now, day])?;
        let posting = tx.last_insert_rowid();
        let credited = if settles.is_some() { "receivable:PA03HL" } else { "suspense:zalopay" };
        for (line, account, amount) in [(0, "clearing:zalopay", amount), (1, credited, -amount)] {
            tx.prepare_cached(
                "INSERT INTO entries (no, account_no, amount)
                 VALUES (?1 << 16 | ?2, (SELECT no FROM accounts WHERE name = ?3), ?4)",
            )?
            .execute(params![posting, line, account, amount])?;
        }
        if let Some((invoice_no, _, customer, _)) = settles {
            let invoice = InvoiceId::parse(wanted).expect("it was found");
            let dispatch = DispatchKey::of(&key, 0, &invoice);
            let hash = hex::decode(dispatch.as_str().trim_start_matches("dsp_")).expect("a key is hex");
            tx.prepare_cached(
                "INSERT INTO allocations (invoice_no, sequence, no, amount) VALUES (?1, 1, ?2 << 16 | 1, ?3)",
            )?
            .execute(params![invoice_no, posting, amount])?;
            let body = format!(
                "{{\"type\":\"payment.settled\",\"data\":{{\"payment\":\"{key}\",\"partner\":\"zalopay\",\"event\":\"{}\",\
                 \"invoice_id\":\"{wanted}\",\"customer_code\":\"{customer}\",\"unit\":\"PA03HL\",\"amount\":{amount},\
                 \"customer_paid\":{amount},\"discount\":0,\"funder\":null,\"channel\":null,\"paid_at\":\"{}\",\
                 \"business_day\":\"{day}\",\"reverses\":null,\"sequence\":1}}}}",
                notice.event, notice.paid_at
            );
            tx.prepare_cached(
                "INSERT INTO dispatches (no, invoice_no, sequence, key, state, head, urgent, due_at, created_at, body)
                 VALUES (?1 << 16 | 1, ?2, 1, ?3, 'waiting', 1, 0, ?4, ?4, ?5)",
            )?
            .execute(params![posting, invoice_no, hash, now, body])?;
        }
        let (n, previous) = (self.receipt + 1, self.chain);
        let receipt = Receipt { n, previous, settled: settles.is_some(), amount, key: key.as_bytes() };
        let hash = receipt.write(&tx, raw)?;
        tx.commit()?;
        (self.receipt, self.chain) = (n, hash);
        Ok(())
    }
}

/// One link of the chain with the call that it is about.
struct Receipt<'a> {
    n: i64,
    previous: [u8; 32],
    settled: bool,
    amount: i64,
    key: &'a [u8; 16],
}

impl Receipt<'_> {
    fn write(&self, tx: &Connection, raw: &RawNotice) -> rusqlite::Result<[u8; 32]> {
        let raw_hash: [u8; 32] = Sha256::digest(&raw.body).into();
        let mut link = Sha256::new();
        link.update(self.previous);
        link.update(self.n.to_be_bytes());
        link.update(raw_hash);
        let hash: [u8; 32] = link.finalize().into();
        tx.prepare_cached(
            "INSERT INTO receipts (no, previous, hash, raw_hash, verdict, partner, received_at, amount, event_key)
             VALUES (?1, ?2, ?3, ?4, ?5, 'zalopay', ?6, ?7, ?8)",
        )?
        .execute(params![
            self.n,
            &self.previous[..],
            &hash[..],
            &raw_hash[..],
            if self.settled { "settled" } else { "parked" },
            raw.received_at.unix_ms(),
            self.amount,
            &self.key[..],
        ])?;
        tx.prepare_cached(
            "INSERT INTO raw_notices (receipt_no, key_id, method, path, query, headers, body) VALUES (?1, 'k', 'POST', ?2, '', '[]', ?3)",
        )?
        .execute(params![self.n, raw.path, &raw.body[..]])?;
        Ok(hash)
    }
}
