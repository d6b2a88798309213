//! A sergeant gives a call to a named officer.

use api::transfer::v1::{ReassignCallRequest, ReassignCallResponse};
use ids::OfficerId;
use outbox::Scope;
use tracing::{Instrument, info_span};

use super::{Answer, App, Once};
use crate::{
    domain::State,
    error::Error,
    events::timestamp,
    store::{self, Reassignment},
};

impl App {
    /// Offers a waiting call to the named officer, or makes theirs what another officer has.
    pub async fn reassign_call(
        &self,
        once: Once<'_, ReassignCallRequest>,
        answer: &Answer,
        (to, reason): (OfficerId, String),
    ) -> Result<ReassignCallResponse, Error> {
        let span = self.trace_of(answer).await?.follow(info_span!("reassign_call"));
        async {
            let mut tx = store::begin(&self.pool, "reassign_call", Scope::Force(&answer.force)).await?;
            if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "ReassignCall", once.request).await? {
                return Ok(first);
            }
            let (kept, now) = self.answered(&mut tx, answer).await?;
            // As the matching has it: whoever it could offer a call to.
            let idle = store::present(&mut tx, &answer.force, now).await?.idle;
            // Or whoever gave it up for somebody who doesn't come: they are still with the caller.
            let lent = to.lent_by().is_none() || store::is_lent(&mut tx, (&answer.force, &to), now).await?;
            let is_back = lent && store::is_back(&mut tx, &kept.call, &to, now).await?;
            let is_free = is_back || idle.iter().any(|officer| officer.id == to && officer.is_free(now));
            let from = kept.call.officer().cloned();
            let step = kept.call.reassign(&to, is_free, now, &self.rules)?;
            let call = step.call.clone();
            let expires_at = match &call.state {
                State::Offered(offer) => Some(timestamp(offer.expires_at)),
                _ => None,
            };
            if let (None, Some(from)) = (&expires_at, &from)
                && let Some(officer) = store::officer(&mut tx, &answer.force, from).await?
            {
                store::save_officer(&mut tx, &officer.stands_down()).await?;
            }
            self.perform(&mut tx, step, &kept.trace, now).await?;
            let reassignment = Reassignment { from: from.as_ref(), to: &to, by: &answer.officer, reason: &reason };
            store::keep_reassignment(&mut tx, &call, &reassignment, now).await?;
            self.match_desk(&mut tx, &answer.force, now).await?;
            let response = ReassignCallResponse { expires_at };
            outbox::replay::remember(&mut tx, once.id, &response).await?;
            tx.commit().await?;
            Ok(response)
        }
        .instrument(span)
        .await
    }
}
