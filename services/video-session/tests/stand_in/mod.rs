//! A stand-in for evidence-store at the process boundary: it keeps the contract's order, signs what it acknowledges, and
//! forgets, refuses and hangs up when told to.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex},
};

use api::evidence::v1::{
    self as proto, AppendSegmentsRequest, AppendSegmentsResponse, OpenExhibitRequest, OpenExhibitResponse,
    add_item_request::Part,
    evidence_service_server::{EvidenceService, EvidenceServiceServer},
};
use chassis::{Clock, status::status_with};
use exhibit::receipt::{Leaf, ReceiptKey};
use futures::Stream;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Code, Request, Response, Status, Streaming};

#[derive(Default)]
pub struct Held {
    pub opened: u32,
    /// The newest session's documents by name: the request that brought them, and their bytes.
    pub items: HashMap<String, (String, Vec<u8>)>,
    /// Refuse so many documents.
    pub refuse_items: u32,
    /// Refuse this document for good.
    pub refuse_item: Option<&'static str>,
    /// Segments by call and track.
    pub tracks: HashMap<(String, String), Vec<Vec<u8>>>,
    /// Refuse so many appends, for this reason.
    pub refuse: Vec<&'static str>,
}

impl Held {
    /// A track's segments, of the only call that has one by this name.
    pub fn track(&mut self, name: &str) -> Option<&mut Vec<Vec<u8>>> {
        self.tracks.iter_mut().find(|((_, track), _)| track == name).map(|(_, segments)| segments)
    }
}

#[derive(Clone, Default)]
pub struct Moody(pub Arc<Mutex<Held>>);

impl Moody {
    /// Serves; gives the address.
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tonic::transport::Server::builder().add_service(EvidenceServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        url
    }

    fn append(&self, request: &AppendSegmentsRequest) -> Result<AppendSegmentsResponse, Status> {
        let mut held = self.0.lock().unwrap();
        if let Some(reason) = held.refuse.pop() {
            return Err(status_with(Code::NotFound, reason, "told to", &[]));
        }
        let track = held.tracks.entry((request.call_id.clone(), request.track.clone())).or_default();
        let next = track.len() as u64;
        if request.seq > next {
            let facts = [("track", request.track.clone()), ("expected_seq", next.to_string())];
            return Err(status_with(Code::FailedPrecondition, "SEGMENT_OUT_OF_ORDER", "not yet", &facts));
        }
        if request.seq == next {
            track.push(request.data.to_vec());
        }
        assert_eq!(track[usize::try_from(request.seq).unwrap()], request.data, "the same place, the same bytes");
        let (track, seq) = (request.track.clone(), request.seq);
        let receipt = Some(signed(&track, seq, &request.sha256));
        Ok(AppendSegmentsResponse { track, seq, chain: vec![0; 32], receipt, exhibit_id: EXHIBIT.to_owned() })
    }
}

/// A receipt for this, alone in its commit.
fn signed(track: &str, seq: u64, sha256: &[u8]) -> proto::Receipt {
    let (exhibit, track) = (EXHIBIT.parse().unwrap(), track.parse().unwrap());
    let leaf = Leaf { exhibit, track, seq, sha256: sha256.try_into().unwrap(), chain: [0; 32].into() };
    let proof = receipt_key().sign(Clock::system().now(), &[leaf]).unwrap().remove(0);
    proto::Receipt {
        key_id: proof.key_id.to_string(),
        at: Some(prost_types::Timestamp {
            seconds: proof.at.timestamp(),
            nanos: proof.at.timestamp_subsec_nanos().cast_signed(),
        }),
        leaves: proof.leaves,
        index: proof.index,
        path: vec![],
        signature: proof.signature.to_vec(),
    }
}

pub const EXHIBIT: &str = "0190a000-0000-7000-8000-000000000001";

pub fn receipt_key() -> ReceiptKey {
    ReceiptKey::from_pem(&ReceiptKey::pem_of_seed([6; 32])).unwrap()
}

