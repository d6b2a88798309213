//! `TransferService`: proto to domain at the door, and back.

mod callbacks;
mod figures;
mod loans;
mod shifts;
mod view;

use std::pin::Pin;

use api::transfer::v1::{
    AcceptOfferRequest, AcceptOfferResponse, AcknowledgeAlertRequest, AcknowledgeAlertResponse, AgreeLoanRequest,
    AgreeLoanResponse, AlertKind as Kind, CancelCallbackRequest, CancelCallbackResponse, CancelShiftRequest,
    CancelShiftResponse, DeclineOfferRequest, DeclineOfferResponse, EndLoanRequest, EndLoanResponse,
    GetDeskFiguresRequest, GetDeskFiguresResponse, HeartbeatRequest, HeartbeatResponse, ListCallbacksRequest,
    ListCallbacksResponse, ListLoansRequest, ListLoansResponse, ListShiftsRequest, ListShiftsResponse,
    OfferLoanRequest, OfferLoanResponse, Presence, ReassignCallRequest, ReassignCallResponse,
    RecordCallbackAttemptRequest, RecordCallbackAttemptResponse, ReturnToControlRoomRequest,
    ReturnToControlRoomResponse, ScheduleCallbackRequest, ScheduleCallbackResponse, SetPresenceRequest,
    SetPresenceResponse, SetShiftRequest, SetShiftResponse, Skills as SaidSkills, TakeCallbackRequest,
    TakeCallbackResponse, WatchDeskRequest, WatchDeskResponse, WatchFiguresRequest, WatchFiguresResponse,
    transfer_service_server::TransferService,
};
use chassis::{Principal, Role};
use futures::{Stream, stream};
use ids::{ForceId, OfficerId};
use tonic::{Request, Response, Status};

pub(crate) use loans::loan;
pub(crate) use shifts::shift;
pub(crate) use view::presence;

use crate::{
    app::{Answer, App, Once},
    domain::{AlertKind, Skills, Wish},
    error::Error,
    events::{gender_of, timestamp},
    store::{Listener, Wakes},
};

/// The most languages of an officer.
const LANGUAGES: usize = 16;

/// The service.
#[derive(Debug, Clone)]
pub struct Grpc {
    app: App,
    wakes: Wakes,
}

impl Grpc {
    /// Over the use cases.
    #[must_use]
    pub fn new(app: App, wakes: Wakes) -> Self {
        Self { app, wakes }
    }
}

#[tonic::async_trait]
impl TransferService for Grpc {
    async fn set_presence(
        &self,
        request: Request<SetPresenceRequest>,
    ) -> Result<Response<SetPresenceResponse>, Status> {
        let request = request.into_inner();
        let (id, who) = (parse(&request.request_id)?, who(&request.force_id, &request.officer_id)?);
        let wish = match request.presence() {
            Presence::Free => Wish::Free,
            Presence::Away => Wish::Away,
            Presence::Unspecified => return Err(Error::InvalidPresence.into()),
        };
        let skills = request.skills.as_ref().map(skills).transpose()?;
        let answer = self.app.set_presence(Once { id, request: &request }, (&who.0, &who.1), (wish, skills)).await?;
        Ok(Response::new(answer))
    }

    async fn heartbeat(&self, request: Request<HeartbeatRequest>) -> Result<Response<HeartbeatResponse>, Status> {
        let request = request.into_inner();
        let (force, officer) = who(&request.force_id, &request.officer_id)?;
        let expires_at = self.app.heartbeat(&force, &officer).await?;
        Ok(Response::new(HeartbeatResponse { expires_at: Some(timestamp(expires_at)) }))
    }

    type WatchDeskStream = Pin<Box<dyn Stream<Item = Result<WatchDeskResponse, Status>> + Send>>;

