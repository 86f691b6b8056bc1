-- The spine: what came, what was booked, what the core must hear, what people must look at.
--
-- A check of a hot table says `a OR b`: for a longer `IN (..)` SQLite builds a table at each insert.
--
-- Money is whole dong. Times are milliseconds since 1970 UTC. Days are 'YYYY-MM-DD'. A posting's debit is positive.
-- Each notice costs two pages that no other one shares: its event key, and its invoice's allocations. Everything else
-- is appended. So what only people look up has no index of its own on the way in: names and references are turned
-- into keys and invoices first, and indexes hold the few rows that were not settled when they came. A message's key is indexed behind
-- its block of 1024 postings, so that today's rows share a few pages and a lookup probes block by block.

CREATE TABLE invoices (
    no             INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    customer       TEXT    NOT NULL,
    payer          TEXT    NOT NULL,
    unit           TEXT    NOT NULL,
    area           TEXT    NOT NULL CHECK (area IN ('urban', 'rural', 'island')),
    period         TEXT    NOT NULL,
    kind           TEXT    NOT NULL CHECK (kind IN ('TD', 'TC', 'DV')),
    net            INTEGER NOT NULL,
    vat            INTEGER NOT NULL,
    total          INTEGER NOT NULL CHECK (total = net + vat),
    issued_on      TEXT    NOT NULL,
    due_on         TEXT    NOT NULL,
    status         TEXT    NOT NULL CHECK (status IN ('open', 'paid', 'cancelled')),
    paid_elsewhere INTEGER NOT NULL,
    adjusts        TEXT,
    version        INTEGER NOT NULL
) STRICT;
CREATE INDEX invoices_of_customer ON invoices (customer, status);

-- Partners with our merchant accounts at them: what an event key is made from, besides the partner's own name of the
-- event, so that a name finds its key.
CREATE TABLE senders (
    no      INTEGER PRIMARY KEY,
    partner TEXT NOT NULL,
    account TEXT NOT NULL,
    UNIQUE (partner, account)
) STRICT;

-- One row an event key, for ever. The content is that of the first notice; only the state goes on.
CREATE TABLE events (
    no            INTEGER PRIMARY KEY,
    key           BLOB    NOT NULL UNIQUE CHECK (length(key) = 16),
    sender_no     INTEGER NOT NULL REFERENCES senders (no),
    event         TEXT    NOT NULL,
    movement      TEXT    NOT NULL CHECK (movement IN ('payment', 'reversal')),
    amount        INTEGER NOT NULL,
    discount      INTEGER NOT NULL,
    ref_invoice   TEXT,
    ref_order     TEXT,
    ref_customer  TEXT,
    reverses      BLOB    CHECK (length(reverses) = 16),
    fee           INTEGER NOT NULL,
    funder        TEXT,
    channel       TEXT,
    paid_at       INTEGER NOT NULL,
    business_day  TEXT    NOT NULL,
    state         TEXT    NOT NULL
        CHECK (state = 'settled' OR state = 'parked' OR state = 'reversed' OR state = 'expected' OR state = 'applied'
            OR state = 'waiting' OR state = 'refused'),
    park_reason   TEXT    CHECK ((park_reason IS NOT NULL) = (state = 'parked')),
    reversal      BLOB    CHECK ((reversal IS NOT NULL) = (state = 'expected')),
    names_invoice TEXT,
    -- Is it found by its references' texts? Not what was settled when it came: the text means an invoice that has it.
    listed        INTEGER NOT NULL CHECK (listed IN (0, 1)),
    -- The posting that took the money in; none for an event that took none. Later ones name the event themselves.
    first_posting INTEGER,
    postings      INTEGER NOT NULL CHECK (postings >= 0)
) STRICT;
CREATE INDEX events_naming ON events (names_invoice) WHERE names_invoice IS NOT NULL AND state <> 'settled';
CREATE INDEX events_ref_invoice ON events (ref_invoice) WHERE ref_invoice IS NOT NULL AND listed = 1;
CREATE INDEX events_ref_order ON events (ref_order) WHERE ref_order IS NOT NULL AND listed = 1;
CREATE INDEX events_reversing ON events (reverses) WHERE reverses IS NOT NULL;
CREATE INDEX events_ref_customer ON events (ref_customer) WHERE ref_customer IS NOT NULL AND listed = 1;

