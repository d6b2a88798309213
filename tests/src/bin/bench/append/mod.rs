//! Segments through gRPC into the real evidence-store, each acknowledged once it is on the disk: as many as go in, for
//! two sizes and from one call to five hundred, and the acknowledgement's time at the rate that the design asks for.
//! Beside it the disk's own floor.

use std::time::{Duration, Instant};

use alcove_tests::identity;
use futures::future::try_join_all;

mod call;

use call::Pace;
pub use call::{Call, TRACKS};

use crate::{
    Failure,
    disk::{self, Floor},
    figures::{Figure, Figures, Target},
    samples::Samples,
    stage::Stage,
};

/// Calls of the figures that the design names, each with two tracks on a stream of its own, as video-session has them.
const CALLS: usize = 16;
/// Connections that share the streams: as many instances of video-session.
const CONNECTIONS: usize = 4;
/// Segments on their way at once over all calls, when nothing but that limits them.
const UNDER_WAY: usize = 128;
/// What the design asks for, a second.
const RATE: f64 = 400.0;
/// The sizes of segments: a second of a poor line, and of a good one.
const SIZES: [usize; 2] = [64 << 10, 256 << 10];
/// How many calls are up at once.
const AT_ONCE: [usize; 4] = [1, CALLS, 100, 500];

/// Measures the disk, the store, and the disk again, for each size.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let time = Duration::from_secs(if quick { 1 } else { 4 });
    for size in SIZES {
        let mut rows = Vec::new();
        let before = floor(stage, size, time / 2).await?;
        for at_once in AT_ONCE {
            let mut calls = opened(stage, at_once, size).await?;
            if size == SIZES[1] && at_once == CALLS {
                paced(&mut calls, 2 * time, figures, &before).await?;
            }
            rows.push((at_once, flat_out(&mut calls, time).await?));
        }
        let after = floor(stage, size, time / 2).await?;
        let disk_per_s = (before.per_s + after.per_s) / 2.0;
        for (at_once, full) in rows {
            figures.add(full.figure(size, at_once, disk_per_s));
        }
    }
    Ok(())
}

/// Calls whose exhibits are open, on a few connections.
pub async fn opened(stage: &Stage, count: usize, segment: usize) -> Result<Vec<Call>, Failure> {
    let stack = &stage.desk.stack;
    let papers = stack.secure().papers("video-session");
    let connections = (0..CONNECTIONS)
        .map(|_| identity::channel(stack, "evidence-store", &papers))
        .collect::<Result<Vec<_>, Failure>>()?;
    let mut calls = Vec::with_capacity(count);
    for number in 0..count {
        calls.push(Call::open(connections[number % CONNECTIONS].clone(), number, segment).await?);
    }
    Ok(calls)
}

/// What went in when nothing but the acknowledgements held it back.
struct Full {
    per_s: f64,
    took: f64,
    acks: Samples,
}

async fn flat_out(calls: &mut [Call], time: Duration) -> Result<Full, Failure> {
    let window = (UNDER_WAY / calls.len()).clamp(1, 8);
    let began = Instant::now();
    let until = began + time;
    let acked = try_join_all(calls.iter_mut().map(|call| call.flat_out(window, |_| Instant::now() < until))).await?;
    let took = began.elapsed().as_secs_f64();
    let acks: Samples = acked.into_iter().flatten().collect();
    Ok(Full { per_s: acks.count() as f64 / took, took, acks })
}

impl Full {
    fn figure(&self, size: usize, at_once: usize, disk_per_s: f64) -> Figure {
        let kib = size >> 10;
        let named = size == SIZES[1] && at_once == CALLS;
        let id = if named { "append_256k_per_s".to_owned() } else { format!("append_{kib}k_{at_once}_calls_per_s") };
        let target = if named { Target::AtLeast(RATE) } else { Target::None };
        let note = format!(
            "{at_once} calls of 2 tracks on at most {CONNECTIONS} connections, {} segments in {:.1} s, acknowledged after \
             fdatasync: p50 {:.1} ms, p99 {:.1} ms; client on the same cores; peer: the disk's group-committed write + \
             fdatasync of {kib} KiB buffers, before and after: {:.0}% of it",
            self.acks.count(),
            self.took,
            self.acks.median(),
            self.acks.percentile(99.0),
            self.per_s / disk_per_s * 100.0,
        );
        Figure::new(id, self.per_s, "/s", target, note).beside(disk_per_s)
    }
}

/// The acknowledgement's time at the design's rate.
async fn paced(calls: &mut [Call], time: Duration, figures: &Figures, floor: &Floor) -> Result<(), Failure> {
    let count = calls.len();
    let began = Instant::now() + Duration::from_millis(100);
    let pace = Pace { began, time, calls: count, every: count as f64 / RATE };
    let acks: Samples =
        try_join_all(calls.iter_mut().map(|call| call.paced(pace))).await?.into_iter().flatten().collect();
    let note = format!(
        "at {RATE} segments a second, not waiting for acknowledgements (open loop, from when each was due); {} segments, \
         p50 {:.1} ms, max {:.1} ms; peer: the disk's p99 at the same rate, {} buffers",
        acks.count(),
        acks.median(),
        acks.max(),
        floor.latency_ms.count(),
    );
    let figure = Figure::new("append_ack_p99_ms", acks.percentile(99.0), "ms", Target::AtMost(25.0), note);
    figures.add(figure.beside(floor.latency_ms.percentile(99.0)));
    Ok(())
}

async fn floor(stage: &Stage, size: usize, time: Duration) -> Result<Floor, Failure> {
    let folder = stage.data.clone();
    Ok(tokio::task::spawn_blocking(move || disk::floor(&folder, size, RATE, time)).await??)
}
