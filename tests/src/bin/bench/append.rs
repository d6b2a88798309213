//! Segments of 256 KiB through gRPC into the real evidence-store, each acknowledged once it is on the disk: as many as
//! go in, and the acknowledgement's time at the rate that the design asks for. Beside it the disk's own floor.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alcove_tests::desk::FORCE;
use api::evidence::v1::{AppendSegmentsRequest, OpenExhibitRequest, evidence_service_client::EvidenceServiceClient};
use chassis::{Clock, Entropy, grpc::Channel};
use exhibit::Digest;
use futures::future::try_join_all;
use ids::{CallId, RequestId};
use prost_types::Timestamp;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    Failure,
    disk::{self, BUFFER},
    figures::{Figure, Figures, Target},
    samples::Samples,
    stage::Stage,
};

/// Calls, each with two tracks on a stream of its own, as video-session has them.
const CALLS: usize = 16;
/// Connections that share the streams: as many instances of video-session.
const CONNECTIONS: usize = 4;
/// Segments of a call on their way at once, when nothing but that limits them.
const WINDOW: usize = 8;
/// What the design asks for, a second.
const RATE: f64 = 400.0;

/// Measures the disk, the store, and the disk again.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let time = Duration::from_secs(if quick { 2 } else { 8 });
    let before = floor(stage, time / 4).await?;
    let mut calls = Vec::new();
    let connections =
        (0..CONNECTIONS).map(|_| stage.desk.channel("evidence-store")).collect::<Result<Vec<_>, Failure>>()?;
    for number in 0..CALLS {
        calls.push(Call::open(connections[number % CONNECTIONS].clone(), number).await?);
    }
    let pace = Pace { began: Instant::now() + Duration::from_millis(100), time, every: CALLS as f64 / RATE };
    let paced: Samples =
        try_join_all(calls.iter_mut().map(|call| call.paced(pace))).await?.into_iter().flatten().collect();

    let until = Instant::now() + time;
    let began = Instant::now();
    let acked = try_join_all(calls.iter_mut().map(|call| call.flat_out(until))).await?;
    let took = began.elapsed().as_secs_f64();
    let full: Samples = acked.into_iter().flatten().collect();
    let after = floor(stage, time / 4).await?;

    let disk_per_s = (before.per_s + after.per_s) / 2.0;
    let disk_ms: Samples = [before, after].into_iter().flat_map(|floor| floor.latency_ms.values()).collect();
    let per_s = full.count() as f64 / took;
    let note = format!(
        "{CALLS} calls of 2 tracks on {CONNECTIONS} connections, {WINDOW} segments of a call under way, {} segments in \
         {took:.1} s, acknowledged after fdatasync (p50 {:.0} ms, p99 {:.0} ms); client on the same cores; peer: the \
         disk's group-committed write + fdatasync of 256 KiB buffers, before and after: {:.0}% of it",
        full.count(),
        full.median(),
        full.percentile(99.0),
        per_s / disk_per_s * 100.0,
    );
    figures.add(Figure::new("append_256k_per_s", per_s, "/s", Target::AtLeast(RATE), note).beside(disk_per_s));
    let note = format!(
        "at {RATE} segments a second, not waiting for acknowledgements (open loop, from when each was due); {} segments, \
         p50 {:.1} ms, max {:.1} ms; peer: the disk's p99 at the same rate, {} buffers",
        paced.count(),
        paced.median(),
        paced.max(),
        disk_ms.count(),
    );
    let figure = Figure::new("append_ack_p99_ms", paced.percentile(99.0), "ms", Target::AtMost(25.0), note);
    figures.add(figure.beside(disk_ms.percentile(99.0)));
    Ok(())
}

async fn floor(stage: &Stage, time: Duration) -> Result<disk::Floor, Failure> {
    let folder = stage.data.clone();
    Ok(tokio::task::spawn_blocking(move || disk::floor(&folder, RATE, time)).await??)
}

/// When a call's segments are due.
#[derive(Clone, Copy)]
struct Pace {
    began: Instant,
    time: Duration,
    /// Seconds between two of one call.
    every: f64,
}

