-- What people make of breaks: who looks at one, what was said, what was proposed, by whom, and who approved it.

-- The statement line that a payment was made from, where no notice of it came.
ALTER TABLE events ADD COLUMN made_from bigint;
CREATE UNIQUE INDEX events_made_from ON events (made_from) WHERE made_from IS NOT NULL;

ALTER TABLE breaks
    ADD COLUMN assignee    text    COLLATE "C",
    -- The proposal that it waits for, or that it was closed by.
    ADD COLUMN proposal_no bigint,
    ADD COLUMN approved    boolean NOT NULL DEFAULT false CHECK (NOT approved OR proposal_no IS NOT NULL),
    -- Somebody said that it may go on open over the day's close.
    ADD COLUMN accepted    boolean NOT NULL DEFAULT false,
    -- The accounting day that its age is counted from.
    ADD COLUMN aged_from   date    GENERATED ALWAYS AS
        (coalesce(day, date '1970-01-01' + ((opened_at + 25200000) / 86400000)::integer)) STORED,
    ADD COLUMN state       text    COLLATE "C" GENERATED ALWAYS AS (CASE
        WHEN closed_at IS NOT NULL THEN 'closed' WHEN approved THEN 'approved' WHEN proposal_no IS NOT NULL THEN 'proposed'
        WHEN assignee IS NOT NULL THEN 'investigating' WHEN carried OR accepted THEN 'carried' ELSE 'open' END) STORED;
-- What two people have settled is not opened again by a later comparison that says the same.
CREATE INDEX breaks_settled ON breaks (mark)
    WHERE mark IS NOT NULL AND closed_at IS NOT NULL AND proposal_no IS NOT NULL;
-- What goes on open over a day's close.
CREATE INDEX breaks_open_until ON breaks (partner, aged_from) WHERE closed_at IS NULL;
CREATE INDEX breaks_of_proposal ON breaks (proposal_no) WHERE proposal_no IS NOT NULL;

CREATE TABLE break_notes (
    no       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    break_no bigint NOT NULL,
    at       bigint NOT NULL,
    author   text   COLLATE "C" NOT NULL,
    what     text   COLLATE "C" NOT NULL CHECK (what IN ('comment', 'attached', 'assigned', 'accepted', 'proposed', 'approved',
        'rejected', 'withdrawn', 'done', 'refused')),
    text     text   NOT NULL
);
CREATE INDEX break_notes_of ON break_notes (break_no, no);

CREATE TABLE attachments (
    note_no bigint PRIMARY KEY REFERENCES break_notes (no),
    name    text   NOT NULL,
    hash    bytea  NOT NULL CHECK (length(hash) = 32),
    bytes   bytea  NOT NULL
);

CREATE TABLE proposals (
    no         bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action     text    COLLATE "C" NOT NULL CHECK (action IN ('create', 'allocate', 'adjust', 'reverse', 'close')),
    maker      text    COLLATE "C" NOT NULL,
    reason     text    NOT NULL,
    made_at    bigint  NOT NULL,
    items      integer NOT NULL CHECK (items > 0),
    dong       bigint  NOT NULL CHECK (dong >= 0),
    hash       bytea   NOT NULL CHECK (length(hash) = 32),
    state      text    COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'approved', 'done', 'rejected', 'withdrawn')),
    decided_by text    COLLATE "C" CHECK ((decided_by IS NULL) = (state = 'proposed')),
    decided_at bigint,
    decision   text,
    -- Nobody approves their own (I13).
    CHECK (state NOT IN ('approved', 'done') OR decided_by <> maker)
);
CREATE INDEX proposals_undone ON proposals (no) WHERE state = 'proposed' OR state = 'approved';

CREATE TABLE proposal_items (
    proposal_no bigint  NOT NULL REFERENCES proposals (no),
    place       integer NOT NULL,
    break_no    bigint  NOT NULL REFERENCES breaks (no),
    what        text    NOT NULL,
    dong        bigint  NOT NULL,
    ended_at    bigint,
    refused     text    CHECK (refused IS NULL OR ended_at IS NOT NULL),
    posting_no  bigint  CHECK (posting_no IS NULL OR (ended_at IS NOT NULL AND refused IS NULL)),
    PRIMARY KEY (proposal_no, place)
);

-- Up to which sum somebody may approve what, -1 for nothing; the last word counts, and nobody gives it to themselves.
CREATE TABLE authorities (
    no         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person     text   COLLATE "C" NOT NULL,
    action     text   COLLATE "C" NOT NULL CHECK (action IN ('create', 'allocate', 'adjust', 'reverse', 'close', 'seal', 'reopen')),
    dong       bigint NOT NULL CHECK (dong >= -1),
    granted_by text   COLLATE "C" NOT NULL CHECK (granted_by <> person),
    at         bigint NOT NULL
);
CREATE INDEX authorities_of ON authorities (person, action, no);

