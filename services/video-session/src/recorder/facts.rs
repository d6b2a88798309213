//! The sessions' side of the recorder: what the rows have to know, in order, as soon as Postgres is there.

use std::time::Duration;

use chassis::Shutdown;
use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId, TrackName};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{
    app::App,
    domain::RecordOrder,
    error::Error,
    media::{Media, Seat, Tapped},
};

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
    /// An earlier process carried it out, and this one has done so again.
    Recalled {
        session: SessionId,
        order: RecordOrder,
    },
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

/// Tells the sessions, until there is nobody who could say anything more.
pub(super) async fn tell(mut facts: UnboundedReceiver<Fact>, app: App, media: Media, shutdown: Shutdown) {
    while let Some(fact) = facts.recv().await {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = tell_session(&app, &media, &fact).await {
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

async fn tell_session(app: &App, media: &Media, fact: &Fact) -> Result<(), Error> {
    match fact {
        Fact::Left { seat, at } => app.stopped_watching(*seat, *at).await,
        Fact::Ordered { session, order } => app.recording_changed(*session, *order).await.map(drop),
        Fact::Tapped(tapped) => app.tapped(*tapped).await,
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
