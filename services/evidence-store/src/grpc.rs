//! The door: proto to domain, a use case, domain to proto.

use std::pin::Pin;

use api::evidence::v1::{
    self as proto, AppendSegmentsRequest, AppendSegmentsResponse, ExhibitState, ExportRequest, ExportResponse,
    GetExhibitRequest, GetExhibitResponse, ListAccessRequest, ListAccessResponse, OpenExhibitRequest,
    OpenExhibitResponse, SealRequest, SealResponse, evidence_service_server::EvidenceService,
    get_exhibit_request::Key as ProtoKey,
};
use bytes::Bytes;
use chassis::Trace;
use chrono::{DateTime, Utc};
use exhibit::Digest;
use futures::{Stream, StreamExt};
use ids::{CallId, ExhibitId, ForceId, IncidentRef, RequestId};
use outbox::replay;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    app::{App, Pending, Segment},
    domain::State,
    error::Error,
    events::{instant, timestamp},
    store::{self, Access, Key},
};

/// A message may hold the largest segment, and one that is too large has to be read to be refused by its name.
pub const MAX_MESSAGE: usize = 8 * 1024 * 1024;
/// Segments of one stream that wait for the disk.
const IN_FLIGHT: usize = 64;

/// The service's door.
#[derive(Clone)]
pub struct Grpc(App);

