//! GetCase and WatchCase: all that is kept about a call.

use api::referral::v1::{self as proto, GetCaseRequest, GetCaseResponse, WatchCaseRequest, WatchCaseResponse};
use chassis::Principal;
use futures::stream;
use tonic::{Request, Status};

use super::{Stream, disclosure, due::clock, on, package::item, people::person, referral, sealed};
use crate::app::{App, Case};

pub(super) async fn get_case(app: &App, request: &Request<GetCaseRequest>) -> Result<GetCaseResponse, Status> {
    let reader = request.extensions().get::<Principal>().and_then(Principal::officer).cloned();
    let request = request.get_ref();
    let case = app.get_case(&on(&request.force_id, &request.call_id)?, reader.as_ref()).await?;
    Ok(GetCaseResponse { case: Some(told(&case)) })
}

pub(super) async fn watch_case(
    app: &App,
    request: &Request<WatchCaseRequest>,
) -> Result<Stream<WatchCaseResponse>, Status> {
    let reader = request.extensions().get::<Principal>().and_then(Principal::officer).cloned();
    let request = request.get_ref();
    let watch = app.watch_case(on(&request.force_id, &request.call_id)?, reader).await?;
    // Read when the client has room for it, so a slow one holds up nobody.
    Ok(Box::pin(stream::try_unfold(watch, |mut watch| async move {
        let case = watch.next().await?;
        Ok(Some((WatchCaseResponse { case: Some(told(&case)) }, watch)))
    })))
}

/// A case as it is told.
fn told(case: &Case) -> proto::Case {
    proto::Case {
        call_id: case.call.to_string(),
        version: case.version,
        incident: format!("{}/{}", case.incident.date, case.incident.number),
        people: case.people.iter().map(person).collect(),
        assessment: case.assessment.clone(),
        matches: case.matches.clone(),
        referrals: case.referrals.iter().map(referral).collect(),
        clocks: case.clocks.iter().map(|one| clock(case.call, one)).collect(),
        checklist: case.checklist.items.iter().cloned().map(item).collect(),
        score_percent: case.checklist.score_percent,
        disclosures: case.disclosures.iter().map(|(id, one)| disclosure(*id, one)).collect(),
        sealed: case.sealed.iter().map(sealed).collect(),
        follow_up_of: case.follow_up_of.map(|first| first.to_string()).unwrap_or_default(),
    }
}
