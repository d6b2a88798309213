//! Question sets, answers, grades, and earlier calls of the same people.

use api::referral::v1::{
    GetAssessmentFormRequest, GetAssessmentFormResponse, GradeRiskRequest, GradeRiskResponse, JudgeMatchRequest,
    JudgeMatchResponse, ListQuestionSetsRequest, ListQuestionSetsResponse, SaveAssessmentRequest,
    SaveAssessmentResponse,
};
use tonic::{Request, Status};

use crate::app::App;

pub(super) async fn list_question_sets(
    app: &App,
    request: &Request<ListQuestionSetsRequest>,
) -> Result<ListQuestionSetsResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn get_assessment_form(
    app: &App,
    request: &Request<GetAssessmentFormRequest>,
) -> Result<GetAssessmentFormResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn save_assessment(
    app: &App,
    request: &Request<SaveAssessmentRequest>,
) -> Result<SaveAssessmentResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn grade_risk(app: &App, request: &Request<GradeRiskRequest>) -> Result<GradeRiskResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn judge_match(app: &App, request: &Request<JudgeMatchRequest>) -> Result<JudgeMatchResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}
