//! The media core beside Janus, under the same load: two-way calls of 1 Mb/s and Opus each way, recorded and forwarded, more
//! and more of them until a server no longer keeps up. Prints the table of `docs/performance.md`.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::{
    Failure,
    figures::Figures,
    machine::{cpu_seconds, rss_mb},
    samples::Samples,
    stage::Stage,
};

mod camera;
mod direct;
mod janus;
mod line;
mod ours;
mod pump;
mod report;
mod screen;
mod sdp;
pub mod soak;

use camera::Camera;
use janus::Janus;
use line::{Identity, Line};
use pump::{End, Pump, Role, Tally};
use report::{Load, Row};
use screen::Screen;
use sdp::{Credentials, Me, Remote};

/// Calls at once.
const ROWS: [usize; 4] = [10, 50, 100, 200];
/// A server keeps up while it loses no more than this share,
const MOST_LOST: f64 = 0.001;
/// and adds no more than this to the time of one packet in a hundred, in milliseconds.
const MOST_ADDED: f64 = 250.0;
/// Between setting up and measuring.
const SETTLE: Duration = Duration::from_secs(2);

/// The phones of all calls.
struct Crowd {
    identity: Arc<Identity>,
    pump: Pump,
    http: reqwest::Client,
    numbers: AtomicU32,
}

/// An end whose description is out and not yet answered.
struct Fresh {
    ours: Credentials,
    socket: UdpSocket,
    local: SocketAddr,
    number: u32,
}

impl Crowd {
    fn gather() -> Result<Self, Failure> {
        Ok(Self {
            identity: Arc::new(Identity::new()?),
            pump: Pump::start()?,
            http: reqwest::Client::new(),
            numbers: AtomicU32::new(1),
        })
    }

    fn fresh(&self, at: IpAddr) -> Result<Fresh, Failure> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let ours = Credentials { name: format!("crowd{number}"), password: format!("a-password-of-phone-{number:08}") };
        let socket = UdpSocket::bind((at, 0))?;
        let local = socket.local_addr()?;
        Ok(Fresh { ours, socket, local, number })
    }

    fn me<'a>(&'a self, fresh: &'a Fresh) -> Me<'a> {
        Me { identity: &self.identity, ours: &fresh.ours, local: fresh.local }
    }

    /// The server has described itself: an end that sends, or one that watches.
    async fn connect(&self, fresh: Fresh, described: &str, sends: bool) -> Result<(), Failure> {
        let remote = Remote::read(described)?;
        fresh.socket.connect(remote.address)?;
        let [sound, picture, _] = fresh.ssrcs();
        let role = match sends {
            true => Role::Camera(Camera::new([sound, picture], remote.wide)),
            false => Role::Screen(Box::new(Screen::new(remote.wide))),
        };
        let line = Line::new(&self.identity, fresh.local, fresh.ours, remote);
        self.pump.join(End { socket: fresh.socket, line, role }).await
    }
}

impl Fresh {
    /// Of sound, picture and repairs.
    fn ssrcs(&self) -> [u32; 3] {
        [1, 2, 3].map(|kind| self.number << 4 | kind)
    }
}

/// Whoever is measured.
enum Server<'a> {
    Ours { stage: &'a Stage, calls: Vec<ours::Call> },
    Janus { janus: &'a Janus, calls: usize },
}

impl Server<'_> {
    async fn grow(&mut self, crowd: &Crowd, to: usize) -> Result<(), Failure> {
        match self {
            Self::Ours { stage, calls } => {
                let more = to - calls.len();
                calls.extend(ours::begin_all(stage, crowd, more).await?);
            }
            Self::Janus { janus, calls } => {
                for number in *calls..to {
                    janus.call(crowd, number).await?;
                }
                *calls = to;
            }
        }
        Ok(())
    }

    fn pid(&self) -> u32 {
        match self {
            Self::Ours { stage, .. } => stage.pid("video-session"),
            Self::Janus { janus, .. } => janus.pid(),
        }
    }

    /// What takes the recordings from it.
    fn behind(&self) -> Option<u32> {
        match self {
            Self::Ours { stage, .. } => Some(stage.pid("evidence-store")),
            Self::Janus { .. } => None,
        }
    }
}

