//! A follow-up goes to the officer who has its caller on the phone.

use chrono::{DateTime, Utc};
use sqlx::PgTransaction;

use super::App;
use crate::{
    domain::{Call, State},
    error::Error,
    store,
};

impl App {
    /// Whether a call that came just now is a follow-up that its officer can have at once: they are at this desk, and have neither
    /// another call, nor one on offer, nor somebody else to ring. Away or free is all one: who rings somebody is rather away.
    pub(super) async fn is_with_who_rang(
        &self,
        tx: &mut PgTransaction<'_>,
        call: &Call,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let Some(follow_up) = call.facts.follow_up.as_ref().filter(|_| call.state == State::Queued) else {
            return Ok(false);
        };
        let (force, who) = (&call.force, &follow_up.officer);
        let seen = store::officer_seen(tx, force, who).await?;
        Ok(seen.is_some_and(|officer| !officer.is_gone(now) && officer.elsewhere.is_none())
            && store::call_of(tx, force, who).await?.is_none()
            && !store::rings_another(tx, force, who, None).await?)
    }
}