    async fn watch_desk(&self, request: Request<WatchDeskRequest>) -> Result<Response<Self::WatchDeskStream>, Status> {
        let is_sergeant = is_sergeant(&request);
        let request = request.into_inner();
        let (force, officer) = who(&request.force_id, &request.officer_id)?;
        let with_alerts = request.with_alerts && is_sergeant;
        let (app, changes) = (self.app.clone(), self.wakes.subscribe());
        let watch = Watch { app, changes, force, officer, with_alerts, last: None };
        Ok(Response::new(Box::pin(stream::try_unfold(watch, Watch::next))))
    }

    async fn accept_offer(
        &self,
        request: Request<AcceptOfferRequest>,
    ) -> Result<Response<AcceptOfferResponse>, Status> {
        let request = request.into_inner();
        let id = parse(&request.request_id)?;
        let answer = answer(&request.force_id, &request.officer_id, &request.call_id)?;
        Ok(Response::new(self.app.accept_offer(Once { id, request: &request }, &answer).await?))
    }

    async fn decline_offer(
        &self,
        request: Request<DeclineOfferRequest>,
    ) -> Result<Response<DeclineOfferResponse>, Status> {
        let request = request.into_inner();
        let id = parse(&request.request_id)?;
        let answer = answer(&request.force_id, &request.officer_id, &request.call_id)?;
        let reason = reason(&request.reason)?;
        Ok(Response::new(self.app.decline_offer(Once { id, request: &request }, &answer, reason).await?))
    }

    async fn return_to_control_room(
        &self,
        request: Request<ReturnToControlRoomRequest>,
    ) -> Result<Response<ReturnToControlRoomResponse>, Status> {
        let is_sergeant = is_sergeant(&request);
        let request = request.into_inner();
        let id = parse(&request.request_id)?;
        let answer = answer(&request.force_id, &request.officer_id, &request.call_id)?;
        let reason = reason(&request.reason)?;
        let once = Once { id, request: &request };
        Ok(Response::new(self.app.return_to_control_room(once, &answer, (reason, is_sergeant)).await?))
    }

    async fn reassign_call(
        &self,
        request: Request<ReassignCallRequest>,
    ) -> Result<Response<ReassignCallResponse>, Status> {
        let request = request.into_inner();
        let id = parse(&request.request_id)?;
        let answer = answer(&request.force_id, &request.officer_id, &request.call_id)?;
        let (to, reason) = (parse(&request.to_officer_id)?, reason(&request.reason)?);
        let once = Once { id, request: &request };
        Ok(Response::new(self.app.reassign_call(once, &answer, (to, reason)).await?))
    }

    async fn acknowledge_alert(
        &self,
        request: Request<AcknowledgeAlertRequest>,
    ) -> Result<Response<AcknowledgeAlertResponse>, Status> {
        let request = request.into_inner();
        let id = parse(&request.request_id)?;
        let answer = answer(&request.force_id, &request.officer_id, &request.call_id)?;
        let kind = match request.kind() {
            Kind::Declined => AlertKind::Declined,
            Kind::NotAnswered => AlertKind::NotAnswered,
            Kind::WaitsLong => AlertKind::WaitsLong,
            Kind::NoSkill => AlertKind::NoSkill,
            Kind::FastTrack => AlertKind::FastTrack,
            Kind::CallbackDue => AlertKind::CallbackDue,
            Kind::CallbackMissed => AlertKind::CallbackMissed,
            Kind::Unspecified => return Err(Error::InvalidAlert.into()),
        };
        let once = Once { id, request: &request };
        Ok(Response::new(self.app.acknowledge_alert(once, &answer, (kind, request.count)).await?))
    }

    async fn get_desk_figures(
        &self,
        request: Request<GetDeskFiguresRequest>,
    ) -> Result<Response<GetDeskFiguresResponse>, Status> {
        let request = request.into_inner();
        let (force, _) = who(&request.force_id, &request.officer_id)?;
        let window = figures::window(request.from, request.until)?;
        Ok(Response::new(figures::answer(self.app.figures(&force, window).await?)))
    }

    type WatchFiguresStream = Pin<Box<dyn Stream<Item = Result<WatchFiguresResponse, Status>> + Send>>;