impl Grpc {
    /// To these use cases.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self(app)
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl EvidenceService for Grpc {
    async fn open_exhibit(
        &self,
        request: Request<OpenExhibitRequest>,
    ) -> Result<Response<OpenExhibitResponse>, Status> {
        let request = request.into_inner();
        let id: RequestId = parsed(&request.request_id)?;
        let (force, call) = (parsed::<ForceId>(&request.force_id)?, parsed::<CallId>(&request.call_id)?);
        let incident = IncidentRef::parse(&request.incident_date, &request.incident_number).map_err(Error::from)?;
        let mut tx = self.0.begin("open_exhibit").await?;
        let first = replay::first_answer(&mut tx, id, "OpenExhibit", &request).await.map_err(Error::from)?;
        let located = self.0.open(&mut tx, &force, call, &incident, &Trace::current()).await?;
        let answer = match first {
            Some(answer) => answer,
            None => {
                let answer = OpenExhibitResponse {
                    exhibit_id: located.exhibit.id.to_string(),
                    state: state(&located.exhibit.state).into(),
                };
                replay::remember(&mut tx, id, &answer).await.map_err(Error::from)?;
                answer
            }
        };
        store::commit(tx, "open_exhibit").await.map_err(Error::from)?;
        // So that segments are taken even if the database goes away now.
        self.0.make_known(&located).await?;
        Ok(Response::new(answer))
    }

    type AppendSegmentsStream = Answers<AppendSegmentsResponse>;

    async fn append_segments(
        &self,
        request: Request<Streaming<AppendSegmentsRequest>>,
    ) -> Result<Response<Self::AppendSegmentsStream>, Status> {
        let (pending, queued) = mpsc::channel(IN_FLIGHT);
        tokio::spawn(take_segments(self.0.clone(), request.into_inner(), pending).in_current_span());
        let app = self.0.clone();
        let acks = ReceiverStream::new(queued).then(move |pending: Result<Pending, Status>| {
            let app = app.clone();
            async move {
                let (track, seq, chain) = app.appended(pending?).await?;
                Ok(AppendSegmentsResponse { track: track.into(), seq, chain: chain.as_bytes().to_vec() })
            }
        });
        // A stream ends with its first error.
        Ok(Response::new(Box::pin(acks)))
    }

    async fn seal(&self, request: Request<SealRequest>) -> Result<Response<SealResponse>, Status> {
        let request = request.into_inner();
        let id: RequestId = parsed(&request.request_id)?;
        let (force, call) = (parsed::<ForceId>(&request.force_id)?, parsed::<CallId>(&request.call_id)?);
        // What is kept only says which request it was: sealing is idempotent by itself, and its answer gets better.
        let mut tx = self.0.begin("seal_request").await?;
        let first: Option<SealResponse> =
            replay::first_answer(&mut tx, id, "Seal", &request).await.map_err(Error::from)?;
        if first.is_none() {
            replay::remember(&mut tx, id, &SealResponse::default()).await.map_err(Error::from)?;
        }
        store::commit(tx, "seal_request").await.map_err(Error::from)?;
        let exhibit = self.0.seal(&force, call).await?;
        let seal_sha256 = exhibit.state.seal().map_or_else(String::new, |seal| seal.to_string());
        Ok(Response::new(SealResponse { state: state(&exhibit.state).into(), seal_sha256 }))
    }

    async fn get_exhibit(&self, request: Request<GetExhibitRequest>) -> Result<Response<GetExhibitResponse>, Status> {
        let request = request.into_inner();
        let force = parsed::<ForceId>(&request.force_id)?;
        let key = match request.key {
            Some(ProtoKey::ExhibitId(id)) => Key::Exhibit(parsed(&id)?),
            Some(ProtoKey::CallId(call)) => Key::Call(parsed(&call)?),
            None => Key::Exhibit(parsed("")?),
        };
        let (exhibit, tracks) = self.0.get(&force, key).await?;
        let tracks =
            tracks.into_iter().map(|t| proto::Track { track: t.track.into(), segments: t.segments, bytes: t.bytes });
        Ok(Response::new(GetExhibitResponse {
            exhibit_id: exhibit.id.to_string(),
            call_id: exhibit.call.to_string(),
            reference: exhibit.reference.to_string(),
            state: state(&exhibit.state).into(),
            tracks: tracks.collect(),
            opened_at: Some(timestamp(exhibit.opened_at)),
            sealed_at: match &exhibit.state {
                State::Sealed(sealed) => Some(timestamp(sealed.at)),
                _ => None,
            },
            seal_sha256: exhibit.state.seal().map_or_else(String::new, |seal| seal.to_string()),
        }))
    }

    type ExportStream = Answers<ExportResponse>;

    async fn export(&self, request: Request<ExportRequest>) -> Result<Response<Self::ExportStream>, Status> {
        let request = request.into_inner();
        let id: RequestId = parsed(&request.request_id)?;
        let force = parsed::<ForceId>(&request.force_id)?;
        let exhibit = parsed::<ExhibitId>(&request.exhibit_id)?;
        let chunks = self.0.export(&force, exhibit, id, request.who, request.reason).await?;
        let chunks = ReceiverStream::new(chunks).map(|chunk| Ok(ExportResponse { chunk: chunk? }));
        Ok(Response::new(Box::pin(chunks)))
    }

    async fn list_access(&self, request: Request<ListAccessRequest>) -> Result<Response<ListAccessResponse>, Status> {
        let request = request.into_inner();
        let force = parsed::<ForceId>(&request.force_id)?;
        let exhibit = parsed::<ExhibitId>(&request.exhibit_id)?;
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(read_token(token).ok_or(Error::InvalidPageToken)?),
        };
        let size = match request.page_size {
            0 => 100,
            size => size.min(500),
        };
        let mut accesses = self.0.accesses(&force, exhibit, after, size + 1).await?;
        let more = accesses.len() > size as usize;
        accesses.truncate(size as usize);
        let next_page_token = accesses.last().filter(|_| more).map_or_else(String::new, token);
        let accesses = accesses.into_iter().map(|a| proto::Access {
            who: a.who,
            what: a.what,
            reason: a.reason,
            at: Some(timestamp(a.at)),
        });
        Ok(Response::new(ListAccessResponse { accesses: accesses.collect(), next_page_token }))
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
        data: Bytes::from(data),
        starts_at,
        ends_at,
    })
}

fn parsed<T: std::str::FromStr<Err = ids::Malformed>>(text: &str) -> Result<T, Error> {
    Ok(text.parse()?)
}

fn state(state: &State) -> ExhibitState {
    match state {
        State::Open => ExhibitState::Open,
        State::Fenced(_) => ExhibitState::Fenced,
        State::Manifested(_) => ExhibitState::Manifested,
        State::Signed(_) => ExhibitState::Signed,
        State::Timestamped(_) => ExhibitState::Timestamped,
        State::Logged(_) => ExhibitState::Logged,
        State::Sealed(_) => ExhibitState::Sealed,
    }
}

/// The last access of a page, as a token.
fn token(last: &Access) -> String {
    let mut bytes = last.at.timestamp_micros().to_be_bytes().to_vec();
    bytes.extend(last.id.as_bytes());
    hex::encode(bytes)
}

fn read_token(token: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let bytes: [u8; 24] = hex::decode(token).ok()?.try_into().ok()?;
    let (at, id) = bytes.split_first_chunk::<8>()?;
    Some((DateTime::from_timestamp_micros(i64::from_be_bytes(*at))?, Uuid::from_slice(id).ok()?))
}
