//! A video-session with real Postgres and NATS, in this process (for a manual clock) or as its own.

pub mod chat;
mod cover;
mod duress;
mod environment;
pub mod evidence;
mod fast_track;
mod held;
mod people;
mod process;
pub mod record;
pub mod rows;
pub mod several;
pub mod texts;

use std::time::Duration;

use api::{
    evidence::v1::{ArchivedTrack, ExhibitArchived, ExhibitSealed},
    intake::v1::{ConsentKind, ConsentRecorded, Incident, SilentCaller, consent_recorded::ConsentFact},
    session::v1::{
        EndSessionRequest, EndSessionResponse, IssueInvitationRequest, IssueInvitationResponse, JoinSessionRequest,
        JoinSessionResponse, Session, SessionEnded, WatchSessionRequest, WatchSessionResponse,
        session_service_client::SessionServiceClient,
    },
    transfer::v1::{CallAbandoned, CallAccepted, CallReassigned, CallReturned},
};
use async_nats::{HeaderMap, jetstream};
use chassis::{Ambient, Clock, Entropy, ManualClock, Shutdown, ShutdownTrigger};
use futures::StreamExt;
use ids::{CallId, RequestId};
use prost::Message;
use testkit::{
    TestDatabase, TestNats,
    phone::{Pass, Phone},
};
use tokio::task::JoinHandle;
use tonic::{Status, Streaming, transport::Channel};
use uuid::Uuid;

use self::environment::config;
pub use self::environment::settings;

pub const FORCE: &str = "wmp";
pub const OFFICER: &str = "o.one";
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Everything a test needs to reach the service.
pub struct Rig {
    pub database: TestDatabase,
    pub nats: TestNats,
    pub dir: tempfile::TempDir,
    pub clock: ManualClock,
    pub entropy: Entropy,
    pub desk: SessionServiceClient<Channel>,
    pub http: reqwest::Client,
    pub base: String,
    jetstream: jetstream::Context,
    running: Option<(ShutdownTrigger, JoinHandle<()>)>,
}

/// How the service is run.
pub enum Time {
    Manual,
    Real,
}

impl Rig {
    /// In this process, with no evidence-store to be had.
    pub async fn alone() -> Self {
        Self::start(Time::Manual, &[]).await
    }

    pub async fn start(time: Time, settings: &[(&str, String)]) -> Self {
        Self::on(tokio::join!(testkit::database(), testkit::nats()), time, settings).await
    }

