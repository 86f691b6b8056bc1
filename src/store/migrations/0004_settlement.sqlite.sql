-- What a partner's days should bring at the bank and what they brought, as the last comparison left it.
CREATE TABLE settlements (
    partner        TEXT    NOT NULL,
    -- A hash of the name by which credits know the batch.
    batch          INTEGER NOT NULL,
    name           TEXT    NOT NULL,
    day            TEXT    NOT NULL,
    -- Nothing for credits of no batch that was expected.
    file_no        INTEGER REFERENCES statement_files (no),
    due            TEXT    NOT NULL,
    calendar_known INTEGER NOT NULL CHECK (calendar_known = 0 OR calendar_known = 1),
    net            INTEGER NOT NULL CHECK (net = 0 OR net = 1),
    gross          INTEGER NOT NULL,
    discount       INTEGER NOT NULL,
    utility        INTEGER NOT NULL,
    fee            INTEGER,
    fee_stated     INTEGER,
    expected       INTEGER NOT NULL,
    credited       INTEGER NOT NULL,
    credits        INTEGER NOT NULL,
    full_on        TEXT,
    class          TEXT,
    as_of          TEXT    NOT NULL,
    author         TEXT    NOT NULL,
    at             INTEGER NOT NULL,
    PRIMARY KEY (partner, batch),
    -- What should come is what was collected, less what the utility pays of discounts, less fees that are kept back.
    CHECK (expected = gross - utility - CASE WHEN net = 1 THEN coalesce(fee, 0) ELSE 0 END)
) STRICT;
CREATE INDEX settlements_of_day ON settlements (partner, day);

CREATE TRIGGER settlements_last BEFORE DELETE ON settlements
BEGIN SELECT RAISE(ABORT, 'settlements are only brought up to date'); END;
CREATE TRIGGER settlements_same BEFORE UPDATE OF partner, batch ON settlements
BEGIN SELECT RAISE(ABORT, 'what a settlement is does not change'); END;
