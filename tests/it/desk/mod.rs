//! The finance desk over the ledger: one person proposes, another one approves, and the money moves, on both databases.

mod again;
mod closing;
mod inbox;
mod laws;
mod left;
mod listed;
mod pages;
mod program;
mod rules;
mod settled;
mod stories;
mod told;
mod two;
mod two_admins;

use crate::harness::postgres::Database;
use crate::ledger::tell::{Books, DAY, Said, money, noon};
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use thuho::domain::ids::{Author, EventId, EventKey, InvoiceId, Movement, PartnerCode};
use thuho::domain::notice::{Effect, ReferenceText, References};
use thuho::domain::outcome::Outcome;
use thuho::domain::resolution::{Action, ProposalNo, Resolution, Share};
use thuho::domain::review::{BreakClass, Leg, NewBreak};
use thuho::domain::statement::{FileNo, LineNo, StatementKind, StatementLine, Sum};
use thuho::domain::time::Timestamp;
use thuho::domain::user::{Role, Roles};
use thuho::ledger::Slices;
use thuho::reconcile::desk::{self, CarriedOut, Decision, NotProposed, Sender, Senders};
use thuho::store::desk::{Authority, BreakFilter, BreakView, Decided, Verb};
use thuho::store::statements::{Closing, NewLine, NewStatement, StatementSums};
use thuho::store::users::{User, UserChange};

pub fn author(name: &str) -> Author {
    Author::parse(name).unwrap()
}

pub fn wallet() -> PartnerCode {
    PartnerCode::parse("wallet").unwrap()
}

fn senders() -> Senders {
    BTreeMap::from([(wallet(), Sender { account: "a1".to_owned(), zone: TimeZone::UTC })])
}

/// Payments onto these invoices, and nothing else.
pub fn onto(shares: &[(&str, i64)]) -> Resolution {
    let share = |(id, dong): &(&str, i64)| Share { invoice: InvoiceId::parse(*id).unwrap(), dong: *dong };
    Resolution::Allocate { invoices: shares.iter().map(share).collect(), refund: 0, write_off: 0 }
}

pub fn refund(dong: i64) -> Resolution {
    Resolution::Allocate { invoices: Vec::new(), refund: dong, write_off: 0 }
}

pub fn create() -> Resolution {
    Resolution::Create { event: Vec::new(), line: None }
}

/// Of a line that names no event.
pub fn create_named(event: &str) -> Resolution {
    Resolution::Create { event: vec![event.to_owned()], line: None }
}

pub fn key(event: &str) -> EventKey {
    let id = EventId::parse(vec![event.to_owned()]).unwrap();
    EventKey::of(&wallet(), "a1", &id, Movement::Payment)
}

/// A line of a statement: its event, if it names one, its order, its amount.
pub fn line(place: u32, event: Option<&str>, invoice: &str, dong: i64) -> NewLine {
    NewLine {
        place,
        span: None,
        key: event.map(key),
        line: StatementLine {
            row: place + 1,
            effect: Effect::Moves(Movement::Payment),
            event: event.map(|event| EventId::parse(vec![event.to_owned()]).unwrap()),
            references: References { invoice: ReferenceText::new(invoice), ..References::default() },
            amount: money(dong),
            discount: money(0),
            fee: money(0),
            paid_at: noon(),
            day: DAY,
        },
    }
}

/// As a comparison makes it: one for each class and line.
fn mark(class: BreakClass, line: Option<LineNo>) -> [u8; 32] {
    let mut mark = [0; 32];
    mark[0] = u8::try_from(line.map_or(0, |line| line.place())).unwrap();
    for (to, from) in mark.iter_mut().skip(1).zip(class.code().bytes()) {
        *to = from;
    }
    mark
}

/// A desk over books that a story has filled.
pub struct Desk {
    pub books: Books,
}

impl Desk {
    /// Every database, each with the same beginning.
    pub fn everywhere(begin: impl Fn(&mut Books)) -> Vec<Self> {
        let mut all = vec![Books::on_disk()];
        all.extend(Database::fresh("the desk over a server").map(|database| Books::on_server(&database, 1)));
        let opened = |mut books: Books| {
            begin(&mut books);
            let mut desk = Self { books };
            for action in Action::ALL {
                desk.grant("chi", action, 1_000_000);
            }
            desk
        };
        all.into_iter().map(opened).collect()
    }

    pub fn grant(&mut self, person: &str, action: Action, dong: i64) {
        let authority = Authority { person: author(person), action, dong, granted_by: author("admin"), at: noon() };
        self.books.store.transact(&mut |tx| tx.grant(&authority).map(|given| assert!(given))).unwrap();
    }

    /// A user whom somebody else adds.
    pub fn joins(&mut self, name: &str, by: &str) {
        let user = User::new(author(name), Roles::of(&[Role::Maker]), "phc".to_owned(), (author(by), noon()));
        self.books.store.transact(&mut |tx| tx.add_user(&user).map(|added| assert!(added.is_some()))).unwrap();
    }

    /// A new password from somebody else.
    pub fn given(&mut self, name: &str, by: &str) {
        let given = UserChange::Given { phc: "other".to_owned(), by: author(by), at: noon() };
        self.books.store.transact(&mut |tx| tx.change_user(&author(name), &given).map(drop)).unwrap();
    }

