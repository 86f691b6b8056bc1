//! What partners notified, by partner and business day, as both databases ask it: made of the sums of days, so that no
//! payment is read. It equals what [`super::closes::CloseReports::day_totals`] counts event by event, since each payment
//! came in once, whole and on its day: `audit` asks that of each. It names each day that has an event, also one whose events
//! move nothing: those are reversals, and the payments that they wait for, which are of the same day.

/// Does a sponsor give all of payment `e`, and its partner charge nothing? Then nothing of it comes in on its collector's
/// account. The words of index `events_given`.
macro_rules! is_given {
    () => {
        "e.discount = e.amount AND e.fee = 0"
    };
}
pub(super) use is_given;

/// Is event `e` a reversal? The words of index `events_reversals`.
macro_rules! is_reversal {
    () => {
        "e.movement = 'reversal'"
    };
}
pub(super) use is_reversal;

/// Is account `a` one on which money of sender `s` comes in? What the customer paid, what we are charged, what a sponsor gives.
macro_rules! takes_in {
    () => {
        "(a.name = 'clearing:' || s.partner OR a.name = 'fee:' || s.partner OR a.name LIKE 'promotion:%')"
    };
}
pub(super) use takes_in;

/// Partner, day, how many and how much, over `$days`, a query of days; `$cast` follows each sum. `$sums` joins `m`, the sums of
/// days, to accounts `i` and days `d`, and `$events` the rows of `events` that an index has to senders `s`.
macro_rules! notified {
    ($days:expr, $cast:literal, $sums:expr, $events:ident) => {
        concat!(
            "-- pages.notified
            WITH RECURSIVE d (day) AS (",
            $days,
            "),
            -- A payment is counted on one account.
            accounts_in (sender_no, no, counts) AS (
                SELECT s.no, a.no, CASE WHEN a.name LIKE 'clearing:%' THEN 1 ELSE 0 END
                FROM senders s CROSS JOIN accounts a WHERE ",
            crate::store::notified::takes_in!(),
            "),
            came_in (sender_no, day, count, dong) AS (SELECT i.sender_no, d.day, m.postings * i.counts, m.dong
                FROM accounts_in i CROSS JOIN d ",
            $sums,
            "),
            -- Their money came in on other accounts.
            given AS (SELECT e.sender_no, e.business_day, 1, 0 FROM senders s ",
            $events!("events_given"),
            " AND e.movement = 'payment' AND e.first_posting IS NOT NULL AND ",
            crate::store::notified::is_given!(),
            "),
            undone AS (SELECT e.sender_no, e.business_day, -1, -e.amount FROM senders s ",
            $events!("events_taken_back"),
            " AND ",
            crate::store::statement_cells::is_undone!(),
            "),
            went_back AS (SELECT e.sender_no, e.business_day, CASE e.state WHEN 'applied' THEN 1 ELSE 0 END,
                CASE e.state WHEN 'applied' THEN -e.amount ELSE 0 END FROM senders s ",
            $events!("events_reversals"),
            " AND ",
            crate::store::notified::is_reversal!(),
            ")
            SELECT s.partner, n.day, sum(n.count)",
            $cast,
            ", sum(n.dong)",
            $cast,
            " FROM (SELECT * FROM came_in UNION ALL SELECT * FROM given UNION ALL SELECT * FROM undone
                UNION ALL SELECT * FROM went_back) n JOIN senders s ON s.no = n.sender_no GROUP BY s.partner, n.day"
        )
    };
}
pub(super) use notified;
