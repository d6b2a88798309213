//! The door: proto to domain, a use case, domain to proto. One file an area; this one only says which.

mod append;
mod exhibits;
mod items;
mod parse;
mod reading;
mod retention;

use std::pin::Pin;

use api::evidence::v1::{self as proto, evidence_service_server::EvidenceService};
use futures::Stream;
use tonic::{Request, Response, Status, Streaming, service::Interceptor};

use crate::{app::App, log::standing::Standing};

/// A message may hold the largest segment, and one that is too large has to be read to be refused by its name.
pub const MAX_MESSAGE: usize = 8 * 1024 * 1024;

/// The service's door.
#[derive(Clone)]
pub struct Grpc(App);

/// Lets nobody in while the database is known to be behind.
#[derive(Clone)]
pub struct Door(pub Standing);

impl Interceptor for Door {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        self.0.check()?;
        Ok(request)
    }
}

impl Grpc {
    /// To these use cases.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self(app)
    }
}

/// What a server stream answers with. It ends with its first error.
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl EvidenceService for Grpc {
    async fn open_exhibit(&self, request: Request<proto::OpenExhibitRequest>) -> Answer<proto::OpenExhibitResponse> {
        Ok(Response::new(self.open(request.into_inner()).await?))
    }

    type AppendSegmentsStream = Answers<proto::AppendSegmentsResponse>;

    async fn append_segments(
        &self,
        request: Request<Streaming<proto::AppendSegmentsRequest>>,
    ) -> Answer<Self::AppendSegmentsStream> {
        Ok(Response::new(self.append(request.into_inner())))
    }

    async fn seal(&self, request: Request<proto::SealRequest>) -> Answer<proto::SealResponse> {
        Ok(Response::new(self.ask_for_seal(request.into_inner()).await?))
    }

    async fn get_exhibit(&self, request: Request<proto::GetExhibitRequest>) -> Answer<proto::GetExhibitResponse> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_exhibits(&self, request: Request<proto::ListExhibitsRequest>) -> Answer<proto::ListExhibitsResponse> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    type ExportStream = Answers<proto::ExportResponse>;

    async fn export(&self, request: Request<proto::ExportRequest>) -> Answer<Self::ExportStream> {
        Ok(Response::new(self.export_package(request.into_inner()).await?))
    }

    type ReadItemStream = Answers<proto::ReadItemResponse>;

    async fn read_item(&self, request: Request<proto::ReadItemRequest>) -> Answer<Self::ReadItemStream> {
        Ok(Response::new(self.read(request.into_inner()).await?))
    }

    async fn list_access(&self, request: Request<proto::ListAccessRequest>) -> Answer<proto::ListAccessResponse> {
        Ok(Response::new(self.accesses(request.into_inner()).await?))
    }

    async fn add_item(&self, request: Request<Streaming<proto::AddItemRequest>>) -> Answer<proto::AddItemResponse> {
        Ok(Response::new(self.add(request.into_inner()).await?))
    }

    async fn add_addendum(&self, request: Request<proto::AddAddendumRequest>) -> Answer<proto::AddAddendumResponse> {
        Ok(Response::new(self.open_addendum(request.into_inner()).await?))
    }

    async fn place_hold(&self, request: Request<proto::PlaceHoldRequest>) -> Answer<proto::PlaceHoldResponse> {
        Ok(Response::new(self.hold(request.into_inner()).await?))
    }

    async fn release_hold(&self, request: Request<proto::ReleaseHoldRequest>) -> Answer<proto::ReleaseHoldResponse> {
        Ok(Response::new(self.release(request.into_inner()).await?))
    }

    async fn review_retention(
        &self,
        request: Request<proto::ReviewRetentionRequest>,
    ) -> Answer<proto::ReviewRetentionResponse> {
        Ok(Response::new(self.review(request.into_inner()).await?))
    }

    async fn dispose(&self, request: Request<proto::DisposeRequest>) -> Answer<proto::DisposeResponse> {
        Ok(Response::new(self.dispose_of(request.into_inner()).await?))
    }

    async fn get_checkpoint(&self, _: Request<proto::GetCheckpointRequest>) -> Answer<proto::GetCheckpointResponse> {
        let note = self.0.log().checkpoint().await?.to_text();
        Ok(Response::new(proto::GetCheckpointResponse { note }))
    }
}
