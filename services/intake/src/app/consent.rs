//! What the caller agrees to, refuses and takes back: one use case, whichever RPC brings it.

use api::intake::v1::{RecordConsentRequest, WithdrawConsentRequest};
use outbox::{Scope, replay};
use prost::Message;
use tracing::{Instrument, info_span};

use super::{Ask, Intake, On, commit, lock};
use crate::{
    domain::{Call, Consent, Consents},
    error::Error,
    store::{self, Locked},
};

/// A request that says what the caller agrees to.
pub trait Consenting: Message {
    /// Its RPC.
    const RPC: &'static str;
}

impl Consenting for RecordConsentRequest {
    const RPC: &'static str = "RecordConsent";
}

impl Consenting for WithdrawConsentRequest {
    const RPC: &'static str = "WithdrawConsent";
}

impl Intake {
    /// Records consents, given, refused or taken back. The answer is made of the call and of what stood before.
    ///
    /// # Errors
    /// Unknown, not triaged, or over; the request id was used for something else; the database is away.
    pub async fn consent<R: Consenting, A: Message + Default>(
        &self,
        ask: Ask<'_, R>,
        on: On,
        consents: &[Consent],
        taken_by: &str,
        answer: impl FnOnce(&Call, Consents) -> A,
    ) -> Result<A, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("consent", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, R::RPC, ask.request).await? {
            return Ok(first);
        }
        let Locked { call, trace } = lock(&mut tx, &on).await?;
        let span = trace.follow(info_span!("consent", call = %call.id));
        async {
            let stood = call.consents.clone();
            let (call, effects) = call.consent(consents, now)?;
            self.heed_location(&mut tx, &call, consents).await?;
            store::insert_consents(&mut tx, call.id, consents, taken_by, now).await?;
            self.carry_out(&mut tx, &call, effects, &trace, now).await?;
            let answer = answer(&call, stood);
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }
}
