//! Everything that is about a session is answered by the instance that carries it; any other sends there, by 307 (RFC 9725,
//! section 4.5). Not to another host: a browser drops `Authorization` on the way to another origin, and our policy lets the page
//! talk to its own only. So each instance has a path under the one host, `/i/<name>`, which the ingress leads to it.
//!
//! To us that prefix means nothing: whoever gets a request under it, because the instance it names is dead, answers it as any
//! other. Locations of resources have none, so a page whose instance dies finds the next one by the same URL.
//!
//! Whoever a token names is known from here, and only from here: a route that isn't behind [`to_owner`] knows nobody.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chassis::http::problem;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use ids::SessionId;
use tower::ServiceExt;

use super::{Bearer, Web};
use crate::{error::Error, keys::Token, subscriber::Subscriber};

const PREFIX: &str = "/i/";

/// Lets through what is ours to answer.
pub(super) async fn to_owner(
    State(web): State<Arc<Web>>,
    origin: Subscriber,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(token) = bearer(request.headers()) else { return next.run(request).await };
    let uri = request.uri().clone();
    // Whose media is here is known here: a tap waits for no database, and for nobody who asks too much.
    if uri.path() == "/tap"
        && let Some(named) = web.rooms.caller_by(&token.hash())
    {
        request.extensions_mut().insert(Bearer { named, token });
        return next.run(request).await;
    }
    // One may always leave.
    if uri.path() != "/leave" && web.pace.is_hasty(&token, web.app.now()) {
        return Error::TooFast.into_response();
    }
    let known = async {
        let named = match web.strangers.look_up(origin, web.app.now(), web.app.authenticate(&token)).await {
            Ok(named) => named,
            // The handler says so.
            Err(Error::TokenUnknown) => return Ok(None),
            Err(error) => return Err(error),
        };
        web.pace.shown(&token, web.app.now());
        let elsewhere = elsewhere(&web, named.session, &uri).await?;
        Ok(Some((Bearer { named, token }, elsewhere)))
    };
    match known.await {
        Ok(Some((_, Some(redirect)))) => redirect,
        Ok(Some((bearer, None))) => {
            request.extensions_mut().insert(bearer);
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The answer to a request about a session that another instance carries. `None`: it is carried here.
pub(super) async fn elsewhere(web: &Web, session: SessionId, uri: &Uri) -> Result<Option<Response>, Error> {
    let Some(owner) = web.app.claim(session).await? else { return Ok(None) };
    let asked = uri.path_and_query().map_or("/", |asked| asked.as_str());
    let to = HeaderValue::try_from(format!("{PREFIX}{}{asked}", owner.name));
    // A path that came in a request can go into a header.
    Ok(to.ok().map(|to| (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()))
}

/// What has no route: under an instance's name, ours or another's, the same as without.
pub(super) async fn by_name(routes: Router, mut request: Request) -> Response {
    match without_name(request.uri()) {
        Some(uri) => {
            *request.uri_mut() = uri;
            // Its error is `Infallible`.
            routes.oneshot(request).await.into_response()
        }
        None => nothing().await,
    }
}

pub(super) async fn nothing() -> Response {
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing here")
}

fn without_name(uri: &Uri) -> Option<Uri> {
    let (_, rest) = uri.path_and_query()?.as_str().strip_prefix(PREFIX)?.split_once('/')?;
    format!("/{rest}").parse().ok()
}

fn bearer(headers: &HeaderMap) -> Option<Token> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Token::presented(token.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_instances_name_is_taken_off_once() {
        let of = |uri: &str| without_name(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(of("/i/a/whip/0f?x=1").as_deref(), Some("/whip/0f?x=1"));
        assert_eq!(of("/i/a/i/b/whip").as_deref(), Some("/i/b/whip"));
        assert_eq!(of("/i/a/").as_deref(), Some("/"));
        assert_eq!([of("/i/a"), of("/whip"), of("/")], [None, None, None]);
    }
}
