//! What people make of breaks: notes, proposals, decisions, authorities.

use super::asking::PostgresReports;
use super::position;
use super::row::{Key, small};
use super::session::{Ask, Param};
use super::tx::PostgresTx;
use super::users::take_turn;
use crate::domain::ids::{Author, EventKey, PartnerCode};
use crate::domain::resolution::ProposalNo;
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, LineNo, Sum};
use crate::domain::time::Timestamp;
use crate::store::cells::Cells;
use crate::store::desk::{
    Attachment, Authority, BreakFilter, BreakView, Decided, DeskReports, DeskTx, DueItem, DueProposal, EndedItem,
    ItemView, Made, Mark, NewDecision, NewProposal, NoteKind, NoteView, ProposalFilter, ProposalState, ProposalView,
    Proposed, RefundView, StoredLine, Verb,
};
use crate::store::desk_cells::{
    authority, break_columns, break_view, item_columns, item_view, note_view, proposal_columns, proposal_view,
    refund_view, stored_line, stored_line_columns, waiting,
};
use crate::store::numbers::receipt_no;
use crate::store::reports::LaneRange;
use crate::store::shared::{a_day_before, judged, said_of_items, what_text};
use crate::store::statements::Closing;
use crate::store::{Position, StoreError};

/// A list of proposals that lie between two numbers.
macro_rules! proposals {
    ($which:literal, $order:literal) => {
        concat!(
            "-- reports.proposals\nSELECT ",
            proposal_columns!(),
            " FROM proposals p WHERE p.no > $1 AND p.no < $2 AND ",
            $which,
            " ORDER BY p.no ",
            $order,
            " LIMIT $3"
        )
    };
}

const LINES: &str = concat!(
    "-- statement_lines.some\nSELECT ",
    stored_line_columns!(),
    " FROM statement_lines l JOIN statement_files f ON f.no = l.no >> 32 AND f.state = 'taken' WHERE l.no = ANY($1)
    ORDER BY l.no"
);

/// Adds a line to the history of each of these breaks.
fn note(
    tx: &mut PostgresTx<'_>,
    breaks: &[i64],
    (kind, text): (NoteKind, &str),
    (by, at): (&Author, Timestamp),
) -> Result<Vec<i64>, StoreError> {
    const SQL: &str = "-- break_notes.add\nINSERT INTO break_notes (break_no, at, author, what, text)
        SELECT u, $2, $3, $4, $5 FROM unnest($1::bigint[]) u RETURNING no";
    let (at, by, kind) = (at.unix_ms(), by.as_str(), kind.word());
    tx.ask_one(Ask::new(SQL, vec![&breaks, &at, &by, &kind, &text]))?.all(|cells| cells.whole())
}

/// Could one of the two log in as the other now, having given the password, or could whoever decides have been the maker when
/// this row was made?
pub(super) fn one_person(
    tx: &mut PostgresTx<'_>,
    made: Made,
    (maker, decider): (&Author, &Author),
) -> Result<bool, StoreError> {
    const SQL: &str = "-- users.one_person\nSELECT (SELECT count(*) FROM could_act c
            WHERE c.name = $1 AND c.person = $2 OR c.name = $2 AND c.person = $1)
        + (SELECT count(*) FROM makers m WHERE m.what = $3 AND m.no = $4 AND m.person = $2)";
    let ((what, no), maker, decider) = (made.row(), maker.as_str(), decider.as_str());
    let found = tx.ask_one(Ask::new(SQL, vec![&maker, &decider, &what, &no]))?.one(|cells| cells.whole())?;
    Ok(maker != decider && found.unwrap_or_default() != 0)
}

