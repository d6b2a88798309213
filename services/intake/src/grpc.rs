//! IntakeService: what arrives is parsed into the domain here, and what goes out is made here. No decision is taken.

mod answer;
mod follow_up;
mod list;
mod parse;
mod urgent;
mod watch;

use api::intake::v1::{
    AcknowledgeFastTrackRequest, AcknowledgeFastTrackResponse, CancelTransferRequest, CancelTransferResponse,
    GetCallRequest, GetCallResponse, GetComeNowWordRequest, GetComeNowWordResponse, GetLocationRequest,
    GetLocationResponse, GetReachRequest, GetReachResponse, ListCallsRequest, ListCallsResponse, OpenCallRequest,
    OpenCallResponse, RecordConsentRequest, RecordConsentResponse, RecordTriageRequest, RecordTriageResponse,
    RequestTransferRequest, RequestTransferResponse, StartFollowUpRequest, StartFollowUpResponse, WatchCallRequest,
    WatchCallResponse, WatchForceRequest, WatchForceResponse, WithdrawConsentRequest, WithdrawConsentResponse,
    intake_service_server::IntakeService,
};
use chassis::Principal;
use chrono::{DateTime, Utc};
use ids::OfficerId;
use tonic::{Request, Response, Status};

pub use answer::{
    answered, assessed, consent_fact, gender, incident, line, opened, risk, route, silent, timestamp, vulnerability,
};
pub use follow_up::started;
pub use urgent::taken;

use crate::{
    app::{Intake, On, Opening},
    error::Error,
};

/// The service, over the use cases.
pub struct Grpc {
    intake: Intake,
}

impl Grpc {
    /// Over these use cases.
    #[must_use]
    pub fn new(intake: Intake) -> Self {
        Self { intake }
    }
}

#[tonic::async_trait]
impl IntakeService for Grpc {
    type WatchCallStream = watch::Stream<WatchCallResponse>;
    type WatchForceStream = watch::Stream<WatchForceResponse>;

    async fn open_call(&self, request: Request<OpenCallRequest>) -> Result<Response<OpenCallResponse>, Status> {
        let request = request.get_ref();
        let ask = parse::ask(&request.request_id, request)?;
        let opening = opening(request, self.intake.now())?;
        Ok(Response::new(self.intake.open_call(ask, opening).await?))
    }

    async fn record_triage(
        &self,
        request: Request<RecordTriageRequest>,
    ) -> Result<Response<RecordTriageResponse>, Status> {
        let request = request.get_ref();
        let ask = parse::ask(&request.request_id, request)?;
        let on = parse::on(&request.force_id, &request.call_id)?;
        let (answers, occasion) = (parse::answers(request)?, parse::occasion(request)?);
        let location = urgent::location(request.location.as_ref(), self.intake.now(), "INVALID_TRIAGE")?;
        let taken = (&occasion, location.as_ref());
        Ok(Response::new(self.intake.record_triage(ask, on, &answers, taken).await?))
    }

    async fn record_consent(
        &self,
        request: Request<RecordConsentRequest>,
    ) -> Result<Response<RecordConsentResponse>, Status> {
        let officer = officer(&request);
        let request = request.get_ref();
        let ask = parse::ask(&request.request_id, request)?;
        let on = On { officer, ..parse::on(&request.force_id, &request.call_id)? };
        let (consents, taken_by) = parse::consents(request)?;
        Ok(Response::new(self.intake.consent(ask, on, &consents, taken_by, answer::consented).await?))
    }

    async fn withdraw_consent(
        &self,
        request: Request<WithdrawConsentRequest>,
    ) -> Result<Response<WithdrawConsentResponse>, Status> {
        let officer = officer(&request);
        let request = request.get_ref();
        let ask = parse::ask(&request.request_id, request)?;
        let on = On { officer, ..parse::on(&request.force_id, &request.call_id)? };
        let (consent, taken_by) = parse::withdrawal(request)?;
        let answer = answer::withdrawn(consent.clone());
        Ok(Response::new(self.intake.consent(ask, on, &[consent], taken_by, answer).await?))
    }

    async fn request_transfer(
        &self,
        request: Request<RequestTransferRequest>,
    ) -> Result<Response<RequestTransferResponse>, Status> {
        let request = request.get_ref();
        let ask = parse::ask(&request.request_id, request)?;
        let on = parse::on(&request.force_id, &request.call_id)?;
        Ok(Response::new(self.intake.request_transfer(ask, on).await?))
    }

