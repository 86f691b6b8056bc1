//! The finance desk over the store in memory: nobody works there.

use super::reports::MemoryReports;
use super::tx::{MemoryTx, no_statements};
use thuho::domain::ids::Author;
use thuho::domain::resolution::Action;
use thuho::domain::time::Timestamp;
use thuho::store::StoreError;
use thuho::store::users::{Attempt, DeskLog, SavedView, Session, User, UserChange, UserReports, UserTx};

impl UserTx for MemoryTx<'_> {
    fn add_user(&mut self, _: &User) -> Result<Option<Vec<Action>>, StoreError> {
        Err(no_statements())
    }

    fn change_user(&mut self, _: &Author, _: &UserChange) -> Result<Option<Vec<Action>>, StoreError> {
        Err(no_statements())
    }

    fn attempt(&mut self, _: &Author, _: Timestamp) -> Result<Attempt, StoreError> {
        Err(no_statements())
    }

    fn begin_session(&mut self, _: &Session) -> Result<(), StoreError> {
        Err(no_statements())
    }

    fn touch_session(&mut self, _: &[u8; 32], _: Timestamp) -> Result<(), StoreError> {
        Err(no_statements())
    }

    fn end_session(&mut self, _: &[u8; 32]) -> Result<(), StoreError> {
        Err(no_statements())
    }

    fn end_old_sessions(&mut self, _: Timestamp, _: Timestamp) -> Result<(), StoreError> {
        Err(no_statements())
    }

    fn log_desk(&mut self, _: &DeskLog) -> Result<(), StoreError> {
        Err(no_statements())
    }

    fn save_view(&mut self, _: &Author, _: &str, _: Option<&str>) -> Result<bool, StoreError> {
        Err(no_statements())
    }
}

impl UserReports for MemoryReports {
    fn users(&mut self) -> Result<Vec<User>, StoreError> {
        Ok(Vec::new())
    }

    fn session(&mut self, _: &[u8; 32]) -> Result<Option<(Session, User)>, StoreError> {
        Ok(None)
    }

    fn desk_log(&mut self, _: Option<i64>, _: u32) -> Result<Vec<(i64, DeskLog)>, StoreError> {
        Ok(Vec::new())
    }

    fn saved_views(&mut self, _: &Author) -> Result<Vec<SavedView>, StoreError> {
        Ok(Vec::new())
    }
}