    async fn watch_figures(
        &self,
        request: Request<WatchFiguresRequest>,
    ) -> Result<Response<Self::WatchFiguresStream>, Status> {
        let request = request.into_inner();
        let (force, _) = who(&request.force_id, &request.officer_id)?;
        let watch = figures::Watch { app: self.app.clone(), changes: self.wakes.subscribe(), force, last: None };
        Ok(Response::new(Box::pin(stream::try_unfold(watch, figures::Watch::next))))
    }

    async fn schedule_callback(
        &self,
        request: Request<ScheduleCallbackRequest>,
    ) -> Result<Response<ScheduleCallbackResponse>, Status> {
        let request = request.into_inner();
        let (id, who) = (parse(&request.request_id)?, who(&request.force_id, &request.officer_id)?);
        let agreement = callbacks::agreement(&request)?;
        let once = Once { id, request: &request };
        Ok(Response::new(self.app.schedule_callback(once, (&who.0, &who.1), agreement).await?))
    }

    async fn list_callbacks(
        &self,
        request: Request<ListCallbacksRequest>,
    ) -> Result<Response<ListCallbacksResponse>, Status> {
        let request = request.into_inner();
        let force = parse(&request.force_id)?;
        let (states, after, size) = callbacks::asked(&request)?;
        let (page, next) = self.app.callbacks(&force, &states, after, size).await?;
        Ok(Response::new(callbacks::listed(&page, next)))
    }

    async fn take_callback(
        &self,
        request: Request<TakeCallbackRequest>,
    ) -> Result<Response<TakeCallbackResponse>, Status> {
        let request = request.into_inner();
        let id = parse(&request.request_id)?;
        let whose = callbacks::whose(&request.force_id, &request.officer_id, &request.callback_id)?;
        Ok(Response::new(self.app.take_callback(Once { id, request: &request }, &whose).await?))
    }

    async fn record_callback_attempt(
        &self,
        request: Request<RecordCallbackAttemptRequest>,
    ) -> Result<Response<RecordCallbackAttemptResponse>, Status> {
        let request = request.into_inner();
        let id = parse(&request.request_id)?;
        let whose = callbacks::whose(&request.force_id, &request.officer_id, &request.callback_id)?;
        let outcome = callbacks::outcome(request.outcome())?;
        Ok(Response::new(self.app.record_attempt(Once { id, request: &request }, &whose, outcome).await?))
    }

    async fn cancel_callback(
        &self,
        request: Request<CancelCallbackRequest>,
    ) -> Result<Response<CancelCallbackResponse>, Status> {
        let request = request.into_inner();
        let id = parse(&request.request_id)?;
        let whose = callbacks::whose(&request.force_id, &request.officer_id, &request.callback_id)?;
        Ok(Response::new(self.app.cancel_callback(Once { id, request: &request }, &whose).await?))
    }

    async fn set_shift(&self, request: Request<SetShiftRequest>) -> Result<Response<SetShiftResponse>, Status> {
        let request = request.into_inner();
        let (id, who) = (parse(&request.request_id)?, who(&request.force_id, &request.officer_id)?);
        let plan = shifts::plan(&request)?;
        Ok(Response::new(self.app.set_shift(Once { id, request: &request }, (&who.0, &who.1), plan).await?))
    }

    async fn cancel_shift(
        &self,
        request: Request<CancelShiftRequest>,
    ) -> Result<Response<CancelShiftResponse>, Status> {
        let request = request.into_inner();
        let (id, who) = (parse(&request.request_id)?, who(&request.force_id, &request.officer_id)?);
        let shift = parse(&request.shift_id)?;
        Ok(Response::new(self.app.cancel_shift(Once { id, request: &request }, (&who.0, &who.1), shift).await?))
    }

    async fn list_shifts(&self, request: Request<ListShiftsRequest>) -> Result<Response<ListShiftsResponse>, Status> {
        let request = request.into_inner();
        let force = parse(&request.force_id)?;
        let window = figures::window(request.from, request.until)?;
        let shifts = self.app.shifts(&force, window).await?.iter().map(shift).collect();
        Ok(Response::new(ListShiftsResponse { shifts }))
    }

