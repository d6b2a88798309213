//! What the media core says goes two ways: segments to the spool, facts to the session.
//!
//! The two never wait for each other. With Postgres away, recording goes on and the facts wait; with the disk in
//! trouble, segments wait in memory, in order and without a gap, and the alarm is raised.

use std::{collections::HashMap, time::Duration};

use chassis::{Health, Shutdown};
use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId, TrackName};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{
    app::App,
    domain::RecordOrder,
    error::Error,
    ledger,
    media::{self, MediaEvent, Noted, RecordedSegment, Seat},
    rooms::Rooms,
    spool::{Lines, Piece, Place, Spool},
};

const BATCH: usize = 256;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Something for the session's rows.
#[derive(Debug, Clone)]
enum Fact {
    Seen(Seen),
    /// Somebody watches no more.
    Left {
        seat: Seat,
        at: DateTime<Utc>,
    },
    /// An order about recording was carried out.
    Ordered {
        session: SessionId,
        order: RecordOrder,
    },
}

/// Something about a publication.
#[derive(Debug, Clone)]
struct Seen {
    session: SessionId,
    participant: ParticipantId,
    track: TrackName,
    what: What,
    at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Flows,
    Stops,
    Ended { segments: u64 },
}

/// Runs until the media core has said its last word, and everything it said is kept.
pub async fn run(
    mut events: UnboundedReceiver<MediaEvent>,
    app: App,
    spool: Spool,
    rooms: Rooms,
    health: Health,
    shutdown: Shutdown,
) {
    let (facts, seen) = unbounded_channel();
    let session_side = tokio::spawn(tell_sessions(seen, app.clone(), shutdown));
    for (session, order) in unsaved(&spool).await {
        let _ = facts.send(Fact::Ordered { session, order });
    }
    let mut batch = Vec::with_capacity(BATCH);
    while events.recv_many(&mut batch, BATCH).await > 0 {
        let mut segments: HashMap<SessionId, Vec<RecordedSegment>> = HashMap::new();
        let (mut others, mut ledgers) = (Vec::new(), HashMap::<SessionId, Vec<String>>::new());
        for event in batch.drain(..) {
            if let MediaEvent::Instructed { instruction, at } = &event {
                ledgers.entry(instruction.session).or_default().push(ledger::ordered(instruction, *at));
            }
            match event {
                MediaEvent::Segment(segment) => segments.entry(segment.session).or_default().push(segment),
                MediaEvent::Noted(noted) => ledgers.entry(noted.session).or_default().push(ledger::line(&noted)),
                other => others.push(other),
            }
        }
        // Sessions share the disk's sync, the segments of one keep their order; and all are safe before anybody hears
        // that a publication is over.
        let kept = segments.into_values().map(|segments| keep(spool.clone(), segments, health.clone()));
        futures::future::join_all(kept).await;
        // The last line of a publication, too: the end of a session is told from its ledger.
        keep_lines(&spool, &mut ledgers, &health).await;
        let now = app.now();
        for seen in others.into_iter().filter_map(|event| note(event, &rooms, &facts, now)) {
            let what = match seen.what {
                What::Flows => media::What::Connected,
                What::Stops | What::Ended { .. } => media::What::Disconnected,
            };
            let Seen { session, participant, track, at, .. } = seen;
            let noted = Noted { session, participant, track, at, what };
            ledgers.entry(session).or_default().push(ledger::line(&noted));
        }
        keep_lines(&spool, &mut ledgers, &health).await;
    }
    drop(facts);
    if let Err(error) = session_side.await {
        tracing::error!(%error, "the sessions' side of the recorder failed");
    }
}

/// Orders that an earlier process carried out, and may not have got to the sessions. That recording goes on is never among them: it
/// is written down first.
async fn unsaved(spool: &Spool) -> Vec<(SessionId, RecordOrder)> {
    let spool = spool.clone();
    let read = tokio::task::spawn_blocking(move || {
        let last = |session| {
            let lines = spool.lines(session, Lines::Ledger).inspect_err(|error| {
                tracing::error!(session_id = %session, %error, "the ledger can't be read for orders about recording");
            });
            let order = ledger::last_order(&lines.ok()?).filter(|order| *order != RecordOrder::Resume)?;
            Some((session, order))
        };
        spool.sessions().into_iter().filter_map(last).collect()
    });
    read.await.unwrap_or_default()
}

