//! Intake as a process with a Postgres and a NATS of its own, a control room's client, and the other services' voices.

use std::time::Duration;

use api::{
    evidence::v1 as evidence,
    intake::v1::{
        Consent, ConsentKind, DeviceSafety, Incident, Line, OpenCallRequest, RecordConsentRequest, RecordTriageRequest,
        RequestTransferRequest, RiskGrade, WatchCallRequest, WatchCallResponse, call_update::Kind,
        intake_service_client::IntakeServiceClient,
    },
    session::v1 as session,
    transfer::v1 as transfer,
};
use async_nats::jetstream;
use chassis::{Clock, Entropy, Shutdown, Trace};
use futures::StreamExt;
use ids::{CallId, ForceId};
use outbox::NewEvent;
use prost::Message;
use sqlx::PgPool;
use testkit::{Postgres, Service, TestDatabase, TestNats};
use tonic::{Status, Streaming, transport::Channel};

/// Nothing here takes long; what takes longer than this hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const FORCE: &str = "wmp";
pub const NUMBER: &str = "+447700900123";

pub type Client = IntakeServiceClient<Channel>;

pub struct Room {
    pub db: TestDatabase,
    pub nats: TestNats,
    pub service: Service,
    pub client: Client,
}

impl Room {
    pub async fn open() -> Self {
        Self::with(&[]).await
    }

    /// With these settings.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
        let (url, bus) = (db.url(), nats.url().to_owned());
        let env = [("ALCOVE_INTAKE__DATABASE__URL", url.as_str()), ("ALCOVE_INTAKE__NATS__URL", bus.as_str())];
        let env = [&env, settings].concat();
        Service::migrate("intake", &env).await.unwrap();
        let service = Service::start("intake", &env).await.unwrap();
        let client = IntakeServiceClient::connect(service.url("grpc")).await.unwrap();
        Self { db, nats, service, client }
    }

    /// Opens a call for this incident number.
    pub async fn call(&self, number: &str) -> String {
        self.client.clone().open_call(opening(number)).await.unwrap().into_inner().call_id
    }

    /// A call that waits for an officer.
    pub async fn waiting_call(&self, number: &str) -> String {
        let call = self.call(number).await;
        let mut client = self.client.clone();
        client.record_triage(triage(&call)).await.unwrap();
        client.record_consent(consent(&call, &[ConsentKind::Video, ConsentKind::Recording])).await.unwrap();
        client.request_transfer(transfer_of(&call)).await.unwrap();
        call
    }

    pub async fn watch(&self, call: &str, after_sequence: u64) -> Streaming<WatchCallResponse> {
        let request = WatchCallRequest { force_id: FORCE.into(), call_id: call.into(), after_sequence };
        self.client.clone().watch_call(request).await.unwrap().into_inner()
    }

    /// Everything that intake has published about a call, from the first, until `last` has come.
    pub async fn published(&self, call: &str, last: &str) -> Vec<Published> {
        published_until(&self.nats, call, |seen| seen.last().is_some_and(|event| event.name == last)).await
    }

    /// The first so many things that intake has published about a call.
    pub async fn first_published(&self, call: &str, count: usize) -> Vec<Published> {
        published_until(&self.nats, call, |seen| seen.len() == count).await
    }
}

/// What intake has published about a call, from the first until it is enough.
pub async fn published_until(nats: &TestNats, call: &str, enough: impl Fn(&[Published]) -> bool) -> Vec<Published> {
    let jetstream = nats.jetstream().await.unwrap();
    outbox::ensure_stream(&jetstream, "intake").await.unwrap();
    let stream = jetstream.get_stream("ALCOVE_INTAKE").await.unwrap();
    let config = jetstream::consumer::pull::OrderedConfig::default();
    let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    let mut seen: Vec<Published> = vec![];
    let collect = async {
        while !enough(&seen) {
            let message = messages.next().await.unwrap().unwrap();
            // A call that belongs to no trace has no header that says which.
            let header = |name: &str| message.headers.as_ref().unwrap().get(name).map(ToString::to_string);
            let header = |name: &str| header(name).unwrap_or_default();
            if header("ce-subject") == call {
                let name = message.subject.split('.').nth(3).unwrap().to_owned();
                let trace = Trace::parse(&header("traceparent"));
                seen.push(Published { name, trace, payload: message.payload.to_vec() });
            }
        }
    };
    tokio::time::timeout(PATIENCE, collect).await.expect("the event comes");
    seen
}

