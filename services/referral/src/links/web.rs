//! `/r/<link>`: GET shows where the referral stands and changes nothing, as mail scanners follow links; POST says something of it, as a
//! form for people and as JSON for systems. Our own security headers are on every answer.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Form, Json, Router,
    extract::{DefaultBodyLimit, FromRequest, Path, Request, State, rejection::PathRejection},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, time::timeout};

use super::{pace::Pace, page, refused::Refused};
use crate::{
    app::{App, Linked, Standing},
    domain::link::{Keys, Link},
    grpc,
};

/// How long a request may take, from its head to its answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many are dealt with at once. One link's holder can't take all of these places (`pace`).
const AT_ONCE: usize = 64;
/// An outcome of 500 characters, each of which has twelve bytes in JSON or in a form, is shorter.
const LARGEST: usize = 8 * 1024;

/// What the handlers work with.
#[derive(Debug)]
pub(super) struct Web {
    app: App,
    keys: Keys,
    places: Semaphore,
    pace: Mutex<Pace>,
}

/// One of the two things that can be said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    acknowledged_by: Option<String>,
    outcome: Option<String>,
}

/// Where it stands, for a system.
#[derive(Serialize)]
struct Stands<'l> {
    reference: &'l str,
    partner: &'l str,
    state: &'static str,
    since: chrono::DateTime<chrono::Utc>,
}

type Token = Result<Path<String>, PathRejection>;

/// All routes.
pub(super) fn router(web: Arc<Web>) -> Router {
    Router::new()
        .route("/r/{token}", get(look).post(say))
        .fallback(|headers: HeaderMap| async move { Refused::Unknown.answer(is_a_system(&headers)) })
        .method_not_allowed_fallback(|headers: HeaderMap| async move { Refused::Method.answer(is_a_system(&headers)) })
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(middleware::from_fn_with_state(web.clone(), in_bounds))
        .layer(middleware::from_fn(secure))
        .with_state(web)
}

async fn look(State(web): State<Arc<Web>>, token: Token, headers: HeaderMap) -> Response {
    let as_json = is_a_system(&headers);
    let looking = async { Ok::<_, Refused>(web.app.look_by_link(&web.link(token)?.1).await?) };
    match looking.await {
        Ok(linked) if as_json => stands(&linked),
        Ok(linked) => page::referral(&linked).into_response(),
        Err(refused) => refused.answer(as_json),
    }
}

async fn say(State(web): State<Arc<Web>>, token: Token, request: Request) -> Response {
    let as_json = is_a_system(request.headers());
    match web.hear(token, request).await {
        Ok((_, linked)) if as_json => stands(&linked),
        // To the page that they came from: loaded again, it says nothing twice.
        Ok((token, _)) => Redirect::to(&token).into_response(),
        Err(refused) => refused.answer(as_json),
    }
}

impl Web {
    pub(super) fn new(app: App, keys: Keys) -> Self {
        Self { app, keys, places: Semaphore::new(AT_ONCE), pace: Mutex::default() }
    }

    /// What the path is a link to.
    fn link(&self, token: Token) -> Result<(String, Link), Refused> {
        let Path(token) = token.map_err(|_| Refused::Unknown)?;
        let now = self.app.now();
        let link = self.keys.read(&token, now)?;
        let is_slow = self.pace.lock().unwrap_or_else(PoisonError::into_inner).takes(link.referral, now);
        if is_slow { Ok((token, link)) } else { Err(Refused::TooFast) }
    }

    async fn hear(&self, token: Token, request: Request) -> Result<(String, Linked), Refused> {
        // Before anything of the body is read.
        let (token, link) = self.link(token)?;
        let linked = match said(request).await? {
            Said { acknowledged_by: Some(by), outcome: None } => {
                let by = grpc::acknowledged_by(&by).map_err(|_| Refused::Name)?;
                self.app.acknowledge_by_link(&link, by).await?
            }
            Said { acknowledged_by: None, outcome: Some(what) } => {
                // As forms have their lines.
                let what = grpc::outcome(&what.replace("\r\n", "\n")).map_err(|_| Refused::Outcome)?;
                self.app.record_outcome_by_link(&link, what).await?
            }
            _ => return Err(Refused::Malformed),
        };
        Ok((token, linked))
    }
}

