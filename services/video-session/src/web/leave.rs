//! Gone, in one request that may be a page's last: `POST /leave` for good, `POST /away` when it may be a reload.

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::{Bearer, Web, rejoin, to_the_end::to_the_end};
use crate::{error::Error, store::Named};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// With the cookies go what they have with them (Chromium's salts of the camera's name). Not "cache": nothing of ours is in it, and
/// Firefox leaves the address of this very answer on its disk when it clears it. Not "storage": there is none.
const COOKIES: HeaderValue = HeaderValue::from_static("\"cookies\"");

/// No end either: the officer may ask them back, by another code.
pub(super) async fn leave(
    State(web): State<Arc<Web>>,
    Bearer { named, token }: Bearer,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 2]), Error> {
    to_the_end(async move {
        close_all(&web, named).await;
        if let Err(error) = web.app.leave(named, &token).await {
            // The phone forgets all the same.
            tracing::warn!(error = chassis::chain(&error), "a token outlives its page");
        }
        Ok(())
    })
    .await?;
    // Said twice: not every browser clears when it is told to.
    Ok((StatusCode::NO_CONTENT, [(CLEAR_SITE_DATA, COOKIES), (header::SET_COOKIE, rejoin::forgotten())]))
}

pub(super) async fn away(State(web): State<Arc<Web>>, Bearer { named, .. }: Bearer) -> Result<StatusCode, Error> {
    to_the_end(async move {
        close_all(&web, named).await;
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn close_all(web: &Web, who: Named) {
    web.pages.has_its_own(who.participant);
    web.listeners.end(who.participant);
    for resource in web.rooms.of_participant(who.participant) {
        web.rooms.set_lost(resource, true);
        web.media.close(resource).await;
    }
}
