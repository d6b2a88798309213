//! What the media core's events mean for the session.

use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId, TrackName};
use tracing::Instrument;
use uuid::Uuid;

use super::{App, held_open::HeldOpen, span};
use crate::{
    domain::{Covering, Fact, Illegal, Pleas, Role, Session, With, publication_number},
    error::Error,
    media::{Publication, Seat},
    spool::Owner,
    store::{self, Named},
};
use outbox::Scope;

/// A publication whose name is taken and whose presence is written down, and which isn't committed yet: the session stays
/// locked, so that a second offer of the same person waits until this one's is known.
#[derive(Debug)]
pub struct Begun {
    /// For the media core.
    pub publication: Publication,
    /// For the media core, before that.
    pub cover: Covering,
    /// For it, too.
    pub pleas: Pleas,
    /// For the spool.
    pub owner: Owner,
    presence: Uuid,
    tx: HeldOpen,
}

impl Begun {
    /// The media core has taken the offer. Until the answer is sent no media can come, and none is sent without the seat.
    ///
    /// # Errors
    /// When the database fails: the publication must then be closed.
    pub async fn commit(self) -> Result<Seat, Error> {
        let Publication { session, participant, .. } = self.publication;
        self.tx.commit().await?;
        Ok(Seat::recorded(session, participant, self.presence))
    }
}

impl App {
    /// A person begins to publish.
    ///
    /// # Errors
    /// When they may not, or the session has ended, or is another instance's.
    pub async fn begin_publication(&self, who: Named) -> Result<Begun, Error> {
        let now = self.clock.now();
        let mut tx = self.begin_held_open(Scope::All).await?;
        let mut stored = self.lock(&mut tx, who.session).await?;
        let span = span(&stored, "publish");
        async {
            self.must_own(&stored)?;
            let (session, track) = stored.session.publish(who.participant)?;
            stored.session = session;
            store::insert_track(&mut tx, who.session, &track, who.participant, &self.own.instance.name).await?;
            let presence = self.write_down(&mut tx, who, With::Track(track.clone()), now).await?;
            self.save(&mut tx, &stored, &[], now).await?;
            let publication = Publication {
                session: who.session,
                participant: who.participant,
                track,
                recording: stored.session.recording,
                yields: stored.session.participant(who.participant)?.role != Role::Caller,
            };
            let (cover, pleas) = (stored.session.covering(), stored.session.pleas());
            let owner = Owner::of(&stored.session, &stored.trace, stored.epoch);
            Ok(Begun { publication, cover, pleas, owner, presence, tx })
        }
        .instrument(span)
        .await
    }

    /// A publication's media flows (again).
    ///
    /// # Errors
    /// When there is no such session or participant, or the database fails.
    pub async fn media_flows(&self, session: SessionId, who: ParticipantId, track: &TrackName) -> Result<(), Error> {
        let number = publication_number(track).unwrap_or_default();
        self.observe(session, track, "media_flows", |session| session.media_flows(who, number)).await
    }

    /// A publication's media flows no more.
    ///
    /// # Errors
    /// When there is no such session or participant, or the database fails.
    pub async fn media_stops(&self, session: SessionId, who: ParticipantId, track: &TrackName) -> Result<(), Error> {
        let now = self.clock.now();
        let number = publication_number(track).unwrap_or_default();
        self.observe(session, track, "media_stops", |session| session.media_stops(who, number, now)).await
    }

    /// A publication is over since then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stopped_publishing(
        &self,
        session: SessionId,
        track: &TrackName,
        at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut tx = self.begin(Scope::All).await?;
        store::end_presence_of(&mut tx, session, track, at).await?;
        Ok(tx.commit().await?)
    }

    /// So many segments were recorded of a publication.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn track_recorded(&self, session: SessionId, track: &TrackName, segments: u64) -> Result<(), Error> {
        let mut tx = self.begin(Scope::All).await?;
        store::save_track(&mut tx, session, track, segments).await?;
        Ok(tx.commit().await?)
    }

    /// What is seen of a publication. Without effect once another instance has taken the session over: it has declared all of
    /// our connections lost.
    async fn observe(
        &self,
        id: SessionId,
        track: &TrackName,
        name: &'static str,
        transition: impl FnOnce(Session) -> Result<(Session, Vec<Fact>), Illegal>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.begin_in_passing().await?;
        let mut stored = self.lock(&mut tx, id).await?;
        if !store::is_of_this_epoch(&mut tx, id, track).await? {
            tracing::info!(session_id = %id, %track, name, "the session is another instance's: fact refused");
            return Ok(());
        }
        let before = stored.session.clone();
        let span = span(&stored, name);
        async {
            let (session, facts) = transition(before.clone())?;
            if session == before {
                return Ok(());
            }
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            Ok(tx.commit().await?)
        }
        .instrument(span)
        .await
    }
}