/// Measures both.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let crowd = Crowd::gather()?;
    let (sizes, time) = if quick { ([2, 5].as_slice(), 3) } else { (ROWS.as_slice(), 20) };
    let time = Duration::from_secs(time);
    let mut server = Server::Ours { stage, calls: Vec::new() };
    let ours = rows(&mut server, &crowd, sizes, time).await?;
    crowd.pump.clear()?;
    if let Server::Ours { calls, .. } = server {
        ours::end_all(stage, calls).await?;
    }
    let janus = match Janus::start(&stage.data.with_file_name("janus")).await? {
        Some(janus) => {
            // More than ours could be given is compared with nothing, and Janus takes minutes to set it up.
            let sizes = sizes.get(..ours.len()).unwrap_or(sizes);
            let theirs = rows(&mut Server::Janus { janus: &janus, calls: 0 }, &crowd, sizes, time).await?;
            crowd.pump.clear()?;
            janus.stop().await?;
            theirs
        }
        None => Vec::new(),
    };
    report::report(figures, &ours, &janus)
}

async fn rows(server: &mut Server<'_>, crowd: &Crowd, sizes: &[usize], time: Duration) -> Result<Vec<Row>, Failure> {
    let (pid, behind) = (server.pid(), server.behind());
    let empty = rss_mb(pid)?;
    let mut rows = Vec::new();
    for &calls in sizes {
        if let Err(failure) = server.grow(crowd, calls).await {
            eprintln!("  {calls} calls can't be set up: {failure}");
            break;
        }
        tokio::time::sleep(SETTLE).await;
        crowd.pump.measure(time)?;
        let used = async |pid| used(pid, time).await;
        let evidence = async { if let Some(behind) = behind { used(behind).await } else { Ok(0.0) } };
        let (cpu, evidence, crowds) = tokio::try_join!(used(pid), evidence, used(std::process::id()))?;
        let rss = rss_mb(pid)?;
        let tally = crowd.pump.tally().await?;
        let row = Row { calls, load: Load::of(calls, [cpu, evidence, crowds], rss - empty, &tally) };
        eprintln!("  {}", row.told());
        let enough = calls >= report::ASKED && !row.load.keeps_up();
        rows.push(row);
        if enough {
            break;
        }
    }
    Ok(rows)
}

/// Percent of one core that a process uses over a time.
async fn used(pid: u32, over: Duration) -> Result<f64, Failure> {
    let (before, began) = (cpu_seconds(pid)?, std::time::Instant::now());
    tokio::time::sleep(over).await;
    Ok((cpu_seconds(pid)? - before) / began.elapsed().as_secs_f64() * 100.0)
}

impl Load {
    fn of(calls: usize, [cpu, evidence, crowd]: [f64; 3], rss: f64, tally: &Tally) -> Self {
        let n = calls as f64;
        let milliseconds = |took: &[u32]| took.iter().map(|took| f64::from(*took) / 1000.0).collect::<Samples>();
        let (took, direct) = (milliseconds(&tally.took), milliseconds(&tally.direct));
        Self {
            cpu: cpu / n,
            evidence: evidence / n,
            crowd,
            rss: rss / n,
            sent: tally.sent,
            lost: tally.sent.saturating_sub(tally.came),
            p50: took.median(),
            p99: took.percentile(99.0),
            direct: direct.percentile(99.0),
            behind: tally.behind.as_secs_f64() * 1000.0,
        }
    }

    fn keeps_up(&self) -> bool {
        self.lost as f64 <= self.sent as f64 * MOST_LOST && self.p99 <= MOST_ADDED
    }
}
