//! A caller who asks for help without saying so, and the officer who has seen it.

use api::session::v1::{AcknowledgeDuressRequest, AcknowledgeDuressResponse, Session};
use ids::CallId;
use tonic::Status;

use super::{FORCE, OFFICER, Rig};

impl Rig {
    pub fn seeing(&self, call: CallId) -> AcknowledgeDuressRequest {
        AcknowledgeDuressRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
        }
    }

    /// The officer has seen it.
    pub async fn see(&self, request: AcknowledgeDuressRequest) -> Result<AcknowledgeDuressResponse, Status> {
        Ok(self.desk.clone().acknowledge_duress(request).await?.into_inner())
    }

    /// The session, once help was asked for so often.
    pub async fn pleaded(&self, call: CallId, times: u32) -> Session {
        self.watched(call, |session| session.duress.as_ref().is_some_and(|duress| duress.count == times)).await
    }
}
