//! `GET /events`: the session's state as server-sent events. The token comes in the Authorization header (the page reads
//! the stream by `fetch`), so that it is in no URL and no history.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt};
use ids::ParticipantId;

use super::{Bearer, Web, seen::Seen};
use crate::{changes::Wanted, domain::Session, error::Error};

/// A page that has heard nothing for a few of these knows that it is cut off.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

pub(super) async fn follow(
    State(web): State<Arc<Web>>,
    Bearer { named, token }: Bearer,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let watched = web.changes.watch(web.app.clone(), Wanted::Session(named.session), web.shutdown.clone());
    let app = web.app.clone();
    let events = watched.then(move |stored| {
        let (app, token) = (app.clone(), token.clone());
        async move {
            let stored = stored?;
            // A token that was replaced in the meantime, or whose owner was sent away, hears no more.
            app.authenticate(&token).await?;
            Ok::<_, Error>(event(&stored.session, named.participant))
        }
    });
    // An error ends the stream: the page asks again, and is told why.
    let events = events.take_while(|event| std::future::ready(event.is_ok())).filter_map(|event| async { event.ok() });
    Sse::new(events.map(Ok)).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE).text("still here"))
}

fn event(session: &Session, who: ParticipantId) -> Event {
    let data = serde_json::to_string(&Seen::by(session, who)).unwrap_or_default();
    Event::default().event("session").data(data)
}
