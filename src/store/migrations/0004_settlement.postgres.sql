-- What a partner's days should bring at the bank and what they brought, as the last comparison left it.
CREATE TABLE settlements (
    partner        text    COLLATE "C" NOT NULL,
    -- A hash of the name by which credits know the batch.
    batch          bigint  NOT NULL,
    name           text    COLLATE "C" NOT NULL,
    day            date    NOT NULL,
    -- Nothing for credits of no batch that was expected.
    file_no        bigint  REFERENCES statement_files (no),
    due            date    NOT NULL,
    calendar_known boolean NOT NULL,
    net            boolean NOT NULL,
    gross          bigint  NOT NULL,
    discount       bigint  NOT NULL,
    utility        bigint  NOT NULL,
    fee            bigint,
    fee_stated     bigint,
    expected       bigint  NOT NULL,
    credited       bigint  NOT NULL,
    credits        integer NOT NULL,
    full_on        date,
    class          text    COLLATE "C",
    as_of          date    NOT NULL,
    author         text    COLLATE "C" NOT NULL,
    at             bigint  NOT NULL,
    PRIMARY KEY (partner, batch),
    -- What should come is what was collected, less what the utility pays of discounts, less fees that are kept back.
    CHECK (expected = gross - utility - CASE WHEN net THEN coalesce(fee, 0) ELSE 0 END)
);
CREATE INDEX settlements_of_day ON settlements (partner, day);

CREATE TRIGGER settlements_last BEFORE DELETE ON settlements
    FOR EACH ROW EXECUTE FUNCTION refuse('settlements are only brought up to date');
CREATE TRIGGER settlements_all BEFORE TRUNCATE ON settlements
    EXECUTE FUNCTION refuse('settlements are only brought up to date');
CREATE TRIGGER settlements_same BEFORE UPDATE OF partner, batch ON settlements
    FOR EACH ROW EXECUTE FUNCTION refuse('what a settlement is does not change');
