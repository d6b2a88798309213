//! Sends the spool to evidence-store: one stream a session, as long as there is anything to send.
//!
//! evidence-store being away is ordinary. The call goes on, the spool grows, and the stream is opened again with a
//! growing pause. Where to go on is the spool's own knowledge, or evidence-store's when it says SEGMENT_OUT_OF_ORDER.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    time::Duration,
};

use api::evidence::v1::{
    AppendSegmentsRequest, AppendSegmentsResponse, OpenExhibitRequest, evidence_service_client::EvidenceServiceClient,
};
use chassis::{
    Clock, Entropy, Shutdown,
    grpc::Channel,
    status::{metadata_of, reason_of},
};
use chrono::TimeDelta;
use exhibit::receipt::Leaf;
use ids::{RequestId, SessionId, TrackName};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument;

use super::{
    Owner, Place, Spool,
    receipts::{digest, receipt},
};
use crate::events::timestamp;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A stream on which nothing is acknowledged for so long is given up: the other side is there in name only.
const ACK_PATIENCE: Duration = Duration::from_secs(15);
/// Segments read from disk ahead of the network.
const AHEAD: usize = 8;

/// What a task was for.
#[derive(Debug, Clone, Copy)]
enum Task {
    Segments,
    Documents,
}

/// Why a stream ended.
#[derive(Debug)]
enum Trouble {
    /// evidence-store refused, or is away.
    Refused(Status),
    /// It acknowledged nothing for too long, or nonsense.
    Silent,
    /// A segment in the spool isn't what was written.
    Damaged(TrackName),
}

impl From<Status> for Trouble {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

/// Empties the spool into evidence-store.
#[derive(Clone)]
pub struct Uploader {
    pub(super) spool: Spool,
    pub(super) evidence: EvidenceServiceClient<Channel>,
    clock: Clock,
    entropy: Entropy,
    ask_again: TimeDelta,
}

/// What a session's upload has learned, kept from one stream to the next.
#[derive(Default)]
struct Progress {
    /// evidence-store has said that the exhibit is open.
    opened: bool,
    /// Tracks that can't go on without a person.
    stuck: HashSet<TrackName>,
    /// Those that there were when the last stream began: what it is refused for is about these.
    begun: Vec<TrackName>,
    /// The last wish of evidence-store's since its last ack: the same one again means that we go round in circles.
    wish: Option<Place>,
    acked: u64,
}

impl Uploader {
    /// An uploader over an evidence-store that need not be there yet. Once in `ask_again` it is asked whether it still
    /// holds what it acknowledged.
    #[must_use]
    pub fn new(spool: Spool, evidence: Channel, clock: Clock, entropy: Entropy, ask_again: TimeDelta) -> Self {
        Self { spool, evidence: EvidenceServiceClient::new(evidence), clock, entropy, ask_again }
    }

    /// Runs until shutdown. What isn't acknowledged by then is sent by the next process.
    pub async fn run(self, shutdown: Shutdown) {
        let mut changes = self.spool.changes();
        let mut uploads: JoinSet<(SessionId, Task)> = JoinSet::new();
        let (mut active, mut sending) = (HashSet::new(), HashSet::new());
        let mut ask = self.clock.now() + self.ask_again;
        loop {
            for session in self.spool.sessions() {
                if self.spool.owed(session) > 0 && active.insert(session) {
                    let uploader = self.clone();
                    uploads.spawn(async move {
                        uploader.upload(session).await;
                        (session, Task::Segments)
                    });
                }
                if !self.spool.documents_owed(session).is_empty() && sending.insert(session) {
                    let uploader = self.clone();
                    uploads.spawn(async move {
                        uploader.send_documents(session).await;
                        (session, Task::Documents)
                    });
                }
            }
            tokio::select! {
                () = shutdown.requested() => return,
                _ = changes.changed() => {}
                () = self.clock.sleep_until(ask) => {
                    ask = self.clock.now() + self.ask_again;
                    for session in self.spool.sessions().into_iter().filter(|session| !active.contains(session)) {
                        self.spool.doubt(session);
                    }
                }
                Some(done) = uploads.join_next() => match done {
                    Ok((session, Task::Segments)) => { active.remove(&session); }
                    Ok((session, Task::Documents)) => { sending.remove(&session); }
                    Err(error) => {
                        tracing::error!(%error, "an upload failed unexpectedly, all are looked at again");
                        active.clear();
                        sending.clear();
                        uploads.abort_all();
                        while uploads.join_next().await.is_some() {}
                    }
                },
            }
        }
    }

