//! The desk's side: proto to domain, use case, domain to proto.

mod asking;
mod inviting;
mod led;
mod watching;

use api::session::v1::{
    self as proto, AcknowledgeDuressRequest, AcknowledgeDuressResponse, AdmitParticipantRequest,
    AdmitParticipantResponse, AskForPhotographRequest, AskForPhotographResponse, CaptureStillRequest,
    CaptureStillResponse, EndSessionRequest, EndSessionResponse, GetSessionRequest, GetSessionResponse,
    IssueInvitationRequest, IssueInvitationResponse, JoinSessionRequest, JoinSessionResponse, MarkChapterRequest,
    MarkChapterResponse, RemoveParticipantRequest, RemoveParticipantResponse, RequestFastTrackRequest,
    RequestFastTrackResponse, RevokeInvitationRequest, RevokeInvitationResponse, SendChatRequest, SendChatResponse,
    SetCoverRequest, SetCoverResponse, SetRecordingRequest, SetRecordingResponse, WatchSessionRequest,
    WatchSessionResponse, send_chat_request::What, session_service_server::SessionService,
};
use chassis::{Principal, Shutdown, Tls, trace::TRACERESPONSE};
use futures::Stream;
use ids::{CallId, ForceId, Malformed, OfficerId, Secret};
use std::pin::Pin;
use tonic::{Request, Response, Status, metadata::AsciiMetadataValue};

use crate::{
    app::{App, Order},
    changes::{Changes, Wanted},
    chapters,
    config::Turn,
    domain::{
        Duress, Illegal, Participant, Pretext, RecordOrder, Recording, Remark, Role, Session, Standing, State, Way,
        Wording,
    },
    duress,
    error::Error,
    events::{how_number, recording_number, role_number, timestamp},
    recording::Recordings,
    spool::Spool,
    stills::Stills,
    talk::Talk,
    texts::Texts,
    web::{Urls, ice},
    wishes::Wishes,
};

/// The service's gRPC face.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The use cases.
    pub app: App,
    /// What carries out orders about recording.
    pub recordings: Recordings,
    /// What takes stills.
    pub stills: Stills,
    /// Photographs that were asked for.
    pub wishes: Wishes,
    /// What watchers follow.
    pub changes: Changes,
    /// What is written in the calls.
    pub talk: Talk,
    /// What is sent to callers who can't speak.
    pub texts: Texts,
    /// Where chapters are kept.
    pub spool: Spool,
    /// How participants reach us.
    pub urls: Urls,
    /// What helps those whose network blocks UDP.
    pub turn: Turn,
    /// Who we are to another instance.
    pub tls: Option<Tls>,
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

