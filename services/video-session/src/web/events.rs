//! `GET /events`: the session's state, and what is written in it, as server-sent events. The token comes in the Authorization header (the page reads
//! the stream by `fetch`), so that it is in no URL and no history.

use std::{convert::Infallible, future::ready, io, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use exhibit::time;
use futures::{Stream, StreamExt, stream};
use ids::ParticipantId;
use serde::Serialize;
use tokio_stream::wrappers::WatchStream;

use super::{
    Bearer, Web,
    chat::Heard,
    seen::{Lacks, Seen},
};
use crate::{
    changes::{Sight, Wanted},
    domain::{Raised, Role, Session, Tap},
    error::Error,
    rooms::Rooms,
    talk::Reader,
};

/// A page that has heard nothing for a few of these knows that it is cut off.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// What there is to tell of.
enum News {
    Session(Box<Session>),
    /// Perhaps another instance carries it by now: the page asks whether somebody knows more, and listens here until somebody does.
    Lost,
    Rooms,
    Wish,
    Written,
}

/// What staff hear.
#[derive(Serialize)]
struct Covered {
    covered: bool,
}

/// That the caller asks for help, for staff: to be said to nobody.
#[derive(Serialize)]
struct Asked {
    how: &'static str,
    at: String,
}

/// What was tapped or asked here, of which the rows may not know yet.
#[derive(Clone, Copy)]
struct Known {
    cover: Option<(u32, Tap)>,
    plea: Option<Raised>,
}

/// What a participant's page has been told.
struct Told {
    who: ParticipantId,
    session: Option<Box<Session>>,
    lacks: Lacks,
    /// Whether the call is covered: told to staff.
    covered: Option<bool>,
    /// What the caller asked last: told to staff.
    raised: Option<Raised>,
    /// The newest photograph that was asked of them.
    wish: u64,
    /// None: the disk can't be read, and a call goes on without.
    lines: Option<Reader>,
}

impl Told {
    /// All that the page hears at this news. `wish`: the photograph that is wanted in this session, if one is.
    fn hear(&mut self, news: News, lacks: Lacks, wish: Option<u64>, known: Known) -> Vec<Event> {
        let again = matches!(news, News::Lost).then(|| Event::default().event("again").data("{}"));
        let seen = self.next(news, lacks).map(|seen| event("session", &seen));
        let (own, covered) = self.stands(known.cover);
        let cover = self.is_new_to(own, covered).then(|| event("cover", &Covered { covered }));
        let asked =
            self.is_asked(own, known.plea).map(|Raised { how, at }| Asked { how: how.as_str(), at: time::write(at) });
        let call = asked.map(|asked| event("call", &asked));
        // Nothing of the others gets to a page that is covered: it hears of it later.
        let hears = own.is_some_and(|own| !covered || own != Role::Caller);
        let photo = (hears && self.is_wished(wish)).then(|| Event::default().event("photo").data("{}"));
        let lines = self.lines.as_mut().filter(|_| hears).map(Reader::take).unwrap_or_default();
        let lines = lines.iter().map(|(number, line)| event("chat", &Heard::of(*number, line)));
        again.into_iter().chain(seen).chain(cover).chain(call).chain(photo).chain(lines).collect()
    }

    /// What they are in the call, if they are in it; and whether it is covered, by the newest tap, which the rows may not know of yet.
    fn stands(&self, tapped: Option<(u32, Tap)>) -> (Option<Role>, bool) {
        let Some(session) = &self.session else { return (None, false) };
        let own = session.participant(self.who).ok().filter(|own| own.is_in()).map(|own| own.role);
        (own, session.cover.given(tapped).1)
    }

    /// Only staff are told whether it is covered: at once, and of each change once.
    fn is_new_to(&mut self, own: Option<Role>, covered: bool) -> bool {
        is_staff(own) && self.covered.replace(covered) != Some(covered)
    }

    /// What staff are to be told of the caller's asking for help, unless they were. `here`: the newest that was heard of here.
    fn is_asked(&mut self, own: Option<Role>, here: Option<Raised>) -> Option<Raised> {
        let duress = &self.session.as_ref()?.duress;
        let newer = here.filter(|here| here.is_news_after(duress.raised));
        let raised = newer.or_else(|| duress.raised.filter(|_| duress.seen.is_none()))?;
        let is_told = is_staff(own) && raised.is_news_after(self.raised);
        is_told.then(|| *self.raised.insert(raised))
    }

    /// What makes the page know the news, unless it does.
    fn next(&mut self, news: News, lacks: Lacks) -> Option<Seen> {
        let is_new = match news {
            News::Session(session) => {
                self.session = Some(session);
                true
            }
            News::Rooms => self.lacks != lacks,
            News::Lost | News::Wish | News::Written => false,
        };
        self.lacks = lacks;
        self.session.as_ref().filter(|_| is_new).map(|session| Seen::by(session, self.who, &self.lacks))
    }

    /// Only the caller is asked, of each wish once.
    fn is_wished(&mut self, wish: Option<u64>) -> bool {
        let Some(number) = wish.filter(|number| *number > self.wish) else { return false };
        let is_theirs = self.session.as_ref().is_some_and(|session| session.photographed_by(self.who).is_ok());
        if is_theirs {
            self.wish = number;
        }
        is_theirs
    }
}

pub(super) async fn follow(
    State(web): State<Arc<Web>>,
    Bearer { named, token }: Bearer,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let watched = web.changes.watch(web.app.clone(), Wanted::Session(named.session), web.shutdown.clone());
    // A token that was replaced in the meantime, or whose owner was sent away, hears no more.
    let still = {
        let app = web.app.clone();
        move || {
            let (app, token) = (app.clone(), token.clone());
            async move { app.authenticate(&token).await.map(|_| ()) }
        }
    };
    let (app, known) = (web.app.clone(), still.clone());
    let sessions = watched.then(move |sight| {
        let (app, known) = (app.clone(), known());
        async move {
            let stored = match sight? {
                Sight::Session(stored) => *stored,
                Sight::Lost => return Ok(News::Lost),
            };
            known.await?;
            // Whoever asks again is told where the call goes on.
            if !app.owns(&stored) {
                return Err(Error::NotOwner);
            }
            Ok::<_, Error>(News::Session(Box::new(stored.session)))
        }
    });
    // An error ends the stream: the page asks again, and is told why.
    let sessions = sessions.map(Result::ok).chain(stream::iter([None]));
    let rooms = WatchStream::new(web.rooms.changes()).map(|_| Some(News::Rooms));
    let wishes = WatchStream::new(web.wishes.changes()).map(|_| Some(News::Wish));
    let unread =
        |error: &io::Error| tracing::error!(session_id = %named.session, %error, "what is written can't be read");
    let lines = web.talk.read(named.session).await.inspect_err(unread).ok();
    let written = stream::iter(lines.as_ref().map(Reader::news)).flatten();
    let written = written.then(move |()| still()).map(|still| still.ok().map(|()| News::Written));
    let news = stream::select(sessions, stream::select(stream::select(rooms, wishes), written));
    let news = news.take_while(|news| ready(news.is_some())).filter_map(ready);
    let (rooms, who) = (web.rooms.clone(), named.participant);
    let told = Told { who, session: None, lacks: Lacks::default(), covered: None, raised: None, wish: 0, lines };
    let listener = web.listeners.admit(named.participant);
    let wish = move || web.wishes.number(named.session, web.app.now());
    let known = move |rooms: &Rooms| Known { cover: rooms.cover(named.session), plea: rooms.plea(named.session) };
    let lacks = move |rooms: &Rooms| Lacks { pictures: rooms.unseen_by(who), sound: rooms.silent_in(named.session) };
    let heard = news.scan(told, move |told, news| ready(Some(told.hear(news, lacks(&rooms), wish(), known(&rooms)))));
    let events = heard.flat_map(|events| stream::iter(events).map(Ok)).take_until(listener.over()).map(move |event| {
        let _kept_until_the_end = &listener;
        event
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE).text("still here"))
}

fn is_staff(own: Option<Role>) -> bool {
    matches!(own, Some(Role::Officer | Role::Observer))
}

fn event(name: &str, data: &impl Serialize) -> Event {
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ids::{CallId, IncidentRef, SessionId};
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Accepted, How};

    fn session() -> Session {
        let accepted = Accepted {
            call: CallId::from(Uuid::from_u128(1)),
            force: "wmp".parse().unwrap(),
            officer: "o.one".parse().unwrap(),
            incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
            recording: true,
            stills: true,
            covered: false,
            silent: None,
        };
        Session::open(SessionId::from(Uuid::from_u128(2)), accepted, chrono::DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_page_is_told_of_a_held_picture_once_and_that_it_is_back() {
        let session = session();
        let other = ParticipantId::from(Uuid::from_u128(3));
        let mut told = Told {
            who: other,
            session: None,
            lacks: Lacks::default(),
            covered: None,
            raised: None,
            wish: 0,
            lines: None,
        };
        let mut next = |news, held: &[ParticipantId]| {
            let lacks = Lacks { pictures: held.to_vec(), ..Lacks::default() };
            told.next(news, lacks).map(|seen| seen.held.len())
        };
        assert_eq!(next(News::Rooms, &[]), None, "nothing is known of the session yet");
        assert_eq!(next(News::Session(Box::new(session)), &[]), Some(0));
        assert_eq!(next(News::Rooms, &[]), None);
        assert_eq!(next(News::Rooms, &[other]), Some(1));
        assert_eq!(next(News::Rooms, &[other]), None);
        assert_eq!(next(News::Rooms, &[]), Some(0));
    }

    #[test]
    fn staff_are_told_of_a_cover_once_and_the_newest_tap_counts() {
        let arrive = |session: Session, role, n| {
            let fresh = ParticipantId::from(Uuid::from_u128(n));
            session.arrive(role, None, fresh, chrono::DateTime::UNIX_EPOCH).unwrap().0
        };
        let session = arrive(arrive(session(), Role::Caller, 3), Role::Officer, 4);
        let caller = ParticipantId::from(Uuid::from_u128(3));
        let told = |who| Told {
            who: ParticipantId::from(Uuid::from_u128(who)),
            session: Some(Box::new(session.clone())),
            lacks: Lacks::default(),
            covered: None,
            raised: None,
            wish: 0,
            lines: None,
        };
        let mut officer = told(4);
        let mut hear = |tapped| {
            let (own, covered) = officer.stands(tapped);
            officer.is_new_to(own, covered).then_some(covered)
        };
        assert_eq!([hear(None), hear(None)], [Some(false), None], "a page that comes back may know better");
        assert_eq!([hear(Some((1, Tap::Away))), hear(Some((1, Tap::Away)))], [Some(true), None]);
        assert_eq!([hear(Some((2, Tap::Back))), hear(None)], [Some(false), None]);
        // The rows know more, of another instance perhaps.
        let (later, _) = session.clone().tap(caller, Tap::Away, 3, chrono::DateTime::UNIX_EPOCH).unwrap();
        officer.session = Some(Box::new(later));
        let (own, covered) = officer.stands(Some((2, Tap::Back)));
        assert!(officer.is_new_to(own, covered) && covered);
        let mut own = told(3);
        let (role, covered) = own.stands(Some((1, Tap::Away)));
        assert!(covered && !own.is_new_to(role, covered), "their page needs not be told");
    }

    #[test]
    fn staff_are_told_that_the_caller_asks_before_the_rows_know_and_nobody_else_is() {
        let arrive = |session: Session, role, n| {
            let fresh = ParticipantId::from(Uuid::from_u128(n));
            session.arrive(role, None, fresh, chrono::DateTime::UNIX_EPOCH).unwrap().0
        };
        let session = arrive(arrive(session(), Role::Caller, 3), Role::Officer, 4);
        let who = |n| ParticipantId::from(Uuid::from_u128(n));
        let after = |seconds| Raised {
            how: How::Corner,
            at: chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds),
        };
        let mut told = Told {
            who: who(4),
            session: Some(Box::new(session.clone())),
            lacks: Lacks::default(),
            covered: None,
            raised: None,
            wish: 0,
            lines: None,
        };
        let staff = Some(Role::Officer);
        assert_eq!(told.is_asked(Some(Role::Caller), Some(after(1))), None);
        assert_eq!(told.is_asked(Some(Role::Interpreter), Some(after(1))), None);
        assert_eq!([told.is_asked(staff, None), told.is_asked(staff, Some(after(1)))], [None, Some(after(1))]);
        let (asked, _) = session.plead(who(3), after(1), 1).unwrap();
        told.session = Some(Box::new(asked.clone()));
        assert_eq!(told.is_asked(staff, Some(after(1))), None, "they have been told");
        assert_eq!(told.is_asked(staff, Some(after(99))), Some(after(99)));
        // Another of their pages, after it was seen.
        let (seen, ..) = asked.see("o.one".parse().unwrap(), chrono::DateTime::UNIX_EPOCH).unwrap();
        (told.raised, told.session) = (None, Some(Box::new(seen)));
        assert_eq!(told.is_asked(staff, Some(after(1))), None);
        assert_eq!(told.is_asked(staff, Some(after(99))), Some(after(99)));
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
            let mut told =
                Told { who, session: None, lacks: Lacks::default(), covered: None, raised: None, wish: 0, lines: None };
            let asked = |news| {
                told.next(news, Lacks::default());
                told.is_wished(Some(1))
            };
            news.into_iter().map(asked).filter(|is_asked| *is_asked).count()
        };
        let news = || vec![News::Wish, News::Session(Box::new(session.clone())), News::Wish, News::Rooms];
        assert_eq!((asked(3, news()), asked(4, news())), (1, 0));
    }
}