    /// Until nothing has been owed for a while, or the session's folder is retired.
    async fn upload(&self, session: SessionId) {
        let (mut progress, mut pause) = (Progress::default(), FIRST_PAUSE);
        while let Some(owner) = self.spool.owner(session) {
            let span = owner.trace().follow(tracing::info_span!("upload_segments", call_id = %owner.call));
            let before = progress.acked;
            match self.stream(&owner, &mut progress).instrument(span).await {
                Ok(()) if self.spool.owed(session) == 0 => return,
                Ok(()) => pause = FIRST_PAUSE,
                Err(trouble) => {
                    if progress.acked > before {
                        pause = FIRST_PAUSE;
                    }
                    // Perhaps it comes back without what it had.
                    if self.spool.owed(session) == 0 {
                        self.spool.doubt(session);
                    }
                    if !self.learn(&owner, &trouble, &mut progress).await {
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
        }
    }

    /// One stream, from opening to its end: Ok when the session is retired, or nothing is owed for a while.
    async fn stream(&self, owner: &Owner, progress: &mut Progress) -> Result<(), Trouble> {
        progress.begun = self.spool.recorded(owner.session).into_iter().map(|(track, _)| track).collect();
        if !progress.opened {
            self.open_exhibit(owner).await?;
            progress.opened = true;
        }
        let (requests, receiver) = mpsc::channel(AHEAD);
        let mut evidence = self.evidence.clone();
        let stuck = progress.stuck.clone();
        let receive = async {
            let mut acks = evidence.append_segments(ReceiverStream::new(receiver)).await?.into_inner();
            loop {
                let ack = match timeout(ACK_PATIENCE, acks.message()).await {
                    Ok(ack) => ack?,
                    Err(_) if self.spool.owed(owner.session) == 0 => return Ok(()),
                    Err(_) if self.spool.owed_beside(owner.session, &stuck) == 0 => continue,
                    Err(_) => return Err(Trouble::Silent),
                };
                let Some(ack) = ack else { return Ok(()) };
                let place = Place { track: ack.track.parse().map_err(|_| Trouble::Silent)?, seq: ack.seq };
                progress.acked += 1;
                progress.wish = None;
                self.acknowledge(owner.session, place, ack).await;
            }
        };
        // A refusal ends receiving, and that ends feeding; feeding ends by itself only in trouble.
        tokio::select! {
            outcome = receive => outcome,
            Err(trouble) = self.feed(owner, &stuck, requests) => Err(trouble),
        }
    }

    async fn open_exhibit(&self, owner: &Owner) -> Result<(), Trouble> {
        let request_id: RequestId = self.entropy.id(self.clock.now());
        let request = OpenExhibitRequest {
            request_id: request_id.to_string(),
            force_id: owner.force.to_string(),
            call_id: owner.call.to_string(),
            incident_date: owner.incident.date.to_string(),
            incident_number: owner.incident.number.to_string(),
        };
        self.evidence.clone().open_exhibit(request).await?;
        Ok(())
    }

    async fn feed(
        &self,
        owner: &Owner,
        stuck: &HashSet<TrackName>,
        requests: mpsc::Sender<AppendSegmentsRequest>,
    ) -> Result<(), Trouble> {
        let mut changes = self.spool.changes();
        let mut sent: BTreeMap<_, _> = stuck.iter().map(|track| (track.clone(), u64::MAX)).collect();
        while self.spool.owner(owner.session).is_some() {
            let Some(place) = self.spool.next_to_send(owner.session, &sent) else {
                // The spool outlives this future, so its sender can't be gone.
                let _ = changes.changed().await;
                continue;
            };
            sent.insert(place.track.clone(), place.seq + 1);
            let request = match self.request(owner, place.clone()).await {
                Ok(request) => request,
                Err(trouble) => {
                    // What was sent before it must still arrive: the stream ends with this.
                    self.acknowledged_up_to(owner.session, &place).await;
                    return Err(trouble);
                }
            };
            if requests.send(request).await.is_err() {
                break;
            }
        }
        drop(requests);
        // The other half ends when it has heard the last of evidence-store.
        std::future::pending().await
    }

    /// Returns once nothing of the track is owed before this place.
    async fn acknowledged_up_to(&self, session: SessionId, place: &Place) {
        let others = self.spool.recorded(session).into_iter().filter(|(track, _)| *track != place.track);
        let others = others.map(|(track, _)| (track, u64::MAX)).collect();
        let mut changes = self.spool.changes();
        while self.spool.next_to_send(session, &others).is_some_and(|owed| owed.seq < place.seq) {
            // The spool outlives this future, so its sender can't be gone.
            let _ = changes.changed().await;
        }
    }

    async fn request(&self, owner: &Owner, place: Place) -> Result<AppendSegmentsRequest, Trouble> {
        let (spool, session, at) = (self.spool.clone(), owner.session, place.clone());
        let piece = tokio::task::spawn_blocking(move || spool.load(session, &at)).await.map_err(io::Error::other);
        let piece = piece.flatten().map_err(|error| {
            tracing::error!(call_id = %owner.call, track = %place.track, seq = place.seq, %error, "spooled segment not readable");
            Trouble::Damaged(place.track.clone())
        })?;
        Ok(AppendSegmentsRequest {
            force_id: owner.force.to_string(),
            call_id: owner.call.to_string(),
            track: place.track.to_string(),
            seq: place.seq,
            sha256: piece.sha256.to_vec(),
            data: piece.data,
            starts_at: Some(timestamp(piece.starts_at)),
            ends_at: Some(timestamp(piece.ends_at)),
        })
    }

    async fn acknowledge(&self, session: SessionId, place: Place, ack: AppendSegmentsResponse) {
        let spool = self.spool.clone();
        let kept = tokio::task::spawn_blocking(move || {
            // Absent on a repeat after the seal; then the first one is kept.
            if let Some(proof) = ack.receipt {
                let Place { track, seq } = place.clone();
                // Not always the call's own exhibit: what comes late goes into an addendum.
                let exhibit = ack.exhibit_id.parse().map_err(io::Error::other)?;
                let sha256 = spool.sha256(session, &place)?.into();
                let leaf = Leaf { exhibit, track, seq, sha256, chain: digest(&ack.chain)? };
                spool.keep_receipt(session, &receipt(leaf, proof)?)?;
            }
            spool.acknowledge(session, &place);
            Ok(())
        });
        // It stays owed, is sent again, and gets another receipt.
        if let Err(error) = kept.await.map_err(io::Error::other).flatten() {
            tracing::error!(session_id = %session, %error, "an acknowledgement was not kept");
        }
    }

    /// Learns from a refusal where or how to go on. True: go on at once.
    async fn learn(&self, owner: &Owner, trouble: &Trouble, progress: &mut Progress) -> bool {
        let status = match trouble {
            Trouble::Refused(status) => status,
            Trouble::Silent => {
                tracing::warn!(call_id = %owner.call, "evidence-store acknowledges nothing");
                return false;
            }
            Trouble::Damaged(track) => {
                progress.stuck.insert(track.clone());
                return true;
            }
        };
        let reason = reason_of(status).unwrap_or_default();
        let track: Option<TrackName> = metadata_of(status, "track").and_then(|track| track.parse().ok());
        match (reason.as_str(), track) {
            ("SEGMENT_OUT_OF_ORDER", Some(track)) => {
                let wanted = metadata_of(status, "expected_seq").and_then(|seq| seq.parse().ok());
                let Some(seq) = wanted else { return false };
                self.resume(owner, Place { track, seq }, progress).await
            }
            ("SEGMENT_CONFLICT" | "SEGMENT_TOO_LARGE" | "HASH_MISMATCH", Some(track)) => {
                tracing::error!(call_id = %owner.call, %track, reason, "a track can't go on, its segments stay in the spool");
                progress.stuck.insert(track);
                true
            }
            ("DISPOSED", _) => {
                tracing::error!(call_id = %owner.call, owed = self.spool.owed(owner.session), "disposed of without what is still in the spool");
                progress.stuck.extend(progress.begun.drain(..));
                false
            }
            ("UNKNOWN_EXHIBIT", _) => {
                progress.opened = false;
                false
            }
            _ => {
                let owed = self.spool.owed(owner.session);
                tracing::warn!(call_id = %owner.call, code = ?status.code(), reason, owed, "upload interrupted, the spool keeps what is owed");
                false
            }
        }
    }

    /// evidence-store says which segment it wants next: it has all before, and gets all from there.
    async fn resume(&self, owner: &Owner, place: Place, progress: &mut Progress) -> bool {
        let (spool, session, at) = (self.spool.clone(), owner.session, place.clone());
        if !tokio::task::spawn_blocking(move || spool.rewind(session, &at)).await.unwrap_or(false) {
            tracing::error!(call_id = %owner.call, track = %place.track, expected = place.seq, "evidence-store wants what the spool has not");
            progress.stuck.insert(place.track);
            return true;
        }
        let again = progress.wish.as_ref() == Some(&place);
        progress.wish = Some(place);
        !again
    }
}
