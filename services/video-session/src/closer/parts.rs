//! What this instance still owes to sessions that another carries by now: the seconds in its spool, which the uploader sends in any
//! case, the ledger of its part, and the word that this was all of it, for which the end of the call waits.

use std::{collections::HashSet, time::Duration};

use api::evidence::v1::{GetExhibitRequest, get_exhibit_request::Key};
use ids::SessionId;

use super::Closer;
use crate::{error::Error, ledger, store::Stored};

/// How long evidence-store may take to say what it has.
const PATIENCE: Duration = Duration::from_secs(3);

/// The sessions of which everything is said. Only so long as they stay another's.
pub(super) type Settled = HashSet<SessionId>;

impl Closer {
    /// Looks at every session of the spool that isn't ours.
    pub(super) async fn hand_over(&self, settled: &mut Settled) -> Result<(), Error> {
        let spooled: Vec<_> = self.spool.sessions().into_iter().filter(|one| !settled.contains(one)).collect();
        if spooled.is_empty() {
            return Ok(());
        }
        for session in self.app.not_owned(&spooled).await? {
            if self.part_is_over(session).await? {
                settled.insert(session);
            }
        }
        Ok(())
    }

    /// Everything of a part is with evidence-store, its ledger is on the way there, and the owner may know.
    pub(super) async fn part_is_over(&self, session: SessionId) -> Result<bool, Error> {
        // What is being closed is still to be written.
        let Some(owner) = self.spool.owner(session).filter(|_| !self.rooms.has_publications(session)) else {
            return Ok(false);
        };
        let (spool, now) = (self.spool.clone(), self.clock.now());
        let kept = tokio::task::spawn_blocking(move || ledger::leave_part(&spool, &owner, now)).await;
        kept.map_err(std::io::Error::other).flatten().map_err(Error::Spool)?;
        if self.spool.owed(session) > 0 {
            return Ok(false);
        }
        self.app.handed_over(session, &self.spool.recorded(session)).await?;
        Ok(true)
    }

    /// This process ends, and calls go on without it: what it recorded of them becomes its part.
    pub async fn bow_out(&self) {
        let all = async {
            for Stored { session, .. } in self.app.unannounced().await? {
                self.part_is_over(session.id).await?;
            }
            Ok::<_, Error>(())
        };
        if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, all).await {
            tracing::debug!(error = chassis::chain(&error), "the next start tells of our part of the calls");
        }
    }

    /// What other instances recorded of a session and don't tell of any more, as far as evidence-store has it.
    pub(super) async fn count_elsewhere(&self, session: SessionId) {
        let counted = async {
            if self.app.is_whole(session).await? {
                return Ok(());
            }
            let accepted = self.app.look(session).await?.session.accepted;
            let key = Some(Key::CallId(accepted.call.to_string()));
            let request = GetExhibitRequest { force_id: accepted.force.to_string(), key };
            let Ok(exhibit) = self.evidence.clone().get_exhibit(request).await else { return Ok(()) };
            for held in exhibit.into_inner().tracks {
                if let Ok(track) = held.track.parse() {
                    self.app.track_recorded(session, &track, held.segments).await?;
                }
            }
            Ok::<_, Error>(())
        };
        match tokio::time::timeout(PATIENCE, counted).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(session_id = %session, error = chassis::chain(&error), "parts not counted")
            }
            Err(_) => {
                tracing::warn!(session_id = %session, "evidence-store doesn't say what it has of the other parts")
            }
        }
    }
}
