//! The service as a process of its own: one that can be killed.

use testkit::Service;

use super::{Rig, settings};

impl Rig {
    /// As a process, on the machine's own clock.
    pub async fn as_process(more: &[(&str, String)]) -> (Self, Service) {
        let (database, nats) = tokio::join!(testkit::database(), testkit::nats());
        let dir = tempfile::tempdir().unwrap();
        let env = settings(&database, &nats, dir.path(), more);
        let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Service::migrate("video-session", &env).await.unwrap();
        let service = Service::start("video-session", &env).await.unwrap();
        let clock = chassis::ManualClock::new("2026-11-24T12:00:00Z".parse().unwrap());
        let (grpc, http) = (service.address("grpc").to_owned(), service.address("http").to_owned());
        (Self::reach(database, nats, dir, clock, &grpc, &http, None).await, service)
    }
}
