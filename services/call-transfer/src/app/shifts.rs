//! A sergeant says when officers are on duty.

use api::transfer::v1::{CancelShiftRequest, CancelShiftResponse, SetShiftRequest, SetShiftResponse};
use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId, ShiftId};
use outbox::Scope;

use super::{App, Once};
use crate::{domain::Shift, error::Error, store};

/// What a sergeant plans: a new shift of somebody's, or another time for one that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which one, or whose.
    pub of: Result<ShiftId, OfficerId>,
    /// From then on ...
    pub from: DateTime<Utc>,
    /// ... and before then.
    pub until: DateTime<Utc>,
}

impl App {
    /// An officer is on duty then.
    pub async fn set_shift(
        &self,
        once: Once<'_, SetShiftRequest>,
        (force, sergeant): (&ForceId, &OfficerId),
        Plan { of, from, until }: Plan,
    ) -> Result<SetShiftResponse, Error> {
        let mut tx = store::begin(&self.pool, "set_shift", Scope::Force(force)).await?;
        if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "SetShift", once.request).await? {
            return Ok(first);
        }
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        let shift = match of {
            Ok(id) => {
                let known = store::shift(&mut tx, force, id).await?.ok_or(Error::UnknownShift)?;
                Shift { from, until, ..known }
            }
            Err(officer) => Shift { id: self.entropy.id(now), force: force.clone(), officer, from, until },
        };
        let others = store::shifts(&mut tx, force, Some(&shift.officer), (from, until)).await?;
        shift.check(&others, now)?;
        store::save_shift(&mut tx, &shift, sergeant).await?;
        self.match_desk(&mut tx, force, now).await?;
        let response = SetShiftResponse { shift: Some(crate::grpc::shift(&shift)) };
        outbox::replay::remember(&mut tx, once.id, &response).await?;
        tx.commit().await?;
        Ok(response)
    }

    /// They aren't.
    pub async fn cancel_shift(
        &self,
        once: Once<'_, CancelShiftRequest>,
        (force, sergeant): (&ForceId, &OfficerId),
        id: ShiftId,
    ) -> Result<CancelShiftResponse, Error> {
        let mut tx = store::begin(&self.pool, "cancel_shift", Scope::Force(force)).await?;
        if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "CancelShift", once.request).await? {
            return Ok(first);
        }
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        store::shift(&mut tx, force, id).await?.ok_or(Error::UnknownShift)?;
        store::cancel_shift(&mut tx, id, sergeant).await?;
        self.match_desk(&mut tx, force, now).await?;
        let response = CancelShiftResponse {};
        outbox::replay::remember(&mut tx, once.id, &response).await?;
        tx.commit().await?;
        Ok(response)
    }

    /// Everybody's shifts in a window.
    pub async fn shifts(
        &self,
        force: &ForceId,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Shift>, Error> {
        super::figures::check(from, until)?;
        let mut tx = outbox::begin_reading(&self.pool, Scope::Force(force)).await?;
        store::shifts(&mut tx, force, None, (from, until)).await
    }
}
