//! How a caller may be reached: their number, and what the newest triage says of their phone.

use ids::{CallId, ForceId};

use super::{Store, StoreError};
use crate::domain::{Device, Reach};
use outbox::Scope;

impl Store {
    /// By the newest triage of the call. Before the first nothing is known of the phone, and so nothing may be sent to it.
    ///
    /// # Errors
    /// The database is away, or the row is impossible.
    pub async fn reach(&self, force: &ForceId, id: CallId) -> Result<Option<Reach>, StoreError> {
        let mut tx = self.begin("reach", Scope::Force(force)).await?;
        let row = sqlx::query!(
            r#"select c.caller_number, t.phone_shared as "shared?", t.messages_read as "messages_read?",
                      t.overheard as "overheard?", coalesce(
                          'true' in (c.state ->> 'called_back', c.state #>> '{desk,called_back}')
                          or c.state ->> 'state' = 'returned', false) as "called_back!"
               from intake.calls c left join intake.triages t on t.call_id = c.id and t.version = c.triages
               where c.force_id = $1 and c.id = $2"#,
            force.as_str(),
            id.uuid(),
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("reach", error))?;
        row.map(|row| {
            // Rung back on a phone that was agreed for it: what is known is of another one. Of a call that came back there is a
            // session only then, if we haven't heard so yet.
            if row.called_back {
                return Ok(Reach { by_text: false, number: None });
            }
            let device = match (row.shared, row.messages_read, row.overheard) {
                (Some(shared), Some(messages_read), Some(overheard)) => {
                    Some(Device { shared, messages_read, overheard })
                }
                _ => None,
            };
            let corrupt =
                |_| StoreError::Corrupt { table: "intake.calls", column: "caller_number", row: id.to_string() };
            let number = row.caller_number.map(|number| number.parse()).transpose().map_err(corrupt)?;
            Ok(Reach { by_text: device.is_some_and(Device::reads_alone), number })
        })
        .transpose()
    }
}