/// Passes a request on to the instance that carries the call, if that is another.
macro_rules! at_its_owner {
    ($desk:ident . $method:ident ($request:ident)) => {
        let asked = $request.get_ref();
        let (force, call) = named(&asked.force_id, &asked.call_id)?;
        if let Some(mut owner) = $desk.owner(&force, call, $request.metadata_mut()).await? {
            return owner.$method($request).await;
        }
    };
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
        let ice_servers = ice::servers(&self.turn, joined.participant, self.app.now());
        let mut response = Response::new(JoinSessionResponse {
            participant_id: joined.participant.to_string(),
            token: joined.token.expose().to_owned(),
            whip_url: self.urls.whip(),
            whep_url: self.urls.whep(),
            events_url: self.urls.events(),
            ice_servers: ice_servers.into_iter().map(Into::into).collect(),
        });
        // What the officer's page asks about the call from here on belongs to its trace.
        if let Ok(trace) = joined.trace.as_str().parse::<AsciiMetadataValue>()
            && !joined.trace.is_empty()
        {
            response.metadata_mut().insert(TRACERESPONSE, trace);
        }
        Ok(response)
    }

    async fn issue_invitation(
        &self,
        request: Request<IssueInvitationRequest>,
    ) -> Result<Response<IssueInvitationResponse>, Status> {
        let mut order = order!(request);
        let role = role(order.message.role, Role::Caller)?;
        let (way, to) = inviting::way(&order.message)?;
        if let Some(to) = &to {
            order.message.to_number = self.app.blind(to);
        }
        let invited = match way {
            Way::SpokenCode => self.app.issue_invitation(&order, role, way, None).await?,
            Way::Sms => self.texts.invite(&order, role, to.as_ref()).await?,
        };
        Ok(Response::new(IssueInvitationResponse {
            code: invited.code.spoken(),
            page_url: self.urls.page(),
            expires_at: Some(timestamp(invited.expires_at)),
        }))
    }

    async fn revoke_invitation(
        &self,
        request: Request<RevokeInvitationRequest>,
    ) -> Result<Response<RevokeInvitationResponse>, Status> {
        let order = order!(request);
        let role = role(order.message.role, Role::Caller)?;
        Ok(Response::new(self.app.revoke_invitation(&order, role).await?))
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

    async fn set_recording(
        &self,
        mut request: Request<SetRecordingRequest>,
    ) -> Result<Response<SetRecordingResponse>, Status> {
        at_its_owner!(self.set_recording(request));
        let order = order!(request);
        let what = action(order.message.action)?;
        let reason = Remark::parse("reason", &order.message.reason).map_err(refused)?;
        if reason.is_empty() && what != RecordOrder::Resume {
            return Err(refused(Malformed { kind: "reason", rule: "one must be given" }));
        }
        Ok(Response::new(self.recordings.set(&order, what, reason).await?))
    }

    async fn capture_still(
        &self,
        mut request: Request<CaptureStillRequest>,
    ) -> Result<Response<CaptureStillResponse>, Status> {
        at_its_owner!(self.capture_still(request));
        Ok(Response::new(self.stills.take(&order!(request)).await?))
    }

    async fn ask_for_photograph(
        &self,
        mut request: Request<AskForPhotographRequest>,
    ) -> Result<Response<AskForPhotographResponse>, Status> {
        at_its_owner!(self.ask_for_photograph(request));
        if let Some(session) = self.app.ask_for_photograph(&order!(request)).await? {
            self.wishes.ask(session, self.app.now());
        }
        Ok(Response::new(AskForPhotographResponse {}))
    }

    async fn send_chat(&self, mut request: Request<SendChatRequest>) -> Result<Response<SendChatResponse>, Status> {
        at_its_owner!(self.send_chat(request));
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
        mut request: Request<MarkChapterRequest>,
    ) -> Result<Response<MarkChapterResponse>, Status> {
        at_its_owner!(self.mark_chapter(request));
        let marked = chapters::mark(&self.app, &self.spool, &order!(request)).await?;
        Ok(Response::new(MarkChapterResponse { number: marked.number, at: Some(timestamp(marked.at)) }))
    }

    async fn set_cover(&self, request: Request<SetCoverRequest>) -> Result<Response<SetCoverResponse>, Status> {
        let order = order!(request);
        let unknown = Malformed { kind: "pretext", rule: "one of those that the session names" };
        let pretext = Pretext::parse(&order.message.pretext).ok_or_else(|| refused(unknown))?;
        Ok(Response::new(self.app.set_cover(&order, pretext).await?))
    }

    async fn acknowledge_duress(
        &self,
        mut request: Request<AcknowledgeDuressRequest>,
    ) -> Result<Response<AcknowledgeDuressResponse>, Status> {
        at_its_owner!(self.acknowledge_duress(request));
        Ok(Response::new(duress::acknowledge(&self.app, &self.spool, &order!(request)).await?))
    }

    async fn request_fast_track(
        &self,
        request: Request<RequestFastTrackRequest>,
    ) -> Result<Response<RequestFastTrackResponse>, Status> {
        let order = order!(request);
        let what = asking::what(&order.message)?;
        Ok(Response::new(self.app.request_fast_track(&order, what).await?))
    }

    async fn end_session(&self, request: Request<EndSessionRequest>) -> Result<Response<EndSessionResponse>, Status> {
        Ok(Response::new(self.app.end_session(&order!(request)).await?))
    }

    type WatchSessionStream = Pin<Box<dyn Stream<Item = Result<WatchSessionResponse, Status>> + Send>>;

    async fn watch_session(
        &self,
        mut request: Request<WatchSessionRequest>,
    ) -> Result<Response<Self::WatchSessionStream>, Status> {
        // What is written is read where it is kept; the states are the same everywhere.
        let (force, call) = named(&request.get_ref().force_id, &request.get_ref().call_id)?;
        if !request.get_ref().officer_id.is_empty()
            && let Some(mut owner) = self.owner(&force, call, request.metadata_mut()).await?
        {
            return Ok(owner
                .watch_session(request)
                .await?
                .map(|answers| Box::pin(answers) as Self::WatchSessionStream));
        }
        // Whoever came by another instance is named in the request; that it is them was checked there.
        let asks = request.extensions().get::<Principal>().and_then(Principal::officer).cloned();
        let request = request.into_inner();
        let wanted = Wanted::Call(force, call);
        let staff = Some(request.officer_id).filter(|staff| !staff.is_empty());
        let staff: Option<OfficerId> = staff.map(|staff| staff.parse()).transpose().map_err(refused)?;
        let lent = asks.or_else(|| staff.clone()).filter(|asks| asks.lent_by().is_some());
        let states = self.changes.watch(self.app.clone(), wanted, self.shutdown.clone());
        Ok(Response::new(Box::pin(watching::answers(states, self.talk.clone(), staff, lent))))
    }
}

