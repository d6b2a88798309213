//! The risk of a call as others see it: the case's view, and the fields of referrals.

use api::referral::v1 as proto;
use sqlx::PgConnection;

use super::super::{App, On};
use crate::{
    domain::{RiskWords, risk},
    error::Error,
    grpc::risk as grpc,
    store,
};

impl App {
    /// The present assessment, if one was begun, and the earlier calls that were found.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub async fn assessment_view(
        &self,
        tx: &mut PgConnection,
        on: &On,
    ) -> Result<(Option<proto::Assessment>, Vec<proto::Match>), Error> {
        let Some(assessment) = store::risk::assessment(tx, on.call).await? else {
            let matches = self.matches(tx, on, None).await?;
            return Ok((None, matches.iter().map(grpc::found).collect()));
        };
        let (finding, matches) = self.finding(tx, on, &assessment).await?;
        let grading = store::risk::last_grading(tx, on.call).await?;
        let is_outdated = self.books.questions.named(&on.force, assessment.set.id()) != Some(&assessment.set);
        let view = grpc::assessment(&assessment, &finding, grading.as_ref(), is_outdated);
        Ok((Some(view), matches.iter().map(grpc::found).collect()))
    }

    /// The risk of a call in words, for what is made from it, once an assessment was begun.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub(crate) async fn risk_of(&self, tx: &mut PgConnection, on: &On) -> Result<Option<RiskWords>, Error> {
        let Some(assessment) = store::risk::assessment(tx, on.call).await? else { return Ok(None) };
        let (finding, _) = self.finding(tx, on, &assessment).await?;
        let grading = store::risk::last_grading(tx, on.call).await?;
        Ok(Some(risk::in_words(&assessment, &finding, grading.as_ref())))
    }
}
