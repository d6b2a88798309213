//! The service as a process with a Postgres, a NATS and a data folder of its own; video-session's client; the other
//! services' voices.

pub mod films;
pub mod foreign;
pub mod inside;
pub mod items;
pub mod others;
pub mod retention;
mod vouchers;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use api::evidence::v1::{
    AppendSegmentsRequest, AppendSegmentsResponse, ExhibitSealed, ExportRequest, GetExhibitRequest, GetExhibitResponse,
    OpenExhibitRequest, evidence_service_client::EvidenceServiceClient, get_exhibit_request::Key,
};
use async_nats::jetstream;
use chassis::{Clock, Entropy, Trace};
use exhibit::{Digest, seal::Roots, timestamp::TsaRoots, verify};
use futures::StreamExt;
use ids::CallId;
use prost::Message;
use prost_types::Timestamp;
use tempfile::TempDir;
use testkit::{Service, TestDatabase, TestNats, tsa::Tsa};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming, transport::Channel};

/// Nothing here takes long; what takes longer than this hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const FORCE: &str = "wmp";
/// What is owed when the call has ended is not waited for.
pub const NO_GRACE: (&str, &str) = ("ALCOVE_EVIDENCE_STORE__SEALING__GRACE_SECONDS", "0");
/// An addendum stays open until all is there, or its seal is asked for.
pub const NEVER_QUIET: (&str, &str) = ("ALCOVE_EVIDENCE_STORE__ADDENDUM__QUIET_SECONDS", "86400");
pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

pub use others::Others;
pub use vouchers::*;

pub type Client = EvidenceServiceClient<Channel>;

pub struct Room {
    pub env: Vec<(String, String)>,
    pub db: TestDatabase,
    pub nats: TestNats,
    pub service: Service,
    pub client: Client,
    /// The timestamp authority, where there is one.
    pub tsa: Option<Tsa>,
    /// The witness, where there is one.
    pub witness: Option<Witness>,
    /// Behind the service, which ends first: it would write into what is being removed.
    pub data: TempDir,
}

