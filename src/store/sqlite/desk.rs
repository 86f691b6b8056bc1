//! What people make of breaks: notes, proposals, decisions, authorities.

use super::reports::SqliteReports;
use super::statement::{Db, RowCells};
use super::tx::SqliteTx;
use super::write;
use crate::domain::ids::{Author, EventKey, PartnerCode};
use crate::domain::resolution::ProposalNo;
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, LineNo, Sum};
use crate::domain::time::Timestamp;
use crate::store::cells::Cells as _;
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
use rusqlite::params;
use std::collections::BTreeSet;

/// A list of proposals that lie between two numbers.
macro_rules! proposals {
    ($which:literal, $order:literal) => {
        concat!(
            "-- reports.proposals\nSELECT ",
            proposal_columns!(),
            " FROM proposals p WHERE p.no > ?1 AND p.no < ?2 AND ",
            $which,
            " ORDER BY p.no ",
            $order,
            " LIMIT ?3"
        )
    };
}

const ONE_PROPOSAL: &str =
    concat!("-- proposals.one\nSELECT ", proposal_columns!(), " FROM proposals p WHERE p.no = ?1");

fn proposal(db: Db<'_>, no: ProposalNo) -> Result<Option<ProposalView>, StoreError> {
    db.one(ONE_PROPOSAL, [no.0], |cells| proposal_view(cells))
}

fn line(db: Db<'_>, no: LineNo) -> Result<Option<StoredLine>, StoreError> {
    const SQL: &str = concat!(
        "-- statement_lines.one\nSELECT ",
        stored_line_columns!(),
        " FROM statement_lines l JOIN statement_files f ON f.no = l.no >> 32 AND f.state = 'taken' WHERE l.no = ?1"
    );
    db.one(SQL, [no.0], |cells| stored_line(cells))
}

/// Adds a line to a break's history; its number.
fn note(db: Db<'_>, break_no: i64, said: (NoteKind, &str), (by, at): (&Author, Timestamp)) -> Result<i64, StoreError> {
    const SQL: &str = "-- break_notes.add\nINSERT INTO break_notes (break_no, at, author, what, text)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    db.execute(SQL, params![break_no, at.unix_ms(), by.as_str(), said.0.word(), said.1])?;
    Ok(db.0.last_insert_rowid())
}

/// Could one of the two log in as the other now, having given the password, or could whoever decides have been the maker when
/// this row was made?
pub(super) fn one_person(db: Db<'_>, made: Made, (maker, decider): (&Author, &Author)) -> Result<bool, StoreError> {
    const SQL: &str = "-- users.one_person\nSELECT count(*) FROM could_act c
        WHERE c.name = ?1 AND c.person = ?2 OR c.name = ?2 AND c.person = ?1";
    const MADE: &str = "-- makers.one\nSELECT count(*) FROM makers WHERE what = ?1 AND no = ?2 AND person = ?3";
    let ((what, no), maker, decider) = (made.row(), maker.as_str(), decider.as_str());
    Ok(maker != decider && (db.integer(SQL, (maker, decider))? != 0 || db.integer(MADE, (what, no, decider))? != 0))
}