    /// On a database and a bus that are there already.
    pub async fn on((database, nats): (TestDatabase, TestNats), time: Time, settings: &[(&str, String)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let start = "2026-11-24T12:00:00Z".parse().unwrap();
        let clock = ManualClock::new(start);
        let ambient = Ambient {
            clock: match time {
                Time::Manual => Clock::from(clock.clone()),
                Time::Real => Clock::system(),
            },
            entropy: Entropy::os(),
        };
        let config = config(&database, &nats, dir.path(), settings);
        video_session::migrate(config.clone()).await.unwrap();
        let (trigger, shutdown) = Shutdown::manual();
        let running = tokio::spawn(async move {
            video_session::run(config, ambient, shutdown).await.unwrap();
        });
        let file = dir.path().join("addresses.json");
        let addresses = testkit::listening(&file).await.unwrap();
        Self::reach(database, nats, dir, clock, &addresses["grpc"], &addresses["http"], Some((trigger, running))).await
    }

    pub async fn reach(
        database: TestDatabase,
        nats: TestNats,
        dir: tempfile::TempDir,
        clock: ManualClock,
        grpc: &str,
        http: &str,
        running: Option<(ShutdownTrigger, JoinHandle<()>)>,
    ) -> Self {
        let jetstream = nats.jetstream().await.unwrap();
        for service in ["transfer", "intake", "evidence"] {
            outbox::ensure_stream(&jetstream, service).await.unwrap();
        }
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{grpc}")).unwrap();
        let desk = SessionServiceClient::new(endpoint.connect_lazy());
        let (http_client, base) = (reqwest::Client::new(), format!("http://{http}"));
        Self { database, nats, dir, clock, entropy: Entropy::os(), desk, http: http_client, base, jetstream, running }
    }

    /// An officer has accepted a call: as call-transfer says it.
    pub async fn accepted(&self, recording: bool) -> CallId {
        let call: CallId = self.id();
        self.say_accepted(call, recording).await;
        self.watched(call, |_| true).await;
        call
    }

    pub async fn say_accepted(&self, call: CallId, recording: bool) {
        self.say_nth_accepted(1, call, recording).await;
    }

    /// The same, as the desk's nth event about the call: the caller of one that had gone back was rung back.
    pub async fn say_nth_accepted(&self, nth: u32, call: CallId, recording: bool) {
        self.say_nth_accepted_in(FORCE, nth, call, recording).await;
    }

    /// The same, by an officer of any force.
    pub async fn say_nth_accepted_in(&self, force: &str, nth: u32, call: CallId, recording: bool) {
        let event = CallAccepted {
            call_id: call.to_string(),
            force_id: force.to_owned(),
            officer_id: OFFICER.to_owned(),
            recording_consented: recording,
            silent_caller: SilentCaller::CannotSpeak.into(),
            called_back: nth > 1,
            incident: Some(Incident { date: "2026-11-24".to_owned(), number: "1123".to_owned() }),
            ..Default::default()
        };
        self.say_in(force, ("transfer", "call_accepted", nth), call, &event).await;
    }

    /// The caller has told the control room, or taken back, what they agree to.
    pub async fn say_consent(&self, call: CallId, kind: ConsentKind, given: bool) {
        self.say_nth_consent(1, call, kind, given).await;
    }

    /// The same, as intake's nth event about the call.
    pub async fn say_nth_consent(&self, nth: u32, call: CallId, kind: ConsentKind, given: bool) {
        let event = ConsentRecorded {
            call_id: call.to_string(),
            force_id: FORCE.to_owned(),
            consents: vec![ConsentFact { kind: kind.into(), given, ..Default::default() }],
            ..Default::default()
        };
        self.say("intake", "consent_recorded", nth, call, &event).await;
    }

    /// The call left the queue without an officer.
    pub async fn say_abandoned(&self, call: CallId) {
        let (call_id, force_id) = (call.to_string(), FORCE.to_owned());
        let event = CallAbandoned { call_id, force_id, ..Default::default() };
        self.say("transfer", "call_abandoned", 1, call, &event).await;
    }

    /// The desk gives the call back, its nth event about it.
    pub async fn say_returned(&self, nth: u32, call: CallId) {
        let (call_id, force_id) = (call.to_string(), FORCE.to_owned());
        let event = CallReturned { call_id, force_id, ..Default::default() };
        self.say("transfer", "call_returned", nth, call, &event).await;
    }

    /// The desk gives the call to another officer, its nth event about it.
    pub async fn say_reassigned(&self, nth: u32, call: CallId, to: &str) {
        let (call_id, force_id, to_officer_id) = (call.to_string(), FORCE.to_owned(), to.to_owned());
        let event = CallReassigned { call_id, force_id, to_officer_id, ..Default::default() };
        self.say("transfer", "call_reassigned", nth, call, &event).await;
    }

    /// evidence-store tells of a call's exhibit, its nth event about the call.
    pub async fn say_sealed(&self, version: u32, call: CallId) {
        let event = ExhibitSealed { call_id: call.to_string(), force_id: FORCE.to_owned(), ..Default::default() };
        self.say("evidence", "exhibit_sealed", version, call, &event).await;
    }

    /// evidence-store says how much of each track is archived.
    pub async fn say_archived(&self, version: u32, call: CallId, tracks: &[(&str, u64)]) {
        let track = |(track, segments): &(&str, u64)| ArchivedTrack { track: (*track).to_owned(), segments: *segments };
        let event = ExhibitArchived {
            call_id: call.to_string(),
            force_id: FORCE.to_owned(),
            tracks: tracks.iter().map(track).collect(),
            ..Default::default()
        };
        self.say("evidence", "exhibit_archived", version, call, &event).await;
    }

    async fn say(&self, service: &str, name: &str, version: u32, call: CallId, event: &impl Message) {
        self.say_in(FORCE, (service, name, version), call, event).await;
    }

    async fn say_in(
        &self,
        force: &str,
        (service, name, version): (&str, &str, u32),
        call: CallId,
        event: &impl Message,
    ) {
        let id: Uuid = self.id();
        let mut headers = HeaderMap::new();
        for (header, value) in [
            ("Nats-Msg-Id", id.to_string()),
            ("ce-id", id.to_string()),
            ("ce-type", format!("alcove.{service}.v1.{name}")),
            ("ce-subject", call.to_string()),
            ("ce-force", force.to_owned()),
            ("ce-callversion", version.to_string()),
        ] {
            headers.insert(header, value);
        }
        let subject = format!("alcove.{service}.v1.{name}.{force}");
        let sent = self.jetstream.publish_with_headers(subject, headers, event.encode_to_vec().into()).await;
        sent.unwrap().await.unwrap();
    }

    /// The session, once it is as wanted.
    pub async fn watched(&self, call: CallId, wanted: impl Fn(&Session) -> bool) -> Session {
        Self::seen(self.watch(call).await, wanted).await
    }

    /// Watches a call: what changes from now on is seen.
    pub async fn watch(&self, call: CallId) -> Streaming<WatchSessionResponse> {
        let request =
            WatchSessionRequest { force_id: FORCE.to_owned(), call_id: call.to_string(), ..Default::default() };
        self.desk.clone().watch_session(request).await.unwrap().into_inner()
    }

    /// The session that is watched, once it is as wanted.
    pub async fn seen(mut states: Streaming<WatchSessionResponse>, wanted: impl Fn(&Session) -> bool) -> Session {
        let mut last = None;
        let watching = async {
            while let Some(state) = states.message().await.unwrap() {
                let session = state.session.unwrap();
                if wanted(&session) {
                    return session;
                }
                last = Some(session);
            }
            panic!("the stream ended");
        };
        let outcome = tokio::time::timeout(PATIENCE, watching).await;
        outcome.unwrap_or_else(|_| panic!("the session never became as wanted: {last:?}"))
    }

    pub async fn join(&self, call: CallId) -> JoinSessionResponse {
        let request = JoinSessionRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            ..Default::default()
        };
        self.desk.clone().join_session(request).await.unwrap().into_inner()
    }

