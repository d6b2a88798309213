//! Two instances as processes, on one database and bus, behind one front, with a real evidence-store.

use std::path::PathBuf;

use ids::CallId;
use reqwest::{Method, RequestBuilder};
use testkit::{
    Front, Proxy, Service,
    phone::{Phone, Steady},
    until,
};

use super::{Rig, evidence::Evidence, pass, settings};

pub struct Several {
    pub rig: Rig,
    pub a: Service,
    pub b: Service,
    pub front: Front,
    pub evidence: Evidence,
    /// a's way to evidence-store.
    pub road: Proxy,
    /// Follows no redirect.
    pub http: reqwest::Client,
    env_a: Vec<(String, String)>,
}

impl Several {
    pub async fn start(more: &[(&str, String)]) -> Self {
        let (database, nats) = tokio::join!(testkit::database(), testkit::nats());
        let (evidence, front) = (Evidence::start().await, Front::open().await.unwrap());
        let road = Proxy::start(evidence.service.address("grpc")).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let env = |name: &str, evidence: String| {
            let own = [("instance__name", name), ("instance__lease_ms", "1000")].map(|(key, to)| (key, to.to_owned()));
            let own = own.into_iter().chain([("http__public_url", front.url()), ("evidence__url", evidence)]);
            let all: Vec<_> = own.chain(more.iter().cloned()).collect();
            settings(&database, &nats, &dir.path().join(name), &all)
        };
        let (env_a, env_b) = (env("a", format!("http://{}", road.address())), env("b", evidence.service.url("grpc")));
        Service::migrate("video-session", &refs(&env_a)).await.unwrap();
        let a = Service::start("video-session", &refs(&env_a)).await.unwrap();
        let b = Service::start("video-session", &refs(&env_b)).await.unwrap();
        front.lead("a", a.address("http"));
        front.lead("b", b.address("http"));
        let clock = chassis::ManualClock::new("2026-11-24T12:00:00Z".parse().unwrap());
        let host = front.url().trim_start_matches("http://").to_owned();
        let rig = Rig::reach(database, nats, dir, clock, b.address("grpc"), &host, None).await;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { rig, a, b, front, evidence, road, http, env_a }
    }

    /// Somebody has made a mistake: another process with the name of the first, on another disk.
    pub async fn another_a(&self) -> Service {
        let mut env = self.env_a.clone();
        for (key, folder) in [("spool__dir", "spool"), ("spool__receipts_dir", "receipts")] {
            let folder = self.rig.dir.path().join("another").join(folder);
            env.push((testkit::key("video-session", key), folder.display().to_string()));
        }
        Service::start("video-session", &refs(&env)).await.unwrap()
    }

    pub fn spool(&self, name: &str) -> PathBuf {
        self.rig.dir.path().join(name).join("spool")
    }

    /// A request to one instance, whoever carries the session.
    pub fn ask(&self, service: &Service, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", service.url("http"))).bearer_auth(token)
    }

    /// An officer and a caller who stay in their call, which `a` carries.
    pub async fn talk(&self) -> (CallId, Steady, Steady) {
        let call = self.rig.accepted(true).await;
        let officer = Phone::new(pass(self.rig.join(call).await));
        let taken = self.ask(&self.a, Method::GET, "/events", &officer.pass().token).send().await.unwrap();
        assert_eq!(taken.status(), 200);
        let officer = officer.stay();
        let code = self.rig.invite(call).await.unwrap().code;
        let caller = Phone::new(testkit::phone::join(&self.front.url(), &code).await.unwrap()).stay();
        officer.sees("guest-1", 15, super::PATIENCE).await.unwrap();
        caller.sees("host-1", 15, super::PATIENCE).await.unwrap();
        (call, officer, caller)
    }

    /// The name of the instance that carries a call, dead or alive, and the epoch.
    pub async fn owner(&self, call: CallId) -> (Option<String>, i64) {
        sqlx::query_as(
            "select (select name from session.instances where instance_id = owner), epoch
             from session.sessions where call_id = $1",
        )
        .bind(call.uuid())
        .fetch_one(&self.rig.database.pool())
        .await
        .unwrap()
    }

    /// Waits until an instance has said that evidence-store has all that it recorded.
    pub async fn whole(&self, name: &str, call: CallId) {
        until("the last of a part", async || {
            let whole: Option<bool> = sqlx::query_scalar(
                "select bool_and(whole) from session.tracks t join session.sessions s using (session_id)
                 where call_id = $1 and instance = $2",
            )
            .bind(call.uuid())
            .bind(name)
            .fetch_one(&self.rig.database.pool())
            .await
            .unwrap();
            whole == Some(true)
        })
        .await;
    }
}

fn refs(env: &[(String, String)]) -> Vec<(&str, &str)> {
    env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}
