//! Question sets, answers, grades, and earlier calls of the same people.

mod answers;

use api::{
    intake::v1::RiskGrade,
    referral::v1::{
        self as proto, GetAssessmentFormRequest, GetAssessmentFormResponse, GradeRiskRequest, GradeRiskResponse,
        JudgeMatchRequest, JudgeMatchResponse, ListQuestionSetsRequest, ListQuestionSetsResponse, QuestionSetName,
        SaveAssessmentRequest, SaveAssessmentResponse,
    },
};
use chassis::{Principal, Role};
use chrono::DateTime;
use ids::ForceId;
use tonic::{Request, Status};

pub(crate) use answers::{assessment, by, finding, form, found, grade, grading};

use super::{ask, author, on};
use crate::{
    app::App,
    domain::risk::{Given, Grade, Judgement, QuestionSet, Refusal, Verdict},
    error::Error,
};

pub(super) async fn list_question_sets(
    app: &App,
    request: &Request<ListQuestionSetsRequest>,
) -> Result<ListQuestionSetsResponse, Status> {
    let force: ForceId = request.get_ref().force_id.parse().map_err(Error::Force)?;
    let name = |set: &QuestionSet| QuestionSetName {
        id: set.id().to_owned(),
        version: set.version().to_owned(),
        title: set.title().to_owned(),
    };
    Ok(ListQuestionSetsResponse { sets: app.question_sets(&force).iter().map(name).collect() })
}

pub(super) async fn get_assessment_form(
    app: &App,
    request: &Request<GetAssessmentFormRequest>,
) -> Result<GetAssessmentFormResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let (ask, on) = (ask(&request.request_id, request)?, on(&request.force_id, &request.call_id)?);
    let set = Some(request.set_id.as_str()).filter(|id| !id.is_empty());
    Ok(app.get_assessment_form(ask, on, &officer, set).await?)
}

pub(super) async fn save_assessment(
    app: &App,
    request: &Request<SaveAssessmentRequest>,
) -> Result<SaveAssessmentResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let (ask, on) = (ask(&request.request_id, request)?, on(&request.force_id, &request.call_id)?);
    let id = request.assessment_id.parse().map_err(Error::Malformed)?;
    let given = request.answers.iter().map(given).collect::<Result<_, _>>().map_err(Error::Risk)?;
    Ok(app.save_assessment(ask, on, (&officer, id), given).await?)
}

pub(super) async fn grade_risk(app: &App, request: &Request<GradeRiskRequest>) -> Result<GradeRiskResponse, Status> {
    let (officer, is_sergeant) = (author(request, &request.get_ref().officer_id)?, leads(request));
    let request = request.get_ref();
    let (ask, on) = (ask(&request.request_id, request)?, on(&request.force_id, &request.call_id)?);
    let id = request.assessment_id.parse().map_err(Error::Malformed)?;
    let grade = match request.grade() {
        RiskGrade::Standard => Grade::Standard,
        RiskGrade::Medium => Grade::Medium,
        RiskGrade::High => Grade::High,
        RiskGrade::Unspecified => return Err(Error::Risk(Refusal::InvalidGrade).into()),
    };
    let judgement = Judgement { grade, reason: request.reason.clone(), seen: request.version, is_sergeant };
    Ok(app.grade_risk(ask, on, (&officer, id), judgement).await?)
}

pub(super) async fn judge_match(app: &App, request: &Request<JudgeMatchRequest>) -> Result<JudgeMatchResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let (ask, on) = (ask(&request.request_id, request)?, on(&request.force_id, &request.call_id)?);
    let earlier = request.earlier_call_id.parse().map_err(Error::Malformed)?;
    let verdict = if request.same_people { Verdict::SamePeople } else { Verdict::OtherPeople };
    Ok(app.judge_match(ask, on, &officer, (earlier, verdict)).await?)
}

/// Whether they lead a desk. Where nobody is asked who they are (dev), everybody may do everything.
fn leads<T>(request: &Request<T>) -> bool {
    match request.extensions().get::<Principal>() {
        None | Some(Principal::Anybody) => true,
        Some(Principal::Officer { roles, .. }) => roles.has(Role::Sergeant),
        Some(Principal::ControlRoom { .. } | Principal::Service(_)) => false,
    }
}

/// An answer, and the version that it was made on.
fn given(answer: &proto::Answer) -> Result<(Given, u64), Refusal> {
    let question = answer.question.clone();
    let said_at = match &answer.said_at {
        None => None,
        Some(at) => {
            let said_at = u32::try_from(at.nanos).ok().and_then(|nanos| DateTime::from_timestamp(at.seconds, nanos));
            let refused = || Refusal::InvalidAnswer { question: question.clone(), rule: "no such time" };
            Some(said_at.ok_or_else(refused)?)
        }
    };
    let (choice, note, words) = (answer.choice.clone(), answer.note.clone(), answer.words.clone());
    Ok((Given { question, choice, note, words, said_at }, answer.version))
}