CREATE FUNCTION may_approve() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.dong > coalesce((SELECT a.dong FROM authorities a WHERE a.person = NEW.decided_by AND a.action = NEW.action
            ORDER BY a.no DESC LIMIT 1), -1) THEN
        RAISE EXCEPTION 'beyond the authority of whoever approves';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM proposals p WHERE p.no = OLD.proposal_no AND p.state = 'approved') THEN
        RAISE EXCEPTION 'nothing is carried out that is not approved';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.place > (SELECT items FROM proposals p WHERE p.no = NEW.proposal_no) THEN
        RAISE EXCEPTION 'a frozen list does not grow';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER proposals_begin BEFORE INSERT ON proposals FOR EACH ROW WHEN (NEW.state <> 'proposed')
    EXECUTE FUNCTION refuse('a proposal is proposed first');
CREATE TRIGGER proposals_authority BEFORE UPDATE OF state ON proposals FOR EACH ROW WHEN (NEW.state = 'approved')
    EXECUTE FUNCTION may_approve();
CREATE TRIGGER proposals_once BEFORE UPDATE ON proposals FOR EACH ROW
    WHEN (OLD.state IN ('done', 'rejected', 'withdrawn') OR (OLD.state = 'approved' AND (NEW.state <> 'done'
        OR NEW.decided_by <> OLD.decided_by)) OR (OLD.state = 'proposed' AND NEW.state = 'done'))
    EXECUTE FUNCTION refuse('a proposal is decided once');
CREATE TRIGGER proposals_same BEFORE UPDATE OF no, action, maker, reason, made_at, items, dong, hash ON proposals
    FOR EACH ROW EXECUTE FUNCTION refuse('what was proposed does not change');
CREATE TRIGGER proposals_last BEFORE DELETE ON proposals FOR EACH ROW EXECUTE FUNCTION refuse('proposals stay');
CREATE TRIGGER proposals_all BEFORE TRUNCATE ON proposals EXECUTE FUNCTION refuse('proposals stay');
CREATE TRIGGER proposal_items_same BEFORE UPDATE OF proposal_no, place, break_no, what, dong ON proposal_items
    FOR EACH ROW EXECUTE FUNCTION refuse('a frozen list does not change');
CREATE TRIGGER proposal_items_once BEFORE UPDATE OF ended_at, refused, posting_no ON proposal_items FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION refuse('an item ends once');
CREATE TRIGGER proposal_items_approved BEFORE UPDATE OF ended_at ON proposal_items FOR EACH ROW
    EXECUTE FUNCTION is_approved();
CREATE TRIGGER proposal_items_frozen BEFORE INSERT ON proposal_items FOR EACH ROW EXECUTE FUNCTION is_frozen();
CREATE TRIGGER proposal_items_last BEFORE DELETE ON proposal_items
    FOR EACH ROW EXECUTE FUNCTION refuse('a frozen list stays');
CREATE TRIGGER proposal_items_all BEFORE TRUNCATE ON proposal_items EXECUTE FUNCTION refuse('a frozen list stays');
CREATE TRIGGER break_notes_stay BEFORE UPDATE OR DELETE ON break_notes
    FOR EACH ROW EXECUTE FUNCTION refuse('history is only added');
CREATE TRIGGER break_notes_all BEFORE TRUNCATE ON break_notes EXECUTE FUNCTION refuse('history is only added');
CREATE TRIGGER attachments_stay BEFORE UPDATE OR DELETE ON attachments
    FOR EACH ROW EXECUTE FUNCTION refuse('history is only added');
CREATE TRIGGER authorities_stay BEFORE UPDATE OR DELETE ON authorities
    FOR EACH ROW EXECUTE FUNCTION refuse('authorities are only added');
CREATE TRIGGER authorities_all BEFORE TRUNCATE ON authorities EXECUTE FUNCTION refuse('authorities are only added');
CREATE TRIGGER breaks_last BEFORE DELETE ON breaks FOR EACH ROW EXECUTE FUNCTION refuse('breaks are only closed');
CREATE TRIGGER breaks_all BEFORE TRUNCATE ON breaks EXECUTE FUNCTION refuse('breaks are only closed');
CREATE TRIGGER breaks_closed_stay BEFORE UPDATE ON breaks FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL)
    EXECUTE FUNCTION refuse('a closed break does not change');
