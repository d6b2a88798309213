//! Signing in and out. A browser that comes by itself is led on or back; the page is answered.

use axum::{
    Form, Json,
    extract::{Query, State, rejection::FormRejection},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::{Web, cookies};
use crate::{domain::Officer, door::Returned, error::Error};

/// As long as a ticket holds.
const TICKET_SECONDS: i64 = 600;

/// What the page may know of its officer.
#[derive(Serialize)]
struct Person {
    id: String,
    name: String,
    force: String,
    roles: Vec<String>,
}

impl From<Officer> for Person {
    fn from(officer: Officer) -> Self {
        let Officer { id, name, force, roles } = officer;
        Self { id: id.into(), name, force: force.into(), roles }
    }
}

/// Leads to the issuer.
pub(super) async fn begin(State(web): State<Web>) -> Response {
    match web.door.begin().await {
        Ok((ticket, url)) => {
            let cookie = cookies::set(cookies::TICKET, &ticket, TICKET_SECONDS);
            ([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response()
        }
        Err(error) => back(&error),
    }
}

#[derive(Deserialize)]
pub(super) struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
}

/// Back from the issuer.
pub(super) async fn callback(State(web): State<Web>, headers: HeaderMap, Query(answer): Query<Answer>) -> Response {
    let ticket = cookies::get(&headers, cookies::TICKET);
    let before = cookies::get(&headers, cookies::SESSION);
    let returned =
        Returned { code: answer.code.as_deref(), state: answer.state.as_deref(), issuer: answer.iss.as_deref() };
    let used = (header::SET_COOKIE, cookies::set(cookies::TICKET, "", 0));
    match web.door.come_in(ticket, returned, before).await {
        Ok(cookie) => {
            let cookie = (header::SET_COOKIE, cookies::set(cookies::SESSION, &cookie, web.shift.num_seconds()));
            (AppendHeaders([used, cookie]), Redirect::to("/")).into_response()
        }
        Err(error) => (AppendHeaders([used]), back(&error)).into_response(),
    }
}

/// To the page, which says it in words.
fn back(error: &Error) -> Response {
    Redirect::to(&format!("/?refused={}", error.reason())).into_response()
}

/// Who is signed in; 204 for nobody, which is an answer and no error.
pub(super) async fn me(State(web): State<Web>, headers: HeaderMap) -> Response {
    web.cookie(&headers)
        .and_then(|cookie| web.door.whoever(cookie))
        .map_or_else(|_| StatusCode::NO_CONTENT.into_response(), |me| Json(Person::from(me)).into_response())
}

/// The person has touched a key.
pub(super) async fn here(State(web): State<Web>, headers: HeaderMap) -> Result<StatusCode, Error> {
    web.door.here(web.cookie(&headers)?)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Out {
    /// Where the issuer's own sign-in is ended.
    next: Option<String>,
}

/// Signing out twice is signing out.
pub(super) async fn out(State(web): State<Web>, headers: HeaderMap) -> Response {
    let gone = [(header::SET_COOKIE, cookies::set(cookies::SESSION, "", 0))];
    let Ok(cookie) = web.cookie(&headers) else { return (StatusCode::NO_CONTENT, gone).into_response() };
    match web.door.go_out(cookie).await {
        Ok(next) => (gone, Json(Out { next })).into_response(),
        Err(_) => (StatusCode::NO_CONTENT, gone).into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct ToldOut {
    logout_token: String,
}

/// From the issuer itself (OpenID Back-Channel Logout 1.0).
pub(super) async fn told_out(
    State(web): State<Web>,
    form: Result<Form<ToldOut>, FormRejection>,
) -> Result<StatusCode, Error> {
    let Form(ToldOut { logout_token }) = form.map_err(|_| Error::LogoutRefused)?;
    web.door.told_out(&logout_token).await?;
    Ok(StatusCode::OK)
}
