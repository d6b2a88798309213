//! What the guard asks about officers whom their force lends to another.

use chassis::grpc::{Asked, Lent};
use tonic::Status;

use crate::app::App;

#[tonic::async_trait]
impl Lent for App {
    async fn is_theirs(&self, asked: &Asked) -> Result<bool, Status> {
        let Some(call) = asked.call else { return Ok(false) };
        let stored = self.find(&asked.force, call).await?;
        Ok(stored.is_some_and(|stored| stored.session.is_with(&asked.officer)))
    }
}