    /// A comparison does not find it any more.
    pub fn close(&mut self, no: i64) {
        let closing = Closing { author: &author("system:reconcile"), reason: "it is over", at: noon() };
        self.books.store.transact(&mut |tx| tx.close_breaks(&[no], &closing).map(drop)).unwrap();
    }

    pub fn hear(&mut self, said: &Said) -> Outcome {
        self.books.post(&[said.arrival()]).remove(0).answer.outcome
    }

    pub fn open(&mut self) -> Vec<BreakView> {
        self.books.reports.breaks(&BreakFilter::open(1_000)).unwrap()
    }

    /// The newest break of this class that is not closed.
    pub fn one(&mut self, class: BreakClass) -> i64 {
        let found = self.open().into_iter().find(|b| b.class == class);
        found.unwrap_or_else(|| panic!("no {class:?} is open")).no
    }

    pub fn at(&mut self, no: i64) -> BreakView {
        self.books.reports.one_break(no).unwrap().unwrap()
    }

    pub fn propose(&mut self, maker: &str, wishes: &[(i64, Resolution)]) -> Result<ProposalNo, NotProposed> {
        let draft = desk::draft(
            self.books.reports.as_mut(),
            wishes.to_vec(),
            (&author(maker), "as the partner wrote", noon()),
        )?;
        desk::propose(&mut Slices::alone(self.books.store.as_mut()), draft)
    }

    pub fn decide(&mut self, proposal: ProposalNo, verb: Verb, by: &str) -> Decided {
        self.decide_at(proposal, verb, (by, noon()))
    }

    pub fn decide_at(&mut self, proposal: ProposalNo, verb: Verb, (by, at): (&str, Timestamp)) -> Decided {
        let hash = self.books.reports.proposal(proposal).unwrap().unwrap().hash;
        let decision = Decision { proposal, verb, by: author(by), hash, words: "seen".to_owned(), at };
        desk::decide(&mut Slices::alone(self.books.store.as_mut()), decision).unwrap()
    }

    pub fn carry_out(&mut self, proposal: Option<ProposalNo>) -> CarriedOut {
        let context = self.books.lane.context(Books::moment());
        let mut slices = Slices::alone(self.books.store.as_mut());
        desk::carry_out(&mut slices, proposal, &senders(), &|| context.clone()).unwrap()
    }

    /// Proposed by `an`, approved by `chi`, carried out; why an item was refused, if it was.
    pub fn resolve(&mut self, no: i64, what: Resolution) -> Result<(), String> {
        let proposal = self.propose("an", &[(no, what)]).unwrap();
        assert_eq!(self.decide(proposal, Verb::Approve, "chi"), Decided::Done);
        self.carry_out(Some(proposal));
        let item = self.books.reports.items(proposal, 0, 10).unwrap().remove(0);
        assert!(item.ended_at.is_some(), "it has ended");
        item.refused.map_or(Ok(()), Err)
    }

    /// A statement of the day with these lines, as `an` brings it.
    pub fn statement(&mut self, lines: &[NewLine]) -> FileNo {
        self.statement_by("an", lines)
    }

    /// The same of somebody else.
    pub fn statement_by(&mut self, who: &str, lines: &[NewLine]) -> FileNo {
        let new = NewStatement {
            kind: StatementKind::Partner,
            partner: wallet(),
            day: DAY,
            name: "day.csv".to_owned(),
            hash: Sha256::digest(format!("{who} {}", lines.len())).into(),
            bytes: 1,
            author: author(who),
            at: noon(),
        };
        let dong = lines.iter().map(|line| line.line.amount.dong()).sum();
        let count = u32::try_from(lines.len()).unwrap();
        let sums =
            StatementSums { lines: count, payments: Sum { count: u64::from(count), dong }, ..StatementSums::default() };
        let mut file = None;
        self.books
            .store
            .transact(&mut |tx| {
                let begun = tx.begin_statement(&new)?;
                tx.add_lines(begun.file, lines)?;
                tx.take_statement(begun.file, &sums)?;
                file = Some(begun.file);
                Ok(())
            })
            .unwrap();
        file.unwrap()
    }

    /// What a comparison opens for a line that the books do not have.
    pub fn missing(&mut self, no: LineNo, event: Option<&str>, theirs: i64) -> i64 {
        self.differs(BreakClass::MissingWebhook, (Some(no), event), (None, Some(theirs)));
        self.one(BreakClass::MissingWebhook)
    }

    /// What a comparison opens.
    pub fn differs(
        &mut self,
        class: BreakClass,
        (line, event): (Option<LineNo>, Option<&str>),
        (ours, theirs): (Option<i64>, Option<i64>),
    ) {
        let new = NewBreak {
            class,
            partner: Some(wallet()),
            event: event.map(key),
            invoice: None,
            dispatch: None,
            amount: money(theirs.or(ours).unwrap()),
            detail: "differs".to_owned(),
            opened_at: noon(),
            mark: Some(mark(class, line)),
            leg: Some(Leg { kind: StatementKind::Partner, day: DAY, line, ours, theirs, carried: false }),
        };
        self.books.store.transact(&mut |tx| tx.open_breaks(std::slice::from_ref(&new)).map(drop)).unwrap();
    }
}
