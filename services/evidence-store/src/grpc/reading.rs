//! Export and ListAccess: what leaves, and who took it.

use api::evidence::v1::{Access, ExportRequest, ExportResponse, ListAccessRequest, ListAccessResponse};
use futures::StreamExt;
use ids::{ExhibitId, ForceId, RequestId};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    Answers, Grpc,
    parse::{asker, page_size, parsed},
};
use crate::{error::Error, events::timestamp};

impl Grpc {
    pub(super) async fn export_package(&self, request: ExportRequest) -> Result<Answers<ExportResponse>, Error> {
        let id: RequestId = parsed(&request.request_id)?;
        let force = parsed::<ForceId>(&request.force_id)?;
        let exhibit = parsed::<ExhibitId>(&request.exhibit_id)?;
        let asker = asker(&request.who, &request.reason)?;
        let chunks = self.0.export(&force, exhibit, id, asker, request.only.into_iter().collect()).await?;
        Ok(Box::pin(ReceiverStream::new(chunks).map(|chunk| Ok(ExportResponse { chunk: chunk? }))))
    }

    pub(super) async fn accesses(&self, request: ListAccessRequest) -> Result<ListAccessResponse, Error> {
        let force = parsed::<ForceId>(&request.force_id)?;
        let exhibit = parsed::<ExhibitId>(&request.exhibit_id)?;
        let from = match request.page_token.as_str() {
            "" => 0,
            token => u64::from_str_radix(token, 16).map_err(|_| Error::InvalidPageToken)?,
        };
        let size = page_size(request.page_size);
        let mut accesses = self.0.accesses(&force, exhibit, from, size + 1).await?;
        let more = accesses.len() > size as usize;
        accesses.truncate(size as usize);
        let last = accesses.last().filter(|_| more);
        let next_page_token = last.map_or_else(String::new, |last| format!("{:016x}", last.n + 1));
        let accesses = accesses.into_iter();
        let accesses =
            accesses.map(|a| Access { who: a.who, what: a.what, reason: a.reason, at: Some(timestamp(a.at)) });
        Ok(ListAccessResponse { accesses: accesses.collect(), next_page_token })
    }
}
