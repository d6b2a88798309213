//! `GET /events`: the session's state as server-sent events. The token comes in the Authorization header (the page reads
//! the stream by `fetch`), so that it is in no URL and no history.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt};
use serde::Serialize;

use super::{
    Bearer, Web,
    join::{role_word, track_word},
};
use crate::{
    changes::Wanted,
    domain::{Session, State as Stands},
    error::Error,
};

/// A page that has heard nothing for a few of these knows that it is cut off.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Seen {
    state: &'static str,
    publishing: Vec<Publishing>,
}

#[derive(Serialize)]
struct Publishing {
    participant_id: String,
    role: &'static str,
    /// Changes when they publish anew: then watch them anew.
    track: String,
}

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
            // A token that was replaced in the meantime hears no more.
            app.authenticate(&token).await?;
            Ok::<_, Error>(event(&stored.session))
        }
    });
    // An error ends the stream: the page asks again, and is told why.
    let events = events.take_while(|event| std::future::ready(event.is_ok())).filter_map(|event| async { event.ok() });
    Sse::new(events.map(Ok)).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE).text("still here"))
}

fn event(session: &Session) -> Event {
    let publishing = session.participants.iter().filter_map(|participant| {
        let (participant_id, role) = (participant.id.to_string(), role_word(participant.role));
        Some(Publishing { participant_id, role, track: track_word(participant)? })
    });
    let state = match session.state {
        Stands::Invited => "invited",
        Stands::Joined => "joined",
        Stands::Live => "live",
        Stands::Ended(_) => "ended",
    };
    let seen = Seen { state, publishing: publishing.collect() };
    let data = serde_json::to_string(&seen).unwrap_or_default();
    Event::default().event("session").data(data)
}