impl DeskTx for PostgresTx<'_> {
    fn mark_breaks(&mut self, breaks: &[i64], mark: &Mark, by: &Author, at: Timestamp) -> Result<u64, StoreError> {
        const OPEN: &str = "-- breaks.is_open\nSELECT no FROM breaks WHERE no = ANY($1) AND closed_at IS NULL
            ORDER BY no FOR UPDATE";
        const ASSIGN: &str = "-- breaks.assign\nUPDATE breaks SET assignee = $2 WHERE no = ANY($1)";
        const ACCEPT: &str = "-- breaks.accept\nUPDATE breaks SET accepted = true WHERE no = ANY($1)";
        const ATTACH: &str = "-- attachments.add\nINSERT INTO attachments (note_no, name, hash, bytes)
            SELECT u, $2, $3, $4 FROM unnest($1::bigint[]) u";
        let open = self.ask_one(Ask::new(OPEN, vec![&breaks]))?.all(|cells| cells.whole())?;
        if open.is_empty() {
            return Ok(0);
        }
        let (kind, text) = mark.said();
        let notes = note(self, &open, (kind, &text), (by, at))?;
        match mark {
            Mark::Comment(_) => {}
            Mark::Attach(_, file) => {
                let hash = file.hash.as_slice();
                self.ask_one(Ask::new(ATTACH, vec![&notes, &file.name, &hash, &file.bytes]))?;
            }
            Mark::Assign(to) => drop(self.ask_one(Ask::new(ASSIGN, vec![&open, &to.as_ref().map(Author::as_str)]))?),
            Mark::Accept(_) => drop(self.ask_one(Ask::new(ACCEPT, vec![&open]))?),
        }
        Ok(u64::try_from(open.len()).unwrap_or(u64::MAX))
    }

    fn propose(&mut self, new: &NewProposal) -> Result<Proposed, StoreError> {
        const FREE: &str = "-- breaks.are_free\nSELECT no FROM breaks
            WHERE no = ANY($1) AND closed_at IS NULL AND proposal_no IS NULL ORDER BY no FOR UPDATE";
        const ADD: &str =
            "-- proposals.add\nINSERT INTO proposals (action, maker, reason, made_at, items, dong, hash, state)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'proposed') RETURNING no";
        const ITEMS: &str =
            "-- proposals.add_items\nINSERT INTO proposal_items (proposal_no, place, break_no, what, dong)
            SELECT $1, u.place, u.break_no, u.what, u.dong
            FROM unnest($2::bigint[], $3::text[], $4::bigint[]) WITH ORDINALITY u (break_no, what, dong, place)";
        const TAKE: &str = "-- breaks.propose\nUPDATE breaks SET proposal_no = $2 WHERE no = ANY($1)";
        let breaks: Vec<i64> = new.items.iter().map(|item| item.break_no).collect();
        let free = self.ask_one(Ask::new(FREE, vec![&breaks]))?.all(|cells| cells.whole())?;
        let taken: Vec<i64> = breaks.iter().copied().filter(|no| free.binary_search(no).is_err()).collect();
        if !taken.is_empty() {
            return Ok(Proposed::NotFree(taken));
        }
        if free.len() != breaks.len() {
            return Err(StoreError::Fault("breaks.propose: one break twice in a list".to_owned()));
        }
        let (action, maker, at) = (new.action.word(), new.maker.as_str(), new.at.unix_ms());
        let (count, hash) = (small(u32::try_from(breaks.len()).unwrap_or(u32::MAX))?, new.hash.as_slice());
        let params: Vec<Param<'_>> = vec![&action, &maker, &new.reason, &at, &count, &new.dong, &hash];
        let no = self.ask_one(Ask::new(ADD, params))?.one(|cells| cells.whole())?;
        let no = no.ok_or_else(|| StoreError::Fault("proposals.add: no number".to_owned()))?;
        let what: Vec<String> = new.items.iter().map(|item| what_text(&item.what)).collect();
        let dong: Vec<i64> = new.items.iter().map(|item| item.dong).collect();
        self.ask(&[Ask::new(ITEMS, vec![&no, &breaks, &what, &dong]), Ask::new(TAKE, vec![&breaks, &no])])?;
        note(self, &breaks, (NoteKind::Proposed, &new.reason), (&new.maker, new.at))?;
        Ok(Proposed::Waits(ProposalNo(no)))
    }

    fn decide(&mut self, decision: &NewDecision<'_>) -> Result<Decided, StoreError> {
        const LOCKED: &str = concat!(
            "-- proposals.locked\nSELECT ",
            proposal_columns!(),
            " FROM proposals p WHERE p.no = $1 FOR UPDATE"
        );
        // What rules may approve is spent by one after the other; the database's own rule takes the same turn.
        const TURN: &str = "-- authorities.turn\nSELECT count(pg_advisory_xact_lock(hashtextextended('authority:' || $1 || ':' || $2, 0)))";
        const MAY: &str = "-- authorities.of\nSELECT dong FROM authorities WHERE person = $1 AND action = $2
            ORDER BY no DESC LIMIT 1";
        const SPENT: &str = "-- proposals.spent\nSELECT coalesce(sum(dong), 0)::bigint FROM proposals
            WHERE decided_by = $1 AND decided_by = 'system:rules' AND action = $2 AND state IN ('approved', 'done')
                AND decided_at > $3";
        const DECIDE: &str = "-- proposals.decide\nUPDATE proposals SET state = $2, decided_by = $3, decided_at = $4,
            decision = $5 WHERE no = $1";
        const APPROVED: &str =
            "-- breaks.approve\nUPDATE breaks SET approved = true WHERE proposal_no = $1 AND closed_at IS NULL";
        const FREED: &str =
            "-- breaks.free\nUPDATE breaks SET proposal_no = NULL WHERE proposal_no = $1 AND closed_at IS NULL";
        const BREAKS: &str = "-- proposals.breaks\nSELECT break_no FROM proposal_items WHERE proposal_no = $1";
        let (no, by) = (decision.proposal.0, decision.by.as_str());
        let Some(found) = self.ask_one(Ask::new(LOCKED, vec![&no]))?.one(proposal_view)? else {
            return Ok(Decided::NotFound);
        };
        let (action, since) = (found.action.word(), a_day_before(decision.at));
        self.ask_one(Ask::new(TURN, vec![&by, &action]))?;
        let may = self.ask_one(Ask::new(MAY, vec![&by, &action]))?.one(|cells| cells.whole())?;
        let spent = self.ask_one(Ask::new(SPENT, vec![&by, &action, &since]))?.one(|cells| cells.whole())?;
        let may = may.map(|may| may.saturating_sub(spent.unwrap_or(i64::MAX)));
        let one = one_person(self, Made::Proposal(found.no), (&found.maker, decision.by))?;
        let (answer, state) = judged(&found, decision, (may, one));
        if answer != Decided::Done {
            return Ok(answer);
        }
        let (at, word) = (decision.at.unix_ms(), state.word());
        let marked = if state == ProposalState::Approved { APPROVED } else { FREED };
        let decided: Vec<Param<'_>> = vec![&no, &word, &by, &at, &decision.words];
        self.ask(&[Ask::new(DECIDE, decided), Ask::new(marked, vec![&no])])?;
        let breaks = self.ask_one(Ask::new(BREAKS, vec![&no]))?.all(|cells| cells.whole())?;
        let kind = match decision.verb {
            Verb::Approve => NoteKind::Approved,
            Verb::Reject => NoteKind::Rejected,
            Verb::Withdraw => NoteKind::Withdrawn,
        };
        note(self, &breaks, (kind, decision.words), (decision.by, decision.at))?;
        Ok(Decided::Done)
    }

    fn due(&mut self, no: Option<ProposalNo>, limit: u32) -> Result<Option<DueProposal>, StoreError> {
        const OLDEST: &str = concat!(
            "-- proposals.due\nSELECT ",
            proposal_columns!(),
            " FROM proposals p WHERE p.state = 'approved' AND ($1::bigint IS NULL OR p.no = $1)
                ORDER BY p.no LIMIT 1 FOR UPDATE"
        );
        const ITEMS: &str = concat!(
            "-- proposals.due_items\nSELECT ",
            item_columns!(),
            ", ",
            break_columns!(),
            " FROM proposal_items t JOIN breaks b ON b.no = t.break_no
                WHERE t.proposal_no = $1 AND t.ended_at IS NULL ORDER BY t.place LIMIT $2 FOR UPDATE OF b"
        );
        let no = no.map(|no| no.0);
        let Some(view) = self.ask_one(Ask::new(OLDEST, vec![&no]))?.one(proposal_view)? else { return Ok(None) };
        let items = self.ask_one(Ask::new(ITEMS, vec![&view.no.0, &i64::from(limit)]))?.all(|cells| {
            let shown = item_view(cells)?;
            Ok(DueItem { place: shown.place, item: shown.item, about: break_view(cells)? })
        })?;
        Ok(Some(DueProposal { view, items }))
    }

    fn end_items(&mut self, of: &ProposalView, items: &[EndedItem], at: Timestamp) -> Result<(), StoreError> {
        const END: &str =
            "-- proposals.end_item\nUPDATE proposal_items SET ended_at = $3, refused = $4, posting_no = $5
            WHERE proposal_no = $1 AND place = $2 AND ended_at IS NULL";
        const CLOSE: &str = "-- breaks.resolve\nUPDATE breaks SET closed_at = $2, closed_by = $3, close_reason = $4,
            approved = false WHERE no = $1 AND closed_at IS NULL";
        const FREE: &str = "-- breaks.refuse\nUPDATE breaks SET proposal_no = NULL, approved = false WHERE no = $1 AND closed_at IS NULL";
        const DONE: &str = "-- proposals.done\nUPDATE proposals SET state = 'done' WHERE no = $1 AND state = 'approved'
            AND NOT EXISTS (SELECT 1 FROM proposal_items t WHERE t.proposal_no = $1 AND t.ended_at IS NULL)";
        let (no, at_ms, maker) = (of.no.0, at.unix_ms(), of.maker.as_str());
        for ended in items {
            let (posting, refused) = match &ended.end {
                Ok(posting) => (posting.map(|no| no.0), None),
                Err(why) => (None, Some(why.as_str())),
            };
            let place = small(ended.place)?;
            if self.ask_one(Ask::new(END, vec![&no, &place, &at_ms, &refused, &posting]))?.count != 1 {
                return Err(StoreError::Contended);
            }
            let (kind, text) = said_of_items(of, &ended.end);
            note(self, &[ended.break_no], (kind, &text), (&of.maker, at))?;
            let after = if ended.end.is_ok() {
                Ask::new(CLOSE, vec![&ended.break_no, &at_ms, &maker, &text])
            } else {
                Ask::new(FREE, vec![&ended.break_no])
            };
            self.ask_one(after)?;
        }
        self.ask_one(Ask::new(DONE, vec![&no])).map(drop)
    }

    fn statement_line(&mut self, no: LineNo) -> Result<Option<StoredLine>, StoreError> {
        self.ask_one(Ask::new(LINES, vec![&[no.0].as_slice()]))?.one(stored_line)
    }

    fn grant(&mut self, new: &Authority) -> Result<bool, StoreError> {
        const COULD_ACT: &str = "-- users.could_act\nSELECT count(*) FROM users u
            JOIN could_act p ON p.name IN (u.name, u.made_by) JOIN could_act g ON g.person = p.person
            WHERE u.name = $1 AND g.name = $2";
        const SQL: &str = "-- authorities.add\nINSERT INTO authorities (person, action, dong, granted_by, at)
            VALUES ($1, $2, $3, $4, $5)";
        let (person, action, by) = (new.person.as_str(), new.action.word(), new.granted_by.as_str());
        take_turn(self, &new.person)?;
        let could = self.ask_one(Ask::new(COULD_ACT, vec![&person, &by]))?.one(|cells| cells.whole())?;
        if new.dong >= 0 && could != Some(0) {
            return Ok(false);
        }
        self.ask_one(Ask::new(SQL, vec![&person, &action, &new.dong, &by, &new.at.unix_ms()])).map(|_one| true)
    }

    fn close_breaks_about(
        &mut self,
        about: &[(EventKey, BreakClass)],
        closing: &Closing<'_>,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "-- breaks.close_about\nUPDATE breaks b SET closed_at = $3, closed_by = $4, close_reason = $5
            FROM unnest($1::uuid[], $2::text[]) u (key, class)
            WHERE b.event_key = u.key AND b.event_key = ANY($1) AND b.class = u.class AND b.closed_at IS NULL
                AND b.event_key IS NOT NULL AND b.proposal_no IS NULL AND b.leg IS NULL";
        let keys: Vec<Key> = about.iter().map(|(event, _)| Key(*event.as_bytes())).collect();
        let classes: Vec<&str> = about.iter().map(|(_, class)| class.code()).collect();
        let (at, by) = (closing.at.unix_ms(), closing.author.as_str());
        Ok(self.ask_one(Ask::new(SQL, vec![&keys, &classes, &at, &by, &closing.reason]))?.count)
    }

    fn told_to_wait(&mut self, payments: &[EventKey]) -> Result<Vec<EventKey>, StoreError> {
        const SQL: &str = "-- breaks.about_waiting\nSELECT DISTINCT event_key FROM breaks
            WHERE event_key = ANY($1) AND event_key IS NOT NULL AND closed_at IS NULL AND leg IS NULL
                AND class = ANY($2)";
        let keys: Vec<Key> = payments.iter().map(|payment| Key(*payment.as_bytes())).collect();
        let classes = BreakClass::WAITING.map(BreakClass::code);
        self.ask_one(Ask::new(SQL, vec![&keys, &classes.as_slice()]))?.all(|cells| cells.event_key())
    }

    fn stays_taken_back(&mut self, payments: &[EventKey]) -> Result<Vec<EventKey>, StoreError> {
        // Nothing else that is done by hand changes what the partner owes and leaves what waits alone.
        const SQL: &str = "-- events.taken_back\nSELECT e.key FROM events e WHERE e.key = ANY($1) AND (
            EXISTS (SELECT 1 FROM events r WHERE r.reverses = e.key AND r.reverses IS NOT NULL
                AND (r.state = 'applied' OR r.state = 'refused' AND r.amount = e.amount))
            OR EXISTS (SELECT 1 FROM postings p
                WHERE p.event_no = e.no AND p.kind IN ('rematch', 'reverse') AND p.kind = 'rematch'
                    AND EXISTS (SELECT 1 FROM entries n JOIN accounts a ON a.no = n.account_no
                        WHERE n.no >= p.no * 65536 AND n.no < (p.no + 1) * 65536 AND a.name LIKE 'clearing:%')
                    AND NOT EXISTS (SELECT 1 FROM entries n JOIN accounts a ON a.no = n.account_no
                        WHERE n.no >= p.no * 65536 AND n.no < (p.no + 1) * 65536 AND a.name LIKE 'suspense:%')))";
        let keys: Vec<Key> = payments.iter().map(|payment| Key(*payment.as_bytes())).collect();
        self.ask_one(Ask::new(SQL, vec![&keys]))?.all(|cells| cells.event_key())
    }

    fn listed_at(&mut self, payment: &EventKey) -> Result<Option<LineNo>, StoreError> {
        const SQL: &str = "-- matches.of_payment\nSELECT m.line_no FROM events e JOIN matches m ON m.event_no = e.no
            WHERE e.key = $1 AND m.kind = 'partner' AND NOT m.ended";
        let found = self.ask_one(Ask::new(SQL, vec![&Key(*payment.as_bytes())]))?.one(|cells| cells.whole())?;
        Ok(found.map(LineNo))
    }
}

