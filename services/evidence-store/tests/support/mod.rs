//! The service as a process with a Postgres, a NATS and a data folder of its own; video-session's client; the other
//! services' voices.
#![allow(dead_code, missing_docs, reason = "each test file uses its own part")]

use std::{path::PathBuf, time::Duration};

use api::{
    evidence::v1::{
        AppendSegmentsRequest, AppendSegmentsResponse, ExportRequest, GetExhibitRequest, GetExhibitResponse,
        OpenExhibitRequest, evidence_service_client::EvidenceServiceClient, get_exhibit_request::Key,
    },
    intake::v1::Incident,
    session::v1::{RecordedTrack, Role, SessionEnded},
    transfer::v1::CallAccepted,
};
use async_nats::jetstream;
use chassis::{Clock, Entropy, Shutdown, Trace};
use exhibit::{Digest, seal::Roots, verify};
use futures::StreamExt;
use ids::{CallId, ForceId, ParticipantId, SessionId};
use outbox::NewEvent;
use prost::Message;
use prost_types::Timestamp;
use sqlx::PgPool;
use tempfile::TempDir;
use testkit::{Service, TestDatabase, TestNats};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming, transport::Channel};

/// Nothing here takes long; what takes longer than this hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const FORCE: &str = "wmp";
pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

pub type Client = EvidenceServiceClient<Channel>;

pub struct Room {
    pub db: TestDatabase,
    pub nats: TestNats,
    pub data: TempDir,
    pub service: Service,
    pub client: Client,
}

impl Room {
    pub async fn open() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
        let data = TempDir::new().unwrap();
        let (url, bus, dir) = (db.url(), nats.url().to_owned(), data.path().to_str().unwrap().to_owned());
        let mut env = vec![
            ("ALCOVE_EVIDENCE_STORE__DATABASE__URL", url.as_str()),
            ("ALCOVE_EVIDENCE_STORE__NATS__URL", bus.as_str()),
            ("ALCOVE_EVIDENCE_STORE__JOURNAL__DATA_DIR", dir.as_str()),
        ];
        env.extend_from_slice(settings);
        Service::migrate("evidence-store", &env).await.unwrap();
        let service = Service::start("evidence-store", &env).await.unwrap();
        let client = connect(&service).await;
        Self { db, nats, data, service, client }
    }

    /// A call whose exhibit is open.
    pub async fn call(&self) -> String {
        let call = fresh();
        self.client.clone().open_exhibit(opening(&call)).await.unwrap();
        call
    }

    pub async fn exhibit(&self, call: &str) -> Result<GetExhibitResponse, Status> {
        let key = Some(Key::CallId(call.into()));
        let request = GetExhibitRequest { force_id: FORCE.into(), key };
        Ok(self.client.clone().get_exhibit(request).await?.into_inner())
    }

    pub async fn append(&self) -> Appending {
        Appending::to(&self.client).await
    }

    /// Everything published about a call, from the first, until `last` has come.
    pub async fn published(&self, call: &str, last: &str) -> Vec<Published> {
        let jetstream = self.nats.jetstream().await.unwrap();
        outbox::ensure_stream(&jetstream, "evidence").await.unwrap();
        let stream = jetstream.get_stream("ALCOVE_EVIDENCE").await.unwrap();
        let config = jetstream::consumer::pull::OrderedConfig::default();
        let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        let mut seen: Vec<Published> = vec![];
        let collect = async {
            while seen.last().is_none_or(|event| event.name != last) {
                let message = messages.next().await.unwrap().unwrap();
                let header = |name: &str| message.headers.as_ref().unwrap().get(name).map(ToString::to_string);
                if header("ce-subject").as_deref() == Some(call) {
                    let name = message.subject.split('.').nth(3).unwrap().to_owned();
                    let trace = Trace::parse(&header("traceparent").unwrap_or_default());
                    seen.push(Published { name, trace, payload: message.payload.to_vec() });
                }
            }
        };
        let came = tokio::time::timeout(PATIENCE, collect).await;
        assert!(came.is_ok(), "{last} doesn't come:\n{}", self.service.log());
        seen
    }

    pub async fn export(&self, exhibit: &str) -> Vec<u8> {
        let mut chunks = self.client.clone().export(exporting(exhibit)).await.unwrap().into_inner();
        let mut archive = Vec::new();
        while let Some(chunk) = chunks.message().await.unwrap() {
            archive.extend(chunk.chunk);
        }
        archive
    }

    /// Exports, and checks with nothing but the package and the trust roots.
    pub async fn verified(&self, exhibit: &str) -> verify::Report {
        let archive = self.export(exhibit).await;
        let file = self.data.path().join("package.tar");
        std::fs::write(&file, archive).unwrap();
        let roots = Roots::from_pem(&std::fs::read_to_string(self.roots()).unwrap()).unwrap();
        verify::verify(&file, Some(&roots)).unwrap()
    }

    pub fn roots(&self) -> PathBuf {
        self.data.path().join("signing/roots.pem")
    }

    pub async fn restart(&mut self) {
        self.service.restart().await.unwrap();
        self.client = connect(&self.service).await;
    }
}

pub async fn connect(service: &Service) -> Client {
    let client = EvidenceServiceClient::connect(service.url("grpc")).await.unwrap();
    client.max_encoding_message_size(16 << 20)
}

pub struct Published {
    pub name: String,
    pub trace: Trace,
    pub payload: Vec<u8>,
}

impl Published {
    pub fn decode<M: Message + Default>(&self) -> M {
        M::decode(self.payload.as_slice()).unwrap()
    }
}

