//! One call's segments into the evidence store: at a pace, or as fast as they are acknowledged.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alcove_tests::desk::FORCE;
use api::evidence::v1::{AppendSegmentsRequest, OpenExhibitRequest, evidence_service_client::EvidenceServiceClient};
use bytes::Bytes;
use chassis::{Clock, Entropy, grpc::Channel};
use exhibit::Digest;
use ids::{CallId, RequestId};
use prost_types::Timestamp;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::Failure;

/// Two tracks a call, as a caller and an officer make them.
pub const TRACKS: [&str; 2] = ["caller-1", "officer-1"];

/// When a call's segments are due.
#[derive(Clone, Copy)]
pub struct Pace {
    /// The first one.
    pub began: Instant,
    /// Until when.
    pub time: Duration,
    /// Calls that share the pace.
    pub calls: usize,
    /// Seconds between two of one call.
    pub every: f64,
}

/// A call with an open exhibit.
pub struct Call {
    client: EvidenceServiceClient<Channel>,
    /// Its id.
    pub id: String,
    number: usize,
    sent: u64,
    segment: (Bytes, Digest),
}

impl Call {
    /// Opens an exhibit; its segments have so many bytes.
    pub async fn open(channel: Channel, number: usize, segment: usize) -> Result<Self, Failure> {
        let (clock, entropy) = (Clock::system(), Entropy::os());
        let id = entropy.id::<CallId>(clock.now()).to_string();
        let mut client = EvidenceServiceClient::new(channel);
        let request = OpenExhibitRequest {
            request_id: entropy.id::<RequestId>(clock.now()).to_string(),
            force_id: FORCE.into(),
            call_id: id.clone(),
            incident_date: clock.now().format("%Y-%m-%d").to_string(),
            incident_number: (9000 + number % 1000).to_string(),
        };
        client.open_exhibit(request).await?;
        let mut data = vec![0; segment];
        entropy.fill(&mut data);
        let sha256 = Digest::of(&data);
        Ok(Self { client, id, number, sent: 0, segment: (data.into(), sha256) })
    }

    /// Its next segment: of one track, then of the other.
    fn next(&mut self) -> AppendSegmentsRequest {
        let track = TRACKS[(self.sent % 2) as usize];
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
    pub async fn paced(&mut self, pace: Pace) -> Result<Vec<f64>, Failure> {
        let offset = pace.every * self.number as f64 / pace.calls as f64;
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

    /// Sends while `more` says so of the number sent, with a window of unacknowledged ones; answers each one's
    /// milliseconds.
    pub async fn flat_out(&mut self, window: usize, more: impl Fn(u64) -> bool) -> Result<Vec<f64>, Failure> {
        let (segments, queue) = mpsc::channel(window);
        let (sent, mut starts) = mpsc::unbounded_channel();
        let window = Arc::new(Semaphore::new(window));
        let gate = Arc::clone(&window);
        let mut client = self.client.clone();
        let send = async move {
            while more(self.sent) {
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
