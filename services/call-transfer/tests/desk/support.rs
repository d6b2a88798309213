//! A desk for a test: real Postgres and NATS, one or more replicas in this process, and the two services it hears.

use std::path::PathBuf;

use api::{
    intake::v1::{
        ConsentKind, ConsentRecorded, FastTrackAcknowledged, FastTrackEscalated, Incident, JoinRoute, RiskGrade,
        SilentCaller, TransferCancelled, TransferRequested, consent_recorded::ConsentFact,
    },
    session::v1::SessionEnded,
    transfer::v1::{CallQueued, Presence},
};
use call_transfer::{Config, Error};
use chassis::{Ambient, Clock, Entropy, ManualClock, Shutdown, ShutdownTrigger, Trace};
use chrono::DateTime;
use futures::StreamExt;
use ids::{CallId, FastTrackId, ForceId};
use outbox::{NewEvent, Relay};
use sqlx::PgPool;
use testkit::{Durability, Postgres, Service, TestNats};
use tokio::task::JoinHandle;
use tonic::Status;

use crate::officer::PATIENCE;
pub use crate::officer::{Officer, request_id};

/// The trace that intake's request lies in.
pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A clock that the test turns.
pub fn clock() -> ManualClock {
    ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
}

pub struct TestDesk {
    pub postgres: Postgres,
    pub nats: TestNats,
    pub clock: Clock,
    pub pool: PgPool,
    intake: Source,
    session: Source,
    pub events: async_nats::Subscriber,
    replicas: Vec<Replica>,
    dir: tempfile::TempDir,
    settings: Vec<(String, String)>,
}

/// Another service, as far as the desk hears it.
struct Source {
    pool: PgPool,
    stop: ShutdownTrigger,
    relay: JoinHandle<()>,
}

struct Replica {
    address: String,
    stop: ShutdownTrigger,
    running: JoinHandle<Result<(), Error>>,
}

impl TestDesk {
    pub async fn start(clock: Clock, replicas: usize, settings: &[(&str, &str)]) -> Self {
        Self::start_on(Durability::Off, clock, replicas, settings).await
    }

    pub async fn start_on(durability: Durability, clock: Clock, replicas: usize, settings: &[(&str, &str)]) -> Self {
        let postgres = Postgres::launch(durability).await.unwrap();
        let nats = TestNats::launch().await.unwrap();
        for name in ["call_transfer", "intake", "session"] {
            postgres.create_database(name).await.unwrap();
        }
        let events = nats.client().await.unwrap().subscribe("alcove.transfer.v1.>").await.unwrap();
        let mut desk = Self {
            pool: PgPool::connect(&postgres.url_of_all("call_transfer")).await.unwrap(),
            intake: Source::start(&postgres, &nats, "intake").await,
            session: Source::start(&postgres, &nats, "session").await,
            settings: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            dir: tempfile::tempdir().unwrap(),
            replicas: Vec::new(),
            postgres,
            nats,
            clock,
            events,
        };
        call_transfer::migrate(desk.config(0)).await.unwrap();
        for _ in 0..replicas {
            desk.add_replica().await;
        }
        desk
    }

    fn address_file(&self, n: usize) -> PathBuf {
        self.dir.path().join(format!("{n}.json"))
    }

