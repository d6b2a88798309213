//! Gone, in one request that may be a page's last: `POST /leave` for good, `POST /away` when it may be a reload.

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::{Bearer, Web, rejoin};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

const EVERYTHING: HeaderValue = HeaderValue::from_static("\"cache\", \"cookies\", \"storage\"");

/// No end either: the officer may ask them back, by another code.
pub(super) async fn leave(web: State<Arc<Web>>, bearer: Bearer) -> (StatusCode, [(HeaderName, HeaderValue); 2]) {
    let gone = away(web.clone(), bearer.clone()).await;
    if let Err(error) = web.app.leave(bearer.named, &bearer.token).await {
        // The phone forgets all the same.
        tracing::warn!(error = chassis::chain(&error), "a token outlives its page");
    }
    // Said twice: not every browser clears when it is told to.
    (gone, [(CLEAR_SITE_DATA, EVERYTHING), (header::SET_COOKIE, rejoin::forgotten())])
}

/// Closes what they hold.
pub(super) async fn away(State(web): State<Arc<Web>>, Bearer { named, .. }: Bearer) -> StatusCode {
    for resource in web.rooms.of_participant(named.participant) {
        web.rooms.set_lost(resource, true);
        web.media.close(resource).await;
    }
    StatusCode::NO_CONTENT
}
