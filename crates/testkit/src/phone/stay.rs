//! A phone that puts right by itself what breaks, as the pages do: it follows the session's events, publishes whenever the server
//! doesn't know of its media (any more), and watches whoever else publishes.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use tokio::{sync::watch, time::timeout};
use tokio_stream::StreamExt;
use tokio_util::task::AbortOnDropHandle;

use super::{Phone, Received, Sent};
use crate::Error;

const PAUSE: Duration = Duration::from_millis(200);
/// For an answer, and for a connection.
const PATIENCE: Duration = Duration::from_secs(3);
/// A sign of life comes every five seconds.
const SILENCE: Duration = Duration::from_secs(6);

type Tracks = BTreeMap<String, watch::Receiver<Received>>;

/// What a phone that is left to itself tells of what it does.
struct Telling {
    tracks: watch::Sender<Tracks>,
    published: watch::Sender<Option<watch::Receiver<Sent>>>,
}

/// A phone that stays in its call; hangs up without a word when dropped.
#[derive(Debug)]
pub struct Steady {
    tracks: watch::Receiver<Tracks>,
    published: watch::Receiver<Option<watch::Receiver<Sent>>>,
    living: AbortOnDropHandle<()>,
}

#[derive(Deserialize)]
struct Session {
    state: String,
    publishing: Vec<Publishing>,
}

#[derive(Deserialize)]
struct Publishing {
    participant_id: String,
    track: String,
}

impl Phone {
    /// Stays in the call, whatever happens, until it ends.
    #[must_use]
    pub fn stay(self) -> Steady {
        let (seen, tracks) = watch::channel(Tracks::new());
        let (publications, published) = watch::channel(None);
        let telling = Telling { tracks: seen, published: publications };
        let living = tokio::spawn(async move {
            let mut phone = self;
            while !matches!(phone.follow(&telling).await, Ok(true)) {
                tokio::time::sleep(PAUSE).await;
            }
        });
        Steady { tracks, published, living: AbortOnDropHandle::new(living) }
    }

    /// Until the stream breaks, or something can't be had. True: the call is over.
    async fn follow(&mut self, telling: &Telling) -> Result<bool, Error> {
        let asked = self.http.get(&self.pass.events_url).bearer_auth(&self.pass.token).send();
        let mut news = timeout(PATIENCE, asked).await.map_err(|_| late("events"))??.error_for_status()?.bytes_stream();
        let (mut text, mut publishes) = (String::new(), false);
        while let Some(part) = timeout(SILENCE, news.next()).await.map_err(|_| late("a sign of life"))? {
            text.push_str(&String::from_utf8_lossy(&part?));
            while let Some((message, rest)) = text.split_once("\n\n") {
                let data =
                    message.lines().find_map(|line| line.strip_prefix("data:")).map(str::trim).map(str::to_owned);
                text = rest.to_owned();
                let Some(session) = data.and_then(|data| serde_json::from_str::<Session>(&data).ok()) else { continue };
                if session.state == "ended" {
                    return Ok(true);
                }
                let (own, others): (Vec<_>, Vec<_>) =
                    session.publishing.into_iter().partition(|one| one.participant_id == self.pass.participant_id);
                if own.is_empty() && !publishes {
                    publishes = true;
                    if let Some(lost) = self.publisher.take() {
                        lost.peer.vanish().await;
                    }
                    timeout(PATIENCE, self.publish()).await.map_err(|_| late("an answer"))??;
                    telling.published.send_replace(self.publisher.as_ref().map(|publisher| publisher.sent.clone()));
                }
                for other in others {
                    self.watch_anew(other, &telling.tracks).await?;
                }
            }
        }
        Ok(false)
    }

    async fn watch_anew(&mut self, other: Publishing, seen: &watch::Sender<Tracks>) -> Result<(), Error> {
        if seen.borrow().contains_key(&other.track) {
            return Ok(());
        }
        if let Some(at) = self.watches.iter().position(|watch| watch.participant == other.participant_id) {
            self.watches.remove(at).peer.vanish().await;
        }
        timeout(PATIENCE, self.watch(&other.participant_id)).await.map_err(|_| late("an answer"))??;
        if let Some(watch) = self.watches.last() {
            seen.send_modify(|tracks| drop(tracks.insert(other.track, watch.received.clone())));
        }
        Ok(())
    }
}

impl Steady {
    /// Waits until it has seen so many pictures of a track, which it knows by its name in the events: `guest-1`.
    ///
    /// # Errors
    /// When that takes longer than `patience`: with all that it has seen.
    pub async fn sees(&self, track: &str, frames: u64, patience: Duration) -> Result<(), Error> {
        let mut tracks = self.tracks.clone();
        let seen = async {
            loop {
                let known = tracks.borrow_and_update().get(track).cloned();
                if let Some(mut received) = known
                    && received.wait_for(|received| received.video_frames >= frames).await.is_ok()
                {
                    return;
                }
                if tracks.changed().await.is_err() {
                    // The call is over: nothing more comes.
                    std::future::pending::<()>().await;
                }
            }
        };
        timeout(patience, seen).await.map_err(|_| {
            let all: Vec<_> = self.tracks.borrow().iter().map(|(name, seen)| (name.clone(), *seen.borrow())).collect();
            let (what, seconds) = (format!("frame {frames} of {track}"), patience.as_secs());
            Error::Late { what, seconds, log: format!("{all:?}") }
        })
    }

    /// What it has sent since it last began to publish.
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.published.borrow().as_ref().map(|sent| *sent.borrow()).unwrap_or_default()
    }

    /// Has it heard that the call is over?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.living.is_finished()
    }
}

fn late(what: &str) -> Error {
    Error::Late { what: format!("{what} for a phone"), seconds: PATIENCE.as_secs(), log: String::new() }
}
