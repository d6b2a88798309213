//! How the desk does, for its sergeants.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ids::ForceId;

use super::App;
use crate::{
    error::Error,
    store::{self, Figures, Now},
};
use outbox::Scope;

/// The longest window.
const MOST: TimeDelta = TimeDelta::days(31);
/// Between two countings for one who watches.
const PAUSE: Duration = Duration::from_secs(1);

/// How a desk does and has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskFigures {
    /// As it is.
    pub now: Now,
    /// Officers who are free for a call.
    pub free: u32,
    /// The whole window.
    pub whole: Figures,
    /// Each hour in which a call came, oldest first.
    pub hours: Vec<Figures>,
}

/// A window is one that can be read at once.
pub(super) fn check(from: DateTime<Utc>, until: DateTime<Utc>) -> Result<(), Error> {
    if from >= until || until - from > MOST {
        return Err(Error::InvalidWindow);
    }
    Ok(())
}

impl App {
    /// The figures of calls that came in a window.
    pub async fn figures(
        &self,
        force: &ForceId,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<DeskFigures, Error> {
        check(from, until)?;
        let mut tx = outbox::begin_reading(&self.pool, Scope::Force(force)).await?;
        let now = store::now(&mut tx, force).await?;
        let at = self.clock.now();
        let present = store::present(&mut tx, force, at).await?;
        let (whole, hours) = store::figures(&mut tx, force, (from, until)).await?;
        tx.commit().await?;
        let free = present.idle.iter().filter(|officer| officer.is_free(at)).count();
        Ok(DeskFigures { now, free: u32::try_from(free).unwrap_or(u32::MAX), whole, hours })
    }

    /// The figures of the last 24 hours: of whole ones, and of that which has begun.
    pub async fn last_day(&self, force: &ForceId) -> Result<DeskFigures, Error> {
        let now = self.clock.now();
        let begun = now - TimeDelta::seconds(now.timestamp().rem_euclid(3600));
        self.figures(force, (begun - TimeDelta::hours(23), begun + TimeDelta::hours(1))).await
    }

    /// Until it may be counted again.
    pub async fn counted(&self) {
        self.clock.sleep(PAUSE).await;
    }
}
