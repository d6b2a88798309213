//! Clare's Law: what becomes of an application, which is a referral.

use api::referral::v1 as proto;
use ids::{OfficerId, ReferralId};

use super::{App, Ask, On, change::Begun};
use crate::{
    domain::{
        Stage as Far, Words,
        disclosure::{Recorded, Stage},
    },
    error::Error,
    grpc,
    store::{self, disclosures},
};

/// The kinds of referral that are applications.
const APPLICATIONS: [&str; 2] = ["clares-law-ask", "clares-law-know"];

/// Whether a referral of that kind is an application.
pub(super) fn is_application(kind: &str) -> bool {
    APPLICATIONS.contains(&kind)
}

impl App {
    /// Records what was done about an application, on version `base` of it. What is decided is its outcome.
    ///
    /// # Errors
    /// No such call or application, or it is taken back; it is not that stage's turn; the request id was used for something
    /// else; the database is away.
    pub async fn record_disclosure_stage(
        &self,
        ask: Ask<'_, proto::RecordDisclosureStageRequest>,
        on: On,
        by: OfficerId,
        (referral, base): (ReferralId, u64),
        stage: Stage,
    ) -> Result<proto::RecordDisclosureStageResponse, Error> {
        let mut change = match self.change("RecordDisclosureStage", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let all = store::referrals(&mut change.tx, &change.on).await?;
        let application = all.into_iter().find(|one| one.id == referral && is_application(&one.kind));
        let application = application.ok_or(Error::UnknownReferral)?;
        if matches!(application.stage, Far::Withdrawn(..)) {
            return Err(Error::Withdrawn);
        }
        let outcome = match &stage {
            Stage::Decision { disclose: true, .. } => Some("it was decided to disclose"),
            Stage::Decision { disclose: false, .. } => Some("it was decided to disclose nothing"),
            Stage::Check { .. } | Stage::Plan { .. } | Stage::Told { .. } => None,
        };
        let before = disclosures::disclosures(&mut change.tx, &change.on).await?.remove(&referral).unwrap_or_default();
        let recorded = Recorded { stage, by, at: change.now };
        let disclosure = before.record(base, recorded.clone())?;
        let kept = (disclosure.version(), &recorded);
        disclosures::insert_stage(&mut change.tx, &change.on, referral, kept).await?;
        if let Some(outcome) = outcome {
            let at = change.now;
            let decided = Words(outcome.to_owned());
            self.step(&mut change, referral, Some(&recorded.by), |one| Ok(one.record_outcome(decided, at)?)).await?;
        }
        let disclosure = Some(grpc::disclosure(referral, &disclosure));
        change.done(proto::RecordDisclosureStageResponse { disclosure }).await
    }
}
