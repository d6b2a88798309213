//! Where the caller is: kept for some hours, shown with their consent, and each look with who and why.

use chrono::{DateTime, Utc};
use outbox::Scope;
use sqlx::PgTransaction;
use tracing::{Instrument, info_span};

use super::{Intake, On, commit, lock};
use crate::{
    domain::{Call, Consent, ConsentKind, Location, Shown},
    error::Error,
    store::{self, Locked},
};

impl Intake {
    /// Where the caller is. The look is kept before anything is shown.
    ///
    /// # Errors
    /// Unknown, none that may be shown, or the database is away.
    pub async fn get_location(&self, on: On, who: &str, reason: &str) -> Result<Shown, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("get_location", Scope::Force(&on.force)).await?;
        // Under the call's lock: a consent that is taken back was before or is after.
        let Locked { call, trace } = lock(&mut tx, &on).await?;
        let span = trace.follow(info_span!("get_location", call = %call.id));
        async {
            let shown = self.shown(&mut tx, &call, now).await?.ok_or(Error::NoLocation)?;
            store::insert_look(&mut tx, call.id, who, reason, now).await?;
            commit(tx).await?;
            Ok(shown)
        }
        .instrument(span)
        .await
    }

    /// Keeps where the caller of a locked call is, unless they said no.
    pub(super) async fn keep_location(
        &self,
        tx: &mut PgTransaction<'_>,
        call: &Call,
        location: Option<&Location>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(location) = location.filter(|_| call.consents.location != Some(false)) else { return Ok(()) };
        let expires_at = location.expires_at(now, self.timing.location_kept_for);
        Ok(store::save_location(tx, call.id, location, expires_at).await?)
    }

    /// Whoever says no has it forgotten: there is nothing left that a slip could show.
    pub(super) async fn heed_location(
        &self,
        tx: &mut PgTransaction<'_>,
        call: &Call,
        consents: &[Consent],
    ) -> Result<(), Error> {
        if consents.iter().any(|consent| consent.kind == ConsentKind::Location && !consent.given) {
            store::forget_location(tx, call.id).await?;
        }
        Ok(())
    }

    /// Is there an answer to GetLocation?
    pub(super) async fn is_located(
        &self,
        tx: &mut PgTransaction<'_>,
        call: &Call,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        Ok(self.shown(tx, call, now).await?.is_some())
    }

    async fn shown(&self, tx: &mut PgTransaction<'_>, call: &Call, now: DateTime<Utc>) -> Result<Option<Shown>, Error> {
        // Never asked is not agreed.
        if call.consents.location != Some(true) {
            return Ok(None);
        }
        Ok(store::location(tx, call.id, now).await?)
    }
}
