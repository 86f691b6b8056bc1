-- What others say of a day, what came of comparing it, and what people make of the differences.

-- Our events of a partner's day, which a comparison reads. It costs a notice no page of its own: those of one day lie
-- side by side.
CREATE INDEX events_of_day ON events (sender_no, business_day, no);

CREATE TABLE statement_files (
    no              bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text    COLLATE "C" NOT NULL CHECK (kind IN ('partner', 'core', 'bank')),
    partner         text    COLLATE "C" NOT NULL,
    day             date    NOT NULL,
    name            text    NOT NULL,
    hash            bytea   NOT NULL CHECK (length(hash) = 32),
    bytes           bigint  NOT NULL,
    author          text    COLLATE "C" NOT NULL,
    at              bigint  NOT NULL,
    state           text    COLLATE "C" NOT NULL CHECK (state IN ('reading', 'taken', 'superseded')),
    lines           integer NOT NULL,
    payments        bigint  NOT NULL,
    payments_dong   bigint  NOT NULL,
    reversals       bigint  NOT NULL,
    reversals_dong  bigint  NOT NULL,
    ignored         bigint  NOT NULL,
    ignored_dong    bigint  NOT NULL,
    supersedes      bigint  REFERENCES statement_files (no),
    UNIQUE (kind, partner, day, hash)
);
-- One word a day.
CREATE UNIQUE INDEX statement_files_taken ON statement_files (kind, partner, day) WHERE state = 'taken';

-- The number holds the file's above 32 bits and the place in it below.
CREATE TABLE statement_lines (
    no           bigint  PRIMARY KEY,
    row          integer NOT NULL,
    span_offset  bigint,
    span_length  integer,
    key          uuid,
    event        text    COLLATE "C",
    -- Nothing for a line that moves nothing; then its state is one of the others.
    movement     text    COLLATE "C" CHECK (movement IN ('payment', 'reversal')),
    amount       bigint  NOT NULL CHECK (amount >= 0),
    discount     bigint  NOT NULL,
    fee          bigint  NOT NULL,
    ref_invoice  text    COLLATE "C",
    ref_order    text    COLLATE "C",
    ref_customer text    COLLATE "C",
    paid_at      bigint  NOT NULL,
    day          date    NOT NULL
);

CREATE TABLE reconciliations (
    no      bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind    text    COLLATE "C" NOT NULL CHECK (kind IN ('partner', 'core', 'bank')),
    partner text    COLLATE "C" NOT NULL,
    day     date    NOT NULL,
    file_no bigint  REFERENCES statement_files (no),
    rules   bigint  NOT NULL,
    sums    text    NOT NULL,
    author  text    COLLATE "C" NOT NULL,
    at      bigint  NOT NULL
);
CREATE INDEX reconciliations_of_day ON reconciliations (kind, partner, day, no);

-- One line, one event, on each leg. What a superseded file said stays, and says nothing any more.
CREATE TABLE matches (
    line_no           bigint  PRIMARY KEY,
    kind              text    COLLATE "C" NOT NULL CHECK (kind IN ('partner', 'core', 'bank')),
    event_no          bigint  NOT NULL,
    rule              bigint  NOT NULL,
    reconciliation_no bigint  NOT NULL,
    ended             boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX matches_of_event ON matches (event_no, kind) WHERE NOT ended;

-- Breaks of a comparison: which leg and day, which line, what either side says.
ALTER TABLE breaks
    ADD COLUMN leg          text    COLLATE "C" CHECK (leg IN ('partner', 'core', 'bank')),
    ADD COLUMN day          date,
    ADD COLUMN line_no      bigint,
    ADD COLUMN ours         bigint,
    ADD COLUMN theirs       bigint,
    ADD COLUMN carried      boolean NOT NULL DEFAULT false,
    ADD COLUMN closed_by    text    COLLATE "C",
    ADD COLUMN close_reason text;
CREATE INDEX breaks_of_leg ON breaks (leg, partner, day) WHERE leg IS NOT NULL AND closed_at IS NULL;

CREATE TRIGGER statement_lines_stay BEFORE UPDATE OR DELETE ON statement_lines
    FOR EACH ROW EXECUTE FUNCTION refuse('statement lines are only added');
CREATE TRIGGER statement_lines_all BEFORE TRUNCATE ON statement_lines
    EXECUTE FUNCTION refuse('statement lines are only added');
CREATE TRIGGER statement_files_last BEFORE DELETE ON statement_files
    FOR EACH ROW EXECUTE FUNCTION refuse('statements are only superseded');
CREATE TRIGGER statement_files_same BEFORE UPDATE OF kind, partner, day, name, hash, bytes, author, at ON statement_files
    FOR EACH ROW EXECUTE FUNCTION refuse('what a statement is does not change');
CREATE TRIGGER matches_last BEFORE DELETE ON matches
    FOR EACH ROW EXECUTE FUNCTION refuse('matches are only ended');
CREATE TRIGGER matches_all BEFORE TRUNCATE ON matches EXECUTE FUNCTION refuse('matches are only ended');
CREATE TRIGGER matches_same BEFORE UPDATE OF line_no, kind, event_no, rule, reconciliation_no ON matches
    FOR EACH ROW EXECUTE FUNCTION refuse('a match does not change');
CREATE TRIGGER reconciliations_stay BEFORE UPDATE OR DELETE ON reconciliations
    FOR EACH ROW EXECUTE FUNCTION refuse('reconciliations are only added');
