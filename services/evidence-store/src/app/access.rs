//! The access log: who looks is written down, chained and committed before anything leaves.

use exhibit::{Digest, access::Line};
use ids::{ExhibitId, ForceId, RequestId};
use sqlx::PgTransaction;

use super::App;
use crate::{
    error::Error,
    store::{self, Access, AccessHead, Key},
};
use outbox::Scope;

/// Who asks, and why. Checked at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
}

impl App {
    /// Adds a line to an exhibit's access log, and its head to the log of seals, within the caller's transaction; the log's row stays locked until it ends,
    /// so who comes at the same moment waits and is the next line.
    ///
    /// # Errors
    /// The database is away: then nobody may look.
    pub(super) async fn record(
        &self,
        tx: &mut PgTransaction<'_>,
        exhibit: ExhibitId,
        request: RequestId,
        asker: &Asker,
        what: &str,
    ) -> Result<AccessHead, Error> {
        let AccessHead { n, head } = store::lock_access_log(tx, exhibit).await?;
        let (at, Asker { who, reason }) = (self.clock.now(), asker.clone());
        let access = Access { n, exhibit, request, who, what: what.to_owned(), reason, at };
        let Access { who, what, reason, .. } = access.clone();
        let line = Line { at, exhibit, n, prev: head, reason, what, who }.to_bytes()?;
        let next = AccessHead { n: n + 1, head: Digest::of(&line) };
        store::insert_access(tx, self.entropy.id(at), &access, &line, next).await?;
        store::queue_log_entry(tx, &next.entry(exhibit), exhibit).await?;
        Ok(next)
    }

    /// As [`App::record`], for what may be asked for twice: the bytes leave again, so it is recorded again.
    ///
    /// # Errors
    /// The request id was used for something else, or the database is away.
    pub(super) async fn record_look(
        &self,
        tx: &mut PgTransaction<'_>,
        exhibit: ExhibitId,
        request: RequestId,
        asker: &Asker,
        what: &str,
    ) -> Result<AccessHead, Error> {
        if let Some(first) = store::access_by_request(tx, request).await? {
            let told = (first.exhibit, first.who.as_str(), first.reason.as_str(), first.what.as_str());
            if told != (exhibit, asker.who.as_str(), asker.reason.as_str(), what) {
                return Err(Error::RequestIdReused);
            }
        }
        self.record(tx, exhibit, request, asker, what).await
    }

    /// Who looked at an exhibit, oldest first, from this line of its access log on.
    ///
    /// # Errors
    /// There is none, or the database is away.
    pub async fn accesses(&self, force: &ForceId, id: ExhibitId, from: u64, limit: u32) -> Result<Vec<Access>, Error> {
        let mut tx = self.store.begin("list_access", Scope::Force(force)).await?;
        self.located(&mut tx, force, Key::Exhibit(id)).await?;
        Ok(store::accesses(&mut tx, id, from, limit).await?)
    }
}