impl DeskTx for SqliteTx<'_> {
    fn mark_breaks(&mut self, breaks: &[i64], mark: &Mark, by: &Author, at: Timestamp) -> Result<u64, StoreError> {
        const OPEN: &str = "-- breaks.is_open\nSELECT no FROM breaks WHERE no = ?1 AND closed_at IS NULL";
        const ASSIGN: &str = "-- breaks.assign\nUPDATE breaks SET assignee = ?2 WHERE no = ?1";
        const ACCEPT: &str = "-- breaks.accept\nUPDATE breaks SET accepted = 1 WHERE no = ?1";
        const ATTACH: &str = "-- attachments.add\nINSERT INTO attachments (note_no, name, hash, bytes)
            VALUES (?1, ?2, ?3, ?4)";
        let mut marked = 0_u64;
        for no in breaks {
            if self.db.one(OPEN, [no], |cells| cells.next::<i64>())?.is_none() {
                continue;
            }
            let (kind, text) = mark.said();
            let noted = note(self.db, *no, (kind, &text), (by, at))?;
            match mark {
                Mark::Comment(_) => {}
                Mark::Attach(_, file) => {
                    self.db.execute(ATTACH, params![noted, file.name, file.hash, file.bytes])?;
                }
                Mark::Assign(to) => drop(self.db.execute(ASSIGN, (no, to.as_ref().map(Author::as_str)))?),
                Mark::Accept(_) => drop(self.db.execute(ACCEPT, [no])?),
            }
            marked = marked.saturating_add(1);
        }
        Ok(marked)
    }

    fn propose(&mut self, new: &NewProposal) -> Result<Proposed, StoreError> {
        const FREE: &str =
            "-- breaks.is_free\nSELECT no FROM breaks WHERE no = ?1 AND closed_at IS NULL AND proposal_no IS NULL";
        const ADD: &str =
            "-- proposals.add\nINSERT INTO proposals (action, maker, reason, made_at, items, dong, hash, state)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'proposed')";
        const ITEM: &str =
            "-- proposals.add_item\nINSERT INTO proposal_items (proposal_no, place, break_no, what, dong)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        const TAKE: &str = "-- breaks.propose\nUPDATE breaks SET proposal_no = ?2 WHERE no = ?1 AND proposal_no IS NULL AND closed_at IS NULL";
        let mut taken = Vec::new();
        for item in &new.items {
            if self.db.one(FREE, [item.break_no], |cells| cells.next::<i64>())?.is_none() {
                taken.push(item.break_no);
            }
        }
        if !taken.is_empty() {
            return Ok(Proposed::NotFree(taken));
        }
        let (at, items) = (new.at.unix_ms(), u32::try_from(new.items.len()).unwrap_or(u32::MAX));
        self.db
            .execute(ADD, params![new.action.word(), new.maker.as_str(), new.reason, at, items, new.dong, new.hash])?;
        let no = self.db.0.last_insert_rowid();
        for (place, item) in (1_i64..).zip(&new.items) {
            self.db.execute(ITEM, params![no, place, item.break_no, what_text(&item.what), item.dong])?;
            if self.db.execute(TAKE, (item.break_no, no))? != 1 {
                return Err(StoreError::Fault("breaks.propose: one break twice in a list".to_owned()));
            }
            note(self.db, item.break_no, (NoteKind::Proposed, &new.reason), (&new.maker, new.at))?;
        }
        Ok(Proposed::Waits(ProposalNo(no)))
    }

    fn decide(&mut self, decision: &NewDecision<'_>) -> Result<Decided, StoreError> {
        const MAY: &str = "-- authorities.of\nSELECT dong FROM authorities WHERE person = ?1 AND action = ?2
            ORDER BY no DESC LIMIT 1";
        const SPENT: &str = "-- proposals.spent\nSELECT coalesce(sum(dong), 0) FROM proposals
            WHERE decided_by = ?1 AND decided_by = 'system:rules' AND action = ?2 AND state IN ('approved', 'done')
                AND decided_at > ?3";
        const DECIDE: &str = "-- proposals.decide\nUPDATE proposals SET state = ?2, decided_by = ?3, decided_at = ?4,
            decision = ?5 WHERE no = ?1";
        const APPROVED: &str =
            "-- breaks.approve\nUPDATE breaks SET approved = 1 WHERE proposal_no = ?1 AND closed_at IS NULL";
        const FREED: &str =
            "-- breaks.free\nUPDATE breaks SET proposal_no = NULL WHERE proposal_no = ?1 AND closed_at IS NULL";
        const ITEMS: &str = "-- proposals.breaks\nSELECT break_no FROM proposal_items WHERE proposal_no = ?1";
        let Some(found) = proposal(self.db, decision.proposal)? else { return Ok(Decided::NotFound) };
        let (by, action) = (decision.by.as_str(), found.action.word());
        let may = self.db.one(MAY, (by, action), |cells| cells.next::<i64>())?;
        let spent = self.db.one(SPENT, (by, action, a_day_before(decision.at)), |cells| cells.next::<i64>())?;
        let may = may.map(|may| may.saturating_sub(spent.unwrap_or(i64::MAX)));
        let one = one_person(self.db, Made::Proposal(found.no), (&found.maker, decision.by))?;
        let (answer, state) = judged(&found, decision, (may, one));
        if answer != Decided::Done {
            return Ok(answer);
        }
        let (no, at) = (decision.proposal.0, decision.at.unix_ms());
        self.db.execute(DECIDE, params![no, state.word(), decision.by.as_str(), at, decision.words])?;
        self.db.execute(if state == ProposalState::Approved { APPROVED } else { FREED }, [no])?;
        let kind = match decision.verb {
            Verb::Approve => NoteKind::Approved,
            Verb::Reject => NoteKind::Rejected,
            Verb::Withdraw => NoteKind::Withdrawn,
        };
        for break_no in self.db.all(ITEMS, [no], |cells| cells.next::<i64>())? {
            note(self.db, break_no, (kind, decision.words), (decision.by, decision.at))?;
        }
        Ok(Decided::Done)
    }

    fn due(&mut self, no: Option<ProposalNo>, limit: u32) -> Result<Option<DueProposal>, StoreError> {
        const OLDEST: &str = concat!(
            "-- proposals.due\nSELECT ",
            proposal_columns!(),
            " FROM proposals p WHERE p.state = 'approved' AND (p.state = 'proposed' OR p.state = 'approved')
                AND (?1 IS NULL OR p.no = ?1) ORDER BY p.no LIMIT 1"
        );
        const ITEMS: &str = concat!(
            "-- proposals.due_items\nSELECT ",
            item_columns!(),
            ", ",
            break_columns!(),
            " FROM proposal_items t JOIN breaks b ON b.no = t.break_no
                WHERE t.proposal_no = ?1 AND t.ended_at IS NULL ORDER BY t.place LIMIT ?2"
        );
        let Some(view) = self.db.one(OLDEST, [no.map(|no| no.0)], |cells| proposal_view(cells))? else {
            return Ok(None);
        };
        let items = self.db.all(ITEMS, (view.no.0, limit), |cells| {
            let shown = item_view(cells)?;
            Ok(DueItem { place: shown.place, item: shown.item, about: break_view(cells)? })
        })?;
        Ok(Some(DueProposal { view, items }))
    }

    fn end_items(&mut self, of: &ProposalView, items: &[EndedItem], at: Timestamp) -> Result<(), StoreError> {
        const END: &str =
            "-- proposals.end_item\nUPDATE proposal_items SET ended_at = ?3, refused = ?4, posting_no = ?5
            WHERE proposal_no = ?1 AND place = ?2 AND ended_at IS NULL";
        const CLOSE: &str = "-- breaks.resolve\nUPDATE breaks SET closed_at = ?2, closed_by = ?3, close_reason = ?4,
            approved = 0 WHERE no = ?1 AND closed_at IS NULL";
        const FREE: &str = "-- breaks.refuse\nUPDATE breaks SET proposal_no = NULL, approved = 0
            WHERE no = ?1 AND closed_at IS NULL";
        const LEFT: &str =
            "-- proposals.left\nSELECT count(*) FROM proposal_items WHERE proposal_no = ?1 AND ended_at IS NULL";
        const DONE: &str =
            "-- proposals.done\nUPDATE proposals SET state = 'done' WHERE no = ?1 AND state = 'approved'";
        for ended in items {
            let (posting, refused) = match &ended.end {
                Ok(posting) => (posting.map(|no| no.0), None),
                Err(why) => (None, Some(why.as_str())),
            };
            let written = self.db.execute(END, params![of.no.0, ended.place, at.unix_ms(), refused, posting])?;
            if written != 1 {
                return Err(StoreError::Contended);
            }
            let (kind, text) = said_of_items(of, &ended.end);
            note(self.db, ended.break_no, (kind, &text), (&of.maker, at))?;
            if ended.end.is_ok() {
                self.db.execute(CLOSE, (ended.break_no, at.unix_ms(), of.maker.as_str(), &text))?;
            } else {
                self.db.execute(FREE, [ended.break_no])?;
            }
        }
        if self.db.integer(LEFT, [of.no.0])? == 0 {
            self.db.execute(DONE, [of.no.0])?;
        }
        Ok(())
    }

    fn statement_line(&mut self, no: LineNo) -> Result<Option<StoredLine>, StoreError> {
        line(self.db, no)
    }

    fn grant(&mut self, new: &Authority) -> Result<bool, StoreError> {
        const COULD_ACT: &str = "-- users.could_act\nSELECT count(*) FROM users u
            JOIN could_act p ON p.name IN (u.name, u.made_by) JOIN could_act g ON g.person = p.person
            WHERE u.name = ?1 AND g.name = ?2";
        const SQL: &str = "-- authorities.add\nINSERT INTO authorities (person, action, dong, granted_by, at)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let (person, by) = (new.person.as_str(), new.granted_by.as_str());
        if new.dong >= 0 && self.db.integer(COULD_ACT, (person, by))? != 0 {
            return Ok(false);
        }
        self.db.execute(SQL, params![person, new.action.word(), new.dong, by, new.at.unix_ms()]).map(|_one| true)
    }

    fn close_breaks_about(
        &mut self,
        about: &[(EventKey, BreakClass)],
        closing: &Closing<'_>,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "-- breaks.close_about\nUPDATE breaks SET closed_at = ?3, closed_by = ?4, close_reason = ?5
            WHERE event_key = ?1 AND class = ?2 AND closed_at IS NULL AND proposal_no IS NULL AND leg IS NULL";
        let mut close = self.db.prepare(SQL)?;
        let mut closed = 0_u64;
        for (event, class) in about {
            let (at, by) = (closing.at.unix_ms(), closing.author.as_str());
            let more = close.execute(params![event.as_bytes(), class.code(), at, by, closing.reason])?;
            closed = closed.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        }
        Ok(closed)
    }

    fn told_to_wait(&mut self, payments: &[EventKey]) -> Result<Vec<EventKey>, StoreError> {
        const SQL: &str = "-- breaks.about_waiting\nSELECT class FROM breaks
            WHERE event_key = ?1 AND event_key IS NOT NULL AND closed_at IS NULL AND leg IS NULL";
        let (mut open, mut told) = (self.db.prepare(SQL)?, Vec::new());
        for payment in payments {
            let classes = open.all([payment.as_bytes()], |cells| cells.word(BreakClass::parse))?;
            told.extend(classes.iter().any(|class| BreakClass::WAITING.contains(class)).then_some(*payment));
        }
        Ok(told)
    }

    fn stays_taken_back(&mut self, payments: &[EventKey]) -> Result<Vec<EventKey>, StoreError> {
        const SAID: &str = "-- events.taken_back\nSELECT count(*) FROM events r JOIN events e ON e.key = r.reverses
            WHERE r.reverses = ?1 AND r.reverses IS NOT NULL
                AND (r.state = 'applied' OR r.state = 'refused' AND r.amount = e.amount)";
        // Nothing else that is done by hand changes what the partner owes and leaves what waits alone.
        const ADJUSTED: &str = "-- postings.adjusted\nSELECT count(*) FROM events e
                JOIN postings p ON p.event_no = e.no
            WHERE e.key = ?1 AND p.kind IN ('rematch', 'reverse') AND p.kind = 'rematch'
                AND EXISTS (SELECT 1 FROM entries n JOIN accounts a ON a.no = n.account_no
                    WHERE n.no >= p.no * 65536 AND n.no < (p.no + 1) * 65536 AND a.name LIKE 'clearing:%')
                AND NOT EXISTS (SELECT 1 FROM entries n JOIN accounts a ON a.no = n.account_no
                    WHERE n.no >= p.no * 65536 AND n.no < (p.no + 1) * 65536 AND a.name LIKE 'suspense:%')";
        let mut found = Vec::new();
        for payment in payments {
            let stays = self.db.integer(SAID, [payment.as_bytes()])? > 0
                || self.db.integer(ADJUSTED, [payment.as_bytes()])? > 0;
            found.extend(stays.then_some(*payment));
        }
        Ok(found)
    }

    fn listed_at(&mut self, payment: &EventKey) -> Result<Option<LineNo>, StoreError> {
        const SQL: &str = "-- matches.of_payment\nSELECT m.line_no FROM events e JOIN matches m ON m.event_no = e.no
            WHERE e.key = ?1 AND m.kind = 'partner' AND m.ended = 0";
        Ok(self.db.one(SQL, [payment.as_bytes()], |cells| cells.next::<i64>())?.map(LineNo))
    }
}

