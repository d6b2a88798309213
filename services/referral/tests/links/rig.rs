//! A desk whose letters have links, a partner who gets them, and a browser of theirs.

use api::referral::v1::{Case, DeliveryState, Referral, SendReferralRequest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chassis::Clock;
use chrono::TimeDelta;
use referral::domain::link::{Keys, Link};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header, redirect::Policy};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    delivery::{
        hook::{Hook, says},
        rig::SECRET,
    },
    desk::{Desk, FORCE},
    people::{child, request_id, saving, victim},
};

/// What signs, and what did before.
const KEYS: [[u8; 32]; 2] = [[7; 32], [8; 32]];
/// How links begin; the test has no such host, and asks where the service listens.
pub const PUBLIC: &str = "http://referrals.example/desk";
pub const PARTNER: &str = "Schools <desk>";

pub struct Room {
    pub desk: Desk,
    pub hook: Hook,
    client: Client,
    folder: TempDir,
}

/// A referral on its way, and how its partner gets at it.
pub struct Told {
    pub call: String,
    pub referral: String,
    pub token: String,
}

impl Room {
    /// Whose partner has a webhook.
    pub async fn open() -> Self {
        let (hook, folder) = (Hook::open(&[says(200)]).await, TempDir::new().unwrap());
        let secret = folder.path().join("secret");
        std::fs::write(&secret, SECRET).unwrap();
        let route = hook.route().replace("SECRET", &secret.display().to_string());
        let desk = desk(&folder, &route, &[]).await;
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { desk, hook, client, folder }
    }

    /// A school's notice, as its partner is told of it.
    pub async fn told(&self) -> Told {
        let (call, referral) = sent(&self.desk).await;
        // A withdrawal waits for as long as an attempt may take that isn't known to be over.
        let arrived = |case: &Case| {
            let way = notice(case).delivery.as_ref();
            way.is_some_and(|way| way.state() == DeliveryState::Delivered)
        };
        self.desk.watch(&call).await.until(arrived).await;
        let token = self.token().await;
        Told { call, referral, token }
    }

    /// The link that came last.
    pub async fn token(&self) -> String {
        let came = self.hook.came(self.hook.count().max(1)).await;
        let told: Value = serde_json::from_str(&came.last().unwrap().body).unwrap();
        token_of(told["data"]["link"].as_str().unwrap())
    }

    /// A request by a link.
    pub fn ask(&self, method: Method, token: &str) -> RequestBuilder {
        ask(&self.client, &self.desk, method, token)
    }

    pub async fn get(&self, token: &str) -> (StatusCode, String) {
        read(self.ask(Method::GET, token).send().await.unwrap()).await
    }

    /// As a browser posts a form.
    pub async fn fill_in(&self, token: &str, field: &str, value: &str) -> Response {
        self.ask(Method::POST, token).form(&[(field, value)]).send().await.unwrap()
    }

    /// As a system does: the status, and the reason or the state.
    pub async fn say(&self, token: &str, body: &Value) -> (u16, String) {
        let answer = self.ask(Method::POST, token).json(body).send().await.unwrap();
        let status = answer.status().as_u16();
        let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let word = told.get("reason").or(told.get("state")).unwrap();
        (status, word.as_str().unwrap().to_owned())
    }

    /// Everything that the service has written into its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.desk.service.log_file()).unwrap()
    }

    /// Started again with this key file.
    pub async fn with_keys(&mut self, keys: &[[u8; 32]]) {
        write_keys(&self.folder, keys);
        self.desk.service.restart().await.unwrap();
        self.desk.reconnect().await;
    }
}

pub fn ask(client: &Client, desk: &Desk, method: Method, token: &str) -> RequestBuilder {
    client.request(method, format!("http://{}/r/{token}", desk.service.address("links")))
}

pub async fn read(answer: Response) -> (StatusCode, String) {
    (answer.status(), answer.text().await.unwrap())
}

pub fn token_of(link: &str) -> String {
    link.strip_prefix(PUBLIC).unwrap().strip_prefix("/r/").unwrap().to_owned()
}

/// A desk with one partner, by this route, whose letters have links.
pub async fn desk(folder: &TempDir, route: &str, settings: &[(&str, &str)]) -> Desk {
    let book = format!(
        "[[partner]]\nid = \"wmp-schools\"\nforce = \"{FORCE}\"\nname = \"{PARTNER}\"\nservices = [\"encompass\", \
         \"clares-law-ask\", \"victim-support\"]\nphone = \"0121 496 0000\"\nroute = {{ {route} }}\n"
    );
    let path = folder.path().join("partners.toml");
    std::fs::write(&path, book).unwrap();
    let keys = write_keys(folder, &KEYS[..1]);
    let all = [
        ("BOOKS__PARTNERS", path.to_str().unwrap()),
        ("LINKS__LISTEN", "127.0.0.1:0"),
        ("LINKS__PUBLIC_URL", PUBLIC),
        ("LINKS__KEY_FILE", keys.as_str()),
    ];
    let all = all.iter().chain(settings).map(|(key, value)| (format!("ALCOVE_REFERRAL__{key}"), *value));
    let all: Vec<_> = all.collect();
    Desk::open_with(&all.iter().map(|(key, value)| (key.as_str(), *value)).collect::<Vec<_>>()).await
}

fn write_keys(folder: &TempDir, keys: &[[u8; 32]]) -> String {
    let path = folder.path().join("keys");
    std::fs::write(&path, keys.iter().map(|key| STANDARD.encode(key) + "\n").collect::<String>()).unwrap();
    path.display().to_string()
}

pub fn notice(case: &Case) -> &Referral {
    case.referrals.iter().find(|one| one.kind == "encompass").unwrap()
}

/// Its call, and its referral.
pub async fn sent(desk: &Desk) -> (String, String) {
    let call = desk.case().await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    desk.save_person(saving(&call, "pc.a", child("Robin"))).await.unwrap();
    let draft = notice(&desk.get_case(&call).await.unwrap()).referral_id.clone();
    send(desk, &call, &draft).await;
    (call, draft)
}

/// As it is drafted now.
pub async fn send(desk: &Desk, call: &str, referral: &str) {
    let case = desk.get_case(call).await.unwrap();
    let draft = case.referrals.iter().find(|one| one.referral_id == referral).unwrap();
    let sending = SendReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "pc.a".into(),
        referral_id: referral.into(),
        version: draft.version,
        by_hand: String::new(),
    };
    desk.client().send_referral(sending).await.unwrap();
}

/// A link that nobody was sent, signed with this key of ours, which ends so many seconds from now.
pub fn made(told: &Told, key: usize, seconds: i64) -> String {
    Keys::new(&[KEYS[key].to_vec()]).unwrap().sign(&Link {
        expires_at: Clock::system().now() + TimeDelta::seconds(seconds),
        force: FORCE.parse().unwrap(),
        call: told.call.parse().unwrap(),
        referral: told.referral.parse().unwrap(),
    })
}

/// All keys that there are, the new one first.
pub fn rotated() -> [[u8; 32]; 2] {
    [KEYS[1], KEYS[0]]
}

/// What no answer may be without, whatever it says.
pub fn is_guarded(answer: &Response) {
    let said =
        |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let policy = said("content-security-policy");
    for part in ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
    for (name, value) in [
        (header::CACHE_CONTROL.as_str(), "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(said(name), value, "{name}");
    }
}
