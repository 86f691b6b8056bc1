-- The spine on PostgreSQL: the same rows as on SQLite, and the same meaning. What is different, and why:
--
-- * Several instances write. Each owns a lane: its row in `lanes` says where its chain and its numbers go on, and is
--   changed in each of its transactions. Numbers of postings and events come in blocks, so that no two lanes share one.
-- * 16 bytes of a key are a `uuid`, which is the type of that length; it says nothing of how they were made.
-- * No foreign keys: each would read, and lock, a row of another page at every insert. `audit` asks for them.
-- * Texts that are compared are compared byte by byte, whatever the database's language.

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- Blocks of numbers: 2^20 of them each.
CREATE SEQUENCE number_blocks AS bigint;

CREATE TABLE lanes (
    lane      integer PRIMARY KEY CHECK (lane >= 0 AND lane < 1048576),
    n         bigint  NOT NULL CHECK (n >= 0),
    hash      bytea   NOT NULL CHECK (length(hash) = 32),
    -- The next numbers of a posting and of an event, and the end of the block that they are in.
    posting   bigint  NOT NULL,
    event     bigint  NOT NULL,
    block_end bigint  NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE invoices (
    no             bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id             text    COLLATE "C" NOT NULL UNIQUE,
    customer       text    COLLATE "C" NOT NULL,
    payer          text    COLLATE "C" NOT NULL,
    unit           text    COLLATE "C" NOT NULL,
    area           text    COLLATE "C" NOT NULL CHECK (area IN ('urban', 'rural', 'island')),
    period         text    COLLATE "C" NOT NULL,
    kind           text    COLLATE "C" NOT NULL CHECK (kind IN ('TD', 'TC', 'DV')),
    net            bigint  NOT NULL,
    vat            bigint  NOT NULL,
    total          bigint  NOT NULL CHECK (total = net + vat),
    issued_on      date    NOT NULL,
    due_on         date    NOT NULL,
    status         text    COLLATE "C" NOT NULL CHECK (status IN ('open', 'paid', 'cancelled')),
    paid_elsewhere bigint  NOT NULL,
    adjusts        text    COLLATE "C",
    version        bigint  NOT NULL
);
CREATE INDEX invoices_of_customer ON invoices (customer, status);

CREATE TABLE senders (
    no      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner text    COLLATE "C" NOT NULL,
    account text    COLLATE "C" NOT NULL,
    UNIQUE (partner, account)
);

CREATE TABLE events (
    no            bigint  PRIMARY KEY,
    key           uuid    NOT NULL UNIQUE,
    sender_no     integer NOT NULL,
    event         text    COLLATE "C" NOT NULL,
    movement      text    COLLATE "C" NOT NULL CHECK (movement IN ('payment', 'reversal')),
    amount        bigint  NOT NULL,
    discount      bigint  NOT NULL,
    ref_invoice   text    COLLATE "C",
    ref_order     text    COLLATE "C",
    ref_customer  text    COLLATE "C",
    reverses      uuid,
    fee           bigint  NOT NULL,
    funder        text    COLLATE "C",
    channel       text    COLLATE "C",
    paid_at       bigint  NOT NULL,
    business_day  date    NOT NULL,
    state         text    COLLATE "C" NOT NULL
        CHECK (state IN ('settled', 'parked', 'reversed', 'expected', 'applied', 'waiting', 'refused')),
    park_reason   text    COLLATE "C" CHECK ((park_reason IS NOT NULL) = (state = 'parked')),
    reversal      uuid    CHECK ((reversal IS NOT NULL) = (state = 'expected')),
    names_invoice text    COLLATE "C",
    -- Is it found by its references' texts? Not what was settled when it came: the text means an invoice that has it.
    listed        boolean NOT NULL,
    first_posting bigint,
    postings      integer NOT NULL CHECK (postings >= 0)
);
CREATE INDEX events_naming ON events (names_invoice) WHERE names_invoice IS NOT NULL AND state <> 'settled';
CREATE INDEX events_ref_invoice ON events (ref_invoice) WHERE ref_invoice IS NOT NULL AND listed;
CREATE INDEX events_ref_order ON events (ref_order) WHERE ref_order IS NOT NULL AND listed;
CREATE INDEX events_reversing ON events (reverses) WHERE reverses IS NOT NULL;
CREATE INDEX events_ref_customer ON events (ref_customer) WHERE ref_customer IS NOT NULL AND listed;

CREATE TABLE accounts (
    no   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text    COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE postings (
    no           bigint  PRIMARY KEY,
    event_no     bigint  NOT NULL,
    -- Which of its event's postings it is, from 1: numbers of two lanes do not say which came first.
    ordinal      integer NOT NULL,
    kind         text    COLLATE "C" NOT NULL CHECK (kind IN ('settle', 'park', 'rematch', 'reverse')),
    author       text    COLLATE "C",
    posted_at    bigint  NOT NULL,
    business_day date    NOT NULL
);
CREATE INDEX postings_later ON postings (event_no) WHERE kind IN ('rematch', 'reverse');

-- The number holds the posting's above 16 bits and the line below.
CREATE TABLE entries (
    no         bigint  PRIMARY KEY,
    account_no integer NOT NULL,
    amount     bigint  NOT NULL CHECK (amount <> 0)
);

-- What a posting does to one invoice; `no` is that of its message, and like an entry's holds the posting's above 16 bits.
CREATE TABLE allocations (
    invoice_no bigint  NOT NULL,
    sequence   integer NOT NULL CHECK (sequence >= 1),
    no         bigint  NOT NULL,
    amount     bigint  NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (invoice_no, sequence)
);

CREATE TABLE dispatches (
    no                bigint  PRIMARY KEY,
    invoice_no        bigint  NOT NULL,
    sequence          integer NOT NULL,
    key               uuid    NOT NULL,
    state             text    COLLATE "C" NOT NULL
        CHECK (state IN ('waiting', 'leased', 'parked', 'delivered', 'closed')),
    head              boolean NOT NULL,
    urgent            boolean NOT NULL,
    due_at            bigint  NOT NULL,
    created_at        bigint  NOT NULL,
    attempts          integer NOT NULL DEFAULT 0,
    walls             integer NOT NULL DEFAULT 0,
    lease_token       bigint  CHECK ((lease_token IS NOT NULL) = (state = 'leased')),
    lease_until       bigint  CHECK ((lease_until IS NOT NULL) = (state = 'leased')),
    cause             text    COLLATE "C" CHECK ((cause IS NOT NULL) = (state = 'parked')),
    reason            text    COLLATE "C",
    delivered_at      bigint  CHECK ((delivered_at IS NOT NULL) = (state = 'delivered')),
    close_proposed_by text    COLLATE "C",
    close_reason      text    COLLATE "C",
    closed_by         text    COLLATE "C" CHECK ((closed_by IS NOT NULL) = (state = 'closed')),
    closed_at         bigint,
    body              text    NOT NULL,
    CHECK (state <> 'leased' OR head),
    -- Bytes that were erased are never sent.
    CHECK (body <> '' OR state IN ('delivered', 'closed')),
    CHECK (closed_by IS NULL OR (close_proposed_by IS NOT NULL AND close_proposed_by <> closed_by))
);
-- Behind its block of 1024 postings, so that today's rows share a few pages; a lookup probes block by block.
CREATE UNIQUE INDEX dispatches_key ON dispatches ((no >> 26), key);
CREATE INDEX dispatches_due ON dispatches (head, urgent, due_at, created_at, no) WHERE state = 'waiting';
CREATE INDEX dispatches_leased_by ON dispatches (lease_token, key) WHERE state = 'leased';
-- Not for a question about leases that does not say when: it would read every lease since the last vacuum.
CREATE INDEX dispatches_leased_until ON dispatches (lease_until, created_at)
    WHERE state = 'leased' AND lease_until IS NOT NULL;
CREATE INDEX dispatches_parked ON dispatches (created_at) WHERE state = 'parked';

-- A chain for each lane: the number holds the lane above 40 bits and the place in it below.
CREATE TABLE receipts (
    no          bigint PRIMARY KEY,
    previous    bytea  NOT NULL CHECK (length(previous) = 32),
    hash        bytea  NOT NULL CHECK (length(hash) = 32),
    raw_hash    bytea  NOT NULL CHECK (length(raw_hash) = 32),
    verdict     text   COLLATE "C" NOT NULL,
    partner     text   COLLATE "C" NOT NULL,
    received_at bigint NOT NULL,
    amount      bigint,
    event_key   uuid
);
-- The calls themselves: the one table here whose rows may be erased, by `retain`.
CREATE TABLE raw_notices (
    receipt_no bigint PRIMARY KEY,
    key_id     text   NOT NULL,
    method     text   COLLATE "C" NOT NULL CHECK (method IN ('GET', 'POST')),
    path       text   NOT NULL,
    query      text   NOT NULL,
    headers    text   NOT NULL,
    body       bytea  NOT NULL
);
CREATE TABLE redone (
    receipt_no bigint PRIMARY KEY,
    at         bigint NOT NULL
);
-- Proved calls that are neither booked nor refused: what `notice redo` looks for.
CREATE INDEX receipts_unread ON receipts (verdict, partner) WHERE verdict IN ('stale', 'unreadable', 'paused');

CREATE TABLE repeats (
    partner text   COLLATE "C",
    day     date,
    count   bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (partner, day)
);

CREATE TABLE seals (
    no        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        bigint NOT NULL,
    signature bytea  NOT NULL CHECK (length(signature) = 32)
);
CREATE INDEX seals_at ON seals (at);
CREATE TABLE seal_heads (
    seal_no bigint,
    lane    integer,
    n       bigint NOT NULL,
    hash    bytea  NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (seal_no, lane)
);

CREATE TABLE breaks (
    no        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    class     text   COLLATE "C" NOT NULL,
    partner   text   COLLATE "C",
    event_key uuid,
    invoice   text   COLLATE "C",
    dispatch  text   COLLATE "C",
    amount    bigint NOT NULL,
    detail    text   NOT NULL,
    opened_at bigint NOT NULL,
    closed_at bigint,
    mark      bytea  CHECK (length(mark) = 32)
);
CREATE INDEX breaks_open ON breaks (no) WHERE closed_at IS NULL;
-- Whoever says the same thing again opens no second break beside an open one.
CREATE UNIQUE INDEX breaks_marked ON breaks (mark) WHERE mark IS NOT NULL AND closed_at IS NULL;
-- What an open break is about is not forgotten.
CREATE INDEX breaks_of_event ON breaks (event_key) WHERE closed_at IS NULL AND event_key IS NOT NULL;
CREATE INDEX breaks_of_invoice ON breaks (invoice) WHERE closed_at IS NULL AND invoice IS NOT NULL;
CREATE INDEX breaks_of_dispatch ON breaks (dispatch) WHERE closed_at IS NULL AND dispatch IS NOT NULL;

-- What was forgotten on purpose: everything from before which moment, and how many rows so far.
CREATE TABLE retention (
    what   text   COLLATE "C" PRIMARY KEY CHECK (what IN ('raw', 'attempts')),
    before bigint NOT NULL,
    at     bigint NOT NULL,
    erased bigint NOT NULL CHECK (erased >= 0)
);

CREATE TABLE generations (
    generation   bigint PRIMARY KEY,
    last_posting bigint NOT NULL,
    at           bigint NOT NULL
);

-- Who does the work that one instance does for all.
CREATE TABLE leads (
    work   text   COLLATE "C" PRIMARY KEY,
    holder bigint NOT NULL,
    until  bigint NOT NULL
);

-- At most one row: the way to the core is paused.
CREATE TABLE route_pause (
    one      integer PRIMARY KEY CHECK (one = 1),
    reason   text    NOT NULL,
    since    bigint  NOT NULL,
    probe_at bigint  NOT NULL
);

CREATE TABLE paused_partners (
    partner text   COLLATE "C" PRIMARY KEY,
    at      bigint NOT NULL
);

-- Money and proof are only ever added (I5).
CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE ON entries
    FOR EACH ROW EXECUTE FUNCTION refuse('entries are only added');
CREATE TRIGGER entries_all BEFORE TRUNCATE ON entries EXECUTE FUNCTION refuse('entries are only added');
CREATE TRIGGER postings_stay BEFORE UPDATE OR DELETE ON postings
    FOR EACH ROW EXECUTE FUNCTION refuse('postings are only added');
CREATE TRIGGER postings_all BEFORE TRUNCATE ON postings EXECUTE FUNCTION refuse('postings are only added');
CREATE TRIGGER allocations_stay BEFORE UPDATE OR DELETE ON allocations
    FOR EACH ROW EXECUTE FUNCTION refuse('allocations are only added');
CREATE TRIGGER allocations_all BEFORE TRUNCATE ON allocations EXECUTE FUNCTION refuse('allocations are only added');
CREATE TRIGGER receipts_stay BEFORE UPDATE OR DELETE ON receipts
    FOR EACH ROW EXECUTE FUNCTION refuse('receipts are only added');
CREATE TRIGGER receipts_all BEFORE TRUNCATE ON receipts EXECUTE FUNCTION refuse('receipts are only added');
CREATE TRIGGER raw_notices_stay BEFORE UPDATE ON raw_notices
    FOR EACH ROW EXECUTE FUNCTION refuse('raw notices do not change');
CREATE TRIGGER seals_stay BEFORE UPDATE OR DELETE ON seals FOR EACH ROW EXECUTE FUNCTION refuse('seals are only added');
CREATE TRIGGER seal_heads_stay BEFORE UPDATE OR DELETE ON seal_heads
    FOR EACH ROW EXECUTE FUNCTION refuse('seals are only added');
CREATE TRIGGER events_last BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse('event keys are never purged');
CREATE TRIGGER events_all BEFORE TRUNCATE ON events EXECUTE FUNCTION refuse('event keys are never purged');
CREATE TRIGGER dispatches_last BEFORE DELETE ON dispatches
    FOR EACH ROW EXECUTE FUNCTION refuse('dispatches are never purged');
CREATE TRIGGER dispatches_all BEFORE TRUNCATE ON dispatches EXECUTE FUNCTION refuse('dispatches are never purged');
-- The bytes of one that is told or ended may be erased, and nothing else.
CREATE TRIGGER dispatches_same BEFORE UPDATE OF no, invoice_no, sequence, key, body, created_at ON dispatches
    FOR EACH ROW
    WHEN (NEW.no <> OLD.no OR NEW.invoice_no <> OLD.invoice_no OR NEW.sequence <> OLD.sequence OR NEW.key <> OLD.key
        OR NEW.created_at <> OLD.created_at OR NEW.body <> '' OR OLD.state NOT IN ('delivered', 'closed'))
    EXECUTE FUNCTION refuse('every attempt carries the same bytes');
CREATE TRIGGER senders_stay BEFORE UPDATE OR DELETE ON senders FOR EACH ROW EXECUTE FUNCTION refuse('a sender stays');
CREATE TRIGGER lanes_last BEFORE DELETE ON lanes FOR EACH ROW EXECUTE FUNCTION refuse('a lane stays');
CREATE TRIGGER lanes_rise BEFORE UPDATE ON lanes FOR EACH ROW
    WHEN (NEW.lane <> OLD.lane OR NEW.n < OLD.n OR NEW.posting < OLD.posting OR NEW.event < OLD.event)
    EXECUTE FUNCTION refuse('a lane only goes on');
CREATE TRIGGER events_key_stays BEFORE UPDATE OF no, key, sender_no, movement ON events FOR EACH ROW
    WHEN (NEW.no <> OLD.no OR NEW.key <> OLD.key OR NEW.sender_no <> OLD.sender_no OR NEW.movement <> OLD.movement)
    EXECUTE FUNCTION refuse('an event key does not change');
-- The row that a reversal made is filled once, by the payment it named.
CREATE TRIGGER events_content_stays
    BEFORE UPDATE OF event, amount, discount, ref_invoice, ref_order, ref_customer, reverses, fee, funder, channel,
        paid_at, business_day, names_invoice, first_posting ON events FOR EACH ROW
    WHEN (OLD.state <> 'expected')
    EXECUTE FUNCTION refuse('the first content of an event stays');
