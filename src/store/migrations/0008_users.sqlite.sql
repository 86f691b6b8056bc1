-- Who works at the finance desk, who is there now, and who looked at what.

CREATE TABLE users (
    -- Rules act under such names: nobody logs in as one.
    name         TEXT    PRIMARY KEY CHECK (name NOT LIKE '%:%'),
    roles        TEXT    NOT NULL,
    -- argon2id, as a PHC string.
    password     TEXT    NOT NULL,
    -- Somebody else knows the password: it is changed before anything else.
    given        INTEGER NOT NULL CHECK (given = 0 OR given = 1),
    disabled     INTEGER NOT NULL DEFAULT 0 CHECK (disabled = 0 OR disabled = 1),
    language     TEXT    NOT NULL DEFAULT 'vi' CHECK (language IN ('vi', 'en')),
    theme        TEXT    NOT NULL DEFAULT 'auto' CHECK (theme IN ('auto', 'light', 'dark')),
    -- Wrong passwords in a row; each attempt counts as one until it is proved right.
    failures     INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER,
    made_by      TEXT    NOT NULL,
    made_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    -- SHA-256 of what the browser presents, which is kept nowhere.
    digest   BLOB    PRIMARY KEY CHECK (length(digest) = 32),
    name     TEXT    NOT NULL REFERENCES users (name),
    began_at INTEGER NOT NULL,
    seen_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of ON sessions (name);

CREATE TABLE desk_log (
    no      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    what    TEXT    NOT NULL,
    subject TEXT    NOT NULL
) STRICT;
CREATE TRIGGER desk_log_stay BEFORE UPDATE ON desk_log BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END;
CREATE TRIGGER desk_log_last BEFORE DELETE ON desk_log BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END;

-- A filter under a name.
CREATE TABLE saved_views (
    name  TEXT NOT NULL REFERENCES users (name),
    label TEXT NOT NULL,
    query TEXT NOT NULL,
    PRIMARY KEY (name, label)
) STRICT, WITHOUT ROWID;
