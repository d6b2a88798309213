//! The desk's side: proto to domain, use case, domain to proto.

mod watching;

use api::session::v1::{
    self as proto, AdmitParticipantRequest, AdmitParticipantResponse, EndSessionRequest, EndSessionResponse,
    GetSessionRequest, GetSessionResponse, IssueInvitationRequest, IssueInvitationResponse, JoinSessionRequest,
    JoinSessionResponse, MarkChapterRequest, MarkChapterResponse, RemoveParticipantRequest, RemoveParticipantResponse,
    SendChatRequest, SendChatResponse, WatchSessionRequest, WatchSessionResponse, send_chat_request::What,
    session_service_server::SessionService,
};
use chassis::Shutdown;
use futures::Stream;
use ids::{Malformed, Secret};
use std::pin::Pin;
use tonic::{Request, Response, Status};

use crate::{
    app::{App, Order},
    changes::{Changes, Wanted},
    chapters,
    domain::{Illegal, Participant, Role, Session, Standing, State, Wording},
    error::Error,
    events::{role_number, timestamp},
    spool::Spool,
    talk::Talk,
    web::Urls,
};

/// The service's gRPC face.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The use cases.
    pub app: App,
    /// What watchers follow.
    pub changes: Changes,
    /// What is written in the calls.
    pub talk: Talk,
    /// Where chapters are kept.
    pub spool: Spool,
    /// How participants reach us.
    pub urls: Urls,
    /// Ends the streams.
    pub shutdown: Shutdown,
}

macro_rules! order {
    ($message:expr) => {{
        let message = $message.into_inner();
        Order {
            request: message.request_id.parse().map_err(refused)?,
            force: message.force_id.parse().map_err(refused)?,
            officer: message.officer_id.parse().map_err(refused)?,
            call: message.call_id.parse().map_err(refused)?,
            message,
        }
    }};
}

#[tonic::async_trait]
impl SessionService for Desk {
    async fn get_session(&self, request: Request<GetSessionRequest>) -> Result<Response<GetSessionResponse>, Status> {
        let request = request.into_inner();
        let force = request.force_id.parse().map_err(refused)?;
        let call = request.call_id.parse().map_err(refused)?;
        let stored = self.app.find(&force, call).await?.ok_or(Error::UnknownSession)?;
        Ok(Response::new(GetSessionResponse { session: Some(session(&stored.session)) }))
    }

    async fn join_session(
        &self,
        request: Request<JoinSessionRequest>,
    ) -> Result<Response<JoinSessionResponse>, Status> {
        let order = order!(request);
        let role = role(order.message.role, Role::Officer)?;
        let joined = self.app.join_session(&order, role).await?;
        Ok(Response::new(JoinSessionResponse {
            participant_id: joined.participant.to_string(),
            token: joined.token.expose().to_owned(),
            whip_url: self.urls.whip(),
            whep_url: self.urls.whep(),
            events_url: self.urls.events(),
        }))
    }

    async fn issue_invitation(
        &self,
        request: Request<IssueInvitationRequest>,
    ) -> Result<Response<IssueInvitationResponse>, Status> {
        let order = order!(request);
        let role = role(order.message.role, Role::Caller)?;
        let invited = self.app.issue_invitation(&order, role).await?;
        Ok(Response::new(IssueInvitationResponse {
            code: invited.code.spoken(),
            page_url: self.urls.page(),
            expires_at: Some(timestamp(invited.expires_at)),
        }))
    }

    async fn admit_participant(
        &self,
        request: Request<AdmitParticipantRequest>,
    ) -> Result<Response<AdmitParticipantResponse>, Status> {
        Ok(Response::new(self.app.admit(&order!(request)).await?))
    }

    async fn remove_participant(
        &self,
        request: Request<RemoveParticipantRequest>,
    ) -> Result<Response<RemoveParticipantResponse>, Status> {
        Ok(Response::new(self.app.remove(&order!(request)).await?))
    }

