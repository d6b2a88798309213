//! A desk officer without a screen: the same RPCs that the console's page uses.

use std::{convert::Infallible, time::Duration};

use api::{
    intake::v1::RiskGrade,
    session::v1::{
        EndSessionRequest, EndSessionResponse, IssueInvitationRequest, IssueInvitationResponse, JoinSessionRequest,
        JoinSessionResponse, RequestFastTrackRequest, Role, SendChatRequest, Session, WatchSessionRequest, Way,
        send_chat_request::What, session_service_client::SessionServiceClient,
    },
    transfer::v1::{
        AcceptOfferRequest, HeartbeatRequest, Offer, Presence, SetPresenceRequest, WatchDeskRequest,
        transfer_service_client::TransferServiceClient,
    },
};
use chassis::{Clock, Entropy};
use ids::RequestId;
use tonic::Status;

use crate::{identity, patience::in_time};

/// As often as the console.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// One officer of one force.
#[derive(Debug, Clone)]
pub struct Officer {
    transfer: TransferServiceClient<identity::Way>,
    session: SessionServiceClient<identity::Way>,
    force: String,
    officer: String,
    clock: Clock,
    entropy: Entropy,
    again: Option<String>,
}

impl Officer {
    /// By ways to call-transfer and video-session.
    #[must_use]
    pub fn new(transfer: identity::Way, session: identity::Way, force: &str, officer: &str) -> Self {
        Self {
            transfer: TransferServiceClient::new(transfer),
            session: SessionServiceClient::new(session),
            force: force.to_owned(),
            officer: officer.to_owned(),
            clock: Clock::system(),
            entropy: Entropy::os(),
            again: None,
        }
    }

    /// The same officer, who asks for one thing, and again until there is an answer: every request has the same id.
    #[must_use]
    pub fn insisting(&self) -> Self {
        Self { again: Some(self.request_id()), ..self.clone() }
    }

    /// An id for a request of theirs to another service.
    #[must_use]
    pub fn fresh_id(&self) -> String {
        self.entropy.id::<RequestId>(self.clock.now()).to_string()
    }

    fn request_id(&self) -> String {
        if let Some(again) = &self.again {
            return again.clone();
        }
        self.fresh_id()
    }

    /// Is free for calls.
    ///
    /// # Errors
    /// What call-transfer answers.
    pub async fn go_free(&self) -> Result<(), Status> {
        self.be(Presence::Free).await
    }

    /// Takes no further call: who was free is so again after a call.
    ///
    /// # Errors
    /// What call-transfer answers.
    pub async fn go_away(&self) -> Result<(), Status> {
        self.be(Presence::Away).await
    }

