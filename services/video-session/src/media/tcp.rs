//! ICE-TCP (RFC 6544) on the media port, for networks that let no UDP through: phones dial, and each datagram travels behind
//! its length (RFC 4571).
//!
//! A connection is a task that knows of no session. It reads for the loop, and lives as long as the loop keeps its writer:
//! whoever brings what is nobody's is closed. Strangers, who have not yet begun with a connectivity check, are few at once.
//! What a slow phone does not take in time is lost, as datagrams are: media that comes late is worth less than none.
//! `rtc`'s own decoder of frames is not used: it holds whatever it is sent, where `read_exact` needs no more than one frame.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Buf, BytesMut};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

use super::{endpoint::Endpoint, engine::Engine, stun};
use crate::subscriber::Subscriber;

/// A stranger's first frame must be there by then.
const PROVE_WITHIN: Duration = Duration::from_secs(5);
/// Consent is asked for every few seconds: whoever is silent for so long is gone.
const SILENT_AFTER: Duration = Duration::from_secs(30);
/// Strangers at once, from one subscriber and from all.
const STRANGERS_EACH: usize = 8;
const STRANGERS: usize = 512;
/// Datagrams read and not yet looked at. Full, the phones wait.
const UNREAD: usize = 1_024;
/// Datagrams of one connection not yet written: half a second of video.
const UNSENT: usize = 64;
/// The kernel's part of the same: by itself it would hold seconds.
const SEND_BUFFER: usize = 64 << 10;
/// Nothing that belongs here is longer: STUN, DTLS and RTP are made for paths of UDP.
pub(super) const LONGEST: u16 = 4_096;
/// After a connection could not be accepted: for want of file descriptors, most likely.
const BREATH: Duration = Duration::from_millis(100);

/// All connections, as the loop has them.
pub(super) struct Streams {
    arrivals: mpsc::Receiver<Arrival>,
    /// Kept, so that waiting never ends, even where nobody listens.
    _arrive: mpsc::Sender<Arrival>,
    writers: HashMap<SocketAddr, Writer>,
}

type Writer = mpsc::Sender<BytesMut>;

/// What a connection tells the loop.
pub(super) enum Arrival {
    /// A datagram; with the first one of a connection, the way back.
    Datagram { from: SocketAddr, datagram: Vec<u8>, writer: Option<Writer> },
    /// It is closed.
    Gone(SocketAddr),
}

impl Streams {
    /// Listens, if there is a listener. Must be called on the loop's runtime.
    pub(super) fn new(listener: Option<std::net::TcpListener>) -> io::Result<Self> {
        let (arrive, arrivals) = mpsc::channel(UNREAD);
        if let Some(listener) = listener {
            tokio::spawn(accept(TcpListener::from_std(listener)?, arrive.clone()));
        }
        Ok(Self { arrivals, _arrive: arrive, writers: HashMap::new() })
    }

    /// The next thing that happens. Nothing is lost when this is given up.
    pub(super) async fn arrival(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }

    /// Hands an arrival to the engine, and closes whose it doesn't want.
    pub(super) fn take(&mut self, now: Instant, arrival: Arrival, engine: &mut Engine) {
        match arrival {
            Arrival::Datagram { from, datagram, writer } => {
                if !engine.datagram(now, Endpoint::tcp(from), &datagram) {
                    self.writers.remove(&from);
                } else if let Some(writer) = writer {
                    self.writers.insert(from, writer);
                }
            }
            Arrival::Gone(from) => {
                self.writers.remove(&from);
                engine.forget(Endpoint::tcp(from));
            }
        }
    }

    /// Sends, if there is (still) such a connection and it keeps up.
    pub(super) fn send(&self, to: SocketAddr, datagram: BytesMut) {
        if self.writers.get(&to).is_none_or(|writer| writer.try_send(datagram).is_err()) {
            tracing::trace!("datagram lost");
        }
    }
}

