//! How a caller may be reached: their number, and what the newest triage says of their phone.

use ids::{CallId, ForceId};

use super::{Store, StoreError, from_json};
use crate::domain::{Device, Reach, State};
use outbox::Scope;

impl Store {
    /// By the newest triage of the call. Before the first nothing is known of the phone, and so nothing may be sent to it. Of a
    /// follow-up the first is about the phone that the officer rang, whose number it has; a later one is the control room's, and
    /// nobody knows about which phone.
    ///
    /// # Errors
    /// The database is away, or the row is impossible.
    pub async fn reach(&self, force: &ForceId, id: CallId) -> Result<Option<Reach>, StoreError> {
        let mut tx = self.begin("reach", Scope::Force(force)).await?;
        let row = sqlx::query!(
            r#"select c.caller_number, t.phone_shared as "shared?", t.messages_read as "messages_read?",
                      t.overheard as "overheard?", c.state, c.follow_up_of is not null and c.triages > 1 as "unsure!"
               from intake.calls c left join intake.triages t on t.call_id = c.id and t.version = c.triages
               where c.force_id = $1 and c.id = $2"#,
            force.as_str(),
            id.uuid(),
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("reach", error))?;
        row.map(|row| {
            let corrupt = |column| StoreError::Corrupt { table: "intake.calls", column, row: id.to_string() };
            let state = from_json::<State>(row.state).ok_or_else(|| corrupt("state"))?;
            if state.is_on_another_phone() {
                return Ok(Reach { by_text: false, number: None });
            }
            let device = match (row.shared, row.messages_read, row.overheard) {
                (Some(shared), Some(messages_read), Some(overheard)) => {
                    Some(Device { shared, messages_read, overheard })
                }
                _ => None,
            };
            let number = row.caller_number.map(|number| number.parse()).transpose();
            let number = number.map_err(|_| corrupt("caller_number"))?;
            Ok(Reach { by_text: !row.unsure && device.is_some_and(Device::reads_alone), number })
        })
        .transpose()
    }
}