    async fn be(&self, presence: Presence) -> Result<(), Status> {
        let request = SetPresenceRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            officer_id: self.officer.clone(),
            presence: presence.into(),
            ..Default::default()
        };
        self.transfer.clone().set_presence(request).await.map(drop)
    }

    /// Is still there.
    ///
    /// # Errors
    /// What call-transfer answers.
    pub async fn heartbeat(&self) -> Result<(), Status> {
        let request = HeartbeatRequest { force_id: self.force.clone(), officer_id: self.officer.clone() };
        self.transfer.clone().heartbeat(request).await.map(drop)
    }

    /// Waits at the desk until a call is on offer, and is heard from meanwhile.
    ///
    /// # Errors
    /// When the stream breaks or ends first, or none comes.
    pub async fn next_offer(&self) -> Result<Offer, Status> {
        tokio::select! {
            Err(gone) = self.stays() => Err(gone),
            offer = in_time("an offer", self.offered()) => offer,
        }
    }

    /// Is heard from again and again, for as long as it is waited for.
    async fn stays(&self) -> Result<Infallible, Status> {
        let mut beat = tokio::time::interval(HEARTBEAT);
        loop {
            beat.tick().await;
            self.heartbeat().await?;
        }
    }

    async fn offered(&self) -> Result<Offer, Status> {
        let request =
            WatchDeskRequest { force_id: self.force.clone(), officer_id: self.officer.clone(), ..Default::default() };
        let mut desk = self.transfer.clone().watch_desk(request).await?.into_inner();
        while let Some(view) = desk.message().await? {
            if let Some(offer) = view.offer {
                return Ok(offer);
            }
        }
        Err(Status::out_of_range("the desk's stream ended without an offer"))
    }

    /// Takes the call on offer.
    ///
    /// # Errors
    /// What call-transfer answers.
    pub async fn accept(&self, call_id: &str) -> Result<(), Status> {
        let request = AcceptOfferRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            officer_id: self.officer.clone(),
            call_id: call_id.to_owned(),
        };
        self.transfer.clone().accept_offer(request).await.map(drop)
    }

    /// Waits until the session is as wanted, such as `|session| session.state() == SessionState::Live`.
    ///
    /// # Errors
    /// When the stream breaks or ends first, or it never is.
    pub async fn session_until(&self, call_id: &str, wanted: impl Fn(&Session) -> bool) -> Result<Session, Status> {
        in_time("what is wanted of the session", self.session_watched(call_id, wanted)).await
    }

    async fn session_watched(&self, call_id: &str, wanted: impl Fn(&Session) -> bool) -> Result<Session, Status> {
        let request =
            WatchSessionRequest { force_id: self.force.clone(), call_id: call_id.to_owned(), ..Default::default() };
        let mut stream = self.session.clone().watch_session(request).await?.into_inner();
        while let Some(view) = stream.message().await? {
            if let Some(session) = view.session.filter(|session| wanted(session)) {
                return Ok(session);
            }
        }
        Err(Status::out_of_range("the session's stream ended first"))
    }

    /// The officer's own way into the media.
    ///
    /// # Errors
    /// What video-session answers.
    pub async fn join(&self, call_id: &str) -> Result<JoinSessionResponse, Status> {
        self.join_as(call_id, Role::Officer).await
    }

    /// Comes to look on at another officer's call: waits to be let in.
    ///
    /// # Errors
    /// What video-session answers.
    pub async fn observe(&self, call_id: &str) -> Result<JoinSessionResponse, Status> {
        self.join_as(call_id, Role::Observer).await
    }

    async fn join_as(&self, call_id: &str, role: Role) -> Result<JoinSessionResponse, Status> {
        let request = JoinSessionRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            officer_id: self.officer.clone(),
            call_id: call_id.to_owned(),
            role: role.into(),
        };
        Ok(self.session.clone().join_session(request).await?.into_inner())
    }

    /// A code to read out to the caller.
    ///
    /// # Errors
    /// What video-session answers.
    pub async fn invite(&self, call_id: &str) -> Result<IssueInvitationResponse, Status> {
        let request = IssueInvitationRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            officer_id: self.officer.clone(),
            call_id: call_id.to_owned(),
            ..Default::default()
        };
        Ok(self.session.clone().issue_invitation(request).await?.into_inner())
    }

    /// Sends a link to a caller who rang from a withheld number.
    ///
    /// # Errors
    /// What video-session answers.
    pub async fn text(&self, call_id: &str, number: &str) -> Result<IssueInvitationResponse, Status> {
        let request = IssueInvitationRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            officer_id: self.officer.clone(),
            call_id: call_id.to_owned(),
            way: Way::Sms.into(),
            to_number: number.to_owned(),
            ..Default::default()
        };
        Ok(self.session.clone().issue_invitation(request).await?.into_inner())
    }

    /// Writes to the caller.
    ///
    /// # Errors
    /// What video-session answers.
    pub async fn say(&self, call_id: &str, text: &str) -> Result<(), Status> {
        let request = SendChatRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            officer_id: self.officer.clone(),
            call_id: call_id.to_owned(),
            what: Some(What::Text(text.to_owned())),
            language: "en".to_owned(),
        };
        self.session.clone().send_chat(request).await.map(drop)
    }

    /// Asks the control room for somebody to be sent: its id.
    ///
    /// # Errors
    /// What video-session answers.
    pub async fn ask_for_unit(&self, call_id: &str) -> Result<String, Status> {
        let request = RequestFastTrackRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            officer_id: self.officer.clone(),
            call_id: call_id.to_owned(),
            risk: RiskGrade::High.into(),
            reason: "OFFENDER_BACK".to_owned(),
        };
        Ok(self.session.clone().request_fast_track(request).await?.into_inner().fast_track_id)
    }

    /// Ends the call for everyone.
    ///
    /// # Errors
    /// What video-session answers.
    pub async fn end(&self, call_id: &str) -> Result<EndSessionResponse, Status> {
        let request = EndSessionRequest {
            request_id: self.request_id(),
            force_id: self.force.clone(),
            officer_id: self.officer.clone(),
            call_id: call_id.to_owned(),
        };
        Ok(self.session.clone().end_session(request).await?.into_inner())
    }
}
