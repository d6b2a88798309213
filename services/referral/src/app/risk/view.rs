//! The risk of a call as others see it: the case's view, and the fields of referrals.

use api::referral::v1 as proto;
use ids::ForceId;
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

/// The risk of a call at one moment, read once for all that is made from it. Personal data: no `Debug`.
pub(crate) struct RiskNow {
    /// The present assessment, if one was begun, and what answers and history say.
    pub assessed: Option<(Assessment, Finding)>,
    /// The grade that the call has.
    pub grading: Option<Grading>,
    /// Earlier calls that may be of the same people.
    pub matches: Vec<Match>,
}

impl RiskNow {
    /// How many earlier calls are of the same people; `None` while one that was found isn't judged.
    pub fn earlier_calls(&self) -> Option<usize> {
        let judged = self.matches.iter().all(|found| found.verdict.is_some());
        judged.then(|| self.matches.iter().filter(|found| found.verdict == Some(Verdict::SamePeople)).count())
    }

    /// For what is made from it, once an assessment was begun.
    pub fn view(&self) -> Option<RiskView> {
        let (assessment, finding) = self.assessed.as_ref()?;
        let grading = self.grading.clone();
        // Earlier calls that were found since may say more than it does.
        let holds =
            |grading: &Grading| grading.version == assessment.version && grading.decision.grade >= finding.least;
        let is_graded = grading.as_ref().is_some_and(holds);
        Some(RiskView { grading, is_graded, finding: finding.clone(), answers: risk::answered(assessment) })
    }
}

impl App {
    /// The risk of a call as it is.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub(crate) async fn risk_now(&self, tx: &mut PgConnection, on: &On) -> Result<RiskNow, Error> {
        let assessment = store::risk::assessment(tx, on.call).await?;
        let matches = self.matches(tx, on, assessment.as_ref()).await?;
        let assessed = assessment.map(|assessment| {
            let finding = Finding::of(&assessment, risk::reports(&matches));
            (assessment, finding)
        });
        let grading = store::risk::last_grading(tx, on.call).await?;
        Ok(RiskNow { assessed, grading, matches })
    }

    /// As the case's view tells it.
    pub(crate) fn told_risk(&self, force: &ForceId, risk: &RiskNow) -> (Option<proto::Assessment>, Vec<proto::Match>) {
        let assessment = risk.assessed.as_ref().map(|(assessment, finding)| {
            let is_outdated = self.books.questions.named(force, assessment.set.id()) != Some(&assessment.set);
            grpc::assessment(assessment, finding, risk.grading.as_ref(), is_outdated)
        });
        (assessment, risk.matches.iter().map(grpc::found).collect())
    }
}
