//! ListDue and WatchDue: what a person has to see to.

use api::referral::v1::{ListDueRequest, ListDueResponse, WatchDueRequest, WatchDueResponse};
use tonic::{Request, Status};

use super::Stream;
use crate::app::App;

pub(super) async fn list_due(app: &App, request: &Request<ListDueRequest>) -> Result<ListDueResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn watch_due(
    app: &App,
    request: &Request<WatchDueRequest>,
) -> Result<Stream<WatchDueResponse>, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}
