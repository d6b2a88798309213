//! Referral as a process, with a book of partners, and a hand that sends.

use std::{collections::BTreeMap, fs, time::Duration};

use api::referral::v1::DeliveryFailed;
use async_nats::jetstream;
use chassis::{Clock, Entropy, Trace};
use futures::StreamExt;
use ids::{CallId, ForceId, ReferralId};
use outbox::Scope;
use prost::Message;
use referral::{
    app::delivery::{deliveries_of, dispatch},
    domain::delivery::{Body, Line, Parcel, Progress, What},
    store,
};
use sqlx::{PgPool, postgres::PgListener};
use tempfile::TempDir;
use testkit::{Service, TestDatabase, TestNats, seeing_all, until};

pub const FORCE: &str = "kent";
/// What is in a parcel and nowhere else.
pub const NAME: &str = "Amelia Pemberton-Marsh";
pub const NOTE: &str = "ring only after nine, never on Thursdays";
/// The key of each webhook, and its text.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATIENCE: Duration = Duration::from_secs(60);

/// It ends with the test.
pub struct Rig {
    pub db: TestDatabase,
    pub nats: TestNats,
    pub service: Service,
    _folder: TempDir,
    env: Vec<(String, String)>,
    all: PgPool,
}

/// A referral that was sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    pub call: CallId,
    pub referral: ReferralId,
}

