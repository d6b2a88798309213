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
    Wish,
}

/// What a participant's page is told.
enum Say {
    Session(Seen),
    /// A photograph is wanted of them.
    Photo,
}

/// What a participant's page has been told.
struct Told {
    who: ParticipantId,
    session: Option<Box<Session>>,
    held: Vec<ParticipantId>,
    /// The newest photograph that was asked of them.
    wish: u64,
}

impl Told {
    /// What makes the page know the news, unless it does. `wish`: the photograph that is wanted in this session, if one is.
    fn next(&mut self, news: News, held: Vec<ParticipantId>, wish: Option<u64>) -> Vec<Say> {
        let is_new = match news {
            News::Session(session) => {
                self.session = Some(session);
                true
            }
            News::Pictures => self.held != held,
            News::Wish => false,
        };
        self.held = held;
        let session = self.session.as_ref().filter(|_| is_new);
        let seen = session.map(|session| Say::Session(Seen::by(session, self.who, &self.held)));
        seen.into_iter().chain(self.wished(wish)).collect()
    }

    /// Only the caller is asked, of each wish once.
    fn wished(&mut self, wish: Option<u64>) -> Option<Say> {
        let number = wish.filter(|number| *number > self.wish)?;
        self.session.as_ref()?.photographed_by(self.who).ok()?;
        self.wish = number;
        Some(Say::Photo)
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
            // Whoever asks again is told where the call goes on.
            if !app.owns(&stored) {
                return Err(Error::NotOwner);
            }
            Ok::<_, Error>(stored.session)
        }
    });
    // An error ends the stream: the page asks again, and is told why.
    let sessions = sessions.map(|session| Some(News::Session(Box::new(session.ok()?)))).chain(stream::iter([None]));
    let pictures = WatchStream::new(web.rooms.changes()).map(|_| Some(News::Pictures));
    let wishes = WatchStream::new(web.wishes.changes()).map(|_| Some(News::Wish));
    let news = stream::select(sessions, stream::select(pictures, wishes))
        .take_while(|news| ready(news.is_some()))
        .filter_map(ready);
    let (rooms, who) = (web.rooms.clone(), named.participant);
    let told = Told { who, session: None, held: Vec::new(), wish: 0 };
    let wish = move || web.wishes.number(named.session, web.app.now());
    let told = news.scan(told, move |told, news| ready(Some(told.next(news, rooms.unseen_by(who), wish()))));
    Sse::new(told.flat_map(stream::iter).map(|say| Ok(event(&say))))
        .keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE).text("still here"))
}

fn event(say: &Say) -> Event {
    match say {
        Say::Session(seen) => Event::default().event("session").data(serde_json::to_string(seen).unwrap_or_default()),
        Say::Photo => Event::default().event("photo").data("{}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ids::{CallId, IncidentRef, SessionId};
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Accepted, Role};

    fn session() -> Session {
        let accepted = Accepted {
            call: CallId::from(Uuid::from_u128(1)),
            force: "wmp".parse().unwrap(),
            officer: "o.one".parse().unwrap(),
            incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
            recording: true,
            stills: true,
        };
        Session::open(SessionId::from(Uuid::from_u128(2)), accepted, chrono::DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_page_is_told_of_a_held_picture_once_and_that_it_is_back() {
        let session = session();
        let other = ParticipantId::from(Uuid::from_u128(3));
        let mut told = Told { who: other, session: None, held: Vec::new(), wish: 0 };
        let mut next = |news, held: &[ParticipantId]| match told.next(news, held.to_vec(), None).pop() {
            Some(Say::Session(seen)) => Some(seen.held.len()),
            Some(Say::Photo) => panic!("nobody wants one"),
            None => None,
        };
        assert_eq!(next(News::Pictures, &[]), None, "nothing is known of the session yet");
        assert_eq!(next(News::Session(Box::new(session)), &[]), Some(0));
        assert_eq!(next(News::Pictures, &[]), None);
        assert_eq!(next(News::Pictures, &[other]), Some(1));
        assert_eq!(next(News::Pictures, &[other]), None);
        assert_eq!(next(News::Pictures, &[]), Some(0));
    }

    #[test]
    fn only_the_caller_is_asked_for_a_photograph_and_once() {
        let arrive = |session: Session, role, n| {
            let fresh = ParticipantId::from(Uuid::from_u128(n));
            session.arrive(role, None, fresh, chrono::DateTime::UNIX_EPOCH).unwrap().0
        };
        let session = arrive(arrive(session(), Role::Caller, 3), Role::Officer, 4);
        let asked = |n, news: Vec<News>| {
            let who = ParticipantId::from(Uuid::from_u128(n));
            let mut told = Told { who, session: None, held: Vec::new(), wish: 0 };
            let said = news.into_iter().flat_map(|news| told.next(news, Vec::new(), Some(1))).collect::<Vec<_>>();
            said.iter().filter(|say| matches!(say, Say::Photo)).count()
        };
        let news = || vec![News::Wish, News::Session(Box::new(session.clone())), News::Wish, News::Pictures];
        assert_eq!((asked(3, news()), asked(4, news())), (1, 0));
    }
}