pub struct Published {
    pub name: String,
    pub trace: Trace,
    pub payload: Vec<u8>,
}

/// A request id that was never used.
pub fn fresh() -> String {
    Entropy::os().id::<ids::RequestId>(Clock::system().now()).to_string()
}

pub fn opening(number: &str) -> OpenCallRequest {
    OpenCallRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        line: Line::Line999.into(),
        incident: Some(Incident { date: "2026-11-24".into(), number: number.into() }),
        caller_number: NUMBER.into(),
        location: None,
    }
}

pub fn triage(call: &str) -> RecordTriageRequest {
    RecordTriageRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        call_id: call.into(),
        thrive: Some(api::intake::v1::Thrive { threat: "words of the caller".into(), ..Default::default() }),
        device_safety: Some(DeviceSafety {
            shared: true,
            messages_read: false,
            overheard: false,
            ..Default::default()
        }),
        immediate_danger: false,
        offender_present: false,
        can_join: true,
        risk: RiskGrade::High.into(),
        language: String::new(),
        children_present: true,
        vulnerability: api::intake::v1::Vulnerability::Great.into(),
        officer_asked_for: api::intake::v1::Gender::Woman.into(),
        child_may_speak: true,
        ..Default::default()
    }
}

pub fn consent(call: &str, given: &[ConsentKind]) -> RecordConsentRequest {
    let kinds = [ConsentKind::Video, ConsentKind::Recording, ConsentKind::Stills, ConsentKind::Covered];
    let consent = |kind: ConsentKind| Consent {
        kind: kind.into(),
        given: given.contains(&kind),
        how: "spoken on the 999 line".into(),
        subject: String::new(),
    };
    RecordConsentRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        call_id: call.into(),
        consents: kinds.map(consent).to_vec(),
        taken_by: "CH4411".into(),
    }
}

pub fn transfer_of(call: &str) -> RequestTransferRequest {
    RequestTransferRequest { request_id: fresh(), force_id: FORCE.into(), call_id: call.into() }
}

/// The next update; `None` at the end of the stream.
pub async fn next(watch: &mut Streaming<WatchCallResponse>) -> Option<(u64, Kind)> {
    let told = tokio::time::timeout(PATIENCE, watch.message()).await.expect("an update comes").unwrap()?;
    Some((told.sequence, told.update.unwrap().kind.unwrap()))
}

/// The names of all updates to the end, having checked that they are numbered from `first` without a gap.
pub async fn all(watch: &mut Streaming<WatchCallResponse>, first: u64) -> Vec<&'static str> {
    let mut names = vec![];
    while let Some((sequence, kind)) = next(watch).await {
        assert_eq!(sequence, first + names.len() as u64);
        names.push(name(&kind));
    }
    names
}

pub fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Queued(_) => "queued",
        Kind::Offered(_) => "offered",
        Kind::Accepted(_) => "accepted",
        Kind::InvitationReady(_) => "invitation ready",
        Kind::CallerJoined(_) => "caller joined",
        Kind::Ended(_) => "ended",
        Kind::Sealed(_) => "sealed",
        Kind::Cancelled(_) => "cancelled",
        Kind::Abandoned(_) => "abandoned",
        Kind::Returned(_) => "returned",
        Kind::Duress(_) => "duress",
        Kind::ConsentChanged(_) => "consent changed",
        Kind::Covered(_) => "covered",
        Kind::Uncovered(_) => "uncovered",
        Kind::FastTrack(_) => "fast-track",
        Kind::Callback(_) => "call-back",
        Kind::RiskGraded(_) => "risk-graded",
        Kind::Referral(_) => "referral",
    }
}

