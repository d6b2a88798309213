//! What the guard asks about officers whom their force lends to another.

use chassis::grpc::{Asked, Lent};
use tonic::Status;

use crate::{
    app::{Intake, On},
    error::Error,
};

#[tonic::async_trait]
impl Lent for Intake {
    async fn is_theirs(&self, asked: &Asked) -> Result<bool, Status> {
        let Some(call) = asked.call else { return Ok(false) };
        match self.get_call(On { force: asked.force.clone(), call, officer: None }).await {
            Ok(call) => Ok(call.is_with_lent(&asked.officer)),
            Err(Error::UnknownCall) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