impl DeskReports for SqliteReports {
    fn breaks(&mut self, filter: &BreakFilter) -> Result<Vec<BreakView>, StoreError> {
        super::pages::breaks(self.db(), filter)
    }

    fn one_break(&mut self, no: i64) -> Result<Option<BreakView>, StoreError> {
        const SQL: &str = concat!("-- reports.break\nSELECT ", break_columns!(), " FROM breaks b WHERE b.no = ?1");
        self.db().one(SQL, [no], |cells| break_view(cells))
    }

    fn is_settled_difference(&mut self, event: &EventKey) -> Result<bool, StoreError> {
        const SQL: &str = "-- reports.is_settled_difference\nSELECT count(*) FROM breaks
            WHERE event_key = ?1 AND event_key IS NOT NULL AND leg = 'partner' AND closed_at IS NOT NULL
                AND proposal_no IS NOT NULL AND ours <> 0";
        Ok(self.db().integer(SQL, [event.as_bytes()])? > 0)
    }

    fn notes(&mut self, break_no: i64) -> Result<Vec<NoteView>, StoreError> {
        const SQL: &str = "-- reports.notes\nSELECT n.no, n.at, n.author, n.what, n.text, a.name, a.hash
            FROM break_notes n LEFT JOIN attachments a ON a.note_no = n.no WHERE n.break_no = ?1 ORDER BY n.no";
        self.db().all(SQL, [break_no], |cells| note_view(cells))
    }

