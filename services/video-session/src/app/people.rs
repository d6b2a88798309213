//! Whom the officer lets in, and whom they send away.

use api::session::v1::{
    AdmitParticipantRequest, AdmitParticipantResponse, RemoveParticipantRequest, RemoveParticipantResponse,
};
use outbox::{Scope, replay};
use tracing::Instrument;

use super::{App, Order, span};
use crate::{error::Error, events::timestamp};

impl App {
    /// Lets in somebody who waits.
    ///
    /// # Errors
    /// Not the officer's call, no such session or participant, an ended or a full one, somebody who was sent away.
    pub async fn admit(&self, order: &Order<AdmitParticipantRequest>) -> Result<AdmitParticipantResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "AdmitParticipant", &order.message).await? {
            return Ok(first);
        }
        let who = order.message.participant_id.parse()?;
        let mut stored = self.commanded(&mut tx, order).await?;
        let span = span(&stored, "admit");
        async {
            let (session, facts) = stored.session.admit(who, now)?;
            let admitted_at = session.participant(who)?.admitted_at.map(timestamp);
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            let answer = AdmitParticipantResponse { admitted_at };
            replay::remember(&mut tx, order.request, &answer).await?;
            tx.commit().await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// Sends somebody away. Their token is worth nothing from here on; the closer ends their media.
    ///
    /// # Errors
    /// Not the officer's call, no such session or participant, an ended session, the officer themselves.
    pub async fn remove(&self, order: &Order<RemoveParticipantRequest>) -> Result<RemoveParticipantResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "RemoveParticipant", &order.message).await? {
            return Ok(first);
        }
        let who = order.message.participant_id.parse()?;
        let mut stored = self.commanded(&mut tx, order).await?;
        let span = span(&stored, "remove");
        async {
            let (session, facts) = stored.session.remove(who, now)?;
            let removed_at = session.participant(who)?.removed_at.map(timestamp);
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            let answer = RemoveParticipantResponse { removed_at };
            replay::remember(&mut tx, order.request, &answer).await?;
            tx.commit().await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }
}
