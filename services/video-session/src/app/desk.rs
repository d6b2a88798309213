//! What the officer may ask for. Each answer is remembered without its secret, which is made anew (see `keys`).

use api::session::v1::{EndSessionRequest, EndSessionResponse, JoinSessionRequest, JoinSessionResponse};
use chassis::Trace;
use ids::{CallId, ForceId, OfficerId, ParticipantId, RequestId};
use outbox::{Scope, replay};
use sqlx::PgTransaction;
use tracing::Instrument;

use super::{App, span};
use crate::{
    domain::{EndReason, Ending, Role},
    error::Error,
    events::timestamp,
    keys::Token,
    store::{self, Stored},
};

/// An officer's request, parsed. The message itself stays, to be compared with a repeat of it.
#[derive(Debug, Clone)]
pub struct Order<M> {
    /// The client's own id of it.
    pub request: RequestId,
    /// Whose call.
    pub force: ForceId,
    /// Who asks.
    pub officer: OfficerId,
    /// About which call.
    pub call: CallId,
    /// As it came.
    pub message: M,
}

/// Staff have come: the officer is in, an observer waits.
#[derive(Debug, Clone)]
pub struct Joined {
    /// Who they are in the session.
    pub participant: ParticipantId,
    /// What lets them publish and watch.
    pub token: Token,
    /// The call's trace, if this is no repeat.
    pub trace: Trace,
}

impl App {
    /// Lets the officer in, or an observer wait. A further request gives a further token, and the one before is worth nothing.
    ///
    /// # Errors
    /// Not the officer's call (or an observer's own), no such session, an ended one, a role that doesn't join.
    pub async fn join_session(&self, order: &Order<JoinSessionRequest>, role: Role) -> Result<Joined, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        let first: Option<JoinSessionResponse> =
            replay::first_answer(&mut tx, order.request, "JoinSession", &order.message).await?;
        if let Some(first) = first {
            let participant = first.participant_id.parse()?;
            let token = self.keys.officer_token(participant, order.request);
            return Ok(Joined { participant, token, trace: Trace::none() });
        }
        let mut stored = store::lock_by_call(&mut tx, &order.force, order.call).await?.ok_or(Error::UnknownSession)?;
        let span = span(&stored, "join_session");
        async {
            stored.session.joined_by(&order.officer, role)?;
            let (session, mut facts) = match role {
                Role::Officer => stored.session.taken_over_by(&order.officer, now),
                _ => (stored.session, Vec::new()),
            };
            let staff = Some(order.officer.clone());
            let (session, participant, arrived) = session.arrive(role, staff, self.entropy.id(now), now)?;
            facts.extend(arrived);
            stored.session = session;
            let token = self.keys.officer_token(participant, order.request);
            let person = stored.session.participant(participant)?;
            store::set_token(&mut tx, stored.session.id, person, &token.hash()).await?;
            self.save(&mut tx, &stored, &facts, now).await?;
            let remembered = JoinSessionResponse { participant_id: participant.to_string(), ..Default::default() };
            replay::remember(&mut tx, order.request, &remembered).await?;
            tx.commit().await?;
            Ok(Joined { participant, token, trace: stored.trace })
        }
        .instrument(span)
        .await
    }

    /// Ends the call for everyone. The closer does the rest: media, spool, SessionEnded.
    ///
    /// # Errors
    /// Not the officer's call, no such session.
    pub async fn end_session(&self, order: &Order<EndSessionRequest>) -> Result<EndSessionResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "EndSession", &order.message).await? {
            return Ok(first);
        }
        let mut stored = self.commanded(&mut tx, order).await?;
        let span = span(&stored, "end_session");
        async {
            let (session, ending) = stored.session.end(EndReason::OfficerEnded, now);
            stored.session = session;
            self.save(&mut tx, &stored, &[], now).await?;
            let answer = answer(ending);
            replay::remember(&mut tx, order.request, &answer).await?;
            tx.commit().await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// The desk has given the call to another officer, who takes it over when they join.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn given_to_another(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        call: CallId,
        to: OfficerId,
    ) -> Result<(), Error> {
        let Some(mut stored) = store::lock_by_call(tx, force, call).await? else {
            tracing::warn!(%call, "a call was given to another officer that has no session");
            return Ok(());
        };
        stored.session = stored.session.hand_over_to(to);
        self.save(tx, &stored, &[], self.clock.now()).await
    }

    pub(super) async fn commanded<M>(&self, tx: &mut PgTransaction<'_>, order: &Order<M>) -> Result<Stored, Error> {
        let stored = store::lock_by_call(tx, &order.force, order.call).await?.ok_or(Error::UnknownSession)?;
        stored.session.commanded_by(&order.officer)?;
        Ok(stored)
    }
}

fn answer(ending: Ending) -> EndSessionResponse {
    EndSessionResponse { reason: ending.reason.as_str().to_owned(), ended_at: Some(timestamp(ending.at)) }
}
