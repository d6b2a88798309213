//! The word that means "come now".

use ids::{CallId, ComeNowWord, ForceId};

use super::{Store, StoreError};
use outbox::Scope;

impl Store {
    /// By the newest triage of the call; none was agreed before the first. Outside: there is no such call.
    ///
    /// # Errors
    /// The database is away, or the row is impossible.
    pub async fn come_now_word(&self, force: &ForceId, id: CallId) -> Result<Option<Option<ComeNowWord>>, StoreError> {
        let mut tx = self.begin("come_now_word", Scope::Force(force)).await?;
        let row = sqlx::query_scalar!(
            r#"select t.come_now_word
               from intake.calls c left join intake.triages t on t.call_id = c.id and t.version = c.triages
               where c.force_id = $1 and c.id = $2"#,
            force.as_str(),
            id.uuid(),
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("come_now_word", error))?;
        let corrupt = |_| StoreError::Corrupt { table: "intake.triages", column: "come_now_word", row: id.to_string() };
        row.map(|word| word.map(|word| word.parse()).transpose()).transpose().map_err(corrupt)
    }
}
