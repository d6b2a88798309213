//! A force's calls, by the keys of its index: a page costs what it holds, however many came before it.

use ids::ForceId;
use outbox::Scope;
use uuid::Uuid;

use super::{Locked, Row, Store, StoreError};
use crate::{
    app::Place,
    domain::{Call, Stages},
};

impl Store {
    /// The next calls at these stages, newest first.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub async fn calls(
        &self,
        force: &ForceId,
        stages: Stages,
        after: Option<Place>,
        limit: i64,
    ) -> Result<Vec<Call>, StoreError> {
        let mut tx = self.begin("calls", Scope::Force(force)).await?;
        let rows = sqlx::query_as!(
            Row,
            "select id, force_id, line, incident_date, incident_number, opened_at, state, triages, consent_video,
                    consent_recording, consent_stills, consent_covered, consent_location, exhibit_id, exhibit_reference, seal_sha256, told,
                    trace, consents_each, follow_up_of
             from intake.calls
             where force_id = $1 and state ->> 'state' = any($2)
                   and (opened_at, id) < (coalesce($3::timestamptz, 'infinity'), $4::uuid)
             order by opened_at desc, id desc limit $5",
            force.as_str(),
            &stages.states(),
            after.map(|place| place.at),
            after.map_or(Uuid::max(), |place| place.call.uuid()),
            limit,
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("calls", error))?;
        rows.into_iter().map(|row| Ok(Locked::try_from(row)?.call)).collect()
    }
}