CREATE TABLE accounts (
    no   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE postings (
    no           INTEGER PRIMARY KEY,
    event_no     INTEGER NOT NULL REFERENCES events (no),
    kind         TEXT    NOT NULL CHECK (kind = 'settle' OR kind = 'park' OR kind = 'rematch' OR kind = 'reverse'),
    author       TEXT,
    posted_at    INTEGER NOT NULL,
    business_day TEXT    NOT NULL
) STRICT;
CREATE INDEX postings_later ON postings (event_no) WHERE kind IN ('rematch', 'reverse');

-- The number holds the posting's above 16 bits and the line below.
CREATE TABLE entries (
    no         INTEGER PRIMARY KEY,
    posting_no INTEGER GENERATED ALWAYS AS (no >> 16) VIRTUAL,
    line       INTEGER GENERATED ALWAYS AS (no & 65535) VIRTUAL,
    account_no INTEGER NOT NULL REFERENCES accounts (no),
    amount     INTEGER NOT NULL CHECK (amount <> 0)
) STRICT;

-- What a posting does to one invoice, in the invoice's order: its open sum is read from neighbours. `no` is that of its
-- message, and like an entry's holds the posting's above 16 bits.
CREATE TABLE allocations (
    invoice_no INTEGER NOT NULL REFERENCES invoices (no),
    sequence   INTEGER NOT NULL CHECK (sequence >= 1),
    no         INTEGER NOT NULL,
    posting_no INTEGER GENERATED ALWAYS AS (no >> 16) VIRTUAL,
    amount     INTEGER NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (invoice_no, sequence)
) STRICT, WITHOUT ROWID;

-- The word of an allocation, the key under which the core hears it, and how far it got. `head`: no earlier message of
-- its invoice is waiting, leased or parked, so that a lease reads only messages that it may take.
CREATE TABLE dispatches (
    no                INTEGER PRIMARY KEY,
    invoice_no        INTEGER NOT NULL,
    sequence          INTEGER NOT NULL,
    key               BLOB    NOT NULL CHECK (length(key) = 16),
    state             TEXT    NOT NULL CHECK (state = 'waiting' OR state = 'leased' OR state = 'parked'
        OR state = 'delivered' OR state = 'closed'),
    head              INTEGER NOT NULL CHECK (head IN (0, 1)),
    urgent            INTEGER NOT NULL CHECK (urgent IN (0, 1)),
    due_at            INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    attempts          INTEGER NOT NULL DEFAULT 0,
    walls             INTEGER NOT NULL DEFAULT 0,
    lease_token       INTEGER CHECK ((lease_token IS NOT NULL) = (state = 'leased')),
    lease_until       INTEGER CHECK ((lease_until IS NOT NULL) = (state = 'leased')),
    cause             TEXT    CHECK ((cause IS NOT NULL) = (state = 'parked')),
    reason            TEXT,
    delivered_at      INTEGER CHECK ((delivered_at IS NOT NULL) = (state = 'delivered')),
    close_proposed_by TEXT,
    close_reason      TEXT,
    closed_by         TEXT    CHECK ((closed_by IS NOT NULL) = (state = 'closed')),
    closed_at         INTEGER,
    body              TEXT    NOT NULL,
    CHECK (state <> 'leased' OR head = 1),
    -- Bytes that were erased are never sent.
    CHECK (body <> '' OR state = 'delivered' OR state = 'closed'),
    CHECK (closed_by IS NULL OR (close_proposed_by IS NOT NULL AND close_proposed_by <> closed_by)),
    FOREIGN KEY (invoice_no, sequence) REFERENCES allocations (invoice_no, sequence)
) STRICT;
CREATE UNIQUE INDEX dispatches_key ON dispatches (no >> 26, key);
CREATE INDEX dispatches_due ON dispatches (head, urgent, due_at, created_at) WHERE state = 'waiting';
CREATE INDEX dispatches_leased_by ON dispatches (lease_token) WHERE state = 'leased';
CREATE INDEX dispatches_leased_until ON dispatches (lease_until, created_at) WHERE state = 'leased';
CREATE INDEX dispatches_parked ON dispatches (created_at) WHERE state = 'parked';

-- A chain for each writer lane: the number holds the lane above 40 bits and the place in it below.
CREATE TABLE receipts (
    no          INTEGER PRIMARY KEY,
    lane        INTEGER GENERATED ALWAYS AS (no >> 40) VIRTUAL,
    n           INTEGER GENERATED ALWAYS AS (no & 1099511627775) VIRTUAL,
    previous    BLOB    NOT NULL CHECK (length(previous) = 32),
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    raw_hash    BLOB    NOT NULL CHECK (length(raw_hash) = 32),
    verdict     TEXT    NOT NULL,
    partner     TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    amount      INTEGER,
    event_key   BLOB    CHECK (length(event_key) = 16)
) STRICT;
-- The calls themselves: the one table here whose rows may be erased, by `retain`.
CREATE TABLE raw_notices (
    receipt_no INTEGER PRIMARY KEY REFERENCES receipts (no),
    key_id     TEXT NOT NULL,
    method     TEXT NOT NULL CHECK (method IN ('GET', 'POST')),
    path       TEXT NOT NULL,
    query      TEXT NOT NULL,
    headers    TEXT NOT NULL,
    body       BLOB NOT NULL
) STRICT;
CREATE TABLE redone (
    receipt_no INTEGER PRIMARY KEY REFERENCES receipts (no),
    at         INTEGER NOT NULL
) STRICT;
-- Proved calls that are neither booked nor refused: what `notice redo` looks for.
CREATE INDEX receipts_unread ON receipts (no)
WHERE verdict = 'stale' OR verdict = 'unreadable' OR verdict = 'paused';

CREATE TABLE repeats (
    partner TEXT    NOT NULL,
    day     TEXT    NOT NULL,
    count   INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (partner, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE seals (
    no        INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    signature BLOB    NOT NULL CHECK (length(signature) = 32)
) STRICT;
CREATE INDEX seals_at ON seals (at);
CREATE TABLE seal_heads (
    seal_no INTEGER NOT NULL REFERENCES seals (no),
    lane    INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (seal_no, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE breaks (
    no        INTEGER PRIMARY KEY,
    class     TEXT    NOT NULL,
    partner   TEXT,
    event_key BLOB    CHECK (length(event_key) = 16),
    invoice   TEXT,
    dispatch  TEXT,
    amount    INTEGER NOT NULL,
    detail    TEXT    NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    mark      BLOB    CHECK (length(mark) = 32)
) STRICT;
CREATE INDEX breaks_open ON breaks (no) WHERE closed_at IS NULL;
-- Whoever says the same thing again opens no second break beside an open one.
CREATE UNIQUE INDEX breaks_marked ON breaks (mark) WHERE mark IS NOT NULL AND closed_at IS NULL;
-- What an open break is about is not forgotten.
CREATE INDEX breaks_of_event ON breaks (event_key) WHERE closed_at IS NULL AND event_key IS NOT NULL;
CREATE INDEX breaks_of_invoice ON breaks (invoice) WHERE closed_at IS NULL AND invoice IS NOT NULL;
CREATE INDEX breaks_of_dispatch ON breaks (dispatch) WHERE closed_at IS NULL AND dispatch IS NOT NULL;

-- What was forgotten on purpose: everything from before which moment, and how many rows so far.
CREATE TABLE retention (
    what   TEXT    PRIMARY KEY CHECK (what IN ('raw', 'attempts')),
    before INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    erased INTEGER NOT NULL CHECK (erased >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE generations (
    generation   INTEGER PRIMARY KEY,
    last_posting INTEGER NOT NULL,
    at           INTEGER NOT NULL
) STRICT;

-- Who does the work that one instance does for all.
CREATE TABLE leads (
    work   TEXT    PRIMARY KEY,
    holder INTEGER NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

-- At most one row: the way to the core is paused.
CREATE TABLE route_pause (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    reason   TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    probe_at INTEGER NOT NULL
) STRICT;

CREATE TABLE paused_partners (
    partner TEXT PRIMARY KEY,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Money and proof are only ever added (I5).
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are only added'); END;
CREATE TRIGGER entries_last BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are only added'); END;
CREATE TRIGGER postings_stay BEFORE UPDATE ON postings BEGIN SELECT RAISE(ABORT, 'postings are only added'); END;
CREATE TRIGGER postings_last BEFORE DELETE ON postings BEGIN SELECT RAISE(ABORT, 'postings are only added'); END;
CREATE TRIGGER allocations_stay BEFORE UPDATE ON allocations BEGIN SELECT RAISE(ABORT, 'allocations are only added'); END;
CREATE TRIGGER allocations_last BEFORE DELETE ON allocations BEGIN SELECT RAISE(ABORT, 'allocations are only added'); END;
CREATE TRIGGER receipts_stay BEFORE UPDATE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are only added'); END;
CREATE TRIGGER receipts_last BEFORE DELETE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are only added'); END;
CREATE TRIGGER raw_notices_stay BEFORE UPDATE ON raw_notices BEGIN SELECT RAISE(ABORT, 'raw notices do not change'); END;
CREATE TRIGGER seals_stay BEFORE UPDATE ON seals BEGIN SELECT RAISE(ABORT, 'seals are only added'); END;
CREATE TRIGGER seals_last BEFORE DELETE ON seals BEGIN SELECT RAISE(ABORT, 'seals are only added'); END;
CREATE TRIGGER seal_heads_stay BEFORE UPDATE ON seal_heads BEGIN SELECT RAISE(ABORT, 'seals are only added'); END;
CREATE TRIGGER seal_heads_last BEFORE DELETE ON seal_heads BEGIN SELECT RAISE(ABORT, 'seals are only added'); END;
CREATE TRIGGER events_last BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'event keys are never purged'); END;
CREATE TRIGGER dispatches_last BEFORE DELETE ON dispatches BEGIN SELECT RAISE(ABORT, 'dispatches are never purged'); END;
-- The bytes of one that is told or ended may be erased, and nothing else.
CREATE TRIGGER dispatches_same BEFORE UPDATE OF no, invoice_no, sequence, key, body, created_at ON dispatches
WHEN NEW.no <> OLD.no OR NEW.invoice_no <> OLD.invoice_no OR NEW.sequence <> OLD.sequence OR NEW.key <> OLD.key
    OR NEW.created_at <> OLD.created_at OR NEW.body <> '' OR OLD.state NOT IN ('delivered', 'closed')
BEGIN SELECT RAISE(ABORT, 'every attempt carries the same bytes'); END;
CREATE TRIGGER senders_stay BEFORE UPDATE ON senders BEGIN SELECT RAISE(ABORT, 'a sender stays'); END;
CREATE TRIGGER senders_last BEFORE DELETE ON senders BEGIN SELECT RAISE(ABORT, 'a sender stays'); END;
CREATE TRIGGER events_key_stays BEFORE UPDATE OF no, key, sender_no, movement ON events
WHEN NEW.no <> OLD.no OR NEW.key <> OLD.key OR NEW.sender_no <> OLD.sender_no OR NEW.movement <> OLD.movement
BEGIN SELECT RAISE(ABORT, 'an event key does not change'); END;
-- The row that a reversal made is filled once, by the payment it named.
CREATE TRIGGER events_content_stays
BEFORE UPDATE OF event, amount, discount, ref_invoice, ref_order, ref_customer, reverses, fee, funder, channel, paid_at,
    business_day, names_invoice, first_posting ON events
WHEN OLD.state <> 'expected'
BEGIN SELECT RAISE(ABORT, 'the first content of an event stays'); END;