    fn config(&self, n: usize) -> Config {
        let mut env = vec![
            ("GRPC__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("HEALTH__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("ADDRESS_FILE".to_owned(), self.address_file(n).display().to_string()),
            ("DATABASE__URL".to_owned(), self.postgres.url("call_transfer")),
            ("NATS__URL".to_owned(), self.nats.url().to_owned()),
            // Open, unless the test says otherwise.
            ("HOURS__EVERY_DAY".to_owned(), "00:00-24:00".to_owned()),
        ];
        env.extend(self.settings.iter().cloned());
        let env = env.into_iter().map(|(key, value)| (format!("ALCOVE_CALL_TRANSFER__{key}"), value));
        chassis::config::load("call-transfer", call_transfer::SERVICE.defaults, env).unwrap()
    }

    /// A replica as a process of its own.
    pub async fn process(&self) -> Service {
        let key = |key: &str| testkit::key("call-transfer", key);
        let mut env = vec![
            (key("database__url"), self.postgres.url("call_transfer")),
            (key("nats__url"), self.nats.url().to_owned()),
            (key("hours__every_day"), "00:00-24:00".to_owned()),
        ];
        env.extend(self.settings.iter().map(|(name, value)| (key(name), value.clone())));
        let env: Vec<_> = env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        Service::start("call-transfer", &env).await.unwrap()
    }

    pub async fn add_replica(&mut self) {
        let n = self.replicas.len();
        let (stop, shutdown) = Shutdown::manual();
        let ambient = Ambient { clock: self.clock.clone(), entropy: Entropy::os() };
        let running = tokio::spawn(call_transfer::run(self.config(n), ambient, shutdown));
        let mut addresses = testkit::listening(&self.address_file(n)).await.unwrap();
        self.replicas.push(Replica { address: addresses.remove("grpc").unwrap(), stop, running });
    }

    /// Officers of this force, at a replica.
    pub fn officer(&self, replica: usize, force: &str, id: &str) -> Officer {
        Officer::at(&format!("http://{}", self.replicas[replica].address), force, id)
    }

    /// An officer who is free.
    pub async fn free(&self, id: &str) -> Officer {
        let mut officer = self.officer(0, "wmp", id);
        officer.presence(Presence::Free).await.unwrap();
        officer
    }

    pub fn new_call(&self) -> CallId {
        Entropy::os().id(self.clock.now())
    }

    pub fn new_fast_track(&self) -> FastTrackId {
        Entropy::os().id(self.clock.now())
    }

    /// intake asks for the desk.
    pub async fn request(&self, call: CallId, risk: RiskGrade) {
        self.request_as(call, TransferRequested { language: "pa".to_owned(), ..asked(risk) }).await;
    }

    /// The same, for a caller with needs of their own.
    pub async fn request_as(&self, call: CallId, asked: TransferRequested) {
        self.request_at("wmp", call, asked).await;
    }

    /// The same, at the desk of any force.
    async fn request_at(&self, force: &str, call: CallId, asked: TransferRequested) {
        let event = TransferRequested {
            call_id: call.to_string(),
            force_id: force.to_owned(),
            children_present: true,
            silent_caller: SilentCaller::TapsOnly.into(),
            route: JoinRoute::SpokenCode.into(),
            recording_consented: true,
            covered_recording_consented: true,
            incident: asked.incident.or(Some(Incident { date: "2026-11-24".to_owned(), number: "1123".to_owned() })),
            ..asked
        };
        self.intake.tell_of(force, &self.clock, "transfer_requested", call, &event).await;
    }

    /// A new call waits at this force's desk.
    pub async fn call_at(&self, force: &str) -> CallId {
        let call = self.new_call();
        self.request_at(force, call, asked(RiskGrade::High)).await;
        call
    }

    /// A new call waits.
    pub async fn call(&self, risk: RiskGrade) -> CallId {
        let call = self.new_call();
        self.request(call, risk).await;
        call
    }

    /// A new call waits, and the desk has told of it.
    pub async fn queued(&mut self) -> CallId {
        let call = self.call(RiskGrade::High).await;
        self.event::<CallQueued>("call_queued").await;
        call
    }

    /// A new call of a caller with needs of their own waits.
    pub async fn call_as(&self, asked: TransferRequested) -> CallId {
        let call = self.new_call();
        self.request_as(call, asked).await;
        call
    }

    /// The control room has not taken a fast-track on.
    pub async fn escalate(&self, call: CallId, fast_track: FastTrackId, times_raised: u32, officer: &str) {
        let event = FastTrackEscalated {
            call_id: call.to_string(),
            force_id: "wmp".to_owned(),
            fast_track_id: fast_track.to_string(),
            times_raised,
            officer_id: officer.to_owned(),
            ..Default::default()
        };
        self.intake.tell(&self.clock, "fast_track_escalated", call, &event).await;
    }

    /// The control room has.
    pub async fn take_on(&self, call: CallId, fast_track: FastTrackId) {
        let (call_id, force_id, fast_track_id) = (call.to_string(), "wmp".to_owned(), fast_track.to_string());
        let event = FastTrackAcknowledged { call_id, force_id, fast_track_id, ..Default::default() };
        self.intake.tell(&self.clock, "fast_track_acknowledged", call, &event).await;
    }

    /// The control room takes it back.
    pub async fn cancel(&self, call: CallId) {
        let event = TransferCancelled { call_id: call.to_string(), force_id: "wmp".to_owned(), occurred_at: None };
        self.intake.tell(&self.clock, "transfer_cancelled", call, &event).await;
    }

    /// The caller tells the control room what they agree to by now; `nth` is intake's event about the call, the request being the first.
    /// The desk has heard of it then.
    pub async fn consent(&self, call: CallId, nth: i64, consents: &[(ConsentKind, bool)]) {
        let fact = |(kind, given): &(ConsentKind, bool)| ConsentFact {
            kind: (*kind).into(),
            given: *given,
            ..Default::default()
        };
        let event = ConsentRecorded {
            call_id: call.to_string(),
            force_id: "wmp".to_owned(),
            consents: consents.iter().map(fact).collect(),
            ..Default::default()
        };
        self.intake.tell(&self.clock, "consent_recorded", call, &event).await;
        let heard = async || {
            let heard =
                "select exists (select from outbox.inbox where source = 'intake' and call_id = $1 and version = $2)";
            let heard = sqlx::query_scalar::<_, bool>(heard).bind(call.uuid()).bind(nth);
            heard.fetch_one(&self.pool).await.unwrap()
        };
        testkit::until("the desk to hear of it", heard).await;
    }

    /// The video call is over.
    pub async fn end(&self, call: CallId) {
        self.end_at("wmp", call).await;
    }

    /// The same, of any force's.
    pub async fn end_at(&self, force: &str, call: CallId) {
        let event = SessionEnded { call_id: call.to_string(), force_id: force.to_owned(), ..Default::default() };
        self.session.tell_of(force, &self.clock, "session_ended", call, &event).await;
    }

    /// The next event that the desk publishes: its name, and the message.
    pub async fn next_event(&mut self) -> (String, async_nats::Message) {
        let message = within("an event", self.events.next()).await.unwrap();
        let name = message.subject.split('.').nth(3).unwrap().to_owned();
        (name, message)
    }

    /// The next event of this name, whatever else is published before.
    pub async fn event<M: prost::Message + Default>(&mut self, wanted: &str) -> M {
        loop {
            let (name, message) = self.next_event().await;
            if name == wanted {
                return M::decode(message.payload).unwrap();
            }
        }
    }

    /// The events up to and with one of this name.
    pub async fn events_until(&mut self, last: &str) -> Vec<String> {
        let mut names = Vec::new();
        while names.last().is_none_or(|name| name != last) {
            names.push(self.next_event().await.0);
        }
        names
    }

    /// Ends in good order: every replica drains and says so.
    pub async fn stop(self) {
        for replica in self.replicas {
            replica.stop.request();
            within("a replica's end", replica.running).await.unwrap().unwrap();
        }
        for source in [self.intake, self.session] {
            source.stop.request();
            within("a relay's end", source.relay).await.unwrap();
        }
    }
}

impl Source {
    async fn start(postgres: &Postgres, nats: &TestNats, name: &'static str) -> Self {
        let pool = PgPool::connect(&postgres.url_of_all(name)).await.unwrap();
        outbox::migrate(&pool).await.unwrap();
        let settings = chassis::config::Nats { url: nats.url().to_owned(), stream_replicas: 1 };
        let (_, jetstream) = outbox::nats(name, &settings, None).await.unwrap();
        let (stop, shutdown) = Shutdown::manual();
        let relay = tokio::spawn(Relay::new(pool.clone(), jetstream, name).run(shutdown));
        Self { pool, stop, relay }
    }

    async fn tell<M: prost::Message>(&self, clock: &Clock, name: &'static str, call: CallId, message: &M) {
        self.tell_of("wmp", clock, name, call, message).await;
    }

    async fn tell_of<M: prost::Message>(
        &self,
        force: &str,
        clock: &Clock,
        name: &'static str,
        call: CallId,
        message: &M,
    ) {
        let force: ForceId = force.parse().unwrap();
        let event = NewEvent::new(name, call, force, Trace::parse(TRACE), message);
        let mut tx = self.pool.begin().await.unwrap();
        outbox::write_in_tx(&mut tx, &Entropy::os(), clock.now(), [event]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// What the control room asks for, of a grade and no more.
pub fn asked(risk: RiskGrade) -> TransferRequested {
    TransferRequested { risk: risk.into(), ..Default::default() }
}

/// Fails instead of hanging.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// The machine-readable reason of a refusal.
pub fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    let status = answer.expect_err("should have been refused");
    chassis::status::reason_of(&status).unwrap_or_else(|| panic!("no reason: {status:?}"))
}
