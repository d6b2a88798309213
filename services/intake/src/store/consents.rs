//! Consents, each as it was given, refused or taken back.

use chrono::{DateTime, Utc};
use ids::CallId;
use sqlx::PgConnection;

use super::StoreError;
use crate::domain::{Consent, ConsentKind};

/// Keeps consents, with who took them and how.
///
/// # Errors
/// The database is away.
pub async fn insert_consents(
    tx: &mut PgConnection,
    call: CallId,
    consents: &[Consent],
    taken_by: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let kinds: Vec<String> = consents.iter().map(|consent| kind_text(consent.kind).to_owned()).collect();
    let given: Vec<bool> = consents.iter().map(|consent| consent.given).collect();
    let subjects: Vec<Option<String>> =
        consents.iter().map(|consent| consent.subject.as_ref().map(|subject| subject.as_str().to_owned())).collect();
    let how: Vec<String> = consents.iter().map(|consent| consent.how.clone()).collect();
    sqlx::query!(
        "insert into intake.consents (call_id, at, kind, given, how, taken_by, subject)
         select $1, $2, kind, given, how, $6, subject
         from unnest($3::text[], $4::boolean[], $5::text[], $7::text[]) as c (kind, given, how, subject)",
        call.uuid(),
        now,
        &kinds,
        &given,
        &how,
        taken_by,
        &subjects as &[Option<String>],
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_consents", error))?;
    Ok(())
}

fn kind_text(kind: ConsentKind) -> &'static str {
    match kind {
        ConsentKind::Video => "video",
        ConsentKind::Recording => "recording",
        ConsentKind::Stills => "stills",
        ConsentKind::Covered => "covered",
        ConsentKind::Location => "location",
        ConsentKind::Child => "child",
        ConsentKind::Referral => "referral",
    }
}