async fn accept(listener: TcpListener, arrive: mpsc::Sender<Arrival>) {
    let strangers = Strangers::default();
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                if let Some(place) = strangers.admit(from.ip().into()) {
                    tokio::spawn(serve(stream, from, arrive.clone(), place));
                }
            }
            Err(error) => {
                tracing::debug!(%error, "accept");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, from: SocketAddr, arrive: mpsc::Sender<Arrival>, place: Place) {
    if stream.set_nodelay(true).and(SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER)).is_err() {
        return;
    }
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let first = timeout(PROVE_WITHIN, frame(&mut read)).await;
    drop(place);
    let Ok(Ok(datagram)) = first else { return };
    if stun::request_user(&datagram).is_none() {
        return;
    }
    let (writer, mut unsent) = mpsc::channel(UNSENT);
    let reads = async {
        let mut arrival = Arrival::Datagram { from, datagram, writer: Some(writer) };
        while arrive.send(arrival).await.is_ok() {
            let Ok(Ok(datagram)) = timeout(SILENT_AFTER, frame(&mut read)).await else { return };
            arrival = Arrival::Datagram { from, datagram, writer: None };
        }
    };
    let writes = async {
        while let Some(datagram) = unsent.recv().await {
            let Ok(length) = u16::try_from(datagram.len()) else { continue };
            let length = length.to_be_bytes();
            let mut framed = Buf::chain(&length[..], datagram);
            if write.write_all_buf(&mut framed).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = reads => {}
        () = writes => {}
    }
    // Before the socket closes, or the loop might hear it after the next one from the same address.
    let _ = arrive.send(Arrival::Gone(from)).await;
}

pub(super) async fn frame(read: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Vec<u8>> {
    let length = read.read_u16().await?;
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut datagram = vec![0; length.into()];
    read.read_exact(&mut datagram).await?;
    Ok(datagram)
}

/// Who has not yet said whom they belong to.
#[derive(Clone, Default)]
struct Strangers(Arc<Mutex<HashMap<Subscriber, usize>>>);

/// A stranger's place, until dropped.
struct Place {
    strangers: Strangers,
    whose: Subscriber,
}

impl Strangers {
    fn admit(&self, whose: Subscriber) -> Option<Place> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from_here = waiting.get(&whose).copied().unwrap_or_default();
        if from_here >= STRANGERS_EACH || waiting.values().sum::<usize>() >= STRANGERS {
            return None;
        }
        waiting.insert(whose, from_here + 1);
        drop(waiting);
        Some(Place { strangers: self.clone(), whose })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.strangers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn strangers_of_one_subscriber_do_not_take_everybodys_places() {
        let strangers = Strangers::default();
        let admit = |address: &str| strangers.admit(Subscriber::from(address.parse::<IpAddr>().unwrap()));
        let here = || admit("192.0.2.1");
        let mut places: Vec<_> = (0..STRANGERS_EACH).map(|_| here().unwrap()).collect();
        assert!(here().is_none());
        assert!(admit("192.0.2.2").is_some());
        let many: Vec<_> = (0..100).filter_map(|last| admit(&format!("2001:db8::{last}"))).collect();
        assert_eq!(many.len(), STRANGERS_EACH, "all addresses of one /64");
        places.pop();
        assert!(here().is_some());
        drop((places, many));
        assert!(strangers.0.lock().unwrap().is_empty(), "nothing is remembered of those who left");
    }

    #[tokio::test]
    async fn a_frame_is_its_length_and_that_much() {
        let mut wire: &[u8] = &[0, 2, 7, 8, 0, 0, 0, 1, 9];
        for wanted in [&[7, 8][..], &[], &[9]] {
            assert_eq!(frame(&mut wire).await.unwrap(), wanted);
        }
        assert!(frame(&mut wire).await.is_err(), "the end");
        assert!(frame(&mut &[0xff, 0xff, 1][..]).await.is_err(), "too long to be one of ours");
    }
}
