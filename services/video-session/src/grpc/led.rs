//! What only the instance that carries a session can do, asked of another one: passed on to it, once. Whoever asks need not know of
//! instances, and couldn't: the console has one address for all of them, and the browser behind it none.

use std::time::Duration;

use api::session::v1::session_service_client::SessionServiceClient;
use chassis::grpc::{Channel, connect_lazy};
use ids::{CallId, ForceId};
use tonic::metadata::{MetadataMap, MetadataValue};

use super::Desk;
use crate::error::Error;

/// Says that a request was passed on: it isn't again, or two that disagree would do so for ever.
const LED: &str = "x-alcove-led";
/// The database is asked whose it is for so long. Without an answer it is done here, as far as it can be.
const ASKED_FOR: Duration = Duration::from_secs(1);

impl Desk {
    /// The face of the instance that carries a call, if that isn't this one. Marks the request as passed on.
    ///
    /// # Errors
    /// When nobody can tell who carries it, or it was passed on before.
    pub(super) async fn owner(
        &self,
        force: &ForceId,
        call: CallId,
        request: &mut MetadataMap,
    ) -> Result<Option<SessionServiceClient<Channel>>, Error> {
        let whose = async {
            let stored = self.app.find(force, call).await?.ok_or(Error::UnknownSession)?;
            self.app.claim(stored.session.id).await
        };
        let owner = match tokio::time::timeout(ASKED_FOR, whose).await {
            Ok(Ok(Some(owner))) => owner,
            Ok(Err(Error::NotOwner)) => return Err(Error::NotOwner),
            // What is wrong with it is said by whoever carries it out.
            Ok(Ok(None) | Err(_)) | Err(_) => return Ok(None),
        };
        let before = request.insert(LED, MetadataValue::from_static("1"));
        match connect_lazy(&owner.grpc_url, self.tls.as_ref()) {
            Ok(channel) if before.is_none() => Ok(Some(SessionServiceClient::new(channel))),
            _ => Err(Error::NotOwner),
        }
    }
}
