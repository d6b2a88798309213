//! The number that the caller rang from.

use ids::OfficerId;
use outbox::Scope;

use super::{App, On};
use crate::{error::Error, store};

impl App {
    /// As the control room gave it; empty if it gave none.
    ///
    /// # Errors
    /// Unknown, or no officer has had it yet; intake or the database is away.
    pub async fn caller_number(&self, on: &On, officer: &OfficerId) -> Result<String, Error> {
        let mut tx = self.store.reading("caller_number", Scope::Force(&on.force)).await?;
        let found = store::look(&mut tx, &on.force, on.call).await?.ok_or(Error::UnknownCall)?;
        found.package.facts.incident.ok_or(Error::UnknownCall)?;
        drop(tx);
        let number = self.callers.number_of(on).await?;
        tracing::info!(call = %on.call, %officer, "the caller's number was looked up");
        Ok(number)
    }
}
