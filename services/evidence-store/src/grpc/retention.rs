//! PlaceHold, ReleaseHold, ReviewRetention, Dispose. The first answer to a request id is every answer to it.

use api::evidence::v1::{
    self as proto, DisposeRequest, DisposeResponse, PlaceHoldRequest, PlaceHoldResponse, ReleaseHoldRequest,
    ReleaseHoldResponse, ReviewDecision, ReviewRetentionRequest, ReviewRetentionResponse,
};
use ids::{ExhibitId, ForceId, RequestId};
use outbox::{Scope, replay};
use uuid::Uuid;

use super::{
    Grpc,
    parse::{asker, parsed},
};
use crate::{
    domain::retention::{Decision, Retention},
    error::Error,
    events::timestamp,
    store,
};

impl Grpc {
    pub(super) async fn hold(&self, request: PlaceHoldRequest) -> Result<PlaceHoldResponse, Error> {
        let (id, force, exhibit) = named(&request.request_id, &request.force_id, &request.exhibit_id)?;
        let asker = asker(&request.who, &request.reason)?;
        let mut tx = self.0.begin("place_hold", Scope::Force(&force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, id, "PlaceHold", &request).await? {
            return Ok(first);
        }
        let hold = self.0.place_hold(&mut tx, &force, exhibit, id, asker).await?;
        let answer = PlaceHoldResponse { hold_id: hold.to_string() };
        replay::remember(&mut tx, id, &answer).await?;
        store::commit(tx, "place_hold").await?;
        Ok(answer)
    }

    pub(super) async fn release(&self, request: ReleaseHoldRequest) -> Result<ReleaseHoldResponse, Error> {
        let (id, force, exhibit) = named(&request.request_id, &request.force_id, &request.exhibit_id)?;
        let hold: Uuid = parsed::<RequestId>(&request.hold_id)?.uuid();
        let asker = asker(&request.who, &request.reason)?;
        let mut tx = self.0.begin("release_hold", Scope::Force(&force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, id, "ReleaseHold", &request).await? {
            return Ok(first);
        }
        self.0.release_hold(&mut tx, &force, exhibit, id, hold, asker).await?;
        let answer = ReleaseHoldResponse {};
        replay::remember(&mut tx, id, &answer).await?;
        store::commit(tx, "release_hold").await?;
        Ok(answer)
    }

    pub(super) async fn review(&self, request: ReviewRetentionRequest) -> Result<ReviewRetentionResponse, Error> {
        let (id, force, exhibit) = named(&request.request_id, &request.force_id, &request.exhibit_id)?;
        let asker = asker(&request.who, &request.reason)?;
        let class = Some(request.class.clone()).filter(|class| !class.is_empty());
        let decision = match request.decision() {
            ReviewDecision::Retain => Decision::Retain(class),
            ReviewDecision::Dispose if class.is_some() => return Err(Error::InvalidClass),
            ReviewDecision::Dispose => Decision::Dispose,
            ReviewDecision::Unspecified => return Err(Error::InvalidDecision),
        };
        let mut tx = self.0.begin("review_retention", Scope::Force(&force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, id, "ReviewRetention", &request).await? {
            return Ok(first);
        }
        let after = self.0.review(&mut tx, &force, exhibit, id, asker, decision).await?;
        let answer = ReviewRetentionResponse { retention: Some(retention(&after)) };
        replay::remember(&mut tx, id, &answer).await?;
        store::commit(tx, "review_retention").await?;
        Ok(answer)
    }

    pub(super) async fn dispose_of(&self, request: DisposeRequest) -> Result<DisposeResponse, Error> {
        let (id, force, exhibit) = named(&request.request_id, &request.force_id, &request.exhibit_id)?;
        let asker = asker(&request.who, &request.reason)?;
        let answer = loop {
            // Made outside of the transaction, and taken only if nothing has changed since.
            let prepared = self.0.prepare_disposal(&force, exhibit, &asker).await?;
            let mut tx = self.0.begin("dispose", Scope::Force(&force)).await?;
            if let Some(first) = replay::first_answer(&mut tx, id, "Dispose", &request).await? {
                break first;
            }
            let disposed = self.0.dispose(&mut tx, &force, exhibit, id, &asker, prepared).await?;
            let Some(tombstone) = disposed else { continue };
            let answer = DisposeResponse { tombstone_sha256: tombstone.to_string() };
            replay::remember(&mut tx, id, &answer).await?;
            store::commit(tx, "dispose").await?;
            break answer;
        };
        // Here, at a repeat, or at the next start: until it is done nobody reads it all the same.
        self.0.finish_disposal(exhibit).await?;
        Ok(answer)
    }
}

fn named(request: &str, force: &str, exhibit: &str) -> Result<(RequestId, ForceId, ExhibitId), Error> {
    Ok((parsed(request)?, parsed(force)?, parsed(exhibit)?))
}

/// As the contract tells it.
pub(super) fn retention(retention: &Retention) -> proto::Retention {
    let holds = retention.holds.iter().map(|hold| proto::Hold {
        hold_id: hold.id.to_string(),
        placed_by: hold.placed_by.clone(),
        reason: hold.reason.clone(),
        placed_at: Some(timestamp(hold.placed_at)),
        released_at: hold.released_at.map(timestamp),
    });
    let reviews = retention.reviews.iter().map(|review| proto::Review {
        who: review.who.clone(),
        decision: ReviewDecision::Dispose.into(),
        reason: review.reason.clone(),
        at: Some(timestamp(review.at)),
    });
    proto::Retention {
        class: retention.class.clone(),
        due_at: retention.due_at.map(timestamp),
        holds: holds.collect(),
        reviews: reviews.collect(),
        disposed_at: retention.disposal.as_ref().map(|disposal| timestamp(disposal.begun_at)),
    }
}
