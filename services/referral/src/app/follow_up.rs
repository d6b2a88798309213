//! What is heard of a follow-up, as far as it concerns the first call.

use chassis::Trace;
use chrono::{DateTime, Utc};
use outbox::Tx;
use sqlx::PgConnection;

use super::{App, Done, On, PHOTOGRAPHS, lock, stop};
use crate::{
    domain::{Package, later_pictures},
    error::Error,
    store::{self, follow_ups},
};

impl App {
    /// Something new is known of a call. If it is a follow-up, whoever watches the first call looks again, and its clock ends with
    /// the first picture. It is told in whatever order: first that it is one, or first that a picture was taken.
    pub(super) async fn heed_follow_up(
        &self,
        tx: &mut Tx,
        on: &On,
        package: &Package,
        trace: &Trace,
    ) -> Result<(), Error> {
        let Some(call) = package.facts.follow_up_of else { return Ok(()) };
        let (now, first) = (self.clock.now(), On { force: on.force.clone(), call });
        // Its own has begun if its end was heard of before: nobody asks for later photographs of later photographs.
        stop(tx, on, Done::Key(PHOTOGRAPHS), now).await?;
        // Begun if nothing was heard of it so far: whoever hears of its end at this moment waits for this, or this for them.
        lock(tx, &first, trace).await?;
        self.heed_pictures(tx, &first, now).await?;
        store::touch(tx, first.call).await?;
        Ok(())
    }

    /// Of the first call: nobody waits for later photographs once there are some. Its row is locked.
    pub(super) async fn heed_pictures(&self, tx: &mut Tx, first: &On, now: DateTime<Utc>) -> Result<(), Error> {
        if self.later_pictures(tx, first).await?.is_some() {
            stop(tx, first, Done::Key(PHOTOGRAPHS), now).await?;
        }
        Ok(())
    }

    /// What was taken in a call's follow-ups.
    pub(super) async fn later_pictures(&self, tx: &mut PgConnection, first: &On) -> Result<Option<String>, Error> {
        Ok(later_pictures(&follow_ups::facts(tx, &first.force, first.call).await?))
    }
}