/// Asserts the status and its machine-readable reason.
#[track_caller]
pub fn refused<T>(answer: Result<T, Status>, code: tonic::Code, reason: &str) {
    let status = answer.err().expect("a refusal");
    assert_eq!((status.code(), chassis::status::reason_of(&status).as_deref()), (code, Some(reason)), "{status:?}");
    assert!(!status.message().contains(NUMBER));
}

/// The desk, the session, the evidence store and referral: each with an outbox and relay of its own, as in life.
pub struct Others {
    _server: Postgres,
    transfer: PgPool,
    session: PgPool,
    evidence: PgPool,
    referral: PgPool,
    _stop: chassis::ShutdownTrigger,
}

impl Others {
    pub async fn at(nats: &TestNats) -> Self {
        let server = Postgres::launch(testkit::Durability::Off).await.unwrap();
        let (stop, shutdown) = Shutdown::manual();
        let mut pools = vec![];
        for service in ["transfer", "session", "evidence", "referral"] {
            server.create_database(service).await.unwrap();
            let pool = PgPool::connect(&server.url_of_all(service)).await.unwrap();
            outbox::migrate(&pool).await.unwrap();
            let relay = outbox::Relay::new(pool.clone(), nats.jetstream().await.unwrap(), service);
            tokio::spawn(relay.run(shutdown.clone()));
            pools.push(pool);
        }
        let [transfer, session, evidence, referral] = pools.try_into().unwrap();
        Self { _server: server, transfer, session, evidence, referral, _stop: stop }
    }

    pub async fn queued(&self, call: &str) {
        let queued =
            transfer::CallQueued { call_id: call.into(), force_id: FORCE.into(), position: 1, ..Default::default() };
        publish(&self.transfer, "call_queued", call, &queued).await;
    }

    pub async fn offered(&self, call: &str) {
        let offered = transfer::CallOffered { call_id: call.into(), force_id: FORCE.into(), ..Default::default() };
        publish(&self.transfer, "call_offered", call, &offered).await;
    }

    pub async fn accepted(&self, call: &str) {
        let (call_id, force_id) = (call.to_owned(), FORCE.to_owned());
        let accepted = transfer::CallAccepted { call_id, force_id, officer_id: "PC1".into(), ..Default::default() };
        publish(&self.transfer, "call_accepted", call, &accepted).await;
    }

    /// A sergeant has given it to another officer.
    pub async fn reassigned(&self, call: &str, to: &str) {
        let (call_id, force_id, to_officer_id) = (call.to_owned(), FORCE.to_owned(), to.to_owned());
        let moved = transfer::CallReassigned { call_id, force_id, to_officer_id, ..Default::default() };
        publish(&self.transfer, "call_reassigned", call, &moved).await;
    }

    pub async fn abandoned(&self, call: &str) {
        let reason = "CANCELLED_BY_CONTROL_ROOM".to_owned();
        let (call_id, force_id) = (call.to_owned(), FORCE.to_owned());
        let abandoned = transfer::CallAbandoned { call_id, force_id, reason, occurred_at: None };
        publish(&self.transfer, "call_abandoned", call, &abandoned).await;
    }

    /// The call stands at another place by now.
    pub async fn moved(&self, call: &str, position: u32, expected_wait_s: u32) {
        let (call_id, force_id, expected_wait_s) = (call.to_owned(), FORCE.to_owned(), Some(expected_wait_s));
        let moved = transfer::CallMoved { call_id, force_id, position, expected_wait_s, occurred_at: None };
        publish(&self.transfer, "call_moved", call, &moved).await;
    }

    /// The desk gives the call back.
    pub async fn returned(&self, call: &str, reason: &str) {
        let (call_id, force_id, reason) = (call.to_owned(), FORCE.to_owned(), reason.to_owned());
        let returned = transfer::CallReturned { call_id, force_id, reason, ..Default::default() };
        publish(&self.transfer, "call_returned", call, &returned).await;
    }