async fn said(request: Request) -> Result<Said, Refused> {
    let refused = |status| match status {
        StatusCode::PAYLOAD_TOO_LARGE => Refused::TooLarge,
        _ => Refused::Malformed,
    };
    if is_of(request.headers(), "application/json") {
        let read = Json::from_request(request, &()).await;
        read.map(|Json(said)| said).map_err(|rejection| refused(rejection.status()))
    } else if is_of(request.headers(), "application/x-www-form-urlencoded") {
        let read = Form::from_request(request, &()).await;
        read.map(|Form(said)| said).map_err(|rejection| refused(rejection.status()))
    } else {
        Err(Refused::Type)
    }
}

fn stands(linked: &Linked) -> Response {
    let (state, since) = match linked.standing {
        Standing::Sent(at) => ("sent", at),
        Standing::Acknowledged(at) => ("acknowledged", at),
        Standing::Outcome(at) => ("outcome", at),
        Standing::Withdrawn(at) => ("withdrawn", at),
    };
    Json(Stands { reference: &linked.reference, partner: &linked.partner, state, since }).into_response()
}

/// Of this type, whatever its parameters are.
fn is_of(headers: &HeaderMap, wanted: &str) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// Who speaks JSON, or asks for it, is answered in it.
fn is_a_system(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    is_of(headers, "application/json") || accepts.contains("application/json")
}

/// So many at once, and none for ever.
async fn in_bounds(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let as_json = is_a_system(request.headers());
    let Ok(_place) = web.places.try_acquire() else { return Refused::Busy.answer(as_json) };
    timeout(PATIENCE, next.run(request)).await.unwrap_or_else(|_| Refused::TooSlow.answer(as_json))
}

/// Nothing is kept, nothing runs, nobody frames us or finds us by searching, and no address is told onwards: it is the link.
async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, page::POLICY.clone());
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::convert::Infallible;

    use axum::body::{Body, Bytes};
    use chassis::{Clock, Entropy, config::Profile, grpc::connect_lazy};
    use chrono::TimeDelta;
    use outbox::Wakeups;
    use sqlx::PgPool;
    use tower::ServiceExt;
    use uuid::Uuid;

    use super::*;
    use crate::{books::Books, callers::Callers, config, records::Records, store::Store};

    /// Without a database, and the path of a link.
    fn web() -> (Arc<Web>, String) {
        let (clock, entropy) = (Clock::system(), Entropy::seeded(1));
        let books = Books::read(&config::Books::default(), Profile::Dev, clock.now()).unwrap();
        let store = Store::new(PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap());
        let nobody = connect_lazy("http://127.0.0.1:1", None).unwrap();
        let others = (Records::new(nobody.clone(), entropy.clone()), Callers::new(nobody));
        let (keys, id) = (Keys::new(&[vec![1; 32]]).unwrap(), Uuid::from_u128(1));
        let expires_at = clock.now() + TimeDelta::days(1);
        let link = Link { expires_at, force: "kent".parse().unwrap(), call: id.into(), referral: id.into() };
        let path = format!("/r/{}", keys.sign(&link));
        let app = App::new(store, books, clock, entropy, Wakeups::default(), others);
        (Arc::new(Web::new(app, keys)), path)
    }

    /// Whose body never ends.
    fn endless(path: &str) -> Request {
        let body = Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>());
        http::Request::post(path).header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_for_ever_and_a_stranger_not_at_all() {
        let (web, path) = web();
        let began = tokio::time::Instant::now();
        let stranger = router(web.clone()).oneshot(endless("/r/x")).await.unwrap();
        assert_eq!((stranger.status(), began.elapsed()), (StatusCode::NOT_FOUND, Duration::ZERO));
        let slow = router(web).oneshot(endless(&path)).await.unwrap();
        assert_eq!((slow.status(), began.elapsed() >= PATIENCE), (StatusCode::REQUEST_TIMEOUT, true));
    }

    #[tokio::test]
    async fn whoever_comes_when_all_places_are_taken_is_told_to_come_again() {
        let (web, path) = web();
        let all = web.places.try_acquire_many(u32::try_from(AT_ONCE).unwrap()).unwrap();
        let ask = || http::Request::get(&path).body(Body::empty()).unwrap();
        let turned_away = router(web.clone()).oneshot(ask()).await.unwrap();
        assert_eq!(turned_away.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(turned_away.headers()[header::RETRY_AFTER], "60");
        assert_eq!(turned_away.headers()[header::CACHE_CONTROL], "no-store");
        drop(all);
        let forged = http::Request::get("/r/x").body(Body::empty()).unwrap();
        assert_eq!(router(web).oneshot(forged).await.unwrap().status(), StatusCode::NOT_FOUND);
    }
}
