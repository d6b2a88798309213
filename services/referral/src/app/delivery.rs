//! What goes to partners by itself: written down with what causes it, claimed by a worker, and what became of it. The sending is
//! the courier's.

use std::collections::HashMap;

use chassis::Entropy;
use chrono::{DateTime, TimeDelta, Utc};
use ids::{ForceId, ReferralId, RequestId};
use outbox::{Scope, Tx};

use super::{App, On};
use crate::{
    books::partners::Partner,
    domain::delivery::{Answer, Answered, Attempt, Backoff, Parcel, Progress, Standing, What},
    error::Error,
    events,
    store::{
        self, Locked,
        parcels::{self, Claimed},
    },
};

/// Has the partner told; the case is locked. A withdrawal stops what waits, and is sent only if the referral may have got there.
///
/// # Errors
/// The database is away.
pub async fn dispatch(tx: &mut Tx, entropy: &Entropy, parcel: Parcel, now: DateTime<Utc>) -> Result<(), Error> {
    let mut progress = Progress::new(now, now);
    if parcel.what == What::Withdrawal {
        let sent = parcels::lock_of(tx, &parcel.force, parcel.referral, What::Referral).await?;
        // None: they were told by hand, and are told by hand.
        let Some(sent) = sent else { return Ok(()) };
        let (stopped, withdrawal) = sent.progress.clone().taken_back(sent.claimed_until, now);
        if stopped != sent.progress {
            parcels::save(tx, sent.id, &stopped).await?;
        }
        let Some(withdrawal) = withdrawal else { return Ok(()) };
        progress = withdrawal;
    }
    Ok(parcels::add(tx, entropy.id(now), &parcel, &progress).await?)
}

/// How the referrals of a call fare on their way, by referral; none for what was told by hand.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn deliveries_of(tx: &mut Tx, on: &On) -> Result<HashMap<ReferralId, Progress>, Error> {
    let all = parcels::of_call(tx, &on.force, on.call).await?;
    Ok(all.into_iter().filter(|(_, progress)| !matches!(progress.standing, Standing::Stopped(_))).collect())
}

impl App {
    /// The force's partners for a kind of referral, those who serve the postcode first.
    ///
    /// # Errors
    /// The force makes no such referrals.
    pub fn partners(&self, force: &ForceId, kind: &str, postcode: &str) -> Result<Vec<(&Partner, bool)>, Error> {
        let kind = self.books.kinds.of(force).get(kind).ok_or(Error::UnknownKind)?;
        Ok(self.books.partners.of(force, &kind.partner, postcode))
    }

    /// Does anything go by e-mail?
    pub(crate) fn has_partners_by_email(&self) -> bool {
        self.books.partners.has_email()
    }

    /// The partner of that id, if the force still has them.
    pub(crate) fn partner(&self, force: &ForceId, id: &str) -> Option<&Partner> {
        self.books.partners.get(force, id)
    }

    /// Takes the parcel whose turn it is in hand for so long.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn claim_parcel(&self, lease: TimeDelta) -> Result<Option<Claimed>, Error> {
        let now = self.clock.now();
        let claim = self.entropy.id::<RequestId>(now).uuid();
        Ok(self.store.claim_parcel(claim, now, now + lease).await?)
    }

    /// When the next parcel may go, so far as is known now.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn parcel_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(self.store.next_parcel(self.clock.now()).await?)
    }

    /// Writes down how the attempt went.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn settle(&self, claimed: &Claimed, answer: Answer, backoff: &Backoff) -> Result<(), Error> {
        let (now, Parcel { force, call, .. }) = (self.clock.now(), &claimed.parcel);
        let mut tx = self.store.begin("settle", Scope::Force(force)).await?;
        let Locked { package, trace, .. } = store::lock(&mut tx, force, *call).await?.ok_or(Error::UnknownCall)?;
        let held = parcels::lock(&mut tx, force, claimed.id).await?.ok_or(Error::UnknownCall)?;
        let problem = match answer {
            Answer::Taken => None,
            Answer::Later(problem, _) | Answer::Never(problem) => Some(problem),
        };
        parcels::log(&mut tx, claimed, problem, now).await?;
        let attempt = Attempt { number: claimed.progress.attempts, is_claimed: held.claim == Some(claimed.claim) };
        let Answered { progress, failed, frees_withdrawal } = held.progress.answered(attempt, answer, now, backoff);
        if frees_withdrawal {
            parcels::bring_withdrawal_forward(&mut tx, (force, claimed.parcel.referral), now).await?;
        }
        if let Some(progress) = progress {
            parcels::save(&mut tx, held.id, &progress).await?;
            store::touch(&mut tx, package.call).await?;
            if failed.is_some() {
                store::tell_due(&mut tx, force).await?;
                let event = events::delivery::failed(&claimed.parcel, &trace, now);
                outbox::write_in_tx(&mut tx, &self.entropy, now, [event]).await?;
            }
        }
        store::commit(tx).await?;
        Ok(())
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Waits until then; for ever if there is no such time.
    pub(crate) async fn until(&self, at: Option<DateTime<Utc>>) {
        match at {
            Some(at) => self.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}
