//! The sessions' side of the recorder: what their rows have to know, in order, as soon as they can be written.
//!
//! What can't be written before the process ends isn't made up for in full. The disk has the order that recording pauses or stops and the
//! last call for help, for the next start to recall, and how many segments there are. Of people the rows say, once somebody takes the
//! session over, that they were gone by then. That a call is covered the caller's page says again, if it is still there. The ledger has
//! all of it, with its times; of a call that isn't recorded there is none.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chassis::Shutdown;
use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId, TrackName};
use tokio::sync::{Semaphore, mpsc::UnboundedReceiver};
use tokio_util::task::TaskTracker;

use super::{recall::LastPlea, untold::Untold};
use crate::{
    app::App,
    domain::RecordOrder,
    error::Error,
    media::{Media, Plea, Seat, Tapped},
    metrics::{self, Writing},
};

/// Sessions that are told something at the same time: the connections are others' too.
const AT_ONCE: usize = 2;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Something for the session's rows.
#[derive(Debug, Clone)]
pub(super) enum Fact {
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
    /// A caller has covered the call, or is back.
    Tapped(Tapped),
    /// A caller has asked for help.
    Pleaded(Plea),
    /// An earlier process carried it out, and this one has done so again.
    Recalled {
        session: SessionId,
        order: RecordOrder,
    },
    /// An earlier process was asked.
    PleaRecalled(LastPlea),
}

/// Something about a publication.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) session: SessionId,
    pub(super) participant: ParticipantId,
    pub(super) track: TrackName,
    pub(super) what: What,
    pub(super) at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Flows,
    Stops,
    Ended { segments: u64 },
}

impl Fact {
    /// Whose rows are to know it.
    pub(super) fn session(&self) -> SessionId {
        match self {
            Self::Seen(seen) => seen.session,
            Self::Left { seat, .. } => seat.session(),
            Self::Tapped(tapped) => tapped.session,
            Self::Pleaded(plea) => plea.session,
            Self::PleaRecalled(plea) => plea.session,
            Self::Ordered { session, .. } | Self::Recalled { session, .. } => *session,
        }
    }
}

/// Who tells the sessions, a task for each that there is anything to tell of: one that is held up holds up no other. Clones are the same
/// one.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    app: App,
    media: Media,
    shutdown: Shutdown,
    untold: Arc<Mutex<Untold>>,
    places: Arc<Semaphore>,
}

impl Teller {
    pub(super) fn new(app: App, media: Media, shutdown: Shutdown) -> Self {
        Self { app, media, shutdown, untold: Arc::default(), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Until there is nobody who could say anything more.
    pub(super) async fn tell(self, mut facts: UnboundedReceiver<Fact>) {
        let tasks = TaskTracker::new();
        while let Some(fact) = facts.recv().await {
            let session = fact.session();
            if self.untold().add(fact) {
                tasks.spawn(self.clone().tell_all(session));
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// All that there is to tell of a session, in order.
    async fn tell_all(self, session: SessionId) {
        loop {
            let next = self.untold().next(session);
            let Some(fact) = next else { return };
            self.tell_one(&fact).await;
        }
    }

    async fn tell_one(&self, fact: &Fact) {
        let (mut pause, session_id) = (FIRST_PAUSE, fact.session());
        loop {
            // Nobody closes it. Whoever has to try again lets others have the place meanwhile.
            let place = self.places.acquire().await;
            let told = tell_session(&self.app, &self.media, fact).await;
            drop(place);
            let Err(error) = told else { return };
            if error.is_refusal() {
                return tracing::error!(%session_id, ?fact, error = chassis::chain(&error), "fact dropped");
            }
            if self.shutdown.is_requested() {
                return tracing::warn!(%session_id, ?fact, "fact not saved before shutdown");
            }
            if !error.is_transient() {
                metrics::not_written(Writing::Fact);
                tracing::error!(%session_id, ?fact, error = chassis::chain(&error), "fact waits until somebody has mended this");
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn tell_session(app: &App, media: &Media, fact: &Fact) -> Result<(), Error> {
    match fact {
        Fact::Left { seat, at } => app.stopped_watching(*seat, *at).await,
        Fact::Ordered { session, order } => app.recording_changed(*session, *order).await.map(drop),
        Fact::Tapped(tapped) => app.tapped(*tapped).await,
        Fact::Pleaded(plea) => app.pleaded(*plea).await,
        Fact::PleaRecalled(plea) => app.plea_recalled(*plea).await,
        Fact::Recalled { session, order } => {
            if !app.recording_changed(*session, *order).await? {
                // Another has it, and the officer may have gone on since: should it come back, the rows are to be believed.
                media.forget(*session);
            }
            Ok(())
        }
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
