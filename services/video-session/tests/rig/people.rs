//! What the officer does about others than the caller.

use api::session::v1::{
    AdmitParticipantRequest, AdmitParticipantResponse, IssueInvitationRequest, JoinSessionRequest, JoinSessionResponse,
    RemoveParticipantRequest, RemoveParticipantResponse, Role,
};
use ids::CallId;
use tonic::{Response, Status};

use super::{FORCE, OFFICER, Rig};

impl Rig {
    /// Staff come, as that.
    pub async fn join_as(&self, call: CallId, staff: &str, role: Role) -> Result<JoinSessionResponse, Status> {
        let request = JoinSessionRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: staff.to_owned(),
            call_id: call.to_string(),
            role: role.into(),
        };
        self.desk.clone().join_session(request).await.map(Response::into_inner)
    }

    /// A code for somebody of that role.
    pub async fn invite_as(&self, call: CallId, role: Role) -> Result<String, Status> {
        let request = IssueInvitationRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            role: role.into(),
            ..Default::default()
        };
        self.desk.clone().issue_invitation(request).await.map(|issued| issued.into_inner().code)
    }

    pub fn admitting(&self, call: CallId, who: &str) -> AdmitParticipantRequest {
        AdmitParticipantRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            participant_id: who.to_owned(),
        }
    }

    /// Lets somebody in.
    pub async fn admit(&self, call: CallId, who: &str) -> Result<AdmitParticipantResponse, Status> {
        self.desk.clone().admit_participant(self.admitting(call, who)).await.map(Response::into_inner)
    }

    /// Sends somebody away.
    pub async fn remove(&self, call: CallId, who: &str) -> Result<RemoveParticipantResponse, Status> {
        let request = RemoveParticipantRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            participant_id: who.to_owned(),
        };
        self.desk.clone().remove_participant(request).await.map(Response::into_inner)
    }
}
