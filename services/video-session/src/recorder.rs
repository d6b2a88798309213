//! What the media core says goes two ways: segments and lines of the ledger to the spool, facts to the session.
//!
//! The two never wait for each other, and no session waits for another. With Postgres away, recording goes on and the facts wait; with
//! the disk in trouble, segments wait in memory, in order and as long as there is room, and the alarm is raised.

mod facts;
mod keeper;
mod owed;
mod recall;
mod untold;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chassis::{Health, Shutdown};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::task::TaskTracker;

pub(crate) use self::owed::{Hole, LostLines};
pub use self::recall::{LastPlea, Recalled, recall};
use self::{
    facts::{Fact, Seen, Teller, What},
    keeper::Keeper,
    owed::{Over, Owed},
};
use crate::{
    app::App,
    domain::Raised,
    ledger,
    media::{self, Media, MediaEvent, Noted},
    metrics,
    rooms::Rooms,
    spool::Spool,
};

/// Bytes of segments that may wait for a disk in trouble: five minutes of twenty calls with good pictures.
const MOST_OWED: usize = 512 << 20;

/// How long the database may take for what was seen last, once all of it is on the disk: it may be frozen, or away for each of many.
const LAST_FACTS: Duration = Duration::from_secs(5);

/// Runs until the media core has said its last word, and everything it said is kept.
pub async fn run(
    (media, mut events): (Media, UnboundedReceiver<MediaEvent>),
    Recalled { orders, pleas }: Recalled,
    app: App,
    spool: Spool,
    rooms: Rooms,
    health: Health,
    shutdown: Shutdown,
) {
    let (facts, seen) = unbounded_channel();
    let session_side = tokio::spawn(Teller::new(app.clone(), media, shutdown).tell(seen));
    for (session, order) in orders {
        let _ = facts.send(Fact::Recalled { session, order });
    }
    for plea in pleas {
        let _ = facts.send(Fact::PleaRecalled(plea));
    }
    let (owed, tasks) = (Arc::new(Mutex::new(Owed::new(MOST_OWED))), TaskTracker::new());
    let keeper = Keeper { owed, spool, rooms, facts, health, tasks };
    while let Some(event) = events.recv().await {
        hear(&keeper, event, &app);
    }
    keeper.tasks.close();
    keeper.tasks.wait().await;
    drop(keeper);
    match tokio::time::timeout(LAST_FACTS, session_side).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the sessions' side of the recorder failed"),
        Err(_) => tracing::warn!("facts not saved before the end"),
    }
}

/// Never waits: when something happened is when it was heard of. That a publication is over waits until everything of it is kept.
fn hear(keeper: &Keeper, event: MediaEvent, app: &App) {
    let at = app.now();
    match event {
        MediaEvent::Segment(segment) => {
            metrics::recorded();
            keeper.owe(segment.session, |owed| owed.segment(segment));
        }
        MediaEvent::Noted(noted) => note(keeper, &noted),
        MediaEvent::Instructed { instruction, at } => {
            let (session, order) = (instruction.session, instruction.order);
            keeper.owe(session, |owed| owed.order(session, ledger::ordered(&instruction, at)));
            tell(keeper, Fact::Ordered { session, order });
        }
        MediaEvent::Covered { tapped, recording } => {
            keeper.rooms.set_cover(tapped.session, tapped.n, tapped.tap);
            keeper.owe(tapped.session, |owed| owed.order(tapped.session, ledger::covered(&tapped, recording)));
            tell(keeper, Fact::Tapped(tapped));
        }
        MediaEvent::Pleaded(plea) => {
            keeper.rooms.set_plea(plea.session, Raised { how: plea.how, at: plea.at });
            keeper.owe(plea.session, |owed| owed.order(plea.session, ledger::pleaded(&plea)));
            tell(keeper, Fact::Pleaded(plea));
        }
        MediaEvent::FirstMedia { session, participant, track } => {
            keeper.rooms.first_media(session, &track);
            tell(keeper, Fact::Seen(Seen { session, participant, track, what: What::Flows, at }));
        }
        MediaEvent::Connected { resource, participant } => {
            if let Some((session, track)) = keeper.rooms.set_lost(resource, false) {
                note(keeper, &Noted { session, participant, track: track.clone(), at, what: media::What::Connected });
                tell(keeper, Fact::Seen(Seen { session, participant, track, what: What::Flows, at }));
            }
        }
        MediaEvent::Disconnected { resource, participant } => {
            if let Some((session, track)) = keeper.rooms.set_lost(resource, true) {
                let what = media::What::Disconnected;
                note(keeper, &Noted { session, participant, track: track.clone(), at, what });
                tell(keeper, Fact::Seen(Seen { session, participant, track, what: What::Stops, at }));
            }
        }
        MediaEvent::PublicationEnded { session, participant, track, segments, why, counters } => {
            metrics::ended(&counters);
            tracing::info!(session_id = %session, %track, segments, ?why, ?counters, "publication ended");
            // A sick disk keeps nobody from publishing anew.
            keeper.rooms.lose_track(session, &track);
            keeper.owe(session, |owed| owed.over(session, Over { participant, track, segments, at }));
        }
        MediaEvent::ViewerEnded { resource, seat } => {
            keeper.rooms.remove(resource);
            tell(keeper, Fact::Left { seat, at });
        }
        MediaEvent::PictureHeld { viewer, publisher, held } => keeper.rooms.set_unseen(viewer, publisher, held),
    }
}

fn note(keeper: &Keeper, noted: &Noted) {
    if let media::What::Lost { medium, packets, .. } = noted.what {
        metrics::lost(medium, packets);
    }
    keeper.owe(noted.session, |owed| owed.line(noted.session, noted.at, ledger::line(noted)));
}

fn tell(keeper: &Keeper, fact: Fact) {
    // The other side ends only after us, unless it panicked, and then `run` says so.
    let _ = keeper.facts.send(fact);
}

#[cfg(test)]
mod tests;