    async fn offer_loan(&self, request: Request<OfferLoanRequest>) -> Result<Response<OfferLoanResponse>, Status> {
        let request = request.into_inner();
        let (id, who) = (parse(&request.request_id)?, who(&request.force_id, &request.officer_id)?);
        let lending = loans::lending(&request)?;
        Ok(Response::new(self.app.offer_loan(Once { id, request: &request }, (&who.0, &who.1), lending).await?))
    }

    async fn agree_loan(&self, request: Request<AgreeLoanRequest>) -> Result<Response<AgreeLoanResponse>, Status> {
        let request = request.into_inner();
        let (id, who) = (parse(&request.request_id)?, who(&request.force_id, &request.officer_id)?);
        let loan = parse(&request.loan_id)?;
        Ok(Response::new(self.app.agree_loan(Once { id, request: &request }, (&who.0, &who.1), loan).await?))
    }

    async fn end_loan(&self, request: Request<EndLoanRequest>) -> Result<Response<EndLoanResponse>, Status> {
        let request = request.into_inner();
        let (id, who) = (parse(&request.request_id)?, who(&request.force_id, &request.officer_id)?);
        let loan = parse(&request.loan_id)?;
        Ok(Response::new(self.app.end_loan(Once { id, request: &request }, (&who.0, &who.1), loan).await?))
    }

    async fn list_loans(&self, request: Request<ListLoansRequest>) -> Result<Response<ListLoansResponse>, Status> {
        let force = parse(&request.into_inner().force_id)?;
        let (loans, now) = self.app.loans(&force).await?;
        Ok(Response::new(ListLoansResponse { loans: loans.iter().map(|one| loan(one, now)).collect() }))
    }
}

/// One officer's view of the desk, and what was last shown of it.
struct Watch {
    app: App,
    changes: Listener,
    force: ForceId,
    officer: OfficerId,
    with_alerts: bool,
    last: Option<WatchDeskResponse>,
}

impl Watch {
    async fn next(mut self) -> Result<Option<(WatchDeskResponse, Self)>, Status> {
        loop {
            if self.last.is_some() {
                self.changes.changed(Some(&self.force)).await;
            }
            let desk = view::desk(self.app.desk(&self.force, &self.officer, self.with_alerts).await?);
            if self.last.as_ref() != Some(&desk) {
                self.last = Some(desk.clone());
                return Ok(Some((desk, self)));
            }
        }
    }
}

fn parse<T: std::str::FromStr<Err = ids::Malformed>>(text: &str) -> Result<T, Error> {
    Ok(text.parse()?)
}

fn who(force: &str, officer: &str) -> Result<(ForceId, OfficerId), Error> {
    Ok((parse(force)?, parse(officer)?))
}

fn answer(force: &str, officer: &str, call: &str) -> Result<Answer, Error> {
    let (force, officer) = who(force, officer)?;
    Ok(Answer { force, officer, call: parse(call)? })
}

/// Whether a sergeant asks; where nobody has to say who they are, everybody is one.
fn is_sergeant<R>(request: &Request<R>) -> bool {
    match request.extensions().get() {
        Some(Principal::Officer { roles, .. }) => roles.has(Role::Sergeant),
        Some(Principal::Anybody) => true,
        Some(Principal::ControlRoom { .. } | Principal::Service(_)) | None => false,
    }
}

fn reason(text: &str) -> Result<String, Error> {
    let reason = text.trim();
    if !(1..=200).contains(&reason.chars().count()) || reason.contains('\0') {
        return Err(Error::ReasonRequired);
    }
    Ok(reason.to_owned())
}

/// BCP 47, as far as it goes.
fn is_tag(tag: &str) -> bool {
    (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn skills(said: &SaidSkills) -> Result<Skills, Error> {
    if said.languages.len() > LANGUAGES || !said.languages.iter().all(|tag| is_tag(tag)) {
        return Err(Error::InvalidSkills);
    }
    let (languages, gender) = (said.languages.clone(), gender_of(said.gender()));
    Ok(Skills { languages, child_trained: said.child_trained, gender })
}