type Never<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl EvidenceService for Moody {
    async fn open_exhibit(&self, _: Request<OpenExhibitRequest>) -> Never<OpenExhibitResponse> {
        self.0.lock().unwrap().opened += 1;
        Ok(Response::new(OpenExhibitResponse { exhibit_id: EXHIBIT.to_owned(), state: 1 }))
    }

    type AppendSegmentsStream = Pin<Box<dyn Stream<Item = Result<AppendSegmentsResponse, Status>> + Send>>;

    async fn append_segments(
        &self,
        request: Request<Streaming<AppendSegmentsRequest>>,
    ) -> Result<Response<Self::AppendSegmentsStream>, Status> {
        let (moody, mut segments) = (self.clone(), request.into_inner());
        let (acks, receiver) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok(Some(segment)) = segments.message().await {
                let ack = moody.append(&segment);
                let over = ack.is_err();
                if acks.send(ack).await.is_err() || over {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn seal(&self, _: Request<proto::SealRequest>) -> Never<proto::SealResponse> {
        Err(Status::unimplemented(""))
    }
    async fn get_exhibit(&self, _: Request<proto::GetExhibitRequest>) -> Never<proto::GetExhibitResponse> {
        Err(Status::unimplemented(""))
    }
    type ExportStream = Pin<Box<dyn Stream<Item = Result<proto::ExportResponse, Status>> + Send>>;
    async fn export(&self, _: Request<proto::ExportRequest>) -> Never<Self::ExportStream> {
        Err(Status::unimplemented(""))
    }
    async fn list_access(&self, _: Request<proto::ListAccessRequest>) -> Never<proto::ListAccessResponse> {
        Err(Status::unimplemented(""))
    }
    async fn add_item(&self, request: Request<Streaming<proto::AddItemRequest>>) -> Never<proto::AddItemResponse> {
        let mut parts = request.into_inner();
        let (mut header, mut bytes) = (None, Vec::new());
        while let Some(message) = parts.message().await? {
            match message.part.unwrap() {
                Part::Header(first) => header = Some(first),
                Part::Chunk(chunk) => bytes.extend(chunk),
            }
        }
        let header = header.expect("the header comes first");
        let mut held = self.0.lock().unwrap();
        if held.refuse_items > 0 {
            held.refuse_items -= 1;
            return Err(status_with(Code::Unavailable, "DATABASE_UNAVAILABLE", "told to", &[]));
        }
        if held.refuse_item == Some(header.name.as_str()) {
            return Err(status_with(Code::InvalidArgument, "MALFORMED", "told to", &[]));
        }
        assert_eq!((header.bytes, header.media_type.as_str()), (bytes.len() as u64, "application/json"));
        assert_eq!(exhibit::Digest::of(&bytes).as_bytes()[..], header.sha256);
        // Two documents a session, of two kinds: that is number enough.
        let seq = u64::try_from(header.kind).unwrap();
        if let Some((first, held)) = held.items.get(&header.name)
            && *first == header.request_id
        {
            assert_eq!(*held, bytes, "the same request, the same bytes");
        }
        held.items.insert(header.name, (header.request_id, bytes));
        let (exhibit_id, receipt) = (EXHIBIT.to_owned(), Some(signed("items", seq, &header.sha256)));
        Ok(Response::new(proto::AddItemResponse { exhibit_id, item: None, chain: vec![0; 32], seq, receipt }))
    }
    async fn add_addendum(&self, _: Request<proto::AddAddendumRequest>) -> Never<proto::AddAddendumResponse> {
        Err(Status::unimplemented(""))
    }
    async fn list_exhibits(&self, _: Request<proto::ListExhibitsRequest>) -> Never<proto::ListExhibitsResponse> {
        Err(Status::unimplemented(""))
    }
    async fn place_hold(&self, _: Request<proto::PlaceHoldRequest>) -> Never<proto::PlaceHoldResponse> {
        Err(Status::unimplemented(""))
    }
    async fn release_hold(&self, _: Request<proto::ReleaseHoldRequest>) -> Never<proto::ReleaseHoldResponse> {
        Err(Status::unimplemented(""))
    }
    async fn review_retention(
        &self,
        _: Request<proto::ReviewRetentionRequest>,
    ) -> Never<proto::ReviewRetentionResponse> {
        Err(Status::unimplemented(""))
    }
    async fn dispose(&self, _: Request<proto::DisposeRequest>) -> Never<proto::DisposeResponse> {
        Err(Status::unimplemented(""))
    }
    async fn get_checkpoint(&self, _: Request<proto::GetCheckpointRequest>) -> Never<proto::GetCheckpointResponse> {
        Err(Status::unimplemented(""))
    }
    type ReadItemStream = Pin<Box<dyn Stream<Item = Result<proto::ReadItemResponse, Status>> + Send>>;
    async fn read_item(&self, _: Request<proto::ReadItemRequest>) -> Never<Self::ReadItemStream> {
        Err(Status::unimplemented(""))
    }
}