async fn keep(spool: Spool, segments: Vec<RecordedSegment>, health: Health) {
    for segment in segments {
        let mut pause = FIRST_PAUSE;
        loop {
            let (spool, segment) = (spool.clone(), segment.clone());
            let (session, seq) = (segment.session, segment.seq);
            let kept = tokio::task::spawn_blocking(move || {
                let place = Place { track: segment.track, seq: segment.seq };
                spool.keep(segment.session, &place, &Piece::new(segment.starts_at, segment.ends_at, segment.bytes))
            });
            match kept.await.map_err(std::io::Error::other).flatten() {
                Ok(()) => break health.set("spool", true),
                Err(error) => {
                    tracing::error!(session_id = %session, seq, %error, "segment not kept, trying again");
                    health.set("spool", false);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

async fn keep_lines(spool: &Spool, ledgers: &mut HashMap<SessionId, Vec<String>>, health: &Health) {
    for (session, lines) in ledgers.drain().filter(|(session, _)| spool.owner(*session).is_some()) {
        let (spool, count) = (spool.clone(), lines.len());
        let kept = tokio::task::spawn_blocking(move || spool.note(session, &lines)).await;
        match kept.map_err(std::io::Error::other).flatten() {
            Ok(()) => health.set("spool", true),
            // Segments are waited for, and tell of a full disk themselves; a call isn't held up for its ledger.
            Err(error) => tracing::error!(session_id = %session, count, %error, "lines of the gap ledger are lost"),
        }
    }
}

/// Passes a fact on. Gives it back if it is about a connection: the ledger has these, too.
fn note(event: MediaEvent, rooms: &Rooms, facts: &UnboundedSender<Fact>, at: DateTime<Utc>) -> Option<Seen> {
    let connection = matches!(event, MediaEvent::Connected { .. } | MediaEvent::Disconnected { .. });
    let seen = match event {
        MediaEvent::FirstMedia { session, participant, track } => {
            rooms.first_media(session, &track);
            Some(Seen { session, participant, track, what: What::Flows, at })
        }
        MediaEvent::Connected { resource, participant } => rooms
            .set_lost(resource, false)
            .map(|(session, track)| Seen { session, participant, track, what: What::Flows, at }),
        MediaEvent::Disconnected { resource, participant } => rooms
            .set_lost(resource, true)
            .map(|(session, track)| Seen { session, participant, track, what: What::Stops, at }),
        MediaEvent::PublicationEnded { session, participant, track, segments, why, counters } => {
            tracing::info!(session_id = %session, %track, segments, ?why, ?counters, "publication ended");
            rooms.remove_track(session, &track);
            Some(Seen { session, participant, track, what: What::Ended { segments }, at })
        }
        MediaEvent::ViewerEnded { resource, seat } => {
            rooms.remove(resource);
            let _ = facts.send(Fact::Left { seat, at });
            None
        }
        MediaEvent::PictureHeld { viewer, publisher, held } => {
            rooms.set_unseen(viewer, publisher, held);
            None
        }
        MediaEvent::Instructed { instruction, .. } => {
            let _ = facts.send(Fact::Ordered { session: instruction.session, order: instruction.order });
            None
        }
        MediaEvent::Segment(_) | MediaEvent::Noted(_) => None,
    }?;
    // The other side ends only after us, unless it panicked, and then `run` says so.
    let _ = facts.send(Fact::Seen(seen.clone()));
    connection.then_some(seen)
}

async fn tell_sessions(mut facts: UnboundedReceiver<Fact>, app: App, shutdown: Shutdown) {
    while let Some(fact) = facts.recv().await {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = tell_session(&app, &fact).await {
            if !error.is_transient() {
                tracing::error!(?fact, error = chassis::chain(&error), "fact dropped");
                break;
            }
            if shutdown.is_requested() {
                tracing::warn!(?fact, "fact not saved before shutdown, the next start makes up for it");
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

async fn tell_session(app: &App, fact: &Fact) -> Result<(), Error> {
    match fact {
        Fact::Left { seat, at } => app.stopped_watching(*seat, *at).await,
        Fact::Ordered { session, order } => app.recording_changed(*session, *order).await,
        Fact::Seen(Seen { session, participant, track, what, at }) => match what {
            What::Flows => app.media_flows(*session, *participant, track).await,
            What::Stops => app.media_stops(*session, *participant, track).await,
            What::Ended { segments } => {
                app.track_recorded(*session, track, *segments).await?;
                app.stopped_publishing(*session, track, *at).await?;
                app.media_stops(*session, *participant, track).await
            }
        },
    }
}
