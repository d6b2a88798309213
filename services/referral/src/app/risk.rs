//! Question sets, answers, and the grade. Each under the case's lock; what counts of the history is looked up at each look.

mod matches;
mod view;

use api::referral::v1 as proto;
use ids::{AssessmentId, OfficerId};
use sqlx::PgConnection;

pub use matches::people_changed;
pub(crate) use view::RiskNow;
pub use view::RiskView;

use super::{App, Ask, On, change::Begun};
use crate::{
    domain::risk::{self, Assessment, Finding, Given, Grade, Grading, Judgement, Match, QuestionSet, Refusal, Verdict},
    error::Error,
    events,
    grpc::risk as grpc,
    store::{self, history},
};

impl App {
    /// The question sets of a force, the one it begins with first.
    #[must_use]
    pub fn question_sets(&self, force: &ids::ForceId) -> &[QuestionSet] {
        self.books.questions.of(force)
    }

    /// The questions of a call's assessment, which is begun if there is none, or another set is named.
    ///
    /// # Errors
    /// Unknown call or set; the request id was used for something else; the database is away.
    pub async fn get_assessment_form(
        &self,
        ask: Ask<'_, proto::GetAssessmentFormRequest>,
        on: On,
        officer: &OfficerId,
        set: Option<&str>,
    ) -> Result<proto::GetAssessmentFormResponse, Error> {
        let mut change = match self.change("GetAssessmentForm", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let present = store::risk::assessment(&mut change.tx, change.on.call).await?;
        let Some(set) = self.further(&change.on, present.as_ref(), set)? else {
            let answer = grpc::form(&present.ok_or(Refusal::UnknownSet)?);
            return change.looked(answer).await;
        };
        let version = present.map_or(0, |before| before.version + 1);
        let assessment = Assessment { version, ..Assessment::begin(self.entropy.id(change.now), set.clone()) };
        store::risk::begin_assessment(&mut change.tx, &change.on, &assessment, (officer, change.now)).await?;
        let answer = grpc::form(&assessment);
        change.done(answer).await
    }

    /// With which set an assessment is begun; `None`: the present one is the one that is asked for.
    fn further(
        &self,
        on: &On,
        present: Option<&Assessment>,
        set: Option<&str>,
    ) -> Result<Option<&QuestionSet>, Refusal> {
        let book = &self.books.questions;
        match (present, set) {
            (Some(_), None) => Ok(None),
            (None, None) => Ok(book.of(&on.force).first()),
            (present, Some(id)) => {
                let set = book.named(&on.force, id);
                match present.filter(|present| present.set.id() == id) {
                    // Named, and there is a newer edition: it is asked anew. A set that the force has no more goes on.
                    Some(present) => Ok(set.filter(|set| **set != present.set)),
                    None => set.map(Some).ok_or(Refusal::UnknownSet),
                }
            }
        }
    }

    /// Saves answers: all of the request's, or none.
    ///
    /// # Errors
    /// Unknown call, assessment or question; no answer; somebody has answered meanwhile; the request id was used for something
    /// else; the database is away.
    pub async fn save_assessment(
        &self,
        ask: Ask<'_, proto::SaveAssessmentRequest>,
        on: On,
        (officer, id): (&OfficerId, AssessmentId),
        given: Vec<(Given, u64)>,
    ) -> Result<proto::SaveAssessmentResponse, Error> {
        let mut change = match self.change("SaveAssessment", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let (assessment, saved) = present(&mut change.tx, &change.on, id).await?.save(given, officer, change.now)?;
        store::risk::save_answers(&mut change.tx, &change.on, &assessment, &saved).await?;
        let (finding, _) = self.finding(&mut change.tx, &change.on, &assessment).await?;
        let finding = Some(grpc::finding(&finding));
        let answer = proto::SaveAssessmentResponse { version: assessment.version, finding };
        change.done(answer).await
    }

    /// Gives the grade.
    ///
    /// # Errors
    /// Unknown call or assessment; the answers have changed, or the grade can't be given on them; the request id was used for
    /// something else; the database is away.
    pub async fn grade_risk(
        &self,
        ask: Ask<'_, proto::GradeRiskRequest>,
        on: On,
        (officer, id): (&OfficerId, AssessmentId),
        judgement: Judgement,
    ) -> Result<proto::GradeRiskResponse, Error> {
        let mut change = match self.change("GradeRisk", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let assessment = present(&mut change.tx, &change.on, id).await?;
        let (finding, matches) = self.finding(&mut change.tx, &change.on, &assessment).await?;
        let before =
            store::risk::last_grading(&mut change.tx, change.on.call).await?.map(|grading| grading.decision.grade);
        let open = matches.iter().any(|found| found.verdict.is_none());
        let decision = judgement.decide(&assessment, &finding, before, open)?;
        let grading = Grading {
            decision,
            reason: judgement.reason,
            officer: officer.clone(),
            at: change.now,
            version: assessment.version,
        };
        store::risk::add_grading(&mut change.tx, &change.on, assessment.id, &grading, &finding).await?;
        let graded = events::risk_graded(&change.on, assessment.id, &grading, &change.trace);
        change.publish(&self.entropy, [graded]).await?;
        // When it comes to be high, and not each time that it stays so: a draft that an officer took back stays so.
        if decision.grade == Grade::High && before != Some(Grade::High) {
            self.draft_by_rule(&mut change.tx, &change.on, ("marac", None), "high risk").await?;
        }
        let answer = proto::GradeRiskResponse { grading: Some(grpc::grading(&grading)) };
        change.done(answer).await
    }

    /// Says whether an earlier call that was found is of the same people.
    ///
    /// # Errors
    /// Unknown call, or that one wasn't found; the request id was used for something else; the database is away.
    pub async fn judge_match(
        &self,
        ask: Ask<'_, proto::JudgeMatchRequest>,
        on: On,
        officer: &OfficerId,
        (earlier, verdict): (ids::CallId, Verdict),
    ) -> Result<proto::JudgeMatchResponse, Error> {
        let mut change = match self.change("JudgeMatch", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let assessment = store::risk::assessment(&mut change.tx, change.on.call).await?;
        let matches = self.matches(&mut change.tx, &change.on, assessment.as_ref()).await?;
        if !matches.iter().any(|found| found.call == earlier) {
            return Err(Refusal::UnknownMatch.into());
        }
        history::add_verdict(&mut change.tx, &change.on, earlier, verdict, (officer, change.now)).await?;
        let finding = match assessment {
            Some(assessment) => Some(self.finding(&mut change.tx, &change.on, &assessment).await?.0),
            None => None,
        };
        let answer = proto::JudgeMatchResponse { finding: finding.as_ref().map(grpc::finding) };
        change.done(answer).await
    }

    /// What answers and history say, and the history.
    async fn finding(
        &self,
        tx: &mut PgConnection,
        on: &On,
        assessment: &Assessment,
    ) -> Result<(Finding, Vec<Match>), Error> {
        let matches = self.matches(tx, on, Some(assessment)).await?;
        Ok((Finding::of(assessment, risk::reports(&matches)), matches))
    }
}

/// The present assessment, which must be this one.
async fn present(tx: &mut PgConnection, on: &On, id: AssessmentId) -> Result<Assessment, Error> {
    let present = store::risk::assessment(tx, on.call).await?;
    let other = present.as_ref().map(|present| present.id);
    Ok(present.filter(|present| present.id == id).ok_or(Refusal::UnknownAssessment(other))?)
}
