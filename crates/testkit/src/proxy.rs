//! A TCP proxy that stands for the network between two processes, and can be slow, half-open or cut. What it leads to may
//! listen on a Unix socket.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream, UnixStream},
    sync::{mpsc, watch},
    time::sleep_until,
};
use tokio_util::{bytes::Bytes, either::Either, task::AbortOnDropHandle};

use crate::{Dice, Error};

/// What a read takes at most.
const CHUNK: usize = 16 * 1024;
/// So many chunks are under way at once in a slow network; then the sender waits, as for a full window.
const UNDER_WAY: usize = 64;
/// How long TCP waits before it sends a lost segment again (Linux: RTO_MIN).
const SENT_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// How bytes get through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Passage {
    /// At once.
    Clear,
    /// Each way later by `delay`; and a share of them (0 to 1) later still, as TCP sends again what was lost.
    Slow {
        /// How long everything takes.
        delay: Duration,
        /// What is lost at first.
        lost: f64,
    },
    /// Not at all, and nobody is told: connections stay open, new ones are made, and nothing comes.
    HalfOpen,
    /// Not at all: every connection is broken, and new ones are closed at once.
    Cut,
}

/// Passes bytes on to a target until it is cut; ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    passage: watch::Sender<Passage>,
    accepted: Arc<AtomicUsize>,
    _accepts: AbortOnDropHandle<io::Result<()>>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 for connections to `target` (`127.0.0.1:4222`, or a socket's path).
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(target: impl Into<String>) -> Result<Self, Error> {
        Self::to_first_of(vec![target.into()]).await
    }

    /// The same, for several targets that do the same: a connection leads to the first of them that listens.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn to_first_of(targets: Vec<String>) -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("a port for a proxy"))?;
        let address = listener.local_addr().map_err(Error::io("a port for a proxy"))?;
        let (passage, state) = watch::channel(Passage::Clear);
        let accepted = Arc::new(AtomicUsize::new(0));
        let accepts = tokio::spawn(accept(listener, targets.into(), state, accepted.clone()));
        Ok(Self { address, passage, accepted, _accepts: AbortOnDropHandle::new(accepts) })
    }

    /// Where to connect instead of the target.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made to it so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Breaks every connection, and closes new ones at once.
    pub fn cut(&self) {
        self.be(Passage::Cut);
    }

    /// Lets everything through again, at once.
    pub fn heal(&self) {
        self.be(Passage::Clear);
    }

    /// Is such a network from here on, for the connections there are, too.
    pub fn be(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }
}

async fn accept(
    listener: TcpListener,
    targets: Arc<[String]>,
    state: watch::Receiver<Passage>,
    accepted: Arc<AtomicUsize>,
) -> io::Result<()> {
    loop {
        let (near, _) = listener.accept().await?;
        accepted.fetch_add(1, Ordering::Relaxed);
        let (targets, mut state) = (Arc::clone(&targets), state.clone());
        tokio::spawn(async move {
            let pass = both_ways(near, &targets, state.clone());
            // Also the proxy's own end, which drops the sender, breaks the connection.
            tokio::select! {
                biased;
                _ = state.wait_for(|passage| *passage == Passage::Cut) => {}
                _ = pass => {}
            }
        });
    }
}

async fn both_ways(near: TcpStream, targets: &[String], state: watch::Receiver<Passage>) -> io::Result<()> {
    let far = first_of(targets).await?;
    let ((near_in, near_out), (far_in, far_out)) = (split(near), split(far));
    tokio::try_join!(pass(near_in, far_out, state.clone()), pass(far_in, near_out, state)).map(drop)
}

/// One way, until its end.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<Passage>,
) -> io::Result<()> {
    let (parcels, mut arriving) = mpsc::channel::<(Instant, Bytes)>(UNDER_WAY);
    let mut leaving = state.clone();
    let sends = async move {
        let (mut buffer, mut dice) = (vec![0; CHUNK], Dice::new(0));
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            let late = match *leaving.borrow_and_update() {
                Passage::Slow { delay, lost } if dice.throw() < lost => delay + SENT_AGAIN_AFTER,
                Passage::Slow { delay, .. } => delay,
                Passage::Clear | Passage::HalfOpen | Passage::Cut => Duration::ZERO,
            };
            let parcel = (Instant::now() + late, Bytes::copy_from_slice(&buffer[..length]));
            if parcels.send(parcel).await.is_err() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
    };
    let arrives = async {
        while let Some((at, bytes)) = arriving.recv().await {
            if at > Instant::now() {
                sleep_until(at.into()).await;
            }
            // The sender's end is the proxy's.
            let _ = state.wait_for(|passage| *passage != Passage::HalfOpen).await;
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(sends, arrives).map(drop)
}

async fn first_of(targets: &[String]) -> io::Result<Either<TcpStream, UnixStream>> {
    let mut refused = io::ErrorKind::NotConnected.into();
    for target in targets {
        let connected = match target.starts_with('/') {
            true => UnixStream::connect(target).await.map(Either::Right),
            false => TcpStream::connect(target).await.map(Either::Left),
        };
        match connected {
            Ok(far) => return Ok(far),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}
