-- What others say of a day, what came of comparing it, and what people make of the differences.

-- Our events of a partner's day, which a comparison reads. It costs a notice no page of its own: those of one day lie
-- side by side.
CREATE INDEX events_of_day ON events (sender_no, business_day);

CREATE TABLE statement_files (
    no              INTEGER PRIMARY KEY,
    kind            TEXT    NOT NULL CHECK (kind IN ('partner', 'core', 'bank')),
    partner         TEXT    NOT NULL,
    day             TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    hash            BLOB    NOT NULL CHECK (length(hash) = 32),
    bytes           INTEGER NOT NULL,
    author          TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('reading', 'taken', 'superseded')),
    lines           INTEGER NOT NULL,
    payments        INTEGER NOT NULL,
    payments_dong   INTEGER NOT NULL,
    reversals       INTEGER NOT NULL,
    reversals_dong  INTEGER NOT NULL,
    ignored         INTEGER NOT NULL,
    ignored_dong    INTEGER NOT NULL,
    supersedes      INTEGER REFERENCES statement_files (no),
    UNIQUE (kind, partner, day, hash)
) STRICT;
-- One word a day.
CREATE UNIQUE INDEX statement_files_taken ON statement_files (kind, partner, day) WHERE state = 'taken';

-- The number holds the file's above 32 bits and the place in it below.
CREATE TABLE statement_lines (
    no           INTEGER PRIMARY KEY,
    row          INTEGER NOT NULL,
    offset       INTEGER,
    length       INTEGER,
    key          BLOB    CHECK (length(key) = 16),
    event        TEXT,
    -- Nothing for a line that moves nothing; then its state is one of the others.
    movement     TEXT    CHECK (movement = 'payment' OR movement = 'reversal'),
    amount       INTEGER NOT NULL CHECK (amount >= 0),
    discount     INTEGER NOT NULL,
    fee          INTEGER NOT NULL,
    ref_invoice  TEXT,
    ref_order    TEXT,
    ref_customer TEXT,
    paid_at      INTEGER NOT NULL,
    day          TEXT    NOT NULL
) STRICT;

CREATE TABLE reconciliations (
    no      INTEGER PRIMARY KEY,
    kind    TEXT    NOT NULL CHECK (kind IN ('partner', 'core', 'bank')),
    partner TEXT    NOT NULL,
    day     TEXT    NOT NULL,
    file_no INTEGER REFERENCES statement_files (no),
    rules   INTEGER NOT NULL,
    sums    TEXT    NOT NULL,
    author  TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX reconciliations_of_day ON reconciliations (kind, partner, day, no);

-- One line, one event, on each leg. What a superseded file said stays, and says nothing any more.
CREATE TABLE matches (
    line_no           INTEGER PRIMARY KEY REFERENCES statement_lines (no),
    kind              TEXT    NOT NULL CHECK (kind = 'partner' OR kind = 'core' OR kind = 'bank'),
    event_no          INTEGER NOT NULL REFERENCES events (no),
    rule              INTEGER NOT NULL,
    reconciliation_no INTEGER NOT NULL REFERENCES reconciliations (no),
    ended             INTEGER NOT NULL DEFAULT 0 CHECK (ended = 0 OR ended = 1)
) STRICT;
CREATE UNIQUE INDEX matches_of_event ON matches (event_no, kind) WHERE ended = 0;

-- Breaks of a comparison: which leg and day, which line, what either side says.
ALTER TABLE breaks ADD COLUMN leg TEXT CHECK (leg IS NULL OR leg = 'partner' OR leg = 'core' OR leg = 'bank');
ALTER TABLE breaks ADD COLUMN day TEXT;
ALTER TABLE breaks ADD COLUMN line_no INTEGER;
ALTER TABLE breaks ADD COLUMN ours INTEGER;
ALTER TABLE breaks ADD COLUMN theirs INTEGER;
ALTER TABLE breaks ADD COLUMN carried INTEGER NOT NULL DEFAULT 0 CHECK (carried = 0 OR carried = 1);
ALTER TABLE breaks ADD COLUMN closed_by TEXT;
ALTER TABLE breaks ADD COLUMN close_reason TEXT;
CREATE INDEX breaks_of_leg ON breaks (leg, partner, day) WHERE leg IS NOT NULL AND closed_at IS NULL;

CREATE TRIGGER statement_lines_stay BEFORE UPDATE ON statement_lines
BEGIN SELECT RAISE(ABORT, 'statement lines are only added'); END;
CREATE TRIGGER statement_lines_last BEFORE DELETE ON statement_lines
BEGIN SELECT RAISE(ABORT, 'statement lines are only added'); END;
CREATE TRIGGER statement_files_last BEFORE DELETE ON statement_files
BEGIN SELECT RAISE(ABORT, 'statements are only superseded'); END;
CREATE TRIGGER statement_files_same BEFORE UPDATE OF kind, partner, day, name, hash, bytes, author, at ON statement_files
BEGIN SELECT RAISE(ABORT, 'what a statement is does not change'); END;
CREATE TRIGGER matches_last BEFORE DELETE ON matches BEGIN SELECT RAISE(ABORT, 'matches are only ended'); END;
CREATE TRIGGER matches_same BEFORE UPDATE OF line_no, kind, event_no, rule, reconciliation_no ON matches
BEGIN SELECT RAISE(ABORT, 'a match does not change'); END;
CREATE TRIGGER reconciliations_stay BEFORE UPDATE ON reconciliations
BEGIN SELECT RAISE(ABORT, 'reconciliations are only added'); END;
CREATE TRIGGER reconciliations_last BEFORE DELETE ON reconciliations
BEGIN SELECT RAISE(ABORT, 'reconciliations are only added'); END;
