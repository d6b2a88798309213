//! How the desk does, as the proto says it, and the watch of it.

use api::transfer::v1::{DeskFigures, DeskNow, GetDeskFiguresResponse, WatchFiguresResponse};
use chrono::{DateTime, Utc};
use ids::ForceId;
use prost_types::Timestamp;
use tonic::Status;

use crate::{
    app::{self, App},
    error::Error,
    events::timestamp,
    store::{self, Listener},
};

/// One sergeant's view of the figures, and what was last shown of them.
pub(super) struct Watch {
    pub(super) app: App,
    pub(super) changes: Listener,
    pub(super) force: ForceId,
    pub(super) last: Option<WatchFiguresResponse>,
}

impl Watch {
    /// The next figures: at once, and then after a change, but never sooner than they may be counted again.
    pub(super) async fn next(mut self) -> Result<Option<(WatchFiguresResponse, Self)>, Status> {
        loop {
            if self.last.is_some() {
                self.app.counted().await;
                self.changes.changed(Some(&self.force)).await;
            }
            let app::DeskFigures { now, free, whole, hours } = self.app.last_day(&self.force).await?;
            let hours = hours.into_iter().map(figures).collect();
            let seen = WatchFiguresResponse { now: Some(desk(now, free)), whole: Some(figures(whole)), hours };
            if self.last.as_ref() != Some(&seen) {
                self.last = Some(seen.clone());
                return Ok(Some((seen, self)));
            }
        }
    }
}

pub(super) fn answer(app::DeskFigures { now, free, whole, hours }: app::DeskFigures) -> GetDeskFiguresResponse {
    let hours = hours.into_iter().map(figures).collect();
    GetDeskFiguresResponse { now: Some(desk(now, free)), whole: Some(figures(whole)), hours }
}

/// A window, if it is one.
pub(super) fn window(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Error> {
    Ok((time(from).ok_or(Error::InvalidWindow)?, time(until).ok_or(Error::InvalidWindow)?))
}

/// A time, if it is one.
pub(super) fn time(at: Option<Timestamp>) -> Option<DateTime<Utc>> {
    let at = at?;
    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
}

fn desk(now: store::Now, free: u32) -> DeskNow {
    DeskNow { waiting: now.waiting, waiting_since: now.waiting_since.map(timestamp), in_call: now.in_call, free }
}

fn figures(figures: store::Figures) -> DeskFigures {
    DeskFigures {
        hour: figures.hour.map(timestamp),
        came: figures.came,
        served: figures.served,
        unserved: figures.unserved,
        abandoned: figures.abandoned,
        answer_p50_s: figures.answer_p50_s,
        answer_p95_s: figures.answer_p95_s,
        callbacks_agreed: figures.callbacks.agreed,
        callbacks_kept: figures.callbacks.kept,
        callbacks_missed: figures.callbacks.missed,
    }
}