/// A call with an open exhibit.
struct Call {
    client: EvidenceServiceClient<Channel>,
    id: String,
    number: usize,
    sent: u64,
    segment: Arc<(Vec<u8>, Digest)>,
}

impl Call {
    async fn open(channel: Channel, number: usize) -> Result<Self, Failure> {
        let (clock, entropy) = (Clock::system(), Entropy::os());
        let id = entropy.id::<CallId>(clock.now()).to_string();
        let mut client = EvidenceServiceClient::new(channel);
        let request = OpenExhibitRequest {
            request_id: entropy.id::<RequestId>(clock.now()).to_string(),
            force_id: FORCE.into(),
            call_id: id.clone(),
            incident_date: clock.now().format("%Y-%m-%d").to_string(),
            incident_number: (9000 + number).to_string(),
        };
        client.open_exhibit(request).await?;
        let mut data = vec![0; BUFFER];
        entropy.fill(&mut data);
        let sha256 = Digest::of(&data);
        Ok(Self { client, id, number, sent: 0, segment: Arc::new((data, sha256)) })
    }

    /// Its next segment: of one track, then of the other.
    fn next(&mut self) -> AppendSegmentsRequest {
        let track = if self.sent.is_multiple_of(2) { "caller-1" } else { "officer-1" };
        let seq = self.sent / 2;
        self.sent += 1;
        let at =
            |seconds: u64| Timestamp { seconds: 1_795_000_000 + i64::try_from(seconds).unwrap_or_default(), nanos: 0 };
        AppendSegmentsRequest {
            force_id: FORCE.into(),
            call_id: self.id.clone(),
            track: track.into(),
            seq,
            sha256: self.segment.1.as_bytes().to_vec(),
            data: self.segment.0.clone(),
            starts_at: Some(at(seq)),
            ends_at: Some(at(seq + 1)),
        }
    }

    /// Sends each segment when it is due; answers how long after that it was acknowledged, in milliseconds.
    async fn paced(&mut self, pace: Pace) -> Result<Vec<f64>, Failure> {
        let offset = pace.every * self.number as f64 / CALLS as f64;
        let due = move |number: usize| pace.began + Duration::from_secs_f64(offset + pace.every * number as f64);
        let count = (pace.time.as_secs_f64() / pace.every) as usize;
        // As deep as it takes: the sender never waits.
        let (segments, queue) = mpsc::channel(count);
        let mut client = self.client.clone();
        let send = async move {
            for number in 0..count {
                tokio::time::sleep_until(due(number).into()).await;
                segments.send(self.next()).await?;
            }
            Ok::<_, Failure>(())
        };
        let receive = async move {
            let mut acks = client.append_segments(ReceiverStream::new(queue)).await?.into_inner();
            let mut took = Vec::with_capacity(count);
            while acks.message().await?.is_some() {
                took.push(due(took.len()).elapsed().as_secs_f64() * 1000.0);
            }
            if took.len() == count { Ok(took) } else { Err("not everything was acknowledged".into()) }
        };
        Ok(tokio::try_join!(send, receive)?.1)
    }

    /// Sends as long as there is time, with a window of unacknowledged ones; answers each one's milliseconds.
    async fn flat_out(&mut self, until: Instant) -> Result<Vec<f64>, Failure> {
        let (segments, queue) = mpsc::channel(WINDOW);
        let (sent, mut starts) = mpsc::unbounded_channel();
        let window = Arc::new(Semaphore::new(WINDOW));
        let gate = Arc::clone(&window);
        let mut client = self.client.clone();
        let send = async move {
            while Instant::now() < until {
                gate.acquire().await?.forget();
                sent.send(Instant::now())?;
                segments.send(self.next()).await?;
            }
            Ok::<_, Failure>(())
        };
        let receive = async move {
            let mut acks = client.append_segments(ReceiverStream::new(queue)).await?.into_inner();
            let mut took = Vec::new();
            while acks.message().await?.is_some() {
                let start = starts.recv().await.ok_or("an ack of nothing")?;
                took.push(start.elapsed().as_secs_f64() * 1000.0);
                window.add_permits(1);
            }
            Ok(took)
        };
        Ok(tokio::try_join!(send, receive)?.1)
    }
}
