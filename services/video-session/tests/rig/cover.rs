//! What a caller's page says when it is covered, and what its officer agrees with them.

use api::{
    intake::v1::{ConsentKind, ConsentRecorded, consent_recorded::ConsentFact},
    session::v1::{Session, SetCoverRequest},
};
use ids::CallId;
use reqwest::Response;
use tonic::Status;

use super::{FORCE, OFFICER, Rig};

impl Rig {
    /// The page's nth tap.
    pub async fn tap(&self, token: &str, n: u64, what: &str) -> Response {
        let body = serde_json::json!({ "n": n, "what": what });
        self.http.post(format!("{}/tap", self.base)).bearer_auth(token).json(&body).send().await.unwrap()
    }

    /// The caller has agreed to be recorded while they cover the call, and takes it back.
    pub async fn take_back_covered(&self, call: CallId) {
        let event = ConsentRecorded {
            call_id: call.to_string(),
            force_id: FORCE.to_owned(),
            consents: vec![ConsentFact { kind: ConsentKind::Covered.into(), given: false, ..Default::default() }],
            ..Default::default()
        };
        self.say("intake", "consent_recorded", 2, call, &event).await;
    }

    pub fn agreeing(&self, call: CallId, pretext: &str) -> SetCoverRequest {
        SetCoverRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            pretext: pretext.to_owned(),
        }
    }

    /// What the caller's page turns into.
    pub async fn agree(&self, request: SetCoverRequest) -> Result<(), Status> {
        self.desk.clone().set_cover(request).await.map(drop)
    }

    /// The session, once it is covered or isn't.
    pub async fn covered(&self, call: CallId, is_covered: bool) -> Session {
        self.watched(call, |session| session.covered_since.is_some() == is_covered).await
    }
}
