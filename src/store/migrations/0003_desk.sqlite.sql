-- What people make of breaks: who looks at one, what was said, what was proposed, by whom, and who approved it.

-- The statement line that a payment was made from, where no notice of it came.
ALTER TABLE events ADD COLUMN made_from INTEGER;
CREATE UNIQUE INDEX events_made_from ON events (made_from) WHERE made_from IS NOT NULL;

ALTER TABLE breaks ADD COLUMN assignee TEXT;
-- The proposal that it waits for, or that it was closed by.
ALTER TABLE breaks ADD COLUMN proposal_no INTEGER;
ALTER TABLE breaks ADD COLUMN approved INTEGER NOT NULL DEFAULT 0
    CHECK (approved = 0 OR (approved = 1 AND proposal_no IS NOT NULL));
-- Somebody said that it may go on open over the day's close.
ALTER TABLE breaks ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0 CHECK (accepted = 0 OR accepted = 1);
-- The accounting day that its age is counted from.
ALTER TABLE breaks ADD COLUMN aged_from TEXT GENERATED ALWAYS AS
    (coalesce(day, date((opened_at + 25200000) / 1000, 'unixepoch'))) VIRTUAL;
ALTER TABLE breaks ADD COLUMN state TEXT GENERATED ALWAYS AS (CASE
    WHEN closed_at IS NOT NULL THEN 'closed' WHEN approved = 1 THEN 'approved' WHEN proposal_no IS NOT NULL THEN 'proposed'
    WHEN assignee IS NOT NULL THEN 'investigating' WHEN carried = 1 OR accepted = 1 THEN 'carried' ELSE 'open' END) VIRTUAL;
-- What two people have settled is not opened again by a later comparison that says the same.
CREATE INDEX breaks_settled ON breaks (mark)
WHERE mark IS NOT NULL AND closed_at IS NOT NULL AND proposal_no IS NOT NULL;
-- What goes on open over a day's close.
CREATE INDEX breaks_open_until ON breaks (partner, aged_from) WHERE closed_at IS NULL;
CREATE INDEX breaks_of_proposal ON breaks (proposal_no) WHERE proposal_no IS NOT NULL;

CREATE TABLE break_notes (
    no       INTEGER PRIMARY KEY,
    break_no INTEGER NOT NULL REFERENCES breaks (no),
    at       INTEGER NOT NULL,
    author   TEXT    NOT NULL,
    what     TEXT    NOT NULL CHECK (what IN ('comment', 'attached', 'assigned', 'accepted', 'proposed', 'approved', 'rejected',
        'withdrawn', 'done', 'refused')),
    text     TEXT    NOT NULL
) STRICT;
CREATE INDEX break_notes_of ON break_notes (break_no, no);

CREATE TABLE attachments (
    note_no INTEGER PRIMARY KEY REFERENCES break_notes (no),
    name    TEXT NOT NULL,
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    bytes   BLOB NOT NULL
) STRICT;

CREATE TABLE proposals (
    no         INTEGER PRIMARY KEY,
    action     TEXT    NOT NULL CHECK (action IN ('create', 'allocate', 'adjust', 'reverse', 'close')),
    maker      TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    made_at    INTEGER NOT NULL,
    items      INTEGER NOT NULL CHECK (items > 0),
    dong       INTEGER NOT NULL CHECK (dong >= 0),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    state      TEXT    NOT NULL CHECK (state IN ('proposed', 'approved', 'done', 'rejected', 'withdrawn')),
    decided_by TEXT    CHECK ((decided_by IS NULL) = (state = 'proposed')),
    decided_at INTEGER,
    decision   TEXT,
    -- Nobody approves their own (I13).
    CHECK (state NOT IN ('approved', 'done') OR decided_by <> maker)
) STRICT;
CREATE INDEX proposals_undone ON proposals (no) WHERE state = 'proposed' OR state = 'approved';

CREATE TABLE proposal_items (
    proposal_no INTEGER NOT NULL REFERENCES proposals (no),
    place       INTEGER NOT NULL,
    break_no    INTEGER NOT NULL REFERENCES breaks (no),
    what        TEXT    NOT NULL,
    dong        INTEGER NOT NULL,
    ended_at    INTEGER,
    refused     TEXT    CHECK (refused IS NULL OR ended_at IS NOT NULL),
    posting_no  INTEGER CHECK (posting_no IS NULL OR (ended_at IS NOT NULL AND refused IS NULL)),
    PRIMARY KEY (proposal_no, place)
) STRICT, WITHOUT ROWID;

