//! The desk as an officer sees it.

use ids::{CallId, ForceId, OfficerId};

use super::App;
use crate::{
    domain::{self, Call, Offer, Standing, State, Wish},
    error::Error,
    store::{self, Raised},
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
}

impl App {
    /// The desk as an officer sees it, at one instant.
    pub async fn desk(&self, force: &ForceId, officer: &OfficerId, with_alerts: bool) -> Result<Desk, Error> {
        let mut tx = outbox::begin_reading(&self.pool, Scope::Force(force)).await?;
        let waiting = store::waiting(&mut tx, force).await?;
        let known = store::officer_seen(&mut tx, force, officer).await?;
        let own = store::call_of(&mut tx, force, officer).await?.map(|kept| kept.call);
        let alerts = if with_alerts { store::alerts(&mut tx, force).await? } else { Vec::new() };
        tx.commit().await?;

        let mut calls: Vec<Call> = waiting.iter().map(|kept| kept.call.clone()).collect();
        domain::sort(&mut calls, &self.rules);
        let told = |call: &Call| waiting.iter().find(|kept| kept.call.id == call.id).and_then(|kept| kept.told);
        let with_place = |call| {
            let told = told(&call);
            (call, told)
        };
        let waiting = calls.into_iter().map(with_place).collect();
        let now = self.clock.now();
        let presence = known.filter(|officer| !officer.is_gone(now)).map_or(Wish::Away, |officer| officer.wish);
        let mut desk = Desk { waiting, offer: None, current: None, presence, alerts };
        match own.map(|call| (call.state.clone(), call)) {
            Some((State::Offered(offer), call)) => desk.offer = Some((call, offer)),
            Some((State::Accepted { .. }, call)) => desk.current = Some(call.id),
            _ => {}
        }
        Ok(desk)
    }
}
