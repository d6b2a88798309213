//! What the tests share: the service as a process, an officer's client, and the other services' voices.

use std::{collections::BTreeMap, time::Duration};

use api::{
    evidence::v1 as evidence,
    intake::v1::{self as intake, ConsentKind, Incident, consent_recorded::ConsentFact},
    referral::v1::{
        GetPackageRequest, GetPackageResponse, PackageOpened, referral_service_client::ReferralServiceClient,
    },
    session::v1 as session,
    transfer::v1 as transfer,
};
use async_nats::jetstream;
use chassis::{Clock, Entropy, Shutdown, Trace};
use futures::StreamExt;
use ids::CallId;
use outbox::NewEvent;
use prost::Message;
use sqlx::{PgPool, postgres::PgListener};
use testkit::{Postgres, Service, TestDatabase, TestNats};
use tonic::{Code, Status, transport::Channel};

pub const PATIENCE: Duration = Duration::from_secs(30);
pub const FORCE: &str = "wmp";
const EXHIBIT: &str = "01900000-0000-7000-8000-000000000001";
const SESSION: &str = "01900000-0000-7000-8000-000000000002";

/// Referral as a process, an officer's client, and the other services' voices.
pub struct Desk {
    pub db: TestDatabase,
    pub nats: TestNats,
    pub service: Service,
    client: ReferralServiceClient<Channel>,
    others: BTreeMap<&'static str, PgPool>,
    _server: Postgres,
    _stop: chassis::ShutdownTrigger,
}

impl Desk {
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// With these settings too.
    pub async fn open_with(settings: &[(&str, &str)]) -> Self {
        Self::open_on(testkit::nats().await, settings).await
    }

    /// On this bus, where others may be, too.
    pub async fn open_on(nats: TestNats, settings: &[(&str, &str)]) -> Self {
        let db = testkit::database().await;
        let (url, bus) = (db.url(), nats.url().to_owned());
        let own = [("ALCOVE_REFERRAL__DATABASE__URL", url.as_str()), ("ALCOVE_REFERRAL__NATS__URL", bus.as_str())];
        let env: Vec<_> = own.into_iter().chain(settings.iter().copied()).collect();
        Service::migrate("referral", &env).await.unwrap();
        db.tell_inbox().await.unwrap();
        let service = Service::start("referral", &env).await.unwrap();
        let client = ReferralServiceClient::connect(service.url("grpc")).await.unwrap();

        let server = Postgres::launch(testkit::Durability::Off).await.unwrap();
        let (stop, shutdown) = Shutdown::manual();
        let mut others = BTreeMap::new();
        for name in ["intake", "transfer", "session", "evidence"] {
            server.create_database(name).await.unwrap();
            let pool = PgPool::connect(&server.url_of_all(name)).await.unwrap();
            outbox::migrate(&pool).await.unwrap();
            let relay = outbox::Relay::new(pool.clone(), nats.jetstream().await.unwrap(), name);
            tokio::spawn(relay.run(shutdown.clone()));
            others.insert(name, pool);
        }
        Self { db, nats, service, client, others, _server: server, _stop: stop }
    }

    pub async fn says<M: Message>(&self, who: &str, name: &'static str, call: &str, message: &M) {
        self.says_in(FORCE, who, name, call, message).await;
    }