-- Up to which sum somebody may approve what, -1 for nothing; the last word counts, and nobody gives it to themselves.
CREATE TABLE authorities (
    no         INTEGER PRIMARY KEY,
    person     TEXT    NOT NULL,
    action     TEXT    NOT NULL CHECK (action IN ('create', 'allocate', 'adjust', 'reverse', 'close', 'seal', 'reopen')),
    dong       INTEGER NOT NULL CHECK (dong >= -1),
    granted_by TEXT    NOT NULL CHECK (granted_by <> person),
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX authorities_of ON authorities (person, action, no);

CREATE TRIGGER proposals_begin BEFORE INSERT ON proposals WHEN NEW.state <> 'proposed'
BEGIN SELECT RAISE(ABORT, 'a proposal is proposed first'); END;
CREATE TRIGGER proposals_authority BEFORE UPDATE OF state ON proposals
WHEN NEW.state = 'approved' AND NEW.dong > coalesce((SELECT a.dong FROM authorities a
    WHERE a.person = NEW.decided_by AND a.action = NEW.action ORDER BY a.no DESC LIMIT 1), -1)
BEGIN SELECT RAISE(ABORT, 'beyond the authority of whoever approves'); END;
CREATE TRIGGER proposals_once BEFORE UPDATE ON proposals
WHEN OLD.state IN ('done', 'rejected', 'withdrawn') OR (OLD.state = 'approved' AND (NEW.state <> 'done'
    OR NEW.decided_by <> OLD.decided_by)) OR (OLD.state = 'proposed' AND NEW.state = 'done')
BEGIN SELECT RAISE(ABORT, 'a proposal is decided once'); END;
CREATE TRIGGER proposals_same BEFORE UPDATE OF no, action, maker, reason, made_at, items, dong, hash ON proposals
BEGIN SELECT RAISE(ABORT, 'what was proposed does not change'); END;
CREATE TRIGGER proposals_last BEFORE DELETE ON proposals BEGIN SELECT RAISE(ABORT, 'proposals stay'); END;
CREATE TRIGGER proposal_items_same BEFORE UPDATE OF proposal_no, place, break_no, what, dong ON proposal_items
BEGIN SELECT RAISE(ABORT, 'a frozen list does not change'); END;
CREATE TRIGGER proposal_items_once BEFORE UPDATE OF ended_at, refused, posting_no ON proposal_items WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an item ends once'); END;
CREATE TRIGGER proposal_items_approved BEFORE UPDATE OF ended_at ON proposal_items
WHEN NOT EXISTS (SELECT 1 FROM proposals p WHERE p.no = OLD.proposal_no AND p.state = 'approved')
BEGIN SELECT RAISE(ABORT, 'nothing is carried out that is not approved'); END;
CREATE TRIGGER proposal_items_frozen BEFORE INSERT ON proposal_items
WHEN NEW.place > (SELECT items FROM proposals p WHERE p.no = NEW.proposal_no)
BEGIN SELECT RAISE(ABORT, 'a frozen list does not grow'); END;
CREATE TRIGGER proposal_items_last BEFORE DELETE ON proposal_items BEGIN SELECT RAISE(ABORT, 'a frozen list stays'); END;
CREATE TRIGGER break_notes_stay BEFORE UPDATE ON break_notes BEGIN SELECT RAISE(ABORT, 'history is only added'); END;
CREATE TRIGGER break_notes_last BEFORE DELETE ON break_notes BEGIN SELECT RAISE(ABORT, 'history is only added'); END;
CREATE TRIGGER attachments_stay BEFORE UPDATE ON attachments BEGIN SELECT RAISE(ABORT, 'history is only added'); END;
CREATE TRIGGER attachments_last BEFORE DELETE ON attachments BEGIN SELECT RAISE(ABORT, 'history is only added'); END;
CREATE TRIGGER authorities_stay BEFORE UPDATE ON authorities BEGIN SELECT RAISE(ABORT, 'authorities are only added'); END;
CREATE TRIGGER authorities_last BEFORE DELETE ON authorities BEGIN SELECT RAISE(ABORT, 'authorities are only added'); END;
CREATE TRIGGER breaks_last BEFORE DELETE ON breaks BEGIN SELECT RAISE(ABORT, 'breaks are only closed'); END;
CREATE TRIGGER breaks_closed_stay BEFORE UPDATE ON breaks WHEN OLD.closed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a closed break does not change'); END;