/// One AppendSegments stream.
pub struct Appending {
    pub segments: mpsc::Sender<AppendSegmentsRequest>,
    pub acks: Streaming<AppendSegmentsResponse>,
}

impl Appending {
    pub async fn to(client: &Client) -> Self {
        let (segments, queue) = mpsc::channel(1_000);
        let acks = client.clone().append_segments(ReceiverStream::new(queue)).await.unwrap().into_inner();
        Self { segments, acks }
    }

    /// Sends one and waits for its ack.
    pub async fn send(&mut self, segment: AppendSegmentsRequest) -> Result<AppendSegmentsResponse, Status> {
        let _ = self.segments.send(segment).await;
        self.ack().await
    }

    pub async fn ack(&mut self) -> Result<AppendSegmentsResponse, Status> {
        let ack = tokio::time::timeout(PATIENCE, self.acks.message()).await.expect("an ack comes");
        ack.map(|ack| ack.expect("an ack"))
    }
}

pub fn fresh() -> String {
    Entropy::os().id::<CallId>(Clock::system().now()).to_string()
}

pub fn opening(call: &str) -> OpenExhibitRequest {
    OpenExhibitRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        call_id: call.into(),
        incident_date: "2026-11-24".into(),
        incident_number: "1123".into(),
    }
}

pub fn exporting(exhibit: &str) -> ExportRequest {
    ExportRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        exhibit_id: exhibit.into(),
        who: "DO 4411".into(),
        reason: "disclosure to the CPS".into(),
    }
}

pub fn at(seconds: u64) -> Timestamp {
    Timestamp { seconds: 1_800_000_000 + seconds as i64, nanos: 123_456_000 }
}

/// What a segment holds: the same for the same place.
pub fn bytes(track: &str, seq: u64, len: usize) -> Vec<u8> {
    let seed = Digest::of(format!("{track} {seq}").as_bytes());
    seed.as_bytes().iter().copied().cycle().take(len).collect()
}

pub fn segment(call: &str, track: &str, seq: u64) -> AppendSegmentsRequest {
    holding(call, track, seq, bytes(track, seq, 10_000))
}

pub fn holding(call: &str, track: &str, seq: u64, data: Vec<u8>) -> AppendSegmentsRequest {
    AppendSegmentsRequest {
        force_id: FORCE.into(),
        call_id: call.into(),
        track: track.into(),
        seq,
        sha256: Digest::of(&data).as_bytes().to_vec(),
        data,
        starts_at: Some(at(seq)),
        ends_at: Some(at(seq + 1)),
    }
}

/// Asserts the status and its machine-readable reason.
#[track_caller]
pub fn refused<T>(answer: Result<T, Status>, code: Code, reason: &str) -> Status {
    let status = answer.err().expect("a refusal");
    assert_eq!((status.code(), chassis::status::reason_of(&status).as_deref()), (code, Some(reason)), "{status:?}");
    status
}

/// The desk and video-session: each with an outbox and relay of its own, as in life.
pub struct Others {
    _servers: [TestDatabase; 2],
    transfer: PgPool,
    session: PgPool,
    _stop: chassis::ShutdownTrigger,
}

impl Others {
    pub async fn at(nats: &TestNats) -> Self {
        let (stop, shutdown) = Shutdown::manual();
        let (a, b) = tokio::join!(testkit::database(), testkit::database());
        for (db, service) in [(&a, "transfer"), (&b, "session")] {
            outbox::migrate(&db.pool()).await.unwrap();
            let relay = outbox::Relay::new(db.pool(), nats.jetstream().await.unwrap(), service);
            tokio::spawn(relay.run(shutdown.clone()));
        }
        Self { transfer: a.pool(), session: b.pool(), _servers: [a, b], _stop: stop }
    }

    pub async fn accepted(&self, call: &str) {
        let accepted = CallAccepted {
            call_id: call.into(),
            force_id: FORCE.into(),
            officer_id: "pc-1".into(),
            recording_consented: true,
            incident: Some(Incident { date: "2026-11-24".into(), number: "1123".into() }),
            ..CallAccepted::default()
        };
        publish(&self.transfer, "call_accepted", call, &accepted).await;
    }

    /// The session has ended; these tracks were recorded, with so many segments.
    pub async fn ended(&self, call: &str, tracks: &[(&str, u64)]) {
        publish(&self.session, "session_ended", call, &ending(call, tracks)).await;
    }
}

pub fn ending(call: &str, tracks: &[(&str, u64)]) -> SessionEnded {
    let id = || Entropy::os().id::<ParticipantId>(Clock::system().now()).to_string();
    let tracks = tracks.iter().map(|(track, segments)| RecordedTrack {
        track: (*track).into(),
        participant_id: id(),
        role: if track.starts_with("caller") { Role::Caller } else { Role::Officer }.into(),
        segments: *segments,
    });
    SessionEnded {
        call_id: call.into(),
        force_id: FORCE.into(),
        occurred_at: Some(at(100)),
        session_id: Entropy::os().id::<SessionId>(Clock::system().now()).to_string(),
        reason: "OFFICER_ENDED".into(),
        started_at: Some(at(0)),
        recorded: tracks.len() > 0,
        tracks: tracks.collect(),
    }
}

async fn publish<M: Message>(pool: &PgPool, name: &'static str, call: &str, message: &M) {
    let (call, force): (CallId, ForceId) = (call.parse().unwrap(), FORCE.parse().unwrap());
    let event = NewEvent::new(name, call, force, Trace::parse(TRACE), message);
    let mut tx = pool.begin().await.unwrap();
    outbox::write_in_tx(&mut tx, &Entropy::os(), Clock::system().now(), [event]).await.unwrap();
    tx.commit().await.unwrap();
}