impl DeskReports for PostgresReports {
    fn breaks(&mut self, filter: &BreakFilter) -> Result<Vec<BreakView>, StoreError> {
        self.break_page(filter)
    }

    fn one_break(&mut self, no: i64) -> Result<Option<BreakView>, StoreError> {
        const SQL: &str = concat!("-- reports.break\nSELECT ", break_columns!(), " FROM breaks b WHERE b.no = $1");
        self.ask_one(Ask::new(SQL, vec![&no]))?.one(break_view)
    }

    fn is_settled_difference(&mut self, event: &EventKey) -> Result<bool, StoreError> {
        const SQL: &str = "-- reports.is_settled_difference\nSELECT count(*) FROM breaks
            WHERE event_key = $1 AND event_key IS NOT NULL AND leg = 'partner' AND closed_at IS NOT NULL
                AND proposal_no IS NOT NULL AND ours <> 0";
        let found = self.ask_one(Ask::new(SQL, vec![&Key(*event.as_bytes())]))?.one(|cells| cells.whole())?;
        Ok(found.is_some_and(|count| count > 0))
    }

    fn notes(&mut self, break_no: i64) -> Result<Vec<NoteView>, StoreError> {
        const SQL: &str = "-- reports.notes\nSELECT n.no, n.at, n.author, n.what, n.text, a.name, a.hash
            FROM break_notes n LEFT JOIN attachments a ON a.note_no = n.no WHERE n.break_no = $1 ORDER BY n.no";
        self.ask_one(Ask::new(SQL, vec![&break_no]))?.all(note_view)
    }

