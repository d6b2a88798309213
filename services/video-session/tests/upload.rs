//! The uploader against an evidence-store that misbehaves on purpose: a stand-in at the process boundary, which keeps
//! the contract's order and forgets, refuses and hangs up when told to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use api::evidence::v1::{
    self as proto, AppendSegmentsRequest, AppendSegmentsResponse, OpenExhibitRequest, OpenExhibitResponse,
    evidence_service_server::{EvidenceService, EvidenceServiceServer},
};
use chassis::{Clock, Entropy, Shutdown, status::status_with};
use futures::Stream;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Code, Request, Response, Status, Streaming};
use uuid::Uuid;
use video_session::spool::{Owner, Piece, Place, Spool, Uploader};

#[derive(Default)]
struct Held {
    opened: u32,
    tracks: HashMap<String, Vec<Vec<u8>>>,
    /// Refuse so many appends, for this reason.
    refuse: Vec<&'static str>,
}

#[derive(Clone, Default)]
struct Moody(Arc<Mutex<Held>>);

impl Moody {
    fn append(&self, request: &AppendSegmentsRequest) -> Result<AppendSegmentsResponse, Status> {
        let mut held = self.0.lock().unwrap();
        if let Some(reason) = held.refuse.pop() {
            return Err(status_with(Code::NotFound, reason, "told to", &[]));
        }
        let track = held.tracks.entry(request.track.clone()).or_default();
        let next = track.len() as u64;
        if request.seq > next {
            let facts = [("track", request.track.clone()), ("expected_seq", next.to_string())];
            return Err(status_with(Code::FailedPrecondition, "SEGMENT_OUT_OF_ORDER", "not yet", &facts));
        }
        if request.seq == next {
            track.push(request.data.clone());
        }
        assert_eq!(track[usize::try_from(request.seq).unwrap()], request.data, "the same place, the same bytes");
        Ok(AppendSegmentsResponse { track: request.track.clone(), seq: request.seq, chain: vec![0; 32] })
    }
}

type Never<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl EvidenceService for Moody {
    async fn open_exhibit(&self, _: Request<OpenExhibitRequest>) -> Never<OpenExhibitResponse> {
        self.0.lock().unwrap().opened += 1;
        Ok(Response::new(OpenExhibitResponse::default()))
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
}

struct Stage {
    spool: Spool,
    owner: Owner,
    moody: Moody,
    _dir: tempfile::TempDir,
}

impl Stage {
    async fn set() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path()).unwrap();
        let owner = Owner {
            session: Uuid::from_u128(1).into(),
            call: Uuid::from_u128(2).into(),
            force: "wmp".parse().unwrap(),
            incident: ids::IncidentRef::parse("2026-11-24", "1123").unwrap(),
            trace: String::new(),
        };
        spool.prepare(&owner).unwrap();
        let moody = Moody::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let channel = chassis::grpc::connect_lazy(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let server = tonic::transport::Server::builder().add_service(EvidenceServiceServer::new(moody.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        let (_, shutdown) = Shutdown::manual();
        tokio::spawn(Uploader::new(spool.clone(), channel, Clock::system(), Entropy::os()).run(shutdown));
        Self { spool, owner, moody, _dir: dir }
    }

    fn record(&self, track: &str, seqs: std::ops::Range<u64>) {
        for seq in seqs {
            let at = Clock::system().now();
            let piece = Piece::new(at, at, format!("{track} {seq}").into_bytes().into());
            self.spool.keep(self.owner.session, &Place { track: track.parse().unwrap(), seq }, &piece).unwrap();
        }
    }

    async fn owing(&self, wanted: u64) {
        let mut changes = self.spool.changes();
        let waiting = async {
            while self.spool.owed(self.owner.session) != wanted {
                changes.changed().await.unwrap();
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(10), waiting).await;
        came.unwrap_or_else(|_| panic!("owes {}, not {wanted}", self.spool.owed(self.owner.session)));
    }

    fn held(&self, track: &str) -> Vec<String> {
        let held = self.moody.0.lock().unwrap();
        let segments = held.tracks.get(track).into_iter().flatten();
        segments.map(|bytes| String::from_utf8(bytes.clone()).unwrap()).collect()
    }
}

fn all(track: &str, count: u64) -> Vec<String> {
    (0..count).map(|seq| format!("{track} {seq}")).collect()
}

#[tokio::test]
async fn what_it_forgot_is_sent_again_from_where_it_says() {
    let stage = Stage::set().await;
    stage.record("caller-1", 0..5);
    stage.owing(0).await;
    // It comes back from an older state, one segment short: the newest acknowledged one is still here.
    stage.moody.0.lock().unwrap().tracks.get_mut("caller-1").unwrap().truncate(4);
    stage.record("caller-1", 5..8);
    stage.owing(0).await;
    assert_eq!(stage.held("caller-1"), all("caller-1", 8));
}

#[tokio::test]
async fn what_is_gone_for_good_stops_its_own_track_only() {
    let stage = Stage::set().await;
    stage.record("caller-1", 0..5);
    stage.owing(0).await;
    stage.moody.0.lock().unwrap().tracks.get_mut("caller-1").unwrap().truncate(1);
    stage.record("caller-1", 5..7);
    stage.record("officer-1", 0..4);
    stage.owing(2).await;
    stage.record("officer-1", 4..6);
    stage.owing(2).await;
    assert_eq!(stage.held("officer-1"), all("officer-1", 6));
}

#[tokio::test]
async fn refusals_and_an_unknown_exhibit_are_got_over() {
    let stage = Stage::set().await;
    stage.moody.0.lock().unwrap().refuse = vec!["WHATEVER", "UNKNOWN_EXHIBIT"];
    stage.record("caller-1", 0..3);
    stage.record("officer-1", 0..3);
    stage.owing(0).await;
    assert_eq!((stage.held("caller-1"), stage.held("officer-1")), (all("caller-1", 3), all("officer-1", 3)));
    assert_eq!(stage.moody.0.lock().unwrap().opened, 2, "opened again after it was unknown");
}
