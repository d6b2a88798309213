//! Question sets, answers, and the grade. Each under the case's lock; what counts of the history is looked up at each look.

mod matches;
mod view;

use api::referral::v1 as proto;
use ids::{AssessmentId, OfficerId};
use outbox::{Scope, replay};
use sqlx::PgConnection;
use tracing::{Instrument, info_span};

pub use matches::people_changed;
pub use view::{Answered, RiskView};

use super::{App, Ask, On, commit, lock_case};
use crate::{
    domain::risk::{self, Assessment, Finding, Given, Grading, Judgement, Match, QuestionSet, Refusal, Verdict},
    error::Error,
    events,
    grpc::risk as grpc,
    store::{self, Locked, history},
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
        let now = self.clock.now();
        let mut tx = self.store.begin("get_assessment_form", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "GetAssessmentForm", ask.request).await? {
            return Ok(first);
        }
        let Locked { trace, .. } = lock_case(&mut tx, &on).await?;
        let span = trace.follow(info_span!("get_assessment_form", call = %on.call));
        async {
            let present = store::risk::assessment(&mut tx, on.call).await?;
            let assessment = match self.further(&on, present.as_ref(), set)? {
                Some(set) => {
                    let version = present.map_or(0, |before| before.version + 1);
                    let assessment = Assessment { version, ..Assessment::begin(self.entropy.id(now), set.clone()) };
                    store::risk::begin_assessment(&mut tx, &on, &assessment, (officer, now)).await?;
                    store::touch(&mut tx, on.call).await?;
                    assessment
                }
                None => present.ok_or(Refusal::UnknownSet)?,
            };
            let answer = grpc::form(&assessment);
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
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
        let now = self.clock.now();
        let mut tx = self.store.begin("save_assessment", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "SaveAssessment", ask.request).await? {
            return Ok(first);
        }
        let Locked { trace, .. } = lock_case(&mut tx, &on).await?;
        let span = trace.follow(info_span!("save_assessment", call = %on.call));
        async {
            let (assessment, saved) = present(&mut tx, &on, id).await?.save(given, officer, now)?;
            store::risk::save_answers(&mut tx, &on, &assessment, &saved).await?;
            store::touch(&mut tx, on.call).await?;
            let (finding, _) = self.finding(&mut tx, &on, &assessment).await?;
            let finding = Some(grpc::finding(&finding));
            let answer = proto::SaveAssessmentResponse { version: assessment.version, finding };
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
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
        let now = self.clock.now();
        let mut tx = self.store.begin("grade_risk", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "GradeRisk", ask.request).await? {
            return Ok(first);
        }
        let Locked { trace, .. } = lock_case(&mut tx, &on).await?;
        let span = trace.follow(info_span!("grade_risk", call = %on.call));
        async {
            let assessment = present(&mut tx, &on, id).await?;
            let (finding, matches) = self.finding(&mut tx, &on, &assessment).await?;
            let before = store::risk::last_grading(&mut tx, on.call).await?.map(|grading| grading.decision.grade);
            let open = matches.iter().any(|found| found.verdict.is_none());
            let decision = judgement.decide(&assessment, &finding, before, open)?;
            let grading = Grading {
                decision,
                reason: judgement.reason,
                officer: officer.clone(),
                at: now,
                version: assessment.version,
            };
            store::risk::add_grading(&mut tx, &on, assessment.id, &grading, &finding).await?;
            store::touch(&mut tx, on.call).await?;
            let graded = events::risk_graded(&on, assessment.id, &grading, &trace);
            outbox::write_in_tx(&mut tx, &self.entropy, now, [graded]).await?;
            let answer = proto::GradeRiskResponse { grading: Some(grpc::grading(&grading)) };
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
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
        let now = self.clock.now();
        let mut tx = self.store.begin("judge_match", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "JudgeMatch", ask.request).await? {
            return Ok(first);
        }
        let Locked { trace, .. } = lock_case(&mut tx, &on).await?;
        let span = trace.follow(info_span!("judge_match", call = %on.call));
        async {
            let assessment = store::risk::assessment(&mut tx, on.call).await?;
            let matches = self.matches(&mut tx, &on, assessment.as_ref()).await?;
            if !matches.iter().any(|found| found.call == earlier) {
                return Err(Refusal::UnknownMatch.into());
            }
            history::add_verdict(&mut tx, &on, earlier, verdict, (officer, now)).await?;
            store::touch(&mut tx, on.call).await?;
            let finding = match assessment {
                Some(assessment) => Some(self.finding(&mut tx, &on, &assessment).await?.0),
                None => None,
            };
            let answer = proto::JudgeMatchResponse { finding: finding.as_ref().map(grpc::finding) };
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
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