    fn attachment(&mut self, note: i64) -> Result<Option<Attachment>, StoreError> {
        const SQL: &str = "-- reports.attachment\nSELECT name, hash, bytes FROM attachments WHERE note_no = ?1";
        self.db().one(SQL, [note], |cells| {
            let (name, hash) = (cells.text()?, cells.hash()?);
            Ok(Attachment { name, hash, bytes: cells.bytes_some()?.unwrap_or_default().to_vec() })
        })
    }

    fn proposals(&mut self, filter: ProposalFilter) -> Result<Vec<ProposalView>, StoreError> {
        // The index of what is not done yet is taken only where its own condition is repeated.
        const WAITING: [&str; 2] = [
            proposals!("p.state = 'proposed' AND (p.state = 'proposed' OR p.state = 'approved')", "ASC"),
            proposals!("p.state = 'proposed' AND (p.state = 'proposed' OR p.state = 'approved')", "DESC"),
        ];
        const ANY: [&str; 2] = [
            proposals!("(?4 IS NULL OR p.state = ?4) AND (?5 = 0 OR p.state <> 'proposed')", "ASC"),
            proposals!("(?4 IS NULL OR p.state = ?4) AND (?5 = 0 OR p.state <> 'proposed')", "DESC"),
        ];
        let ((low, high), limit) = (filter.between(), filter.limit);
        let [rises, falls] = if filter.waits() { WAITING } else { ANY };
        let sql = if filter.falls() { falls } else { rises };
        let mut found = if filter.waits() {
            self.db().all(sql, (low, high, limit), |cells| proposal_view(cells))?
        } else {
            let state = filter.state.map(ProposalState::word);
            self.db().all(sql, (low, high, limit, state, filter.decided_only), |cells| proposal_view(cells))?
        };
        if filter.is_backwards() {
            found.reverse();
        }
        Ok(found)
    }