    async fn send_chat(&self, request: Request<SendChatRequest>) -> Result<Response<SendChatResponse>, Status> {
        let order = order!(request);
        let officer = self.app.officer_in(&order).await?;
        let (text, phrase) = match order.message.what {
            Some(What::Text(text)) => (Some(Secret::new(text)), None),
            Some(What::Phrase(phrase)) => (None, Some(Secret::new(phrase))),
            None => (None, None),
        };
        let wording = Wording { text, phrase, language: Some(order.message.language) };
        let written = self.talk.write(&self.app, officer, order.request.to_string(), wording).await?;
        Ok(Response::new(SendChatResponse { number: written.number, at: Some(timestamp(written.at)) }))
    }

    async fn mark_chapter(
        &self,
        request: Request<MarkChapterRequest>,
    ) -> Result<Response<MarkChapterResponse>, Status> {
        let marked = chapters::mark(&self.app, &self.spool, &order!(request)).await?;
        Ok(Response::new(MarkChapterResponse { number: marked.number, at: Some(timestamp(marked.at)) }))
    }

    async fn end_session(&self, request: Request<EndSessionRequest>) -> Result<Response<EndSessionResponse>, Status> {
        Ok(Response::new(self.app.end_session(&order!(request)).await?))
    }

    type WatchSessionStream = Pin<Box<dyn Stream<Item = Result<WatchSessionResponse, Status>> + Send>>;

    async fn watch_session(
        &self,
        request: Request<WatchSessionRequest>,
    ) -> Result<Response<Self::WatchSessionStream>, Status> {
        let request = request.into_inner();
        let wanted =
            Wanted::Call(request.force_id.parse().map_err(refused)?, request.call_id.parse().map_err(refused)?);
        let staff = Some(request.officer_id).filter(|staff| !staff.is_empty());
        let staff = staff.map(|staff| staff.parse()).transpose().map_err(refused)?;
        let states = self.changes.watch(self.app.clone(), wanted, self.shutdown.clone());
        Ok(Response::new(Box::pin(watching::answers(states, self.talk.clone(), staff))))
    }
}

fn refused(malformed: Malformed) -> Status {
    Error::Malformed(malformed).into()
}

/// The role of that number; `usual` if none is named.
fn role(number: i32, usual: Role) -> Result<Role, Error> {
    match proto::Role::try_from(number) {
        Ok(proto::Role::Unspecified) => Ok(usual),
        Ok(proto::Role::Caller) => Ok(Role::Caller),
        Ok(proto::Role::Officer) => Ok(Role::Officer),
        Ok(proto::Role::Observer) => Ok(Role::Observer),
        Ok(proto::Role::Interpreter) => Ok(Role::Interpreter),
        Ok(proto::Role::Supporter) => Ok(Role::Supporter),
        Err(_) => Err(Illegal::WrongRole.into()),
    }
}

fn participant(participant: &Participant) -> proto::Participant {
    let (standing, since) = participant.standing();
    let standing = match standing {
        Standing::Waiting => proto::Standing::Waiting,
        Standing::In => proto::Standing::In,
        Standing::Removed => proto::Standing::Removed,
    };
    proto::Participant {
        participant_id: participant.id.to_string(),
        role: role_number(participant.role),
        connected: participant.flowing.is_some(),
        standing: standing.into(),
        since: Some(timestamp(since)),
        officer_id: participant.staff.as_ref().map(ToString::to_string).unwrap_or_default(),
        watching: participant.watching,
    }
}

fn session(session: &Session) -> proto::Session {
    let state = match session.state {
        State::Invited => proto::SessionState::Invited,
        State::Joined => proto::SessionState::Joined,
        State::Live => proto::SessionState::Live,
        State::Ended(_) => proto::SessionState::Ended,
    };
    proto::Session {
        session_id: session.id.to_string(),
        call_id: session.accepted.call.to_string(),
        state: state.into(),
        participants: session.participants.iter().map(participant).collect(),
        started_at: Some(timestamp(session.started_at)),
        recording: session.accepted.recording,
        end_reason: session.ending().map_or_else(String::new, |ending| ending.reason.as_str().to_owned()),
    }
}
