//! Holds and reviews. Each locks the exhibit's row, decides, and leaves a line in the access log, in the transaction in
//! which the door keeps the answer.

use ids::{ExhibitId, ForceId, RequestId};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{App, Asker};
use crate::{
    domain::{
        Exhibit,
        retention::{Decision, Hold, Retention, Review},
    },
    error::Error,
    store::{self, Key},
};

impl App {
    /// Places a legal hold.
    ///
    /// # Errors
    /// No such exhibit, or it is gone.
    pub async fn place_hold(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        id: ExhibitId,
        request: RequestId,
        asker: Asker,
    ) -> Result<Uuid, Error> {
        let (_, retention) = self.locked_retention(tx, force, id).await?;
        let now = self.clock.now();
        let hold = Hold {
            id: self.entropy.id(now),
            placed_by: asker.who.clone(),
            reason: asker.reason.clone(),
            placed_at: now,
            released_at: None,
        };
        retention.place_hold(hold.clone())?;
        store::insert_hold(tx, id, &hold).await?;
        self.record(tx, id, request, &asker, "place hold").await?;
        tracing::info!(exhibit = %id, hold = %hold.id, "hold placed");
        Ok(hold.id)
    }

    /// Lifts a legal hold.
    ///
    /// # Errors
    /// No such exhibit or hold, or it was lifted before.
    pub async fn release_hold(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        id: ExhibitId,
        request: RequestId,
        hold: Uuid,
        asker: Asker,
    ) -> Result<(), Error> {
        let (_, retention) = self.locked_retention(tx, force, id).await?;
        let now = self.clock.now();
        retention.release_hold(hold, now)?;
        store::insert_release(tx, hold, &asker.who, &asker.reason, now).await?;
        self.record(tx, id, request, &asker, "release hold").await?;
        tracing::info!(exhibit = %id, %hold, "hold released");
        Ok(())
    }

    /// One person's review of whether an exhibit may go.
    ///
    /// # Errors
    /// No such exhibit, or the review isn't allowed now.
    pub async fn review(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        id: ExhibitId,
        request: RequestId,
        asker: Asker,
        decision: Decision,
    ) -> Result<Retention, Error> {
        let (_, retention) = self.locked_retention(tx, force, id).await?;
        let review = Review { who: asker.who.clone(), reason: asker.reason.clone(), at: self.clock.now() };
        let said = match decision {
            Decision::Retain(_) => "retain",
            Decision::Dispose => "dispose",
        };
        let retention = retention.review(review.clone(), decision, &self.classes)?;
        store::insert_review(tx, id, &review, said, &retention).await?;
        self.record(tx, id, request, &asker, &format!("review: {said}")).await?;
        tracing::info!(exhibit = %id, said, class = retention.class, "retention reviewed");
        Ok(retention)
    }

    /// An exhibit with what decides about its keeping, all parts of it locked until the transaction ends: nothing changes
    /// meanwhile.
    pub(super) async fn locked_retention(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        id: ExhibitId,
    ) -> Result<(Exhibit, Retention), Error> {
        let call = self.located(tx, force, Key::Exhibit(id)).await?.exhibit.call;
        store::lock_family(tx, call).await?;
        let exhibit = self.located(tx, force, Key::Exhibit(id)).await?.exhibit;
        let retention = self.retention(tx, &exhibit).await?;
        Ok((exhibit, retention))
    }
}
