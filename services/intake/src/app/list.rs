//! A force's calls, page by page.

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId};

use super::Intake;
use crate::{
    domain::{Call, Stages},
    error::Error,
};

/// Where a page ended: the call that was its last. Whatever is opened later sorts before every page that was read, so
/// the pages after it stay whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When it was opened.
    pub at: DateTime<Utc>,
    /// Which of those opened at that moment.
    pub call: CallId,
}

impl Intake {
    /// A page of a force's calls at these stages, newest first, and where it ended unless it was the last.
    ///
    /// # Errors
    /// The database is away.
    pub async fn list_calls(
        &self,
        force: &ForceId,
        stages: Stages,
        after: Option<Place>,
        size: u16,
    ) -> Result<(Vec<Call>, Option<Place>), Error> {
        // One more than is asked for says whether there is a next page.
        let mut calls = self.store.calls(force, stages, after, i64::from(size) + 1).await?;
        let is_more = calls.len() > usize::from(size);
        calls.truncate(size.into());
        let last = calls.last().filter(|_| is_more).map(|call| Place { at: call.opened_at, call: call.id });
        Ok((calls, last))
    }
}
