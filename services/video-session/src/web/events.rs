//! `GET /events`: the session's state as server-sent events. The token comes in the Authorization header (the page reads
//! the stream by `fetch`), so that it is in no URL and no history.

use std::{convert::Infallible, future::ready, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt, stream};
use ids::ParticipantId;
use tokio_stream::wrappers::WatchStream;

use super::{Bearer, Web, seen::Seen};
use crate::{changes::Wanted, domain::Session, error::Error};

/// A page that has heard nothing for a few of these knows that it is cut off.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// What there is to tell of.
enum News {
    Session(Box<Session>),
    Pictures,
}

/// What a participant's page has been told.
struct Told {
    who: ParticipantId,
    session: Option<Box<Session>>,
    held: Vec<ParticipantId>,
}

impl Told {
    /// What makes the page know the news, unless it does.
    fn next(&mut self, news: News, held: Vec<ParticipantId>) -> Option<Seen> {
        let is_new = match news {
            News::Session(session) => {
                self.session = Some(session);
                true
            }
            News::Pictures => self.held != held,
        };
        self.held = held;
        self.session.as_ref().filter(|_| is_new).map(|session| Seen::by(session, self.who, &self.held))
    }
}

pub(super) async fn follow(
    State(web): State<Arc<Web>>,
    Bearer { named, token }: Bearer,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let watched = web.changes.watch(web.app.clone(), Wanted::Session(named.session), web.shutdown.clone());
    let app = web.app.clone();
    let sessions = watched.then(move |stored| {
        let (app, token) = (app.clone(), token.clone());
        async move {
            let stored = stored?;
            // A token that was replaced in the meantime, or whose owner was sent away, hears no more.
            app.authenticate(&token).await?;
            Ok::<_, Error>(stored.session)
        }
    });
    // An error ends the stream: the page asks again, and is told why.
    let sessions = sessions.map(|session| Some(News::Session(Box::new(session.ok()?)))).chain(stream::iter([None]));
    let pictures = WatchStream::new(web.rooms.changes()).map(|_| Some(News::Pictures));
    let news = stream::select(sessions, pictures).take_while(|news| ready(news.is_some())).filter_map(ready);
    let (rooms, who) = (web.rooms.clone(), named.participant);
    let told = Told { who, session: None, held: Vec::new() };
    let told = news.scan(told, move |told, news| ready(Some(told.next(news, rooms.unseen_by(who)))));
    let events = told.filter_map(|seen| ready(seen.map(|seen| event(&seen))));
    Sse::new(events.map(Ok)).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE).text("still here"))
}

fn event(seen: &Seen) -> Event {
    Event::default().event("session").data(serde_json::to_string(seen).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ids::{CallId, IncidentRef, SessionId};
    use uuid::Uuid;

    use super::*;
    use crate::domain::Accepted;

    #[test]
    fn a_page_is_told_of_a_held_picture_once_and_that_it_is_back() {
        let accepted = Accepted {
            call: CallId::from(Uuid::from_u128(1)),
            force: "wmp".parse().unwrap(),
            officer: "o.one".parse().unwrap(),
            incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
            recording: true,
            stills: true,
        };
        let session = Session::open(SessionId::from(Uuid::from_u128(2)), accepted, chrono::DateTime::UNIX_EPOCH);
        let other = ParticipantId::from(Uuid::from_u128(3));
        let mut told = Told { who: other, session: None, held: Vec::new() };
        let mut next = |news, held: &[ParticipantId]| told.next(news, held.to_vec()).map(|seen| seen.held.len());
        assert_eq!(next(News::Pictures, &[]), None, "nothing is known of the session yet");
        assert_eq!(next(News::Session(Box::new(session)), &[]), Some(0));
        assert_eq!(next(News::Pictures, &[]), None);
        assert_eq!(next(News::Pictures, &[other]), Some(1));
        assert_eq!(next(News::Pictures, &[other]), None);
        assert_eq!(next(News::Pictures, &[]), Some(0));
    }
}
