//! `POST /leave`: gone, in one request that may be a page's last.

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderName, StatusCode};

use super::{Bearer, Web};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Leaving closes what they hold and is no end: the officer may ask them back.
pub(super) async fn leave(
    State(web): State<Arc<Web>>,
    Bearer { named, .. }: Bearer,
) -> (StatusCode, [(HeaderName, &'static str); 1]) {
    for resource in web.rooms.of_participant(named.participant) {
        web.rooms.set_lost(resource, true);
        web.media.close(resource).await;
    }
    (StatusCode::NO_CONTENT, [(CLEAR_SITE_DATA, "\"cache\", \"cookies\", \"storage\"")])
}
