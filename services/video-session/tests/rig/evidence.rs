//! A real evidence-store for a rig's recordings.

use std::collections::BTreeMap;

use api::{
    evidence::v1::{
        GetExhibitRequest, ReadItemRequest, evidence_service_client::EvidenceServiceClient, get_exhibit_request::Key,
    },
    session::v1::SessionEnded,
};
use chassis::{Clock, Entropy};
use ids::{CallId, RequestId};
use testkit::{Service, TestDatabase, TestNats, key};
use tonic::Response;

use super::{FORCE, OFFICER, Rig, Time};

/// A real evidence-store, with what it stands on.
pub struct Evidence {
    pub service: Service,
    _database: TestDatabase,
    _nats: TestNats,
    pub dir: tempfile::TempDir,
}

impl Evidence {
    pub async fn start() -> Self {
        let (database, nats) = tokio::join!(testkit::database(), testkit::nats());
        let dir = tempfile::tempdir().unwrap();
        let env: Vec<(String, String)> = [
            ("database__url", database.url()),
            ("nats__url", nats.url().to_owned()),
            ("journal__data_dir", dir.path().join("evidence").display().to_string()),
        ]
        .map(|(name, value)| (key("evidence-store", name), value))
        .into();
        let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Service::migrate("evidence-store", &env).await.unwrap();
        let service = Service::start("evidence-store", &env).await.unwrap();
        service.ready().await.unwrap();
        Self { service, _database: database, _nats: nats, dir }
    }

    /// The paths of a call's items, in their order.
    pub async fn items(&self, call: CallId) -> Vec<String> {
        let mut client = EvidenceServiceClient::connect(self.service.url("grpc")).await.unwrap();
        let request = GetExhibitRequest { force_id: FORCE.to_owned(), key: Some(Key::CallId(call.to_string())) };
        let exhibit = client.get_exhibit(request).await.map(Response::into_inner).unwrap_or_default();
        exhibit.items.into_iter().map(|item| item.path).collect()
    }

    /// One of a call's files.
    pub async fn read(&self, call: CallId, path: &str) -> Vec<u8> {
        let mut client = EvidenceServiceClient::connect(self.service.url("grpc")).await.unwrap();
        let request = GetExhibitRequest { force_id: FORCE.to_owned(), key: Some(Key::CallId(call.to_string())) };
        let exhibit_id = client.get_exhibit(request).await.unwrap().into_inner().exhibit_id;
        let request = ReadItemRequest {
            request_id: Entropy::os().id::<RequestId>(Clock::system().now()).to_string(),
            force_id: FORCE.to_owned(),
            exhibit_id,
            path: path.to_owned(),
            who: OFFICER.to_owned(),
            reason: "playback".to_owned(),
            ..Default::default()
        };
        let mut chunks = client.read_item(request).await.unwrap().into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await.unwrap() {
            bytes.extend(chunk.chunk);
        }
        bytes
    }

    /// Segments by track, as evidence-store has them.
    pub async fn holds(&self, call: CallId) -> BTreeMap<String, u64> {
        let mut client = EvidenceServiceClient::connect(self.service.url("grpc")).await.unwrap();
        let request = GetExhibitRequest { force_id: FORCE.to_owned(), key: Some(Key::CallId(call.to_string())) };
        match client.get_exhibit(request).await {
            Ok(exhibit) => exhibit.into_inner().tracks.into_iter().map(|track| (track.track, track.segments)).collect(),
            Err(_) => BTreeMap::new(),
        }
    }
}

impl Rig {
    /// In this process, beside a real evidence-store.
    pub async fn beside(evidence: &Evidence) -> Self {
        Self::start(Time::Real, &[("evidence__url", evidence.service.url("grpc"))]).await
    }
}

/// Segments by track, as the end of a call tells of them.
pub fn declared(ended: &SessionEnded) -> BTreeMap<String, u64> {
    ended.tracks.iter().map(|track| (track.track.clone(), track.segments)).collect()
}

/// Segments by track, counted in the spool's files: what its reader makes of them is not asked.
pub fn spooled(spool: &std::path::Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for session in std::fs::read_dir(spool).unwrap() {
        for file in std::fs::read_dir(session.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "film") {
                let count = segments(&std::fs::read(&path).unwrap());
                found.insert(path.file_stem().unwrap().to_str().unwrap().to_owned(), count);
            }
        }
    }
    found.retain(|_, count| *count > 0);
    found
}

/// How many segments of a track's file are whole.
pub fn segments(film: &[u8]) -> u64 {
    const HEADER: usize = 80;
    let (mut count, mut at) = (0, 0);
    while let Some(length) = film.get(at + 32..at + 40) {
        at += HEADER + u64::from_be_bytes(length.try_into().unwrap()) as usize;
        count += u64::from(at <= film.len());
    }
    count
}