    pub async fn invite(&self, call: CallId) -> Result<IssueInvitationResponse, Status> {
        let request = IssueInvitationRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            ..Default::default()
        };
        Ok(self.desk.clone().issue_invitation(request).await?.into_inner())
    }

    pub async fn end(&self, call: CallId) -> EndSessionResponse {
        let request = EndSessionRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
        };
        self.desk.clone().end_session(request).await.unwrap().into_inner()
    }

    /// Types a code into the page: the status, and the reason or the token.
    pub async fn type_code(&self, code: &str) -> (u16, serde_json::Value) {
        let body = serde_json::json!({ "code": code });
        let answer = self.http.post(format!("{}/join", self.base)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// An officer's phone and a caller's, both publishing.
    pub async fn both(&self, call: CallId) -> (Phone, Phone) {
        let mut officer = Phone::new(pass(self.join(call).await));
        officer.publish().await.unwrap();
        let code = self.invite(call).await.unwrap().code;
        let mut caller = Phone::new(testkit::phone::join(&self.base, &code).await.unwrap());
        caller.publish().await.unwrap();
        self.watched(call, |session| session.state == 3).await;
        (officer, caller)
    }

    /// The one event of that name about the call, once it is published.
    pub async fn event<M: Message + Default>(&self, name: &str, call: CallId) -> M {
        let stream = testkit::eventually("the stream", async || self.jetstream.get_stream("ALCOVE_SESSION").await.ok());
        let stream = stream.await.unwrap();
        let consumer = stream
            .create_consumer(jetstream::consumer::pull::Config {
                filter_subject: format!("alcove.session.v1.{name}.{FORCE}"),
                ack_policy: jetstream::consumer::AckPolicy::None,
                ..Default::default()
            })
            .await
            .unwrap();
        let mut messages = consumer.messages().await.unwrap();
        let finding = async {
            while let Some(message) = messages.next().await {
                let message = message.unwrap();
                if message.headers.as_ref().unwrap().get("ce-subject").unwrap().as_str() == call.to_string() {
                    return M::decode(message.payload.clone()).unwrap();
                }
            }
            panic!("no more messages");
        };
        tokio::time::timeout(PATIENCE, finding).await.unwrap_or_else(|_| panic!("{name} never came"))
    }

    pub async fn ended(&self, call: CallId) -> SessionEnded {
        self.event("session_ended", call).await
    }

    pub fn id<T: From<Uuid>>(&self) -> T {
        self.entropy.id(self.clock.now())
    }

    pub fn request(&self) -> String {
        self.id::<RequestId>().to_string()
    }

    /// Ends the service as SIGTERM does.
    pub async fn stop(&mut self) {
        if let Some((trigger, running)) = self.running.take() {
            trigger.request();
            tokio::time::timeout(PATIENCE, running).await.expect("it must end").unwrap();
        }
    }
}

pub fn pass(joined: JoinSessionResponse) -> Pass {
    Pass {
        participant_id: joined.participant_id,
        token: joined.token,
        whip_url: joined.whip_url,
        whep_url: joined.whep_url,
        events_url: joined.events_url,
    }
}

pub fn reason(status: &Status) -> String {
    chassis::status::reason_of(status).unwrap_or_default()
}