fn named(force: &str, call: &str) -> Result<(ForceId, CallId), Status> {
    Ok((force.parse().map_err(refused)?, call.parse().map_err(refused)?))
}

fn refused(malformed: Malformed) -> Status {
    Error::Malformed(malformed).into()
}

/// What the number orders.
fn action(number: i32) -> Result<RecordOrder, Error> {
    match proto::RecordingAction::try_from(number) {
        Ok(proto::RecordingAction::Pause) => Ok(RecordOrder::Pause),
        Ok(proto::RecordingAction::Resume) => Ok(RecordOrder::Resume),
        Ok(proto::RecordingAction::Stop) => Ok(RecordOrder::Stop),
        Ok(proto::RecordingAction::Unspecified) | Err(_) => {
            Err(Malformed { kind: "recording action", rule: "pause, resume or stop" }.into())
        }
    }
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
        recording: session.recorded() == Recording::On,
        end_reason: session.ending().map_or_else(String::new, |ending| ending.reason.as_str().to_owned()),
        recording_state: recording_number(session.recorded()),
        stills: session.accepted.stills,
        stills_taken: session.stills_taken,
        photographs_taken: session.photographs_taken,
        covered_since: session.cover.since.map(timestamp),
        pretext: session.cover.pretext.id().to_owned(),
        covered_recording: session.accepted.covered,
        pretexts: Pretext::all().map(pretext).collect(),
        invitation: session.asked.map(inviting::asked),
        duress: asked_for(&session.duress),
        fast_tracks: asking::fast_tracks(session),
        silent_caller: asking::silent(session.accepted.silent).into(),
        successor_officer_id: session.successor.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn asked_for(Duress { raised, count, seen, .. }: &Duress) -> Option<proto::Duress> {
    raised.map(|raised| proto::Duress {
        how: how_number(raised.how),
        raised_at: Some(timestamp(raised.at)),
        count: *count,
        acknowledged_at: seen.as_ref().map(|seen| timestamp(seen.at)),
        acknowledged_by: seen.as_ref().map(|seen| seen.by.to_string()).unwrap_or_default(),
    })
}

fn pretext(pretext: Pretext) -> proto::Pretext {
    proto::Pretext { id: pretext.id().to_owned(), title: pretext.title().to_owned(), say: pretext.say().to_owned() }
}