impl Rig {
    /// With these partners of Kent (id, route), and quick to try again.
    pub async fn open(partners: &[(&str, String)], settings: &[(&str, &str)]) -> Self {
        let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("secret"), SECRET).unwrap();
        let book: String = partners.iter().map(|(id, route)| entry(id, route)).collect();
        let path = folder.path().join("partners.toml");
        fs::write(&path, book.replace("SECRET", &folder.path().join("secret").display().to_string())).unwrap();
        let mut env: BTreeMap<String, String> = [
            ("DATABASE__URL", db.url()),
            ("NATS__URL", nats.url().to_owned()),
            ("BOOKS__PARTNERS", path.display().to_string()),
            ("DELIVERY__RETRY_AFTER_MS", "20".to_owned()),
            ("DELIVERY__LONGEST_PAUSE_MS", "50".to_owned()),
            ("DELIVERY__ANSWER_WITHIN_MS", "1000".to_owned()),
        ]
        .into_iter()
        .map(|(key, value)| (format!("ALCOVE_REFERRAL__{key}"), value))
        .collect();
        env.extend(settings.iter().map(|(key, value)| (format!("ALCOVE_REFERRAL__{key}"), (*value).to_owned())));
        let env: Vec<_> = env.into_iter().collect();
        Service::migrate("referral", &borrowed(&env)).await.unwrap();
        let service = Service::start("referral", &borrowed(&env)).await.unwrap();
        let all = PgPool::connect(&seeing_all(&db.url())).await.unwrap();
        Self { db, nats, service, _folder: folder, env, all }
    }

    /// Another replica.
    pub async fn another(&self) -> Service {
        Service::start("referral", &borrowed(&self.env)).await.unwrap()
    }

    pub async fn send(&self, partner: &str) -> Sent {
        let (entropy, now) = (Entropy::os(), Clock::system().now());
        let sent = Sent { call: entropy.id(now), referral: entropy.id(now) };
        self.dispatch(partner, sent, &[What::Referral]).await;
        sent
    }

    /// In one transaction.
    pub async fn dispatch(&self, partner: &str, sent: Sent, all: &[What]) {
        let (force, trace): (ForceId, _) = (FORCE.parse().unwrap(), Trace::parse(""));
        let mut tx = outbox::begin(&self.db.pool(), Scope::Force(&force)).await.unwrap();
        store::lock_or_begin(&mut tx, &force, sent.call, &trace).await.unwrap().unwrap();
        for what in all {
            let line = Line { label: "Name".to_owned(), value: NAME.to_owned() };
            let parcel = Parcel {
                referral: sent.referral,
                call: sent.call,
                force: force.clone(),
                kind: "idva".to_owned(),
                partner: partner.to_owned(),
                what: *what,
                body: Body { lines: vec![line], note: NOTE.to_owned() },
            };
            dispatch(&mut tx, &Entropy::os(), parcel, Clock::system().now()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Where a parcel stands: its state, how often it was tried, and why the last one failed.
    pub async fn stands(&self, sent: Sent, what: &str) -> Option<(String, i32, Option<String>)> {
        let row = "select state, attempts, problem from referral.parcels where referral_id = $1 and what = $2";
        sqlx::query_as(row).bind(sent.referral.uuid()).bind(what).fetch_optional(&self.all).await.unwrap()
    }

    /// Returns once the parcel is settled, and how.
    pub async fn settled(&self, sent: Sent, what: &str) -> (String, i32, Option<String>) {
        let mut last = None;
        until("the parcel is settled", async || {
            last = self.stands(sent, what).await;
            last.as_ref().is_some_and(|(state, ..)| state != "waiting")
        })
        .await;
        last.unwrap()
    }

    /// How each of its attempts went, with its number.
    pub async fn attempts(&self, sent: Sent) -> Vec<(i32, Option<String>)> {
        let rows = "select a.number, a.problem from referral.attempts a join referral.parcels p on p.id = a.parcel_id
                    where p.referral_id = $1 and p.what = 'referral' order by 1";
        sqlx::query_as(rows).bind(sent.referral.uuid()).fetch_all(&self.all).await.unwrap()
    }

    /// As the case shows it.
    pub async fn shown(&self, sent: Sent) -> Option<Progress> {
        let force: ForceId = FORCE.parse().unwrap();
        let mut tx = outbox::begin(&self.db.pool(), Scope::Force(&force)).await.unwrap();
        let on = referral::app::On { force, call: sent.call };
        deliveries_of(&mut tx, &on).await.unwrap().remove(&sent.referral)
    }

    /// What failed, from the first, until this one is among them.
    pub async fn failed(&self, until: Sent) -> Vec<DeliveryFailed> {
        let jetstream = self.nats.jetstream().await.unwrap();
        outbox::ensure_stream(&jetstream, "referral").await.unwrap();
        let stream = jetstream.get_stream("ALCOVE_REFERRAL").await.unwrap();
        let config = jetstream::consumer::pull::OrderedConfig::default();
        let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        let mut seen: Vec<DeliveryFailed> = vec![];
        let collect = async {
            while seen.last().is_none_or(|failed| failed.referral_id != until.referral.to_string()) {
                let message = messages.next().await.unwrap().unwrap();
                assert_eq!(message.subject.as_str(), "alcove.referral.v1.delivery_failed.kent");
                let text = String::from_utf8_lossy(&message.payload).into_owned();
                assert!(!text.contains(NAME) && !text.contains(NOTE), "an event says what was in a parcel");
                seen.push(DeliveryFailed::decode(message.payload.clone()).unwrap());
            }
        };
        tokio::time::timeout(PATIENCE, collect).await.expect("it is raised");
        seen
    }

    /// Hears when something is due to be looked at.
    pub async fn due(&self) -> PgListener {
        let mut listener = PgListener::connect(&self.db.url()).await.unwrap();
        listener.listen("referral_due").await.unwrap();
        listener
    }

    /// Nothing of what was in any parcel is in the log, nor the secret.
    pub fn kept_to_itself(&self) {
        let log = fs::read_to_string(self.service.log_file()).unwrap();
        for secret in [NAME, NOTE, "MfKQ9r8G"] {
            assert!(!log.contains(secret), "the log says {secret:?}");
        }
    }
}

/// A partner of Kent's.
fn entry(id: &str, route: &str) -> String {
    format!(
        "[[partner]]\nid = \"{id}\"\nforce = \"{FORCE}\"\nname = \"{id}\"\nservices = [\"idva\"]\nphone = \"1\"\nroute = {{ {route} }}\n"
    )
}

fn borrowed(env: &[(String, String)]) -> Vec<(&str, &str)> {
    env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}
