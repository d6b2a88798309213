//! A force's exhibits as a list: newest first, page by page.

use chrono::{DateTime, Utc};
use ids::{CallId, ExhibitId, ForceId};
use sqlx::PgConnection;

use super::{StoreError, failed};

/// One line of a list of exhibits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: ExhibitId,
    /// Its call.
    pub call: CallId,
    /// What a statement cites.
    pub reference: String,
    /// Its state's name.
    pub state: String,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it was sealed.
    pub sealed_at: Option<DateTime<Utc>>,
    /// What it is an addendum to.
    pub parent: Option<uuid::Uuid>,
    /// Its disposal has begun.
    pub disposed: bool,
}

/// A force's exhibits, newest first, older than this one.
///
/// # Errors
/// The database is away.
pub async fn list(
    conn: &mut PgConnection,
    force: &ForceId,
    before: Option<(DateTime<Utc>, ExhibitId)>,
    limit: u32,
) -> Result<Vec<Summary>, StoreError> {
    let (at, id) = before.map_or((None, None), |(at, id)| (Some(at), Some(id.uuid())));
    let rows = sqlx::query_as!(
        Summary,
        r#"select e.exhibit_id as id, call_id as call, reference, state, opened_at, sealed_at,
                  parent_exhibit_id as parent, d.exhibit_id is not null as "disposed!"
           from evidence.exhibits e left join evidence.disposals d using (exhibit_id)
           where e.force_id = $1 and ($2::timestamptz is null or (opened_at, e.exhibit_id) < ($2, $3))
           order by opened_at desc, e.exhibit_id desc limit $4"#,
        force.as_str(),
        at,
        id,
        i64::from(limit),
    )
    .fetch_all(conn)
    .await
    .map_err(failed("list"))?;
    Ok(rows)
}
