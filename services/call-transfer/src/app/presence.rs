//! An officer's word that they are free or away, and their signs of life.

use api::transfer::v1::{SetPresenceRequest, SetPresenceResponse};
use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId};

use super::{App, Once};
use crate::{
    domain::{Call, Officer, Skills, State, Wish},
    error::Error,
    store::{self, Kept},
};
use outbox::Scope;

impl App {
    /// An officer says that they are free, or not.
    pub async fn set_presence(
        &self,
        once: Once<'_, SetPresenceRequest>,
        (force, officer): (&ForceId, &OfficerId),
        (wish, skills): (Wish, Option<Skills>),
    ) -> Result<SetPresenceResponse, Error> {
        let mut tx = store::begin(&self.pool, "set_presence", Scope::Force(force)).await?;
        if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "SetPresence", once.request).await? {
            return Ok(first);
        }
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        let known = store::officer(&mut tx, force, officer).await?;
        let known = known.unwrap_or_else(|| Officer::arrive(officer.clone(), force.clone(), now, &self.rules));
        match store::call_of(&mut tx, force, officer).await? {
            Some(Kept { call: Call { state: State::Accepted { .. }, .. }, .. }) if wish == Wish::Free => {
                return Err(Error::OfficerInCall);
            }
            Some(Kept { call, trace, .. }) if wish == Wish::Away => {
                if let Some(step) = call.officer_gone(officer, now) {
                    self.perform(&mut tx, step, &trace, now).await?;
                }
            }
            _ => {}
        }
        let known = known.wishes(wish, now, &self.rules);
        let known = if let Some(skills) = skills { known.with_skills(skills) } else { known };
        store::save_officer(&mut tx, &known).await?;
        self.match_desk(&mut tx, force, now).await?;
        let mut answer = SetPresenceResponse::default();
        answer.set_presence(crate::grpc::presence(wish));
        outbox::replay::remember(&mut tx, once.id, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// An officer gives a sign of life. Answers when they count as gone unless heard from again.
    pub async fn heartbeat(&self, force: &ForceId, officer: &OfficerId) -> Result<DateTime<Utc>, Error> {
        let now = self.clock.now();
        let until = self.rules.present_until(now);
        if let Some(until) = store::extend_presence(&self.pool, (force, officer), now, until).await? {
            return Ok(until);
        }
        // Back from being gone, or never here.
        let mut tx = store::begin(&self.pool, "heartbeat", Scope::Force(force)).await?;
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        let known = store::officer(&mut tx, force, officer).await?.ok_or(Error::UnknownOfficer)?;
        let back = known.heard(now, &self.rules);
        store::save_officer(&mut tx, &back).await?;
        self.match_desk(&mut tx, force, now).await?;
        tx.commit().await?;
        Ok(back.expires_at)
    }
}
