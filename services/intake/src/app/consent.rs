//! What the caller agreed to, and what they took back.

use api::intake::v1 as proto;
use outbox::replay;
use tracing::{Instrument, info_span};

use super::{Ask, Intake, On, commit, lock};
use crate::{
    domain::Consent,
    error::Error,
    grpc,
    store::{self, Locked},
};

impl Intake {
    /// Records consents, given or refused.
    ///
    /// # Errors
    /// Unknown or not triaged; the request id was used for something else; the database is away.
    pub async fn record_consent(
        &self,
        ask: Ask<'_, proto::RecordConsentRequest>,
        on: On,
        consents: &[Consent],
        taken_by: &str,
    ) -> Result<proto::RecordConsentResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("record_consent").await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "RecordConsent", ask.request).await? {
            return Ok(first);
        }
        let Locked { call, trace } = lock(&mut tx, &on).await?;
        let span = trace.follow(info_span!("record_consent", call = %call.id));
        async {
            let (call, effects) = call.consent(consents, now)?;
            store::insert_consents(&mut tx, call.id, consents, taken_by, now).await?;
            self.carry_out(&mut tx, &call, effects, &trace, now).await?;
            let answer = proto::RecordConsentResponse { state: grpc::answered(&call) };
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// Records that a consent is taken back.
    ///
    /// # Errors
    /// Unknown or closed; the request id was used for something else; the database is away.
    pub async fn withdraw_consent(
        &self,
        ask: Ask<'_, proto::WithdrawConsentRequest>,
        on: On,
        consent: &Consent,
        taken_by: &str,
    ) -> Result<proto::WithdrawConsentResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("withdraw_consent").await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "WithdrawConsent", ask.request).await? {
            return Ok(first);
        }
        let Locked { call, trace } = lock(&mut tx, &on).await?;
        let span = trace.follow(info_span!("withdraw_consent", call = %call.id));
        async {
            let (call, was_given, effects) = call.withdraw(consent, now)?;
            store::insert_consents(&mut tx, call.id, std::slice::from_ref(consent), taken_by, now).await?;
            self.carry_out(&mut tx, &call, effects, &trace, now).await?;
            let answer = proto::WithdrawConsentResponse { state: grpc::answered(&call), was_given };
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }
}