    fn waiting_proposals(&mut self) -> Result<Sum, StoreError> {
        const SQL: &str = "-- reports.waiting_proposals\nSELECT count(*), coalesce(sum(p.dong), 0) FROM proposals p
            WHERE p.state = 'proposed' AND (p.state = 'proposed' OR p.state = 'approved')";
        Ok(self.db().one(SQL, [], |cells| waiting(cells))?.unwrap_or_default())
    }

    fn standing(&mut self, payment: &EventKey) -> Result<Position, StoreError> {
        write::position(self.db(), payment)
    }

    fn proposal(&mut self, no: ProposalNo) -> Result<Option<ProposalView>, StoreError> {
        proposal(self.db(), no)
    }

    fn items(&mut self, no: ProposalNo, after: u32, limit: u32) -> Result<Vec<ItemView>, StoreError> {
        const SQL: &str = concat!(
            "-- reports.items\nSELECT ",
            item_columns!(),
            " FROM proposal_items t WHERE t.proposal_no = ?1 AND t.place > ?2 ORDER BY t.place LIMIT ?3"
        );
        self.db().all(SQL, (no.0, after, limit), |cells| item_view(cells))
    }

    fn refunds(
        &mut self,
        partner: &PartnerCode,
        after: (ProposalNo, u32),
        limit: u32,
    ) -> Result<Vec<RefundView>, StoreError> {
        const SQL: &str = "-- reports.refunds\nSELECT t.proposal_no, t.place, b.event_key, t.ended_at, t.what FROM proposals p JOIN proposal_items t ON t.proposal_no = p.no
                JOIN breaks b ON b.no = t.break_no
            WHERE p.action = 'allocate' AND b.partner = ?1 AND t.posting_no IS NOT NULL AND b.event_key IS NOT NULL
                AND t.what LIKE '%\"refund\":%' AND (t.proposal_no, t.place) > (?2, ?3)
            ORDER BY t.proposal_no, t.place LIMIT ?4";
        let params = params![partner.as_str(), after.0.0, after.1, limit];
        Ok(self.db().all(SQL, params, |cells| refund_view(cells))?.into_iter().flatten().collect())
    }

