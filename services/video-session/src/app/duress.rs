//! That the caller has asked for help, as the rows have it. The officer's page has heard of it by then.

use api::session::v1::{AcknowledgeDuressRequest, AcknowledgeDuressResponse};
use ids::SessionId;
use outbox::{Scope, replay};
use tracing::Instrument;

use super::{App, Order, span};
use crate::{
    domain::{Fact, Illegal, Raised, Seen, Session},
    error::Error,
    events::timestamp,
    media::Plea,
    recorder::LastPlea,
};

/// That it was seen: what there is to write into the ledger.
#[derive(Debug, Clone)]
pub struct Sight {
    /// In which session.
    pub session: SessionId,
    /// What was raised.
    pub raised: Raised,
    /// Who saw it, and when.
    pub seen: Seen,
}

impl App {
    /// The caller has asked. A repeat is without effect, and so is what comes after the end.
    ///
    /// # Errors
    /// When there is no such session, or the database fails.
    pub async fn pleaded(&self, Plea { session, caller, how, n, at }: Plea) -> Result<(), Error> {
        self.heard_asking(session, |session| session.plead(caller, Raised { how, at }, n)).await
    }

    /// The caller asked an earlier process of this disk. What the rows know already is without effect, and so is what comes after the end.
    ///
    /// # Errors
    /// As [`App::pleaded`].
    pub async fn plea_recalled(&self, LastPlea { session, caller, raised }: LastPlea) -> Result<(), Error> {
        self.heard_asking(session, |session| session.recall_plea(caller, raised)).await
    }

    async fn heard_asking(
        &self,
        id: SessionId,
        hear: impl FnOnce(Session) -> Result<(Session, Vec<Fact>), Illegal>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.begin_in_passing().await?;
        let mut stored = self.lock(&mut tx, id).await?;
        let span = span(&stored, "pleaded");
        async {
            let (session, facts) = match hear(stored.session.clone()) {
                Ok((session, _)) if session == stored.session => return Ok(()),
                Ok(heard) => heard,
                Err(why) => {
                    tracing::warn!(session_id = %id, %why, "a call for help that nobody is told of");
                    return Ok(());
                }
            };
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            Ok(tx.commit().await?)
        }
        .instrument(span)
        .await
    }

    /// The officer has seen it. With what is new in that, if anything is.
    ///
    /// # Errors
    /// Not the officer's call, no such session, an ended one, nothing to be seen.
    pub async fn acknowledge_duress(
        &self,
        order: &Order<AcknowledgeDuressRequest>,
    ) -> Result<(AcknowledgeDuressResponse, Option<Sight>), Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "AcknowledgeDuress", &order.message).await? {
            return Ok((first, None));
        }
        let mut stored = self.commanded(&mut tx, order).await?;
        let span = span(&stored, "acknowledge_duress");
        async {
            let (session, seen, facts) = stored.session.see(order.officer.clone(), now)?;
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            let answer = AcknowledgeDuressResponse { acknowledged_at: Some(timestamp(seen.at)) };
            replay::remember(&mut tx, order.request, &answer).await?;
            tx.commit().await?;
            let raised = stored.session.duress.raised.filter(|_| !facts.is_empty());
            Ok((answer, raised.map(|raised| Sight { session: stored.session.id, raised, seen })))
        }
        .instrument(span)
        .await
    }
}
