//! ReferralService: what arrives is parsed into the domain here, and what goes out is made here. A room a subject.

mod caller;
mod case;
mod disclosure;
mod due;
mod index;
mod package;
mod partners;
mod people;
mod referrals;
pub(crate) mod risk;
mod schedule;
mod sealing;
mod statement;

pub(crate) use disclosure::disclosure;
pub(crate) use referrals::{acknowledged_by, outcome, referral};
pub(crate) use schedule::schedule;
pub(crate) use sealing::sealed;

use api::referral::v1::{
    AcknowledgeReferralRequest, AcknowledgeReferralResponse, DraftStatementRequest, DraftStatementResponse,
    GetAssessmentFormRequest, GetAssessmentFormResponse, GetCallerNumberRequest, GetCallerNumberResponse,
    GetCaseRequest, GetCaseResponse, GetDisclosureScheduleRequest, GetDisclosureScheduleResponse,
    GetPackageIndexRequest, GetPackageIndexResponse, GetPackageRequest, GetPackageResponse, GradeRiskRequest,
    GradeRiskResponse, JudgeMatchRequest, JudgeMatchResponse, ListDueRequest, ListDueResponse, ListQuestionSetsRequest,
    ListQuestionSetsResponse, ListReferralKindsRequest, ListReferralKindsResponse, ListStatementsRequest,
    ListStatementsResponse, MakeReferralRequest, MakeReferralResponse, NotePackageItemRequest, NotePackageItemResponse,
    RecordDisclosureStageRequest, RecordDisclosureStageResponse, RecordOutcomeRequest, RecordOutcomeResponse,
    RemovePersonRequest, RemovePersonResponse, SaveAssessmentRequest, SaveAssessmentResponse,
    SaveDisclosureScheduleRequest, SaveDisclosureScheduleResponse, SavePersonRequest, SavePersonResponse,
    SaveStatementRequest, SaveStatementResponse, SealPackageRequest, SealPackageResponse, SearchPartnersRequest,
    SearchPartnersResponse, SendReferralRequest, SendReferralResponse, WatchCaseRequest, WatchCaseResponse,
    WatchDueRequest, WatchDueResponse, WithdrawReferralRequest, WithdrawReferralResponse,
    referral_service_server::ReferralService,
};
use chassis::Principal;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use ids::OfficerId;
use tonic::{Request, Response, Status};

use crate::{
    app::{App, Ask, On},
    error::Error,
};

/// What WatchCase and WatchDue answer.
type Stream<T> = BoxStream<'static, Result<T, Status>>;

/// The service, over the use cases.
pub struct Grpc {
    app: App,
}

impl Grpc {
    /// Over these use cases.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl ReferralService for Grpc {
    type WatchCaseStream = Stream<WatchCaseResponse>;
    type WatchDueStream = Stream<WatchDueResponse>;

    async fn get_case(&self, request: Request<GetCaseRequest>) -> Result<Response<GetCaseResponse>, Status> {
        case::get_case(&self.app, &request).await.map(Response::new)
    }

    async fn watch_case(&self, request: Request<WatchCaseRequest>) -> Result<Response<Self::WatchCaseStream>, Status> {
        case::watch_case(&self.app, &request).await.map(Response::new)
    }

    async fn save_person(&self, request: Request<SavePersonRequest>) -> Result<Response<SavePersonResponse>, Status> {
        people::save_person(&self.app, &request).await.map(Response::new)
    }

    async fn remove_person(
        &self,
        request: Request<RemovePersonRequest>,
    ) -> Result<Response<RemovePersonResponse>, Status> {
        people::remove_person(&self.app, &request).await.map(Response::new)
    }

    async fn list_question_sets(
        &self,
        request: Request<ListQuestionSetsRequest>,
    ) -> Result<Response<ListQuestionSetsResponse>, Status> {
        risk::list_question_sets(&self.app, &request).await.map(Response::new)
    }

    async fn get_assessment_form(
        &self,
        request: Request<GetAssessmentFormRequest>,
    ) -> Result<Response<GetAssessmentFormResponse>, Status> {
        risk::get_assessment_form(&self.app, &request).await.map(Response::new)
    }

    async fn save_assessment(
        &self,
        request: Request<SaveAssessmentRequest>,
    ) -> Result<Response<SaveAssessmentResponse>, Status> {
        risk::save_assessment(&self.app, &request).await.map(Response::new)
    }

    async fn grade_risk(&self, request: Request<GradeRiskRequest>) -> Result<Response<GradeRiskResponse>, Status> {
        risk::grade_risk(&self.app, &request).await.map(Response::new)
    }

    async fn judge_match(&self, request: Request<JudgeMatchRequest>) -> Result<Response<JudgeMatchResponse>, Status> {
        risk::judge_match(&self.app, &request).await.map(Response::new)
    }

    async fn list_referral_kinds(
        &self,
        request: Request<ListReferralKindsRequest>,
    ) -> Result<Response<ListReferralKindsResponse>, Status> {
        referrals::list_referral_kinds(&self.app, &request).await.map(Response::new)
    }

    async fn search_partners(
        &self,
        request: Request<SearchPartnersRequest>,
    ) -> Result<Response<SearchPartnersResponse>, Status> {
        partners::search_partners(&self.app, &request).await.map(Response::new)
    }

