//! What goes back by MAIT: a claim on a call's cursor, what is to be sent, and how it went. The sending itself is the edge's.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{ForceId, RequestId};
use outbox::Wakeup;

use super::Intake;
use crate::{
    domain::Told,
    error::Error,
    store::{
        self, Topic,
        mait::{self, Claimed},
    },
};

/// How many updates are read at once.
const PAGE: i64 = 20;

impl Intake {
    /// Hears that some call has something to be sent.
    pub(crate) fn mait_news(&self) -> Wakeup<Topic> {
        self.wakeups.subscribe(Topic::Mait)
    }

    /// Claims a call of the force for so long, with what is to be sent of it; none if there is nothing now.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn claim_mait(
        &self,
        force: &ForceId,
        lease: TimeDelta,
    ) -> Result<Option<(Claimed, Vec<Told>)>, Error> {
        let now = self.clock.now();
        let claim = self.entropy.id::<RequestId>(now).uuid();
        let Some(claimed) = mait::claim(&self.store, force, claim, now, now + lease).await? else {
            return Ok(None);
        };
        let told = store::updates_after(&self.store, (force, claimed.call), claimed.sent, PAGE).await?;
        Ok(Some((claimed, told)))
    }

    /// The control room has taken an update, or it is left out; false if somebody else sends by now.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn mait_passed(
        &self,
        claimed: &Claimed,
        sequence: u64,
        is_left_out: bool,
        lease: TimeDelta,
    ) -> Result<bool, Error> {
        Ok(mait::passed(&self.store, claimed, sequence, is_left_out, self.clock.now() + lease).await?)
    }

    /// Lets the call go until then, its next update having failed and been refused so often.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn release_mait(
        &self,
        claimed: &Claimed,
        tried: (u32, u32),
        pause: TimeDelta,
    ) -> Result<(), Error> {
        Ok(mait::release(&self.store, claimed, tried, self.clock.now() + pause).await?)
    }

    /// When the force next has something to be sent, so far as is known now.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn mait_due(&self, force: &ForceId) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(mait::next(&self.store, force).await?)
    }

    /// Waits until then; for ever if there is no such time.
    pub(crate) async fn until(&self, at: Option<DateTime<Utc>>) {
        match at {
            Some(at) => self.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}