    pub async fn says_in<M: Message>(&self, force: &str, who: &str, name: &'static str, call: &str, message: &M) {
        let trace = Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let event = NewEvent::new(name, call.parse().unwrap(), force.parse().unwrap(), trace, message);
        let mut tx = self.others[who].begin().await.unwrap();
        outbox::write_in_tx(&mut tx, &Entropy::os(), Clock::system().now(), [event]).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn consented(&self, call: &str, given: bool) {
        let consents = vec![ConsentFact { kind: ConsentKind::Video.into(), given, ..Default::default() }];
        let (call_id, force_id) = (call.to_owned(), FORCE.to_owned());
        let recorded = intake::ConsentRecorded { call_id, force_id, occurred_at: None, consents };
        self.says("intake", "consent_recorded", call, &recorded).await;
    }

    pub async fn accepted(&self, call: &str) {
        self.accepted_by("PC1", call).await;
    }

    pub async fn accepted_by(&self, officer: &str, call: &str) {
        let accepted = transfer::CallAccepted {
            call_id: call.into(),
            force_id: FORCE.into(),
            officer_id: officer.into(),
            incident: Some(Incident { date: "2026-11-24".into(), number: "1123".into() }),
            ..Default::default()
        };
        self.says("transfer", "call_accepted", call, &accepted).await;
    }

    pub async fn opened(&self, call: &str) {
        let opened = evidence::ExhibitOpened {
            call_id: call.into(),
            force_id: FORCE.into(),
            occurred_at: None,
            exhibit_id: EXHIBIT.into(),
            reference: "WMP/1".into(),
        };
        self.says("evidence", "exhibit_opened", call, &opened).await;
    }

    pub async fn sealed(&self, call: &str) {
        let sealed = evidence::ExhibitSealed {
            call_id: call.into(),
            force_id: FORCE.into(),
            occurred_at: None,
            exhibit_id: EXHIBIT.into(),
            reference: "WMP/1".into(),
            seal_sha256: "ab".repeat(32),
            missing_segments: 0,
        };
        self.says("evidence", "exhibit_sealed", call, &sealed).await;
    }

    pub async fn ended(&self, call: &str, recorded: bool) {
        self.ended_in(FORCE, call, recorded).await;
    }

    pub async fn ended_in(&self, force: &str, call: &str, recorded: bool) {
        let ended = session::SessionEnded {
            call_id: call.into(),
            force_id: force.into(),
            session_id: SESSION.into(),
            reason: "OFFICER_ENDED".into(),
            recorded,
            ..Default::default()
        };
        self.says_in(force, "session", "session_ended", call, &ended).await;
    }

    pub async fn get(&self, force: &str, call: &str) -> Result<GetPackageResponse, Status> {
        let request = GetPackageRequest { force_id: force.into(), call_id: call.into() };
        Ok(self.client.clone().get_package(request).await?.into_inner())
    }

    /// The packages that were opened, from the first, until this call's is among them.
    pub async fn announced(&self, call: &str) -> Vec<(PackageOpened, Trace)> {
        let jetstream = self.nats.jetstream().await.unwrap();
        outbox::ensure_stream(&jetstream, "referral").await.unwrap();
        let stream = jetstream.get_stream("ALCOVE_REFERRAL").await.unwrap();
        let config = jetstream::consumer::pull::OrderedConfig::default();
        let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        let mut seen: Vec<(PackageOpened, Trace)> = vec![];
        let collect = async {
            while seen.last().is_none_or(|(opened, _)| opened.call_id != call) {
                let message = messages.next().await.unwrap().unwrap();
                let trace = message.headers.as_ref().unwrap().get("traceparent").unwrap().to_string();
                seen.push((PackageOpened::decode(message.payload.clone()).unwrap(), Trace::parse(&trace)));
            }
        };
        tokio::time::timeout(PATIENCE, collect).await.expect("the package opens");
        seen
    }

    /// An officer's client.
    pub fn client(&self) -> ReferralServiceClient<Channel> {
        self.client.clone()
    }

    /// A client of the service started again.
    pub async fn reconnect(&mut self) {
        self.client = ReferralServiceClient::connect(self.service.url("grpc")).await.unwrap();
    }

    /// An ear on a channel of the service's database.
    pub async fn hears(&self, channel: &str) -> PgListener {
        let mut ear = PgListener::connect(&self.db.url()).await.unwrap();
        ear.listen(channel).await.unwrap();
        ear
    }

    /// Returns once referral has taken so many events in. A kept fact tells nobody, so the inbox does.
    pub async fn taken(&self, count: i64) {
        let inbox_pool = self.db.pool();
        let mut inbox = self.hears("inbox").await;
        let rows = || sqlx::query_scalar::<_, i64>("select count(*) from outbox.inbox").fetch_one(&inbox_pool);
        while rows().await.unwrap() < count {
            tokio::time::timeout(PATIENCE, inbox.recv()).await.expect("the event is taken in").unwrap();
        }
    }
}

pub fn new_call() -> String {
    Entropy::os().id::<CallId>(Clock::system().now()).to_string()
}

#[track_caller]
pub fn refused<T>(answer: Result<T, Status>, code: Code, reason: &str) {
    let status = answer.err().expect("a refusal");
    assert_eq!((status.code(), chassis::status::reason_of(&status).as_deref()), (code, Some(reason)), "{status:?}");
}
