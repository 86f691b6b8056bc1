-- What the postings of a business day move on an account, by whose events they are of and by kind; each lane has rows of its
-- own, so that no two writers wait for one. Kept with the entries that they are the sums of, in the same transaction; `audit`
-- counts them anew.
--
-- An instance of an older program does not know of them. None may write from now until it is stopped: what it asks of its lane
-- is no longer called so, and its write fails whole.
-- What the next versions change is locked here too, so that whoever waits for a lock waits before the work and not behind it.
LOCK TABLE postings, proposals, closes IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE lanes, dispatches, breaks IN ACCESS EXCLUSIVE MODE;
ALTER TABLE lanes RENAME COLUMN block_end TO last_number;

CREATE TABLE day_sums (
    sender_no    integer NOT NULL,
    business_day date    NOT NULL,
    account_no   integer NOT NULL,
    kind         text    COLLATE "C" NOT NULL CHECK (kind IN ('settle', 'park', 'rematch', 'reverse')),
    lane         integer NOT NULL,
    postings     bigint  NOT NULL CHECK (postings >= 1),
    dong         bigint  NOT NULL,
    PRIMARY KEY (sender_no, business_day, account_no, kind, lane)
) WITH (fillfactor = 40); -- Each batch changes a few rows, in their page as long as it has room.
-- Whole tables are read: not by their keys, as writers do.
SET LOCAL enable_seqscan = on;
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;
-- Which lane it was is not kept; any will do.
INSERT INTO day_sums (sender_no, business_day, account_no, kind, lane, postings, dong)
    SELECT e.sender_no, p.business_day, n.account_no, p.kind, 0, count(DISTINCT p.no), sum(n.amount)::bigint
    FROM entries n JOIN postings p ON p.no = n.no >> 16 JOIN events e ON e.no = p.event_no GROUP BY 1, 2, 3, 4;
CREATE TRIGGER day_sums_grow BEFORE UPDATE ON day_sums FOR EACH ROW
    WHEN (NEW.postings <= OLD.postings OR (NEW.sender_no, NEW.business_day, NEW.account_no, NEW.kind, NEW.lane)
        IS DISTINCT FROM (OLD.sender_no, OLD.business_day, OLD.account_no, OLD.kind, OLD.lane))
    EXECUTE FUNCTION refuse('sums of days only grow');
CREATE TRIGGER day_sums_stay BEFORE DELETE ON day_sums
    FOR EACH ROW EXECUTE FUNCTION refuse('sums of days stay');
CREATE TRIGGER day_sums_all BEFORE TRUNCATE ON day_sums EXECUTE FUNCTION refuse('sums of days stay');
