//! The books on a PostgreSQL server, read with SQL of the rig's own.

use crate::judge::{AllocationRow, Books, DispatchRow, EntryRow, EventRow, PostingRow, ReceiptRow};
use tokio_postgres::{Client, Error, NoTls, Row};

const EVENTS: &str = "SELECT replace(e.key::text, '-', ''), s.partner, e.event, e.movement, e.amount, e.state
    FROM events e JOIN senders s ON s.no = e.sender_no";
const POSTINGS: &str = "SELECT p.no, coalesce(replace(e.key::text, '-', ''), '') FROM postings p
    LEFT JOIN events e ON e.no = p.event_no ORDER BY p.no";
const ENTRIES: &str =
    "SELECT n.no / 65536, a.name, n.amount FROM entries n JOIN accounts a ON a.no = n.account_no ORDER BY n.no";
const ALLOCATIONS: &str = "SELECT a.no / 65536, i.id, a.amount FROM allocations a
    JOIN invoices i ON i.no = a.invoice_no ORDER BY a.no";
const DISPATCHES: &str =
    "SELECT 'dsp_' || coalesce(replace(d.key::text, '-', ''), ''), i.id, coalesce(d.state, 'missing')
    FROM allocations a JOIN invoices i ON i.no = a.invoice_no LEFT JOIN dispatches d ON d.no = a.no";
const RECEIPTS: &str = "SELECT no / 1099511627776, no % 1099511627776, previous, hash FROM receipts ORDER BY no";
const TOTALS: &str = "SELECT id, total FROM invoices";

/// Reads them all in one look. The gateways must have ended.
pub fn read(url: &str) -> Result<Books, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.map_err(|e| format!("the books: {e:?}"))?;
        let driver = tokio::spawn(connection);
        let books = all(&client).await.map_err(|e| format!("the books: {e:?}"));
        drop(client);
        // Ended by us; how does not matter.
        drop(driver.await);
        books
    })
}

async fn all(client: &Client) -> Result<Books, Error> {
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let event = |r: &Row| {
        let (key, partner, event) = (r.try_get(0)?, r.try_get(1)?, r.try_get(2)?);
        Ok(EventRow { key, partner, event, movement: r.try_get(3)?, amount: r.try_get(4)?, state: r.try_get(5)? })
    };
    let entry = |r: &Row| Ok(EntryRow { posting: r.try_get(0)?, account: r.try_get(1)?, amount: r.try_get(2)? });
    let allocation =
        |r: &Row| Ok(AllocationRow { posting: r.try_get(0)?, invoice: r.try_get(1)?, amount: r.try_get(2)? });
    let dispatch = |r: &Row| Ok(DispatchRow { key: r.try_get(0)?, invoice: r.try_get(1)?, state: r.try_get(2)? });
    let receipt = |r: &Row| {
        Ok(ReceiptRow { lane: r.try_get(0)?, n: r.try_get(1)?, previous: r.try_get(2)?, hash: r.try_get(3)? })
    };
    Ok(Books {
        events: rows(client, EVENTS, event).await?,
        postings: rows(client, POSTINGS, |r| Ok(PostingRow { no: r.try_get(0)?, event: r.try_get(1)? })).await?,
        entries: rows(client, ENTRIES, entry).await?,
        allocations: rows(client, ALLOCATIONS, allocation).await?,
        dispatches: rows(client, DISPATCHES, dispatch).await?,
        receipts: rows(client, RECEIPTS, receipt).await?,
        totals: rows(client, TOTALS, |r| Ok((r.try_get(0)?, r.try_get(1)?))).await?.into_iter().collect(),
    })
}

async fn rows<T>(client: &Client, sql: &str, row: impl Fn(&Row) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    client.query(sql, &[]).await?.iter().map(row).collect()
}
