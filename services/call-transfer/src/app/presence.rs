//! An officer's word that they are free or away, and at which desk; and their signs of life.

use std::collections::BTreeSet;

use api::transfer::v1::{SetPresenceRequest, SetPresenceResponse};
use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId};
use sqlx::PgTransaction;
use tracing::{Instrument, info_span};

use super::{App, Once};
use crate::{
    domain::{Officer, Skills, State, Wish},
    error::Error,
    store::{self, Kept},
};
use outbox::Scope;

impl App {
    /// An officer says that they are free, or not, and thereby that they are at this desk and at no other.
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
        let home = officer.lent_by().unwrap_or_else(|| force.clone());
        // First the officer, who stands still from then on, and then the desks that they leave and come to.
        store::lock_officer(&mut tx, &home, &officer.at_home()).await?;
        let left = self.whereabouts(&mut tx, &home, officer).await?;
        let desks = if left == *force { BTreeSet::from([force]) } else { BTreeSet::from([force, &left, &home]) };
        store::lock_desks(&mut tx, &desks).await?;
        let now = self.clock.now();
        let brought =
            if left == *force { None } else { self.leave(&mut tx, &left, &officer.at(&left, &home), now).await? };
        if left != *force {
            self.goes_to(&mut tx, (&home, officer), force, now).await?;
        }
        outbox::narrow(&mut tx, force).await?;
        self.come(&mut tx, (force, officer), (wish, skills.or(brought)), now).await?;
        for desk in desks {
            outbox::narrow(&mut tx, desk).await?;
            self.match_desk(&mut tx, desk, now).await?;
        }
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
        // Whoever leaves a desk is gone there from then on: this finds nobody who did.
        if let Some(until) = store::extend_presence(&self.pool, (force, officer), now, until).await? {
            return Ok(until);
        }
        // Back from being gone, or never here.
        let mut tx = store::begin(&self.pool, "heartbeat", Scope::Force(force)).await?;
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        if let Some(home) = officer.lent_by() {
            // By the row of their own desk, which doesn't change while this one is held if it is about this one.
            if self.whereabouts(&mut tx, &home, officer).await? != *force {
                return Err(Error::UnknownOfficer);
            }
            outbox::narrow(&mut tx, force).await?;
        }
        let known = store::officer(&mut tx, force, officer).await?.ok_or(Error::UnknownOfficer)?;
        let back = known.heard(now, &self.rules);
        store::save_officer(&mut tx, &back).await?;
        self.match_desk(&mut tx, force, now).await?;
        tx.commit().await?;
        Ok(back.expires_at)
    }

    /// At whose desk an officer is. Leaves the transaction narrowed to their own.
    async fn whereabouts(
        &self,
        tx: &mut PgTransaction<'_>,
        home: &ForceId,
        officer: &OfficerId,
    ) -> Result<ForceId, Error> {
        outbox::narrow(tx, home).await?;
        let own = store::officer_seen(tx, home, &officer.at_home()).await?;
        Ok(own.and_then(|own| own.elsewhere).unwrap_or_else(|| home.clone()))
    }

    /// An officer leaves a desk, unless they have a call there or ring somebody back; what is on offer to them goes to the
    /// next. Answers what they can do, as far as they have said so there.
    async fn leave(
        &self,
        tx: &mut PgTransaction<'_>,
        desk: &ForceId,
        officer: &OfficerId,
        now: DateTime<Utc>,
    ) -> Result<Option<Skills>, Error> {
        outbox::narrow(tx, desk).await?;
        if store::rings_another(tx, desk, officer, None).await? {
            return Err(Error::OfficerInCall);
        }
        if let Some(Kept { call, trace, .. }) = store::call_of(tx, desk, officer).await? {
            let step = call.officer_gone(officer, now).ok_or(Error::OfficerInCall)?;
            let span = trace.follow(info_span!("officer_left"));
            self.perform(tx, step, &trace, now).instrument(span).await?;
        }
        let Some(known) = store::officer(tx, desk, officer).await? else { return Ok(None) };
        let skills = known.skills.clone();
        store::save_officer(tx, &known.leaves()).await?;
        Ok(Some(skills))
    }

    /// The row of their own desk says where they are from now on.
    async fn goes_to(
        &self,
        tx: &mut PgTransaction<'_>,
        (home, officer): (&ForceId, &OfficerId),
        desk: &ForceId,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        outbox::narrow(tx, home).await?;
        let id = officer.at_home();
        let own = store::officer(tx, home, &id).await?;
        // Whoever goes without having been at their own desk has never said anything there.
        let own = own.unwrap_or_else(|| Officer::arrive(id, home.clone(), now, &self.rules).leaves());
        store::save_officer(tx, &own.is_at((desk != home).then(|| desk.clone()))).await
    }

    /// An officer is at a desk, and free or not.
    async fn come(
        &self,
        tx: &mut PgTransaction<'_>,
        (force, officer): (&ForceId, &OfficerId),
        (wish, skills): (Wish, Option<Skills>),
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let own = store::call_of(tx, force, officer).await?;
        if officer.lent_by().is_some() && own.is_none() && !store::is_lent(tx, (force, officer), now).await? {
            return Err(Error::NotLent);
        }
        let known = store::officer(tx, force, officer).await?;
        let known = known.unwrap_or_else(|| Officer::arrive(officer.clone(), force.clone(), now, &self.rules));
        match own {
            Some(kept) if wish == Wish::Free && matches!(kept.call.state, State::Accepted { .. }) => {
                return Err(Error::OfficerInCall);
            }
            Some(Kept { call, trace, .. }) if wish == Wish::Away => {
                if let Some(step) = call.officer_gone(officer, now) {
                    self.perform(tx, step, &trace, now).await?;
                }
            }
            _ => {}
        }
        let known = known.wishes(wish, now, &self.rules);
        let known = if let Some(skills) = skills { known.with_skills(skills) } else { known };
        store::save_officer(tx, &known).await
    }
}
