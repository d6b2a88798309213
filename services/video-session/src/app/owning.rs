//! Which instance carries a session, and what an earlier one still has to say.

use std::time::Duration;

use ids::{SessionId, TrackName};
use tracing::Instrument;

use super::{App, span};
use crate::{
    domain::{Address, Claim, Ended, Instance, Ownership, RecordOrder},
    error::Error,
    store::{self, Stored},
};
use outbox::Scope;

/// This process among the others.
#[derive(Debug, Clone)]
pub struct Own {
    /// Which it is.
    pub instance: Instance,
    /// How long an owner is believed to be alive after it was last heard of.
    pub lease: Duration,
}

/// Leases in a row that an owner has missed before the others see to its sessions unasked. Until then whoever comes back finds
/// an instance for their session by asking one, so that the dead one's sessions are spread over all.
const ABANDONED_AFTER: u32 = 3;

impl App {
    /// Who carries a session: takes it if nobody does. `None`: it is here, or is from now on; otherwise, where.
    ///
    /// # Errors
    /// No such session, nobody can tell yet, or the database fails.
    pub async fn claim(&self, id: SessionId) -> Result<Option<Address>, Error> {
        let mut connection = self.begin(Scope::All).await?;
        let first = self.ask(&mut connection, id).await?;
        let Claim::Free { .. } = first else { return elsewhere(first) };
        drop(connection);
        let now = self.clock.now();
        let mut tx = self.begin(Scope::All).await?;
        let mut stored = self.lock(&mut tx, id).await?;
        // Somebody else may have been quicker.
        let (epoch, in_doubt) = match self.ask(&mut tx, id).await? {
            Claim::Free { epoch, in_doubt } => (epoch, in_doubt),
            settled => return elsewhere(settled),
        };
        let span = span(&stored, "claim");
        async {
            tracing::info!(session_id = %id, epoch, before = ?stored.owner, "session taken");
            store::take(&mut tx, id, self.own.instance.id, epoch).await?;
            // All connections were the last owner's: nobody saw their end.
            store::end_presences(&mut tx, id, Ended::By(now)).await?;
            let (session, mut facts) = stored.session.all_lost(now);
            stored.session = session;
            if in_doubt && stored.session.may_have_been_stopped() {
                // Of two wrongs the lesser: the officer is told, and orders that it goes on if it may.
                tracing::warn!(session_id = %id, "perhaps consent was withdrawn and nobody could write it down: paused");
                let (session, paused) = stored.session.record(RecordOrder::Pause)?;
                stored.session = session;
                facts.extend(paused);
            }
            self.save(&mut tx, &stored, &facts, now).await?;
            tx.commit().await?;
            Ok(None)
        }
        .instrument(span)
        .await
    }

    /// Is it this process that carries the session?
    #[must_use]
    pub fn owns(&self, stored: &Stored) -> bool {
        stored.owner == Some(self.own.instance.id)
    }

    /// How long an owner that isn't heard of is believed to be alive.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.own.lease
    }

    /// Every session that is going on, or has ended untold, and that is this instance's or nobody's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unannounced(&self) -> Result<Vec<Stored>, Error> {
        let mut connection = self.begin(Scope::All).await?;
        let abandoned = self.own.lease * ABANDONED_AFTER;
        Ok(store::list_unannounced(&mut connection, self.own.instance.id, abandoned).await?)
    }

    /// Which of these sessions this instance doesn't carry.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn not_owned(&self, sessions: &[SessionId]) -> Result<Vec<SessionId>, Error> {
        let mut connection = self.begin(Scope::All).await?;
        Ok(store::not_owned(&mut connection, sessions, self.own.instance.id).await?)
    }

    /// evidence-store has all that this instance ever recorded of a session that is another's by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn handed_over(&self, id: SessionId, spooled: &[(TrackName, u64)]) -> Result<(), Error> {
        let mut tx = self.begin(Scope::All).await?;
        let stored = self.lock(&mut tx, id).await?;
        for (track, segments) in spooled {
            store::save_track(&mut tx, id, track, *segments).await?;
        }
        if store::mark_whole(&mut tx, id, &self.own.instance.name).await? {
            self.save(&mut tx, &stored, &[], self.clock.now()).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Has evidence-store all that other instances recorded of a session, as far as they have said so?
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_whole(&self, id: SessionId) -> Result<bool, Error> {
        let mut connection = self.begin(Scope::All).await?;
        Ok(store::is_whole(&mut connection, id, &self.own.instance.name).await?)
    }

    /// Only the owner begins anything.
    pub(super) fn must_own(&self, stored: &Stored) -> Result<(), Error> {
        if self.owns(stored) { Ok(()) } else { Err(Error::NotOwner) }
    }

    async fn ask(&self, connection: &mut sqlx::PgConnection, id: SessionId) -> Result<Claim, Error> {
        let Own { instance, lease } = &self.own;
        let found = store::ownership(connection, id, instance.id, *lease).await?;
        let (ownership, footing): (Ownership, _) = found.ok_or(Error::UnknownSession)?;
        Ok(ownership.claim(instance.id, footing))
    }
}

fn elsewhere(claim: Claim) -> Result<Option<Address>, Error> {
    match claim {
        Claim::Ours => Ok(None),
        Claim::Theirs(address) => Ok(Some(address)),
        Claim::Free { .. } | Claim::NotYet => Err(Error::NotOwner),
    }
}
