-- Days and months that are signed off. Figures are a text that never changes; each close commits to the one before.

CREATE TABLE closes (
    no                INTEGER PRIMARY KEY,
    period            TEXT    NOT NULL CHECK (period IN ('day', 'month')),
    partner           TEXT    NOT NULL,
    first_day         TEXT    NOT NULL,
    -- What was compared: it must still be so when it is signed.
    file_no           INTEGER,
    reconciliation_no INTEGER,
    figures           TEXT    NOT NULL,
    previous          BLOB    CHECK (length(previous) = 32),
    hash              BLOB    NOT NULL CHECK (length(hash) = 32),
    -- What differs and goes on open, in dong: how an authority is measured.
    open_dong         INTEGER NOT NULL CHECK (open_dong >= 0),
    drafted_by        TEXT    NOT NULL,
    drafted_at        INTEGER NOT NULL,
    signed_by         TEXT    CHECK (signed_by <> drafted_by),
    signed_at         INTEGER CHECK ((signed_at IS NULL) = (signed_by IS NULL)),
    ended_by          TEXT,
    ended_at          INTEGER CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    end_reason        TEXT    CHECK ((end_reason IS NULL) = (ended_by IS NULL)),
    state             TEXT GENERATED ALWAYS AS (CASE WHEN ended_at IS NOT NULL AND signed_at IS NOT NULL THEN 'reopened'
        WHEN ended_at IS NOT NULL THEN 'dropped' WHEN signed_at IS NOT NULL THEN 'sealed' ELSE 'draft' END) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX closes_live ON closes (partner, period, first_day) WHERE ended_at IS NULL;

-- Comparisons whose breaks are all written: only on those a day is closed.
CREATE TABLE reconciliations_done (
    reconciliation_no INTEGER PRIMARY KEY REFERENCES reconciliations (no)
) STRICT;

-- Which business days' events a close takes into account: its own day's, and those that came late for days sealed before.
CREATE TABLE close_days (
    close_no     INTEGER NOT NULL REFERENCES closes (no),
    business_day TEXT    NOT NULL,
    count        INTEGER NOT NULL,
    dong         INTEGER NOT NULL,
    PRIMARY KEY (close_no, business_day)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER closes_begin BEFORE INSERT ON closes WHEN NEW.signed_by IS NOT NULL OR NEW.ended_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a close is a draft first'); END;
CREATE TRIGGER closes_same BEFORE UPDATE OF no, period, partner, first_day, file_no, reconciliation_no, figures, previous,
    hash, open_dong, drafted_by, drafted_at ON closes
BEGIN SELECT RAISE(ABORT, 'sealed figures never move'); END;
CREATE TRIGGER closes_signed_once BEFORE UPDATE OF signed_by, signed_at ON closes
WHEN OLD.signed_by IS NOT NULL OR OLD.ended_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a close is signed once'); END;
CREATE TRIGGER closes_ended_once BEFORE UPDATE OF ended_by, ended_at, end_reason ON closes WHEN OLD.ended_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a close ends once'); END;
CREATE TRIGGER closes_authority BEFORE UPDATE OF signed_by ON closes
WHEN NEW.open_dong > coalesce((SELECT a.dong FROM authorities a WHERE a.person = NEW.signed_by AND a.action = 'seal'
    ORDER BY a.no DESC LIMIT 1), -1)
BEGIN SELECT RAISE(ABORT, 'beyond the authority of whoever signs'); END;
CREATE TRIGGER closes_privilege BEFORE UPDATE OF ended_by ON closes
WHEN OLD.signed_by IS NOT NULL AND coalesce((SELECT a.dong FROM authorities a WHERE a.person = NEW.ended_by
    AND a.action = 'reopen' ORDER BY a.no DESC LIMIT 1), -1) < 0
BEGIN SELECT RAISE(ABORT, 'reopening is a privilege'); END;
CREATE TRIGGER closes_last BEFORE DELETE ON closes BEGIN SELECT RAISE(ABORT, 'closes stay'); END;
CREATE TRIGGER close_days_stay BEFORE UPDATE ON close_days BEGIN SELECT RAISE(ABORT, 'sealed figures never move'); END;
CREATE TRIGGER close_days_last BEFORE DELETE ON close_days BEGIN SELECT RAISE(ABORT, 'closes stay'); END;