    async fn cancel_transfer(
        &self,
        request: Request<CancelTransferRequest>,
    ) -> Result<Response<CancelTransferResponse>, Status> {
        let request = request.get_ref();
        let ask = parse::ask(&request.request_id, request)?;
        let on = parse::on(&request.force_id, &request.call_id)?;
        Ok(Response::new(self.intake.cancel_transfer(ask, on).await?))
    }

    async fn start_follow_up(
        &self,
        request: Request<StartFollowUpRequest>,
    ) -> Result<Response<StartFollowUpResponse>, Status> {
        let request = request.get_ref();
        let ask = parse::ask(&request.request_id, request)?;
        let on = parse::on(&request.force_id, &request.call_id)?;
        Ok(Response::new(self.intake.start_follow_up(ask, on, follow_up::asked(request)?).await?))
    }

    async fn get_call(&self, request: Request<GetCallRequest>) -> Result<Response<GetCallResponse>, Status> {
        let request = request.get_ref();
        let on = parse::on(&request.force_id, &request.call_id)?;
        Ok(Response::new(answer::call(self.intake.get_call(on).await?)))
    }

    async fn list_calls(&self, request: Request<ListCallsRequest>) -> Result<Response<ListCallsResponse>, Status> {
        let list::Asked { force, stages, after, size } = list::asked(request.get_ref())?;
        let (calls, next) = self.intake.list_calls(&force, stages, after, size).await?;
        Ok(Response::new(list::listed(&calls, stages, next)))
    }

    async fn watch_call(&self, request: Request<WatchCallRequest>) -> Result<Response<Self::WatchCallStream>, Status> {
        let request = request.get_ref();
        let on = parse::on(&request.force_id, &request.call_id)?;
        let watch = self.intake.watch_call(on, request.after_sequence).await?;
        Ok(Response::new(watch::stream(watch, answer::told)))
    }

    async fn watch_force(
        &self,
        request: Request<WatchForceRequest>,
    ) -> Result<Response<Self::WatchForceStream>, Status> {
        let request = request.get_ref();
        let watch = self.intake.watch_force(parse::force(&request.force_id)?, request.after_sequence);
        Ok(Response::new(watch::stream(watch, answer::force_told)))
    }

    async fn acknowledge_fast_track(
        &self,
        request: Request<AcknowledgeFastTrackRequest>,
    ) -> Result<Response<AcknowledgeFastTrackResponse>, Status> {
        let request = request.get_ref();
        let ask = parse::ask(&request.request_id, request)?;
        let on = parse::on(&request.force_id, &request.call_id)?;
        let id = request.fast_track_id.parse().map_err(Error::from)?;
        let by = urgent::acknowledgement(request)?;
        Ok(Response::new(self.intake.acknowledge_fast_track(ask, on, id, by).await?))
    }

    async fn get_location(
        &self,
        request: Request<GetLocationRequest>,
    ) -> Result<Response<GetLocationResponse>, Status> {
        let officer = officer(&request);
        let request = request.get_ref();
        let on = On { officer, ..parse::on(&request.force_id, &request.call_id)? };
        let (who, reason) = urgent::look(request)?;
        Ok(Response::new(urgent::shown(self.intake.get_location(on, who, reason).await?)))
    }

    async fn get_reach(&self, request: Request<GetReachRequest>) -> Result<Response<GetReachResponse>, Status> {
        let request = request.get_ref();
        let on = parse::on(&request.force_id, &request.call_id)?;
        Ok(Response::new(answer::reach(self.intake.get_reach(on).await?)))
    }

    async fn get_come_now_word(
        &self,
        request: Request<GetComeNowWordRequest>,
    ) -> Result<Response<GetComeNowWordResponse>, Status> {
        let request = request.get_ref();
        let on = parse::on(&request.force_id, &request.call_id)?;
        let word = self.intake.get_come_now_word(on).await?;
        let word = word.map(|word| word.expose().to_owned()).unwrap_or_default();
        Ok(Response::new(GetComeNowWordResponse { word }))
    }
}

/// What OpenCall is asked, whichever way it came.
pub(crate) fn opening(request: &OpenCallRequest, now: DateTime<Utc>) -> Result<Opening, Error> {
    let location = urgent::location(request.location.as_ref(), now, "INVALID_LOCATION")?;
    parse::opening(request, location)
}

/// The officer who asks: of what only the officer who has the call may do.
fn officer<T>(request: &Request<T>) -> Option<OfficerId> {
    request.extensions().get::<Principal>().and_then(Principal::officer).cloned()
}
