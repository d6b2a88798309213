//! Officers at the desk, as their consoles are: what they ask, and what they see.

use std::time::Duration;

use api::transfer::v1::{
    AcceptOfferRequest, AcknowledgeAlertRequest, Alert, AlertKind, DeclineOfferRequest, HeartbeatRequest, Presence,
    ReassignCallRequest, ReturnToControlRoomRequest, SetPresenceRequest, Skills, WatchDeskRequest, WatchDeskResponse,
    transfer_service_client::TransferServiceClient,
};
use chassis::Entropy;
use ids::{CallId, RequestId};
use tonic::{Status, Streaming, transport::Channel};

pub const PATIENCE: Duration = Duration::from_secs(20);

/// One officer's console.
#[derive(Clone)]
pub struct Officer {
    pub client: TransferServiceClient<Channel>,
    pub force: String,
    pub id: String,
}

pub fn request_id() -> String {
    #[expect(clippy::disallowed_methods, reason = "a test's own time")]
    let now = chrono::DateTime::from(std::time::SystemTime::now());
    Entropy::os().id::<RequestId>(now).to_string()
}

impl Officer {
    pub fn at(url: &str, force: &str, id: &str) -> Self {
        let channel = tonic::transport::Endpoint::from_shared(url.to_owned()).unwrap().connect_lazy();
        Self { client: TransferServiceClient::new(channel), force: force.to_owned(), id: id.to_owned() }
    }

    pub async fn presence(&mut self, presence: Presence) -> Result<Presence, Status> {
        let request = SetPresenceRequest {
            request_id: request_id(),
            force_id: self.force.clone(),
            officer_id: self.id.clone(),
            presence: presence.into(),
            ..Default::default()
        };
        Ok(self.client.set_presence(request).await?.into_inner().presence())
    }

    /// Free, with these skills.
    pub async fn able(&mut self, skills: Skills) -> Result<(), Status> {
        let request = SetPresenceRequest {
            request_id: request_id(),
            force_id: self.force.clone(),
            officer_id: self.id.clone(),
            presence: Presence::Free.into(),
            skills: Some(skills),
        };
        self.client.set_presence(request).await.map(drop)
    }

    pub async fn give_back_as(&mut self, request_id: String, call: CallId, reason: &str) -> Result<(), Status> {
        let request = ReturnToControlRoomRequest {
            request_id,
            force_id: self.force.clone(),
            officer_id: self.id.clone(),
            call_id: call.to_string(),
            reason: reason.to_owned(),
        };
        self.client.return_to_control_room(request).await.map(drop)
    }

    pub async fn give_back(&mut self, call: CallId, reason: &str) -> Result<(), Status> {
        self.give_back_as(request_id(), call, reason).await
    }

    /// As a sergeant: `call` is to be `to`'s. The answer: it is on offer to them, rather than theirs.
    pub async fn reassign_as(&mut self, request_id: String, call: CallId, to: &str) -> Result<bool, Status> {
        let request = ReassignCallRequest {
            request_id,
            force_id: self.force.clone(),
            officer_id: self.id.clone(),
            call_id: call.to_string(),
            to_officer_id: to.to_owned(),
            reason: "knows the family".to_owned(),
        };
        Ok(self.client.reassign_call(request).await?.into_inner().expires_at.is_some())
    }

    pub async fn reassign(&mut self, call: CallId, to: &str) -> Result<bool, Status> {
        self.reassign_as(request_id(), call, to).await
    }

    pub async fn acknowledge(&mut self, call: CallId, kind: AlertKind, count: u32) -> Result<(), Status> {
        let request = AcknowledgeAlertRequest {
            request_id: request_id(),
            force_id: self.force.clone(),
            officer_id: self.id.clone(),
            call_id: call.to_string(),
            kind: kind.into(),
            count,
        };
        self.client.acknowledge_alert(request).await.map(drop)
    }

    pub async fn heartbeat(&mut self) -> Result<(), Status> {
        let request = HeartbeatRequest { force_id: self.force.clone(), officer_id: self.id.clone() };
        self.client.heartbeat(request).await.map(drop)
    }

    pub async fn accept_as(&mut self, request_id: String, call: CallId) -> Result<(), Status> {
        let (force_id, officer_id) = (self.force.clone(), self.id.clone());
        let request = AcceptOfferRequest { request_id, force_id, officer_id, call_id: call.to_string() };
        let accepted = self.client.accept_offer(request).await?.into_inner();
        assert_eq!(accepted.call_id, call.to_string());
        Ok(())
    }

    pub async fn accept(&mut self, call: CallId) -> Result<(), Status> {
        self.accept_as(request_id(), call).await
    }

    pub async fn decline(&mut self, call: CallId, reason: &str) -> Result<(), Status> {
        let request = DeclineOfferRequest {
            request_id: request_id(),
            force_id: self.force.clone(),
            officer_id: self.id.clone(),
            call_id: call.to_string(),
            reason: reason.to_owned(),
        };
        self.client.decline_offer(request).await.map(drop)
    }

    pub async fn watch(&mut self) -> Watch {
        self.watch_with(false).await
    }

    /// As a sergeant does, with the alerts.
    pub async fn watch_alerts(&mut self) -> Watch {
        self.watch_with(true).await
    }

    async fn watch_with(&mut self, with_alerts: bool) -> Watch {
        Watch(self.views(with_alerts).await.unwrap())
    }

    /// The desk as it is and becomes, if a replica says so.
    pub async fn views(&mut self, with_alerts: bool) -> Result<Streaming<WatchDeskResponse>, Status> {
        let request = WatchDeskRequest { force_id: self.force.clone(), officer_id: self.id.clone(), with_alerts };
        Ok(self.client.watch_desk(request).await?.into_inner())
    }

    /// The desk as it is now, if a replica says so.
    pub async fn look(&mut self) -> Result<Option<WatchDeskResponse>, Status> {
        self.views(false).await?.message().await
    }

    /// Waits until this call is on offer here.
    pub async fn offered(&mut self, call: CallId) {
        let call = call.to_string();
        self.watch().await.until(|desk| desk.offer.as_ref().is_some_and(|offer| offer.call_id == call)).await;
    }
}

pub struct Watch(pub Streaming<WatchDeskResponse>);

impl Watch {
    /// The first view of which this is true.
    pub async fn until(&mut self, so: impl Fn(&WatchDeskResponse) -> bool) -> WatchDeskResponse {
        let mut last = None;
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let desk = self.0.message().await.unwrap().expect("the watch ended");
                if so(&desk) {
                    return desk;
                }
                last = Some(desk);
            }
        });
        let found = found.await.ok();
        found.unwrap_or_else(|| panic!("the desk never came to be so; last: {last:?}"))
    }
}

impl Watch {
    /// Waits for these alerts, and no others: kind, how often, about whom.
    pub async fn alerts(&mut self, wanted: &[(AlertKind, u32, &str)]) -> Vec<Alert> {
        let is = |alert: &Alert, (kind, count, officer): &(AlertKind, u32, &str)| {
            (alert.kind(), alert.count, alert.officer_id.as_str()) == (*kind, *count, *officer)
        };
        let so = |desk: &WatchDeskResponse| {
            let all = desk.alerts.iter().all(|alert| wanted.iter().any(|one| is(alert, one)));
            all && desk.alerts.len() == wanted.len()
        };
        self.until(so).await.alerts
    }
}
