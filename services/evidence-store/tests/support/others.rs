//! The other services' voices: intake, the desk and video-session, each with an outbox and relay of its own, as in life.

use api::{
    intake::v1::{ConsentKind, ConsentRecorded, Incident, consent_recorded::ConsentFact},
    session::v1::{RecordedTrack, Role, SessionEnded},
    transfer::v1::CallAccepted,
};
use chassis::{Clock, Entropy, Shutdown, Trace};
use ids::{CallId, ForceId, ParticipantId, SessionId};
use outbox::NewEvent;
use prost::Message;
use sqlx::PgPool;
use testkit::{TestDatabase, TestNats};

use super::{FORCE, TRACE, at};

pub struct Others {
    _servers: [TestDatabase; 3],
    transfer: PgPool,
    session: PgPool,
    intake: PgPool,
    _stop: chassis::ShutdownTrigger,
}

impl Others {
    pub async fn at(nats: &TestNats) -> Self {
        let (stop, shutdown) = Shutdown::manual();
        let (a, b, c) = tokio::join!(testkit::database(), testkit::database(), testkit::database());
        for (db, service) in [(&a, "transfer"), (&b, "session"), (&c, "intake")] {
            outbox::migrate(&db.pool()).await.unwrap();
            let relay = outbox::Relay::new(db.pool(), nats.jetstream().await.unwrap(), service);
            tokio::spawn(relay.run(shutdown.clone()));
        }
        Self { transfer: a.pool(), session: b.pool(), intake: c.pool(), _servers: [a, b, c], _stop: stop }
    }

    /// The caller said this to each of these.
    pub async fn consents(&self, call: &str, consents: &[(ConsentKind, bool)]) {
        let fact = |(kind, given): &(ConsentKind, bool)| ConsentFact {
            kind: (*kind).into(),
            given: *given,
            ..Default::default()
        };
        let recorded = ConsentRecorded {
            call_id: call.into(),
            force_id: FORCE.into(),
            occurred_at: Some(at(1)),
            consents: consents.iter().map(fact).collect(),
        };
        publish(&self.intake, "consent_recorded", call, &recorded).await;
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