    async fn make_referral(
        &self,
        request: Request<MakeReferralRequest>,
    ) -> Result<Response<MakeReferralResponse>, Status> {
        referrals::make_referral(&self.app, &request).await.map(Response::new)
    }

    async fn send_referral(
        &self,
        request: Request<SendReferralRequest>,
    ) -> Result<Response<SendReferralResponse>, Status> {
        referrals::send_referral(&self.app, &request).await.map(Response::new)
    }

    async fn withdraw_referral(
        &self,
        request: Request<WithdrawReferralRequest>,
    ) -> Result<Response<WithdrawReferralResponse>, Status> {
        referrals::withdraw_referral(&self.app, &request).await.map(Response::new)
    }

    async fn acknowledge_referral(
        &self,
        request: Request<AcknowledgeReferralRequest>,
    ) -> Result<Response<AcknowledgeReferralResponse>, Status> {
        referrals::acknowledge_referral(&self.app, &request).await.map(Response::new)
    }

    async fn record_outcome(
        &self,
        request: Request<RecordOutcomeRequest>,
    ) -> Result<Response<RecordOutcomeResponse>, Status> {
        referrals::record_outcome(&self.app, &request).await.map(Response::new)
    }

    async fn record_disclosure_stage(
        &self,
        request: Request<RecordDisclosureStageRequest>,
    ) -> Result<Response<RecordDisclosureStageResponse>, Status> {
        disclosure::record_disclosure_stage(&self.app, &request).await.map(Response::new)
    }

    async fn list_due(&self, request: Request<ListDueRequest>) -> Result<Response<ListDueResponse>, Status> {
        due::list_due(&self.app, &request).await.map(Response::new)
    }

    async fn watch_due(&self, request: Request<WatchDueRequest>) -> Result<Response<Self::WatchDueStream>, Status> {
        due::watch_due(&self.app, &request).await.map(Response::new)
    }

    async fn get_package(&self, request: Request<GetPackageRequest>) -> Result<Response<GetPackageResponse>, Status> {
        package::get_package(&self.app, &request).await.map(Response::new)
    }

    async fn list_statements(
        &self,
        request: Request<ListStatementsRequest>,
    ) -> Result<Response<ListStatementsResponse>, Status> {
        statement::list_statements(&self.app, &request).await.map(Response::new)
    }

    async fn save_statement(
        &self,
        request: Request<SaveStatementRequest>,
    ) -> Result<Response<SaveStatementResponse>, Status> {
        statement::save_statement(&self.app, &request).await.map(Response::new)
    }

    async fn draft_statement(
        &self,
        request: Request<DraftStatementRequest>,
    ) -> Result<Response<DraftStatementResponse>, Status> {
        statement::draft_statement(&self.app, &request).await.map(Response::new)
    }

    async fn note_package_item(
        &self,
        request: Request<NotePackageItemRequest>,
    ) -> Result<Response<NotePackageItemResponse>, Status> {
        statement::note_package_item(&self.app, &request).await.map(Response::new)
    }

    async fn get_caller_number(
        &self,
        request: Request<GetCallerNumberRequest>,
    ) -> Result<Response<GetCallerNumberResponse>, Status> {
        caller::get_caller_number(&self.app, &request).await.map(Response::new)
    }

    async fn get_disclosure_schedule(
        &self,
        request: Request<GetDisclosureScheduleRequest>,
    ) -> Result<Response<GetDisclosureScheduleResponse>, Status> {
        schedule::get_disclosure_schedule(&self.app, &request).await.map(Response::new)
    }

    async fn save_disclosure_schedule(
        &self,
        request: Request<SaveDisclosureScheduleRequest>,
    ) -> Result<Response<SaveDisclosureScheduleResponse>, Status> {
        schedule::save_disclosure_schedule(&self.app, &request).await.map(Response::new)
    }

    async fn seal_package(
        &self,
        request: Request<SealPackageRequest>,
    ) -> Result<Response<SealPackageResponse>, Status> {
        sealing::seal_package(&self.app, &request).await.map(Response::new)
    }

    async fn get_package_index(
        &self,
        request: Request<GetPackageIndexRequest>,
    ) -> Result<Response<GetPackageIndexResponse>, Status> {
        index::get_package_index(&self.app, &request).await.map(Response::new)
    }
}

fn on(force: &str, call: &str) -> Result<On, Error> {
    Ok(On { force: force.parse().map_err(Error::Force)?, call: call.parse()? })
}

fn ask<'r, R>(request_id: &str, request: &'r R) -> Result<Ask<'r, R>, Error> {
    Ok(Ask { id: request_id.parse()?, request })
}

/// In whose name a request is, as the guard knows them; without one (dev) as it says itself.
fn author<T>(request: &Request<T>, officer_id: &str) -> Result<OfficerId, Error> {
    let officer = request.extensions().get::<Principal>().and_then(Principal::officer).cloned();
    match officer {
        Some(officer) => Ok(officer),
        None => officer_id.parse().map_err(Error::Officer),
    }
}

/// Why something is done: words, and not too many.
fn reason(text: &str, most: usize) -> Result<&str, Error> {
    let fits = (1..=most).contains(&text.chars().count()) && !text.trim().is_empty();
    if fits && !text.contains('\0') { Ok(text) } else { Err(Error::ReasonRequired) }
}

/// A time.
#[must_use]
pub fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    // Below 1e9, so it always fits.
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default();
    prost_types::Timestamp { seconds: at.timestamp(), nanos }
}
