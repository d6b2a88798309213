//! WatchSession: the session's states, and between them what is written there, for a member of staff who is in the call.

use std::collections::VecDeque;

use api::session::v1::{ChatLine, WatchSessionResponse};
use futures::{Stream, StreamExt, stream};
use ids::OfficerId;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::session;
use crate::{
    changes::Sight,
    domain::{Content, Line, Session},
    error::Error,
    events::{role_number, timestamp},
    talk::{Reader, Talk},
};

type States = ReceiverStream<Result<Sight, Error>>;

pub(super) fn answers(
    states: States,
    talk: Talk,
    staff: Option<OfficerId>,
    lent: Option<OfficerId>,
) -> impl Stream<Item = Result<WatchSessionResponse, Status>> {
    let watching = Watching { states, talk, staff, lent, lines: None, due: VecDeque::new() };
    stream::unfold(watching, |mut watching| async {
        let answer = watching.next().await?;
        Some((answer.map_err(Status::from), watching))
    })
}

struct Watching {
    states: States,
    talk: Talk,
    staff: Option<OfficerId>,
    /// The same, if another force lends them: it ends for them when the call isn't theirs any more.
    lent: Option<OfficerId>,
    /// While they are in the call.
    lines: Option<Reader>,
    due: VecDeque<WatchSessionResponse>,
}

impl Watching {
    async fn next(&mut self) -> Option<Result<WatchSessionResponse, Error>> {
        loop {
            if let Some(answer) = self.due.pop_front() {
                return Some(Ok(answer));
            }
            let state = match &mut self.lines {
                None => self.states.next().await,
                Some(lines) => tokio::select! {
                    state = self.states.next() => state,
                    () = lines.more() => {
                        self.read();
                        continue;
                    }
                },
            };
            match state? {
                Err(error) => return Some(Err(error)),
                // What is written here needs no database. The console hears of it with the call's events, and asks again.
                Ok(Sight::Lost) => {}
                Ok(Sight::Session(stored)) if self.is_another_s(&stored.session) => return None,
                Ok(Sight::Session(stored)) => {
                    self.due.push_back(WatchSessionResponse { session: Some(session(&stored.session)), chat: None });
                    if let Err(error) = self.come_or_go(&stored.session).await {
                        return Some(Err(error));
                    }
                    self.read();
                }
            }
        }
    }

    fn is_another_s(&self, session: &Session) -> bool {
        self.lent.as_ref().is_some_and(|officer| !session.is_theirs(officer))
    }

    async fn come_or_go(&mut self, session: &Session) -> Result<(), Error> {
        let is_theirs = |staff| session.participants.iter().any(|one| one.is_in() && one.staff.as_ref() == Some(staff));
        match (self.staff.as_ref().is_some_and(is_theirs), &self.lines) {
            (true, None) => self.lines = Some(self.talk.read(session.id).await.map_err(Error::Spool)?),
            (false, Some(_)) => self.lines = None,
            _ => {}
        }
        Ok(())
    }

    fn read(&mut self) {
        let lines = self.lines.as_mut().map(Reader::take).unwrap_or_default();
        let chats = lines.iter().map(|(number, line)| chat(*number, line));
        self.due.extend(chats.map(|chat| WatchSessionResponse { session: None, chat: Some(chat) }));
    }
}

fn chat(number: u32, line: &Line) -> ChatLine {
    let heard = ChatLine {
        number,
        at: Some(timestamp(line.at)),
        participant_id: line.participant.to_string(),
        role: role_number(line.role),
        language: line.content.language().to_owned(),
        ..Default::default()
    };
    match &line.content {
        Content::Text { text, .. } => ChatLine { text: text.expose().clone(), ..heard },
        Content::Phrase { phrase, words, english, .. } => ChatLine {
            phrase: phrase.expose().clone(),
            words: words.expose().clone(),
            english: english.expose().clone(),
            ..heard
        },
        Content::Language { .. } => heard,
    }
}
