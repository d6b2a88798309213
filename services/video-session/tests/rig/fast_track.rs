//! An officer who asks for somebody to be sent, and what intake says of it.

use api::{
    intake::v1::{FastTrackAcknowledged, FastTrackEscalated, RiskGrade},
    session::v1::{FastTrack, RequestFastTrackRequest, RequestFastTrackResponse},
};
use ids::CallId;
use tonic::Status;

use super::{FORCE, OFFICER, Rig};

impl Rig {
    pub fn asking_for_unit(&self, call: CallId, reason: &str) -> RequestFastTrackRequest {
        RequestFastTrackRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            risk: RiskGrade::High.into(),
            reason: reason.to_owned(),
        }
    }

    /// The officer presses.
    pub async fn ask_for_unit(&self, request: RequestFastTrackRequest) -> Result<RequestFastTrackResponse, Status> {
        Ok(self.desk.clone().request_fast_track(request).await?.into_inner())
    }

    /// Nobody took it on, and it is raised again: intake's nth event about the call.
    pub async fn say_escalated(&self, nth: u32, call: CallId, id: &str, times_raised: u32) {
        let event = FastTrackEscalated {
            call_id: call.to_string(),
            force_id: FORCE.to_owned(),
            occurred_at: Some(at(nth)),
            fast_track_id: id.to_owned(),
            times_raised,
            officer_id: OFFICER.to_owned(),
        };
        self.say("intake", "fast_track_escalated", nth, call, &event).await;
    }

    /// Somebody took it on.
    pub async fn say_taken(&self, nth: u32, call: CallId, id: &str, by: &str) {
        let event = FastTrackAcknowledged {
            call_id: call.to_string(),
            force_id: FORCE.to_owned(),
            occurred_at: Some(at(nth)),
            fast_track_id: id.to_owned(),
            taken_by: by.to_owned(),
            unit: "Alpha 12".to_owned(),
            times_raised: 2,
        };
        self.say("intake", "fast_track_acknowledged", nth, call, &event).await;
    }

    /// What the control room was asked for, once there are so many and the last is as wanted.
    pub async fn units(&self, call: CallId, count: usize, wanted: impl Fn(&FastTrack) -> bool) -> Vec<FastTrack> {
        let is_so = |all: &Vec<FastTrack>| all.len() == count && all.last().is_some_and(&wanted);
        self.watched(call, |session| is_so(&session.fast_tracks)).await.fast_tracks
    }
}

fn at(nth: u32) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: 1_800_000_000 + i64::from(nth), nanos: 0 }
}
