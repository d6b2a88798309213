//! Requests about an exhibit's keeping, and exhibits for them.

use api::evidence::v1::{
    Access, DisposeRequest, ListAccessRequest, PlaceHoldRequest, ReleaseHoldRequest, ReviewDecision,
    ReviewRetentionRequest,
};

use super::{FORCE, Others, Room, fresh, segment};

/// What is sealed may be reviewed at once.
pub const DUE_AT_ONCE: (&str, &str) = ("ALCOVE_EVIDENCE_STORE__RETENTION__CLASSES__DEFAULT", "0");

impl Room {
    /// A call of three segments and its sealed exhibit.
    pub async fn sealed_call(&self) -> (String, String) {
        let others = Others::at(&self.nats).await;
        self.sealed_call_by(&others).await
    }

    pub async fn sealed_call_by(&self, others: &Others) -> (String, String) {
        let call = self.call().await;
        let mut stream = self.append().await;
        for seq in 0..3 {
            stream.send(segment(&call, "caller-1", seq)).await.unwrap();
        }
        others.ended(&call, &[("caller-1", 3)]).await;
        self.published(&call, "exhibit_sealed").await;
        let exhibit = self.exhibit(&call).await.unwrap().exhibit_id;
        (call, exhibit)
    }

    pub async fn reviewed_twice(&self, exhibit: &str) {
        for who in ["Insp 7", "Supt 9"] {
            let review = reviewing(exhibit, who, ReviewDecision::Dispose);
            self.client.clone().review_retention(review).await.unwrap();
        }
    }

    pub async fn accesses(&self, exhibit: &str) -> Vec<Access> {
        let list = ListAccessRequest {
            force_id: FORCE.into(),
            exhibit_id: exhibit.into(),
            page_size: 500,
            page_token: String::new(),
        };
        self.client.clone().list_access(list).await.unwrap().into_inner().accesses
    }
}

pub fn holding_back(exhibit: &str) -> PlaceHoldRequest {
    PlaceHoldRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        exhibit_id: exhibit.into(),
        who: "DO 4411".into(),
        reason: "appeal".into(),
    }
}

pub fn releasing(exhibit: &str, hold: &str) -> ReleaseHoldRequest {
    ReleaseHoldRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        exhibit_id: exhibit.into(),
        hold_id: hold.into(),
        who: "DO 4411".into(),
        reason: "appeal withdrawn".into(),
    }
}

pub fn reviewing(exhibit: &str, who: &str, decision: ReviewDecision) -> ReviewRetentionRequest {
    ReviewRetentionRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        exhibit_id: exhibit.into(),
        who: who.into(),
        reason: "nothing to keep it for".into(),
        decision: decision.into(),
        class: String::new(),
    }
}

pub fn disposing(exhibit: &str) -> DisposeRequest {
    DisposeRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        exhibit_id: exhibit.into(),
        who: "records 12".into(),
        reason: "reviewed by two".into(),
    }
}
