//! The desk as an officer sees it.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ForceId, OfficerId};

use super::App;
use crate::{
    domain::{self, Call, Callback, Offer, Standing, State, Wish},
    error::Error,
    store::{self, AtDesk, Raised},
};
use outbox::Scope;

/// The desk as one officer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// The calls without an officer, next first, and where each was last told to stand.
    pub waiting: Vec<(Call, Option<Standing>)>,
    /// The call on offer to this officer.
    pub offer: Option<(Call, Offer)>,
    /// The call this officer has.
    pub current: Option<CallId>,
    /// What the officer counts as.
    pub presence: Wish,
    /// What a sergeant should look into; empty unless they asked.
    pub alerts: Vec<Raised>,
    /// Who is at the desk; empty unless a sergeant asked.
    pub officers: Vec<AtDesk>,
    /// When this officer's shift ends, if they are on one.
    pub shift_ends_at: Option<DateTime<Utc>>,
    /// When the desk closes, if it is open and ever does.
    pub closes_at: Option<DateTime<Utc>>,
    /// When it opens next, if it is closed and ever does.
    pub opens_at: Option<DateTime<Utc>>,
    /// The call-backs that are open and soon to be due.
    pub callbacks: Vec<Callback>,
    /// Where they may go now, being lent, and until when.
    pub may_go_to: Vec<(ForceId, DateTime<Utc>)>,
    /// The other force at whose desk they are.
    pub elsewhere: Option<ForceId>,
}

/// Which call-backs officers see.
const SOON: TimeDelta = TimeDelta::days(1);

impl App {
    /// The desk as an officer sees it, at one instant. Whom another force lends sees what is theirs, and no more.
    pub async fn desk(&self, force: &ForceId, officer: &OfficerId, with_alerts: bool) -> Result<Desk, Error> {
        let now = self.clock.now();
        let mut tx = outbox::begin_reading(&self.pool, Scope::Force(force)).await?;
        let waiting = store::waiting(&mut tx, force).await?;
        let known = store::officer_seen(&mut tx, force, officer).await?;
        let own = store::call_of(&mut tx, force, officer).await?.map(|kept| kept.call);
        let is_lent = officer.lent_by().is_some();
        let with_alerts = with_alerts && !is_lent;
        let alerts = if with_alerts { store::alerts(&mut tx, force).await? } else { Vec::new() };
        let officers = if with_alerts { store::at_desk(&mut tx, force, now).await? } else { Vec::new() };
        let shift_ends_at = store::shift_end(&mut tx, (force, officer), now).await?;
        let callbacks = store::open_callbacks(&mut tx, force, now + SOON).await?;
        let may_go_to = store::may_go_to(&mut tx, (force, officer), now).await?;
        tx.commit().await?;

        let mut calls: Vec<Call> = waiting.iter().map(|kept| kept.call.clone()).collect();
        domain::sort(&mut calls, &self.rules);
        let told = |call: &Call| waiting.iter().find(|kept| kept.call.id == call.id).and_then(|kept| kept.told);
        let with_place = |call| {
            let told = told(&call);
            (call, told)
        };
        let waiting = if is_lent { Vec::new() } else { calls.into_iter().map(with_place).collect() };
        let callbacks = if is_lent { Vec::new() } else { callbacks };
        let elsewhere = known.as_ref().and_then(|officer| officer.elsewhere.clone());
        let presence = known.filter(|officer| !officer.is_gone(now)).map_or(Wish::Away, |officer| officer.wish);
        let hours = self.calendar.of(force);
        let (closes_at, opens_at) = (hours.closes_at(now), hours.opens_next(now));
        let (offer, current) = (None, None);
        let mut desk = Desk {
            waiting,
            offer,
            current,
            presence,
            alerts,
            officers,
            shift_ends_at,
            closes_at,
            opens_at,
            callbacks,
            may_go_to,
            elsewhere,
        };
        match own.map(|call| (call.state.clone(), call)) {
            Some((State::Offered(offer), call)) => desk.offer = Some((call, offer)),
            Some((State::Accepted { .. }, call)) => desk.current = Some(call.id),
            _ => {}
        }
        Ok(desk)
    }
}
