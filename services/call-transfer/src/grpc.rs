//! `TransferService`: proto to domain at the door, and back.

use std::pin::Pin;

use api::transfer::v1::{
    AcceptOfferRequest, AcceptOfferResponse, DeclineOfferRequest, DeclineOfferResponse, HeartbeatRequest,
    HeartbeatResponse, Offer, Presence, SetPresenceRequest, SetPresenceResponse, WaitingCall, WatchDeskRequest,
    WatchDeskResponse, transfer_service_server::TransferService,
};
use futures::{Stream, stream};
use ids::{ForceId, OfficerId};
use tonic::{Request, Response, Status};

use crate::{
    app::{Answer, App, Desk, Once},
    domain::{Call, Wish},
    error::Error,
    events::{incident, risk, timestamp},
    store::{Listener, Wakes},
};

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
        let answer = self.app.set_presence(Once { id, request: &request }, (&who.0, &who.1), wish).await?;
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
        let request = request.into_inner();
        let (force, officer) = who(&request.force_id, &request.officer_id)?;
        let watch = Watch { app: self.app.clone(), changes: self.wakes.subscribe(), force, officer, last: None };
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
        let reason = request.reason.trim().to_owned();
        if !(1..=200).contains(&reason.chars().count()) {
            return Err(Error::ReasonRequired.into());
        }
        Ok(Response::new(self.app.decline_offer(Once { id, request: &request }, &answer, reason).await?))
    }
}

/// One officer's view of the desk, and what was last shown of it.
struct Watch {
    app: App,
    changes: Listener,
    force: ForceId,
    officer: OfficerId,
    last: Option<WatchDeskResponse>,
}

impl Watch {
    async fn next(mut self) -> Result<Option<(WatchDeskResponse, Self)>, Status> {
        loop {
            if self.last.is_some() {
                self.changes.changed(Some(&self.force)).await;
            }
            let desk = desk(self.app.desk(&self.force, &self.officer).await?);
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

/// As the proto says it.
pub(crate) fn presence(wish: Wish) -> Presence {
    match wish {
        Wish::Free => Presence::Free,
        Wish::Away => Presence::Away,
    }
}

fn desk(desk: Desk) -> WatchDeskResponse {
    WatchDeskResponse {
        queue: desk.waiting.iter().map(waiting_call).collect(),
        offer: desk.offer.map(|(call, offer)| Offer {
            call_id: call.id.to_string(),
            expires_at: Some(timestamp(offer.expires_at)),
            risk: risk(call.facts.risk).into(),
            incident: Some(incident(&call.facts.incident)),
            language: call.facts.language,
            children_present: call.facts.children_present,
        }),
        current_call_id: desk.current.map(|id| id.to_string()).unwrap_or_default(),
        presence: presence(desk.presence).into(),
    }
}

fn waiting_call(call: &Call) -> WaitingCall {
    WaitingCall {
        call_id: call.id.to_string(),
        queued_at: Some(timestamp(call.queued_at)),
        risk: risk(call.facts.risk).into(),
        language: call.facts.language.clone(),
        children_present: call.facts.children_present,
        incident: Some(incident(&call.facts.incident)),
    }
}
