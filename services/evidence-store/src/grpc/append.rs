//! AppendSegments: segments up, acks down, in order.

use api::evidence::v1::{AppendSegmentsRequest, AppendSegmentsResponse, Receipt};
use exhibit::{Digest, receipt::Proof};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use tracing::Instrument;

use super::{Answers, Grpc};
use crate::{
    app::{App, Appended, Pending, Segment},
    error::Error,
    events::{instant, timestamp},
};

/// Segments of one stream that wait for the disk.
const IN_FLIGHT: usize = 64;

impl Grpc {
    pub(super) fn append(&self, segments: Streaming<AppendSegmentsRequest>) -> Answers<AppendSegmentsResponse> {
        let (pending, queued) = mpsc::channel(IN_FLIGHT);
        tokio::spawn(take_segments(self.0.clone(), segments, pending).in_current_span());
        let app = self.0.clone();
        let acks = ReceiverStream::new(queued).then(move |pending: Result<Pending, Status>| {
            let app = app.clone();
            async move { Ok(ack(app.appended(pending?).await?)) }
        });
        // A stream ends with its first error.
        Box::pin(acks)
    }
}

fn ack(Appended { exhibit, track, seq, acknowledged }: Appended) -> AppendSegmentsResponse {
    AppendSegmentsResponse {
        track: track.into(),
        seq,
        chain: acknowledged.chain.as_bytes().to_vec(),
        receipt: acknowledged.receipt.map(receipt),
        exhibit_id: exhibit.to_string(),
    }
}

/// As the contract tells it.
pub(super) fn receipt(proof: Proof) -> Receipt {
    Receipt {
        key_id: proof.key_id.to_string(),
        at: Some(timestamp(proof.at)),
        leaves: proof.leaves,
        index: proof.index,
        path: proof.path.iter().map(|hash| hash.as_bytes().to_vec()).collect(),
        signature: proof.signature.to_vec(),
    }
}

/// Queues what comes up the stream, and hands on what its acks will be, in order. Ends with the first refusal.
async fn take_segments(
    app: App,
    mut segments: Streaming<AppendSegmentsRequest>,
    pending: mpsc::Sender<Result<Pending, Status>>,
) {
    loop {
        let next = tokio::select! {
            next = segments.next() => next,
            () = pending.closed() => return,
        };
        let taken = match next {
            None => return,
            Some(Err(status)) => Err(status),
            Some(Ok(request)) => match segment(request) {
                Ok(segment) => app.append(segment).await.map_err(Status::from),
                Err(error) => Err(error.into()),
            },
        };
        let refused = taken.is_err();
        if pending.send(taken).await.is_err() || refused {
            return;
        }
    }
}

fn segment(request: AppendSegmentsRequest) -> Result<Segment, Error> {
    let AppendSegmentsRequest { force_id, call_id, track, seq, sha256, data, starts_at, ends_at } = request;
    let (starts_at, ends_at) = (starts_at.and_then(instant), ends_at.and_then(instant));
    let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at) else { return Err(Error::InvalidTime) };
    if ends_at < starts_at {
        return Err(Error::InvalidTime);
    }
    Ok(Segment {
        force: force_id.parse()?,
        call: call_id.parse()?,
        track: track.parse()?,
        seq,
        sha256: Digest::try_from(&sha256[..]).map_err(|_| Error::HashMismatch)?,
        data,
        starts_at,
        ends_at,
    })
}