impl Room {
    pub async fn open() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
        let data = TempDir::new().unwrap();
        let own = [
            ("ALCOVE_EVIDENCE_STORE__DATABASE__URL", db.url()),
            ("ALCOVE_EVIDENCE_STORE__NATS__URL", nats.url().to_owned()),
            ("ALCOVE_EVIDENCE_STORE__JOURNAL__DATA_DIR", data.path().to_str().unwrap().to_owned()),
        ];
        let mut env: Vec<_> = own.map(|(key, value)| (key.to_owned(), value)).into();
        env.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        Service::migrate("evidence-store", &borrowed(&env)).await.unwrap();
        let service = Service::start("evidence-store", &borrowed(&env)).await.unwrap();
        let client = connect(&service).await;
        Self { env, db, nats, service, client, tsa: None, witness: None, data }
    }

    /// Runs a command of the stopped service with its settings, and these over them. What it prints.
    pub async fn errand(&self, errand: &str, settings: &[(&str, &str)]) -> Result<String, testkit::Error> {
        let mut env = borrowed(&self.env);
        env.extend_from_slice(settings);
        Service::errand("evidence-store", errand, &env).await
    }

    /// Another process with the same settings, and these over them.
    pub async fn start_with(&mut self, settings: &[(&str, &str)]) -> Result<(), testkit::Error> {
        for (key, value) in settings {
            self.env.retain(|(there, _)| there != key);
            self.env.push(((*key).to_owned(), (*value).to_owned()));
        }
        self.service = Service::start("evidence-store", &borrowed(&self.env)).await?;
        self.client = connect(&self.service).await;
        Ok(())
    }

    /// The journal's files, in order.
    pub fn journal(&self) -> Vec<PathBuf> {
        journal_in(self.data.path())
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
        self.published_times(call, last, 1).await
    }

    /// The same, until `last` has come so many times.
    pub async fn published_times(&self, call: &str, last: &str, times: usize) -> Vec<Published> {
        let jetstream = self.nats.jetstream().await.unwrap();
        outbox::ensure_stream(&jetstream, "evidence").await.unwrap();
        let stream = jetstream.get_stream("ALCOVE_EVIDENCE").await.unwrap();
        let config = jetstream::consumer::pull::OrderedConfig::default();
        let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        let mut seen: Vec<Published> = vec![];
        let collect = async {
            while seen.iter().filter(|event| event.name == last).count() < times {
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

    /// Everything published up to now.
    pub async fn everything(&self) -> Vec<Published> {
        let jetstream = self.nats.jetstream().await.unwrap();
        let mut stream = jetstream.get_stream("ALCOVE_EVIDENCE").await.unwrap();
        let last = stream.info().await.unwrap().state.last_sequence;
        let config = jetstream::consumer::pull::OrderedConfig::default();
        let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        let mut seen = vec![];
        loop {
            let message = tokio::time::timeout(PATIENCE, messages.next()).await.unwrap().unwrap().unwrap();
            let name = message.subject.split('.').nth(3).unwrap().to_owned();
            seen.push(Published { name, trace: Trace::default(), payload: message.payload.to_vec() });
            if message.info().unwrap().stream_sequence >= last {
                return seen;
            }
        }
    }

    pub async fn export(&self, exhibit: &str) -> Vec<u8> {
        let mut chunks = self.client.clone().export(exporting(exhibit)).await.unwrap().into_inner();
        let mut archive = Vec::new();
        while let Some(chunk) = chunks.message().await.unwrap() {
            archive.extend(chunk.chunk);
        }
        archive
    }

    /// Exports, and checks with nothing but the package and every root and key that there is in this room.
    pub async fn verified(&self, exhibit: &str) -> verify::Report {
        let file = self.data.path().join("package.tar");
        std::fs::write(&file, self.export(exhibit).await).unwrap();
        self.verified_file(&file)
    }

    pub fn verified_file(&self, file: &Path) -> verify::Report {
        let trust = verify::Trust {
            signers: Some(Roots::from_pem(&std::fs::read_to_string(self.roots()).unwrap()).unwrap()),
            timestamps: self.tsa.as_ref().map(|tsa| TsaRoots::from_pem(tsa.roots_pem()).unwrap()),
            log: Some(self.log_key()),
            witnesses: self.witness.iter().map(Witness::key).collect(),
        };
        verify::verify(file, &trust).unwrap()
    }

    /// A call with one track, which has ended.
    pub async fn ended_call(&self, others: &Others, segments: u64) -> String {
        let call = self.call().await;
        let mut stream = self.append().await;
        for seq in 0..segments {
            stream.send(segment(&call, "caller-1", seq)).await.unwrap();
        }
        others.ended(&call, &[("caller-1", segments)]).await;
        call
    }

    pub async fn sealed(&self, call: &str) -> ExhibitSealed {
        self.published(call, "exhibit_sealed").await.pop().unwrap().decode()
    }

    /// Waits until an exhibit is as it is to be.
    pub async fn exhibit_until(&self, call: &str, so: impl Fn(&GetExhibitResponse) -> bool) -> GetExhibitResponse {
        let mut last = None;
        let came = testkit::eventually("the exhibit as it is to be", async || match self.exhibit(call).await {
            Ok(exhibit) if so(&exhibit) => Some(exhibit),
            other => {
                last = Some(other);
                None
            }
        });
        let came = came.await;
        came.unwrap_or_else(|late| panic!("{late}still {last:?}:\n{}", self.service.log()))
    }

    /// A file of an exported package.
    pub async fn file(&self, exhibit: &str, path: &str) -> Vec<u8> {
        let archive = self.export(exhibit).await;
        file_in(&archive, path).unwrap_or_else(|| panic!("no {path}"))
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::Row::get(&sqlx::query(sql).fetch_one(&self.db.pool()).await.unwrap(), 0)
    }

    pub fn roots(&self) -> PathBuf {
        self.data.path().join("signing/roots.pem")
    }

    pub async fn restart(&mut self) {
        self.service.restart().await.unwrap();
        self.client = connect(&self.service).await;
    }
}

/// The journal's files in a data folder, in order.
pub fn journal_in(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "alj")).collect();
    files.sort();
    files
}

/// Every file within a tar, by its path.
pub fn files_in(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let text = |field: &[u8]| String::from_utf8(field.split(|b| *b == 0).next().unwrap().to_vec()).unwrap();
    let (mut files, mut at) = (BTreeMap::new(), 0);
    while let Some(header) = archive.get(at..at + 512).filter(|header| header[0] != 0) {
        let len = usize::from_str_radix(&text(&header[124..135]), 8).unwrap();
        let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        files.insert(path, archive[at + 512..at + 512 + len].to_vec());
        at += 512 + len.next_multiple_of(512);
    }
    files
}

/// A file within a tar.
pub fn file_in(archive: &[u8], path: &str) -> Option<Vec<u8>> {
    files_in(archive).remove(path)
}

fn borrowed(env: &[(String, String)]) -> Vec<(&str, &str)> {
    env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
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

    /// As [`Appending::to`], of a process that may die meanwhile.
    pub async fn attempt(client: &Client) -> Option<Self> {
        let (segments, queue) = mpsc::channel(1_000);
        let acks = client.clone().append_segments(ReceiverStream::new(queue)).await.ok()?.into_inner();
        Some(Self { segments, acks })
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
        only: Vec::new(),
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
        data: data.into(),
        starts_at: Some(at(seq)),
        ends_at: Some(at(seq + 1)),
    }
}

/// What an ack says is held: a repeat gets the same, under a receipt of its own.
pub fn held(ack: AppendSegmentsResponse) -> AppendSegmentsResponse {
    AppendSegmentsResponse { receipt: None, ..ack }
}

/// Asserts the status and its machine-readable reason.
#[track_caller]
pub fn refused<T>(answer: Result<T, Status>, code: Code, reason: &str) -> Status {
    let status = answer.err().expect("a refusal");
    assert_eq!((status.code(), chassis::status::reason_of(&status).as_deref()), (code, Some(reason)), "{status:?}");
    status
}
