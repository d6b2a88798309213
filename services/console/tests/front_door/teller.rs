//! An issuer that lets everybody in as one officer, and renews, hangs, loses its answers or is away as the test says.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use axum::{
    Form, Json, Router,
    body::Body,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::json;
use testkit::SigningKey;
use tokio::sync::watch;

/// What it does with the next who wants a grant renewed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Renews. The refresh token is good once.
    Kind,
    /// Renews, and the answer breaks off on its way.
    Losing,
    /// Says that it is away.
    Away,
}

/// Cheap to clone: the same issuer.
#[derive(Clone)]
pub struct Teller(Arc<Inner>);

struct Inner {
    url: String,
    key: SigningKey,
    /// Signs when it renews; not published.
    unpublished: SigningKey,
    mood: Mutex<Mood>,
    keys_away: AtomicBool,
    is_open: watch::Sender<bool>,
    nonce: Mutex<String>,
    /// The last refresh token; the access token of that number goes with it.
    granted: AtomicUsize,
    asked: AtomicUsize,
    revoking: AtomicUsize,
    revoked: AtomicUsize,
}

/// Counts down when the asker has gone away, too.
struct Revoking<'a>(&'a AtomicUsize);

impl Drop for Revoking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[derive(Deserialize)]
struct Asked {
    redirect_uri: String,
    state: String,
    nonce: String,
}

#[derive(Deserialize)]
struct Wanted {
    refresh_token: Option<String>,
}

impl Teller {
    pub async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let teller = Self(Arc::new(Inner {
            url: format!("http://{}", listener.local_addr().unwrap()),
            key: SigningKey::es256("one").unwrap(),
            unpublished: SigningKey::es256("two").unwrap(),
            mood: Mutex::new(Mood::Kind),
            keys_away: false.into(),
            is_open: watch::Sender::new(true),
            nonce: Mutex::default(),
            granted: 0.into(),
            asked: 0.into(),
            revoking: 0.into(),
            revoked: 0.into(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/auth", get(auth))
            .route("/token", post(token))
            .route("/revoke", post(revoke))
            .with_state(teller.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        teller
    }

    pub fn setting(&self) -> (&'static str, String) {
        ("SIGN_IN__ISSUER", self.0.url.clone())
    }

    pub fn set_mood(&self, mood: Mood) {
        *self.0.mood.lock().unwrap() = mood;
    }

    /// From now on its keys can't be had, and what it signs when it renews is signed by another.
    pub fn take_keys_away(&self) {
        self.0.keys_away.store(true, SeqCst);
    }

    /// Whoever wants something renewed or revoked waits until it is opened.
    pub fn set_open(&self, is_open: bool) {
        self.0.is_open.send_replace(is_open);
    }

    /// How often somebody wanted a grant renewed.
    pub fn asked(&self) -> usize {
        self.0.asked.load(SeqCst)
    }

    /// How many wait for a revocation at this moment.
    pub fn revoking(&self) -> usize {
        self.0.revoking.load(SeqCst)
    }

    pub fn revoked(&self) -> usize {
        self.0.revoked.load(SeqCst)
    }

    async fn opened(&self) {
        self.0.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
    }

    fn grant(&self, by: &SigningKey, nonce: Option<&str>) -> serde_json::Value {
        let (n, now) = (self.0.granted.fetch_add(1, SeqCst) + 1, chassis::Clock::system().now().timestamp());
        let claims = json!({
            "iss": self.0.url, "aud": "alcove-console", "sub": "pc-okafor", "force": "wmp", "nonce": nonce,
            "iat": now, "exp": now + 86_400,
        });
        json!({
            "access_token": format!("access-{n}"), "refresh_token": format!("refresh-{n}"), "token_type": "Bearer",
            "expires_in": 300, "id_token": by.token(&claims).unwrap(),
        })
    }
}

async fn discovery(State(Teller(inner)): State<Teller>) -> Json<serde_json::Value> {
    let at = |path: &str| format!("{}/{path}", inner.url);
    Json(json!({
        "issuer": inner.url, "jwks_uri": at("jwks"), "authorization_endpoint": at("auth"),
        "token_endpoint": at("token"), "revocation_endpoint": at("revoke"),
    }))
}

async fn jwks(State(Teller(inner)): State<Teller>) -> Response {
    if inner.keys_away.load(SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    Json(json!({"keys": [inner.key.published()]})).into_response()
}

/// Everybody is known already.
async fn auth(State(teller): State<Teller>, Query(asked): Query<Asked>) -> Redirect {
    *teller.0.nonce.lock().unwrap() = asked.nonce;
    Redirect::to(&format!("{}?code=1&state={}", asked.redirect_uri, asked.state))
}

async fn token(State(teller): State<Teller>, Form(Wanted { refresh_token }): Form<Wanted>) -> Response {
    let Some(refresh) = refresh_token else {
        let nonce = teller.0.nonce.lock().unwrap().clone();
        return Json(teller.grant(&teller.0.key, Some(&nonce))).into_response();
    };
    teller.0.asked.fetch_add(1, SeqCst);
    teller.opened().await;
    let mood = *teller.0.mood.lock().unwrap();
    if mood == Mood::Away {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if refresh != format!("refresh-{}", teller.0.granted.load(SeqCst)) {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    }
    let by = if teller.0.keys_away.load(SeqCst) { &teller.0.unpublished } else { &teller.0.key };
    let grant = teller.grant(by, None);
    if mood == Mood::Losing {
        let broken = futures::stream::iter([Err::<bytes::Bytes, _>(std::io::Error::other("lost"))]);
        return Body::from_stream(broken).into_response();
    }
    Json(grant).into_response()
}

async fn revoke(State(teller): State<Teller>) -> StatusCode {
    teller.0.revoking.fetch_add(1, SeqCst);
    let _revoking = Revoking(&teller.0.revoking);
    teller.opened().await;
    teller.0.revoked.fetch_add(1, SeqCst);
    StatusCode::OK
}
