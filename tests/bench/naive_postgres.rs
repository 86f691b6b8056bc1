//! The naive program on PostgreSQL, as people write it today: each worker has a pool, and each notice is a transaction of
//! its own with prepared statements, one after another. It writes less than the gateway: the event with its body, the
//! payment and the message, but no double entry and no chain.

use std::cell::RefCell;
use thuho::domain::notice::{Notice, RawNotice};
use tokio::sync::Semaphore;
use tokio_postgres::{Client, Error, NoTls, Statement};

/// Connections of each worker.
const POOL: usize = 8;

/// Its tables, beside the gateway's invoices. One payment an invoice is what keeps two from settling it.
pub const TABLES: &str = "
    CREATE TABLE naive_events (
        no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key bytea NOT NULL UNIQUE, event text NOT NULL,
        reference text NOT NULL, amount bigint NOT NULL, paid_at bigint NOT NULL, received_at bigint NOT NULL,
        body bytea NOT NULL);
    CREATE TABLE naive_payments (
        no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_no bigint NOT NULL, invoice_no bigint UNIQUE,
        amount bigint NOT NULL, status text NOT NULL, created_at bigint NOT NULL);
    CREATE TABLE naive_outbox (
        no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment_no bigint NOT NULL, status text NOT NULL,
        due_at bigint NOT NULL, body text NOT NULL);
    CREATE INDEX naive_outbox_due ON naive_outbox (due_at) WHERE status = 'waiting'";

const EVENT: &str = "INSERT INTO naive_events (key, event, reference, amount, paid_at, received_at, body)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING RETURNING no";
const INVOICE: &str = "SELECT no, customer FROM invoices
    WHERE id = $1 AND status = 'open' AND total - paid_elsewhere = $2";
const PAYMENT: &str = "INSERT INTO naive_payments (event_no, invoice_no, amount, status, created_at)
    VALUES ($1, $2, $3, $4, $5) RETURNING no";
const MESSAGE: &str = "INSERT INTO naive_outbox (payment_no, status, due_at, body) VALUES ($1, 'waiting', $2, $3)";

/// A connection with its statements.
struct Session {
    client: Client,
    event: Statement,
    invoice: Statement,
    payment: Statement,
    message: Statement,
}

/// One worker's.
pub struct Pool {
    url: String,
    permits: Semaphore,
    idle: RefCell<Vec<Session>>,
}

impl Pool {
    /// Connects when it is asked.
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), permits: Semaphore::new(POOL), idle: RefCell::default() }
    }

    async fn connect(&self) -> Result<Session, Error> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        actix_web::rt::spawn(connection);
        Ok(Session {
            event: client.prepare(EVENT).await?,
            invoice: client.prepare(INVOICE).await?,
            payment: client.prepare(PAYMENT).await?,
            message: client.prepare(MESSAGE).await?,
            client,
        })
    }

    /// Books a notice in a transaction of its own.
    pub async fn book(&self, notice: &Notice, raw: &RawNotice) -> Result<(), Error> {
        let _permit = self.permits.acquire().await.expect("nobody closes it");
        let idle = self.idle.borrow_mut().pop();
        let mut session = match idle {
            Some(session) => session,
            None => self.connect().await?,
        };
        session.book(notice, raw).await?;
        self.idle.borrow_mut().push(session);
        Ok(())
    }
}

impl Session {
    async fn book(&mut self, notice: &Notice, raw: &RawNotice) -> Result<(), Error> {
        let key = notice.key().expect("the bench's notices are payments");
        let order = notice.references.order.as_ref().map_or("", |r| r.as_str());
        let wanted = order.split_once('_').map_or("", |(_, id)| id);
        let (amount, now) = (notice.amount.dong(), raw.received_at.unix_ms());
        let (event, paid_at) = (notice.event.to_string(), notice.paid_at.unix_ms());
        let tx = self.client.transaction().await?;
        let claimed = tx
            .query_opt(&self.event, &[&&key.as_bytes()[..], &event, &order, &amount, &paid_at, &now, &&raw.body[..]])
            .await?;
        let Some(claimed) = claimed else { return tx.commit().await };
        let event_no: i64 = claimed.get(0);
        let invoice = tx.query_opt(&self.invoice, &[&wanted, &amount]).await?;
        let invoice_no: Option<i64> = invoice.as_ref().map(|row| row.get(0));
        let status = if invoice_no.is_some() { "settled" } else { "parked" };
        let payment = tx.query_one(&self.payment, &[&event_no, &invoice_no, &amount, &status, &now]).await?;
        if let Some(row) = &invoice {
            let (payment_no, customer): (i64, &str) = (payment.get(0), row.get(1));
            let body = format!(
                "{{\"type\":\"payment.settled\",\"data\":{{\"payment\":\"{key}\",\"event\":\"{event}\",\
                 \"invoice_id\":\"{wanted}\",\"customer_code\":\"{customer}\",\"amount\":{amount},\"paid_at\":\"{}\"}}}}",
                notice.paid_at
            );
            tx.execute(&self.message, &[&payment_no, &now, &body]).await?;
        }
        tx.commit().await
    }
}
