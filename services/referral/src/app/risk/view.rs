//! The risk of a call as others see it: the case's view, and the fields of referrals.

use api::referral::v1 as proto;
use sqlx::PgConnection;

use super::super::{App, On};
use crate::{
    domain::{
        RiskWords,
        risk::{self, Answered, Assessment, Finding, Grading, Match, Verdict},
    },
    error::Error,
    grpc::risk as grpc,
    store,
};

/// The risk of a call, for what is made from it. Personal data.
#[derive(Clone)]
pub struct RiskView {
    /// The grade that the call has.
    pub grading: Option<Grading>,
    /// It was given on the answers as they are, and isn't below what they and the history say.
    pub is_graded: bool,
    /// What answers and history say.
    pub finding: Finding,
    /// Questions that were answered, in their order.
    pub answers: Vec<Answered>,
}

impl RiskView {
    /// As a partner reads it.
    #[must_use]
    pub fn in_words(self) -> RiskWords {
        let standing = self.grading.as_ref().filter(|_| self.is_graded);
        risk::in_words(standing, &self.finding, self.answers)
    }
}

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

    /// What answers and history say.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub async fn finding_of(&self, tx: &mut PgConnection, on: &On, assessment: &Assessment) -> Result<Finding, Error> {
        Ok(self.finding(tx, on, assessment).await?.0)
    }

    /// The earlier calls that were found.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub async fn matches_of(&self, tx: &mut PgConnection, on: &On) -> Result<Vec<Match>, Error> {
        let assessment = store::risk::assessment(tx, on.call).await?;
        self.matches(tx, on, assessment.as_ref()).await
    }

    /// How many earlier calls are of the same people; `None` while one that was found isn't judged.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub async fn earlier_calls(&self, tx: &mut PgConnection, on: &On) -> Result<Option<usize>, Error> {
        let matches = self.matches_of(tx, on).await?;
        let judged = matches.iter().all(|found| found.verdict.is_some());
        Ok(judged.then(|| matches.iter().filter(|found| found.verdict == Some(Verdict::SamePeople)).count()))
    }

    /// The risk of a call, once an assessment was begun.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub async fn risk_of(&self, tx: &mut PgConnection, on: &On) -> Result<Option<RiskView>, Error> {
        let Some(assessment) = store::risk::assessment(tx, on.call).await? else { return Ok(None) };
        let (finding, _) = self.finding(tx, on, &assessment).await?;
        let grading = store::risk::last_grading(tx, on.call).await?;
        // Earlier calls that were found since may say more than it does.
        let holds =
            |grading: &Grading| grading.version == assessment.version && grading.decision.grade >= finding.least;
        let is_graded = grading.as_ref().is_some_and(holds);
        Ok(Some(RiskView { grading, is_graded, finding, answers: risk::answered(&assessment) }))
    }
}
