//! Who is in the call, as the record has it. A presence is committed before its media is accepted, and the [`Seat`] that says
//! so is the only way past the media's door.

use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId};
use sqlx::PgTransaction;
use tracing::Instrument;
use uuid::Uuid;

use super::{App, span};
use crate::{
    domain::{Ended, Presence, With},
    error::Error,
    ledger::{Person, Stay},
    media::Seat,
    store::{self, Named},
};
use outbox::Scope;

impl App {
    /// A person is about to watch another.
    ///
    /// # Errors
    /// When either isn't in the call, or it has ended, or is another instance's.
    pub async fn begin_watching(&self, who: Named, publisher: ParticipantId) -> Result<Seat, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::All).await?;
        let stored = self.lock(&mut tx, who.session).await?;
        let span = span(&stored, "watch");
        async {
            self.must_own(&stored)?;
            stored.session.may_watch(who.participant, publisher)?;
            let presence = self.write_down(&mut tx, who, With::Watching(publisher), now).await?;
            self.save(&mut tx, &stored, &[], now).await?;
            tx.commit().await?;
            Ok(Seat::recorded(who.session, who.participant, presence))
        }
        .instrument(span)
        .await
    }

    /// The media core has refused whoever had this seat: nothing has flowed, nobody was there.
    ///
    /// # Errors
    /// When the database fails. The presence then ends with the session.
    pub async fn give_up_seat(&self, seat: Seat) -> Result<(), Error> {
        let mut tx = self.begin(Scope::All).await?;
        let stored = self.lock(&mut tx, seat.session()).await?;
        store::delete_presence(&mut tx, seat.presence()).await?;
        self.save(&mut tx, &stored, &[], self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Whoever had this seat watches no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stopped_watching(&self, seat: Seat, at: DateTime<Utc>) -> Result<(), Error> {
        let mut tx = self.begin_in_passing().await?;
        let stored = self.lock(&mut tx, seat.session()).await?;
        store::end_presence(&mut tx, seat.presence(), at).await?;
        self.save(&mut tx, &stored, &[], self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Who was in a session, and for how long with what. Its media is closed: whoever isn't known to have left has left now.
    ///
    /// # Errors
    /// When there is no such session, or the database fails.
    pub async fn who_was_there(&self, id: SessionId) -> Result<Vec<Person>, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::All).await?;
        let stored = self.lock(&mut tx, id).await?;
        store::end_presences(&mut tx, id, Ended::At(now)).await?;
        let presences = store::list_presences(&mut tx, id).await?;
        let tracks = store::list_tracks(&mut tx, id).await?;
        tx.commit().await?;
        let stay = |presence: &Presence| Stay {
            segments: match &presence.with {
                With::Track(own) => tracks.iter().find(|t| t.track == *own).map_or(0, |recorded| recorded.segments),
                With::Watching(_) => 0,
            },
            presence: presence.clone(),
        };
        let people = stored.session.participants.into_iter().map(|who| Person {
            stays: presences.iter().filter(|presence| presence.participant == who.id).map(stay).collect(),
            who,
        });
        Ok(people.collect())
    }

    /// Writes a presence down, on the record once the transaction is committed.
    pub(super) async fn write_down(
        &self,
        tx: &mut PgTransaction<'_>,
        who: Named,
        with: With,
        now: DateTime<Utc>,
    ) -> Result<Uuid, Error> {
        let (id, participant) = (self.entropy.id(now), who.participant);
        let presence = Presence { id, participant, with, began_at: now, ended: None };
        store::insert_presence(tx, who.session, &presence).await?;
        Ok(id)
    }
}