    fn attachment(&mut self, note: i64) -> Result<Option<Attachment>, StoreError> {
        const SQL: &str = "-- reports.attachment\nSELECT name, hash, bytes FROM attachments WHERE note_no = $1";
        self.ask_one(Ask::new(SQL, vec![&note]))?.one(|cells| {
            let (name, hash) = (cells.text()?, cells.hash()?);
            Ok(Attachment { name, hash, bytes: cells.bytes_some()?.unwrap_or_default().to_vec() })
        })
    }

    fn proposals(&mut self, filter: ProposalFilter) -> Result<Vec<ProposalView>, StoreError> {
        const WAITING: [&str; 2] =
            [proposals!("p.state = 'proposed'", "ASC"), proposals!("p.state = 'proposed'", "DESC")];
        const ANY: [&str; 2] = [
            proposals!("($4::text IS NULL OR p.state = $4) AND (NOT $5 OR p.state <> 'proposed')", "ASC"),
            proposals!("($4::text IS NULL OR p.state = $4) AND (NOT $5 OR p.state <> 'proposed')", "DESC"),
        ];
        let ((low, high), limit) = (filter.between(), i64::from(filter.limit));
        let state = filter.state.map(ProposalState::word);
        let mut params: Vec<Param<'_>> = vec![&low, &high, &limit];
        let [rises, falls] = if filter.waits() {
            WAITING
        } else {
            let which: [Param<'_>; 2] = [&state, &filter.decided_only];
            params.extend(which);
            ANY
        };
        let sql = if filter.falls() { falls } else { rises };
        let mut found = self.ask_one(Ask::new(sql, params))?.all(proposal_view)?;
        if filter.is_backwards() {
            found.reverse();
        }
        Ok(found)
    }

    fn waiting_proposals(&mut self) -> Result<Sum, StoreError> {
        const SQL: &str =
            "-- reports.waiting_proposals\nSELECT count(*), coalesce(sum(p.dong), 0)::bigint FROM proposals p
            WHERE p.state = 'proposed'";
        Ok(self.ask_one(Ask::new(SQL, Vec::new()))?.one(waiting)?.unwrap_or_default())
    }

    fn standing(&mut self, payment: &EventKey) -> Result<Position, StoreError> {
        let keys = vec![Key(*payment.as_bytes())];
        let answers = self.ask(&position::asks(&keys))?;
        let (positions, _events) = position::of(std::slice::from_ref(payment), &answers)?;
        Ok(positions.into_iter().next().unwrap_or_default())
    }

    fn proposal(&mut self, no: ProposalNo) -> Result<Option<ProposalView>, StoreError> {
        const SQL: &str =
            concat!("-- proposals.one\nSELECT ", proposal_columns!(), " FROM proposals p WHERE p.no = $1");
        self.ask_one(Ask::new(SQL, vec![&no.0]))?.one(proposal_view)
    }

    fn items(&mut self, no: ProposalNo, after: u32, limit: u32) -> Result<Vec<ItemView>, StoreError> {
        const SQL: &str = concat!(
            "-- reports.items\nSELECT ",
            item_columns!(),
            " FROM proposal_items t WHERE t.proposal_no = $1 AND t.place > $2 ORDER BY t.place LIMIT $3"
        );
        let (after, limit) = (small(after)?, i64::from(limit));
        self.ask_one(Ask::new(SQL, vec![&no.0, &after, &limit]))?.all(item_view)
    }

    fn refunds(
        &mut self,
        partner: &PartnerCode,
        after: (ProposalNo, u32),
        limit: u32,
    ) -> Result<Vec<RefundView>, StoreError> {
        const SQL: &str = "-- reports.refunds\nSELECT t.proposal_no, t.place, b.event_key, t.ended_at, t.what FROM proposals p JOIN proposal_items t ON t.proposal_no = p.no
                JOIN breaks b ON b.no = t.break_no
            WHERE p.action = 'allocate' AND b.partner = $1 AND t.posting_no IS NOT NULL AND b.event_key IS NOT NULL
                AND t.what LIKE '%\"refund\":%' AND (t.proposal_no, t.place) > ($2, $3)
            ORDER BY t.proposal_no, t.place LIMIT $4";
        let (name, proposal, place, limit) = (partner.as_str(), after.0.0, small(after.1)?, i64::from(limit));
        let answer = self.ask_one(Ask::new(SQL, vec![&name, &proposal, &place, &limit]))?;
        Ok(answer.all(refund_view)?.into_iter().flatten().collect())
    }

    fn authorities(&mut self) -> Result<Vec<Authority>, StoreError> {
        const SQL: &str = "-- reports.authorities\nSELECT person, action, dong, granted_by, at FROM authorities a
            WHERE no = (SELECT max(no) FROM authorities l WHERE l.person = a.person AND l.action = a.action)
            ORDER BY person, action";
        self.ask_one(Ask::new(SQL, Vec::new()))?.all(authority)
    }

    fn could_have_brought(&mut self, name: &Author, files: &[FileNo]) -> Result<bool, StoreError> {
        const SQL: &str = "-- users.could_bring\nSELECT (SELECT count(*) FROM statement_files f
            JOIN could_act b ON b.name = f.author JOIN could_act c ON c.person = b.person
            WHERE f.no = ANY($1) AND c.name = $2)
        + (SELECT count(*) FROM statement_makers m
            WHERE m.file_no = ANY($1) AND (m.person = $2 OR m.person IN (SELECT c.person FROM could_act c WHERE c.name = $2)))";
        let (files, name): (Vec<i64>, _) = (files.iter().map(|file| file.0).collect(), name.as_str());
        let found = self.ask_one(Ask::new(SQL, vec![&files, &name]))?.one(|cells| cells.whole())?;
        Ok(found.is_some_and(|count| count > 0))
    }

    fn shown_lines(&mut self, numbers: &[LineNo]) -> Result<Vec<StoredLine>, StoreError> {
        let numbers: Vec<i64> = numbers.iter().map(|no| no.0).collect();
        self.ask_one(Ask::new(LINES, vec![&numbers]))?.all(stored_line)
    }

    fn receipts_about(&mut self, event: &EventKey, ranges: &[LaneRange]) -> Result<Vec<(u32, i64)>, StoreError> {
        const SQL: &str = "-- reports.receipts_about\nSELECT no >> 40, no & 1099511627775 FROM receipts
            WHERE no > $1 AND no <= $2 AND event_key = $3 ORDER BY no";
        let key = Key(*event.as_bytes());
        let mut found = Vec::new();
        for range in ranges {
            let (from, to) = (receipt_no(range.lane, range.after)?, receipt_no(range.lane, range.upto)?);
            let answer = self.ask_one(Ask::new(SQL, vec![&from, &to, &key]))?;
            found.extend(answer.all(|cells| Ok((cells.count()?, cells.whole()?)))?);
        }
        Ok(found)
    }
}
