//! The follow-ups of a call, by the first of these calls.

use ids::{CallId, ForceId};
use sqlx::PgConnection;

use super::StoreError;
use crate::domain::Facts;

/// What was heard of each, in the order in which they began.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn facts(tx: &mut PgConnection, force: &ForceId, first: CallId) -> Result<Vec<Facts>, StoreError> {
    let rows = sqlx::query!(
        "select call_id, facts from referral.packages where force_id = $1 and follow_up_of = $2 order by call_id",
        force.as_str(),
        first.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("follow_ups", error))?;
    rows.into_iter()
        .map(|row| {
            let corrupt =
                |_| StoreError::Corrupt { table: "referral.packages", column: "facts", row: row.call_id.to_string() };
            serde_json::from_value(row.facts).map_err(corrupt)
        })
        .collect()
}
