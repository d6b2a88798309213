//! A real evidence-store, and what it and the spools hold.

use std::collections::BTreeMap;

use api::{
    evidence::v1::{GetExhibitRequest, evidence_service_client::EvidenceServiceClient, get_exhibit_request::Key},
    session::v1::SessionEnded,
};
use ids::CallId;
use testkit::{Service, TestDatabase, TestNats, key};

use super::FORCE;

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

/// Segments by track, as they were declared.
pub fn declared(ended: &SessionEnded) -> BTreeMap<String, u64> {
    ended.tracks.iter().map(|track| (track.track.clone(), track.segments)).collect()
}

/// Segments by track, from the files' own numbers.
pub fn spooled(spool: &std::path::Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for session in std::fs::read_dir(spool).unwrap() {
        for track in std::fs::read_dir(session.unwrap().path()).unwrap() {
            let track = track.unwrap();
            let Ok(files) = std::fs::read_dir(track.path()) else { continue };
            let seqs =
                files.filter_map(|file| file.unwrap().file_name().to_str()?.strip_suffix(".seg")?.parse::<u64>().ok());
            if let Some(newest) = seqs.max() {
                found.insert(track.file_name().into_string().unwrap(), newest + 1);
            }
        }
    }
    found
}