    /// The desk publishes something else.
    pub async fn desk_says<M: Message>(&self, call: &str, name: &'static str, event: &M) {
        publish(&self.transfer, name, call, event).await;
    }

    /// Referral publishes something.
    pub async fn referral_says<M: Message>(&self, call: &str, name: &'static str, event: &M) {
        publish(&self.referral, name, call, event).await;
    }

    pub async fn invited(&self, call: &str) {
        let issued = session::InvitationIssued { call_id: call.into(), force_id: FORCE.into(), ..Default::default() };
        publish(&self.session, "invitation_issued", call, &issued).await;
    }

    pub async fn joined(&self, call: &str) {
        let joined = session::CallerJoined { call_id: call.into(), force_id: FORCE.into(), ..Default::default() };
        publish(&self.session, "caller_joined", call, &joined).await;
    }

    /// The caller covers the call, or is back.
    pub async fn covered(&self, call: &str, covered: bool) {
        let (call_id, force_id) = (call.to_owned(), FORCE.to_owned());
        let changed = session::CoverChanged { call_id, force_id, covered, ..Default::default() };
        publish(&self.session, "cover_changed", call, &changed).await;
    }

    /// The caller has asked for help, and the officer has seen it.
    pub async fn asked_for_help(&self, call: &str) -> prost_types::Timestamp {
        let at = prost_types::Timestamp { seconds: 1_800_000_000, nanos: 123_456_000 };
        let (call_id, force_id, how) = (call.to_owned(), FORCE.to_owned(), session::DuressHow::Corner.into());
        let raised = session::DuressRaised {
            call_id: call_id.clone(),
            force_id: force_id.clone(),
            occurred_at: Some(at),
            how,
            ..Default::default()
        };
        publish(&self.session, "duress_raised", call, &raised).await;
        let seen = session::DuressAcknowledged {
            call_id,
            force_id,
            how,
            raised_at: Some(at),
            officer_id: "PC1".into(),
            ..Default::default()
        };
        publish(&self.session, "duress_acknowledged", call, &seen).await;
        at
    }

    /// The officer has pressed.
    pub async fn wants_a_unit(&self, call: &str, id: &str) {
        let requested = session::FastTrackRequested {
            call_id: call.into(),
            force_id: FORCE.into(),
            occurred_at: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
            fast_track_id: id.into(),
            officer_id: "PC1".into(),
            risk: RiskGrade::High.into(),
            reason: "OFFENDER_BACK".into(),
            still_item: "still-2".into(),
            ..Default::default()
        };
        publish(&self.session, "fast_track_requested", call, &requested).await;
    }

    pub async fn ended(&self, call: &str) {
        let (call_id, force_id) = (call.to_owned(), FORCE.to_owned());
        let reason = "OFFICER_ENDED".to_owned();
        let ended = session::SessionEnded { call_id, force_id, reason, recorded: true, ..Default::default() };
        publish(&self.session, "session_ended", call, &ended).await;
    }

    pub async fn sealed(&self, call: &str) {
        let sealed = evidence::ExhibitSealed {
            call_id: call.into(),
            force_id: FORCE.into(),
            occurred_at: None,
            exhibit_id: exhibit(),
            reference: "WMP/1".into(),
            seal_sha256: "ab".repeat(32),
            missing_segments: 0,
        };
        publish(&self.evidence, "exhibit_sealed", call, &sealed).await;
    }
}

pub fn exhibit() -> String {
    "01900000-0000-7000-8000-000000000001".into()
}

async fn publish<M: Message>(pool: &PgPool, name: &'static str, call: &str, message: &M) {
    let (call, force): (CallId, ForceId) = (call.parse().unwrap(), FORCE.parse().unwrap());
    let event = NewEvent::new(name, call, force, Trace::none(), message);
    let mut tx = pool.begin().await.unwrap();
    outbox::write_in_tx(&mut tx, &Entropy::os(), Clock::system().now(), [event]).await.unwrap();
    tx.commit().await.unwrap();
}
