//! What the guard asks about officers whom their force lends to another.

use chassis::grpc::{Asked, Lent};
use tonic::Status;

use crate::app::{App, On};

#[tonic::async_trait]
impl Lent for App {
    async fn is_theirs(&self, asked: &Asked) -> Result<bool, Status> {
        let Some(call) = asked.call else { return Ok(false) };
        Ok(self.is_with_lent(&On { force: asked.force.clone(), call }, &asked.officer).await?)
    }
}
