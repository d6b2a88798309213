//! What the browser asks for: the page, the sign-in, and everything under `/alcove.*` for the services behind us.

use std::sync::{Arc, PoisonError, RwLock};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State, rejection::JsonRejection},
    handler::HandlerWithoutStateExt,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chassis::Ambient;
use chrono::TimeDelta;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use tower_http::services::ServeDir;

use crate::{
    config::Config,
    domain::{Officer, Sessions, same_origin},
    error::Error,
    grpc::Proxy,
};

const COOKIE: &str = "alcove_console";

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
struct Web(Arc<Shared>);

struct Shared {
    officers: Vec<Officer>,
    length: TimeDelta,
    sessions: RwLock<Sessions>,
    ambient: Ambient,
    proxy: Proxy,
}

/// The routes.
///
/// # Errors
/// When the configured media origin can't stand in a header.
pub fn router(config: &Config, ambient: Ambient, proxy: Proxy) -> Result<Router, Error> {
    let policy = policy(&config.web.media_origin)?;
    let web = Web(Arc::new(Shared {
        officers: config.sign_in.officers.clone(),
        length: TimeDelta::hours(config.sign_in.hours.into()),
        sessions: RwLock::default(),
        ambient,
        proxy,
    }));
    let page = ServeDir::new(&config.web.root).fallback((|| async { Error::NothingHere }).into_service());
    if !config.web.root.join("index.html").is_file() {
        tracing::warn!(root = %config.web.root.display(), "the page is not built: `npm run build` in services/console/web");
    }
    Ok(Router::new()
        .route("/officers", get(officers))
        .route("/me", get(me))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/{service}/{method}", post(rpc).get_service(page.clone()))
        .fallback_service(page)
        .layer(DefaultBodyLimit::max(4096))
        .layer(middleware::from_fn(own_page_only))
        .layer(middleware::map_response(move |response| with_headers(response, policy.clone())))
        .with_state(web))
}

/// Scripts and styles are our own files; connections go to us and to where the video is; nobody frames us.
fn policy(media_origin: &str) -> Result<HeaderValue, Error> {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; \
         connect-src 'self' {media_origin}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).map_err(|error| chassis::ConfigError::unusable("web.media_origin", error).into())
}

async fn with_headers(mut response: Response, policy: HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(self), geolocation=()"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn own_page_only(request: Request, next: Next) -> Response {
    if may_ask(&request) { next.run(request).await } else { Error::CrossOrigin.into_response() }
}

fn may_ask(request: &Request) -> bool {
    let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text("host").or(request.uri().authority().map(|authority| authority.as_str()));
    matches!(*request.method(), Method::GET | Method::HEAD) || same_origin(text("sec-fetch-site"), text("origin"), host)
}

/// What the page may know of a person on the list.
#[derive(Serialize)]
struct Person {
    id: String,
    name: String,
    force: String,
}

impl From<&Officer> for Person {
    fn from(officer: &Officer) -> Self {
        Self { id: officer.id.to_string(), name: officer.name.clone(), force: officer.force.to_string() }
    }
}

/// Development: who may sign in.
async fn officers(State(Web(web)): State<Web>) -> Json<Vec<Person>> {
    Json(web.officers.iter().map(Person::from).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    officer_id: String,
}

/// Development: signs in whoever is on the list, on their word.
async fn sign_in(State(Web(web)): State<Web>, body: Result<Json<SignIn>, JsonRejection>) -> Result<Response, Error> {
    let Json(SignIn { officer_id }) = body.map_err(|_| Error::MalformedSignIn)?;
    let officer = web.officers.iter().find(|officer| officer.id.as_str() == officer_id);
    let officer = officer.ok_or(Error::UnknownOfficer)?;
    let token: String = web.ambient.entropy.bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", web.length.num_seconds());
    let now = web.ambient.clock.now();
    web.sessions.write().unwrap_or_else(PoisonError::into_inner).begin(token, officer.clone(), now, web.length);
    tracing::info!(officer = %officer.id, "signed in");
    Ok(([(header::SET_COOKIE, cookie)], Json(Person::from(officer))).into_response())
}

/// Who is signed in; 204 for nobody, which is an answer and no error.
async fn me(State(web): State<Web>, headers: HeaderMap) -> Response {
    web.whoever(&headers)
        .map_or_else(|_| StatusCode::NO_CONTENT.into_response(), |me| Json(Person::from(&me)).into_response())
}

/// Signing out twice is signing out.
async fn sign_out(State(Web(web)): State<Web>, headers: HeaderMap) -> Response {
    if let Some(token) = token(&headers) {
        web.sessions.write().unwrap_or_else(PoisonError::into_inner).end(token);
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}

async fn rpc(State(web): State<Web>, request: Request) -> Result<Response, Error> {
    let officer = web.whoever(request.headers())?;
    Ok(web.0.proxy.pass_on(&officer, request).await?.map(axum::body::Body::new))
}

impl Web {
    /// Who asks.
    fn whoever(&self, headers: &HeaderMap) -> Result<Officer, Error> {
        let sessions = self.0.sessions.read().unwrap_or_else(PoisonError::into_inner);
        let now = self.0.ambient.clock.now();
        token(headers).and_then(|token| sessions.whose(token, now)).cloned().ok_or(Error::NotSignedIn)
    }
}

/// Our cookie, among those of whoever else serves from this host.
fn token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
