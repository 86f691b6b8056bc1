//! A reading session that the server lets change nothing, and how it is asked: over a new connection when the old one was
//! lost, and several questions of one snapshot.

use super::migrate;
use super::place::PostgresPlace;
use super::row::RowCells;
use super::session::{Answer, Ask, Purpose, STATEMENT_TIMEOUT, Session};
use crate::store::StoreError;
use std::time::Duration;

/// What a question that reads the whole books may take: for the audit, not for a page.
const WHOLE_BOOKS: Duration = Duration::from_secs(3_600);

/// A reading session; connects again by itself.
#[derive(Debug)]
pub struct PostgresReports {
    place: PostgresPlace,
    session: Session,
    patience: Duration,
}

impl PostgresReports {
    pub(super) fn open(place: &PostgresPlace) -> Result<Self, StoreError> {
        Ok(Self { place: place.clone(), session: Self::connect(place)?, patience: STATEMENT_TIMEOUT })
    }

    /// Another one, of the same books.
    pub(super) fn another(&self) -> Result<Self, StoreError> {
        Self::open(&self.place)
    }

    fn connect(place: &PostgresPlace) -> Result<Session, StoreError> {
        let mut session = Session::open(place, Purpose::READING)?;
        migrate::check_current(&mut session, &place.to_string())?;
        Ok(session)
    }

    /// Questions of one state of the books. Asked again once, over a new connection, when the old one was lost: a
    /// question changes nothing.
    pub(super) fn ask(&mut self, asks: &[Ask<'_>]) -> Result<Vec<Answer>, StoreError> {
        self.retried(|session| snapshot(session, asks))
    }

    /// A page of many rows, each read as it comes. Asked again as [`Self::ask`] asks.
    pub(super) fn page<T>(
        &mut self,
        ask: &Ask<'_>,
        mut read: impl FnMut(&mut RowCells<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.retried(|session| session.each(ask, &mut read))
    }

    fn retried<T>(&mut self, mut asked: impl FnMut(&mut Session) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let patience = self.patience;
        let mut asked = |session: &mut Session| session.allow(patience).and_then(|()| asked(session));
        if !self.session.is_lost() {
            let answer = asked(&mut self.session);
            if answer.is_ok() || !self.session.is_lost() {
                return answer;
            }
        }
        self.session = Self::connect(&self.place)?;
        asked(&mut self.session)
    }

    pub(super) fn ask_one(&mut self, ask: Ask<'_>) -> Result<Answer, StoreError> {
        Ok(self.ask(&[ask])?.pop().unwrap_or_default())
    }

    /// Questions that read whole tables.
    pub(super) fn ask_long(&mut self, asks: &[Ask<'_>]) -> Result<Vec<Answer>, StoreError> {
        self.patience = WHOLE_BOOKS;
        let answers = self.ask(asks);
        self.patience = STATEMENT_TIMEOUT;
        answers
    }
}

/// Questions of one state of the books.
fn snapshot(session: &mut Session, asks: &[Ask<'_>]) -> Result<Vec<Answer>, StoreError> {
    const BEGIN: &str = "-- reports.begin\nBEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    if asks.len() == 1 {
        return session.ask(None, asks);
    }
    let answers = session.ask(Some(BEGIN), asks);
    session.roll_back();
    answers
}