    fn authorities(&mut self) -> Result<Vec<Authority>, StoreError> {
        const SQL: &str = "-- reports.authorities\nSELECT person, action, dong, granted_by, at FROM authorities a
            WHERE no = (SELECT max(no) FROM authorities l WHERE l.person = a.person AND l.action = a.action)
            ORDER BY person, action";
        self.db().all(SQL, [], |cells| authority(cells))
    }

    fn could_have_brought(&mut self, name: &Author, files: &[FileNo]) -> Result<bool, StoreError> {
        const NOW: &str =
            "-- users.could_bring\nSELECT count(*) FROM statement_files f JOIN could_act b ON b.name = f.author
            JOIN could_act c ON c.person = b.person WHERE f.no = ?1 AND c.name = ?2";
        const THEN: &str = "-- statement_makers.one\nSELECT count(*) FROM statement_makers m
            WHERE m.file_no = ?1 AND (m.person = ?2 OR m.person IN (SELECT c.person FROM could_act c WHERE c.name = ?2))";
        for file in files {
            let one = (file.0, name.as_str());
            if self.db().integer(NOW, one)? != 0 || self.db().integer(THEN, one)? != 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn shown_lines(&mut self, numbers: &[LineNo]) -> Result<Vec<StoredLine>, StoreError> {
        let mut found = Vec::with_capacity(numbers.len());
        for no in numbers.iter().collect::<BTreeSet<_>>() {
            found.extend(line(self.db(), *no)?);
        }
        Ok(found)
    }

    fn receipts_about(&mut self, event: &EventKey, ranges: &[LaneRange]) -> Result<Vec<(u32, i64)>, StoreError> {
        const SQL: &str = "-- reports.receipts_about\nSELECT lane, n FROM receipts
            WHERE no > ?1 AND no <= ?2 AND event_key = ?3 ORDER BY no";
        let mut found = Vec::new();
        for range in ranges {
            let (from, to) = (receipt_no(range.lane, range.after)?, receipt_no(range.lane, range.upto)?);
            let read = |cells: &mut RowCells<'_, '_>| Ok((cells.count()?, cells.whole()?));
            found.extend(self.db().all(SQL, params![from, to, event.as_bytes()], read)?);
        }
        Ok(found)
    }
}
