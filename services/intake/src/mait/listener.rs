//! Who sends: control rooms show the certificate that they show to gRPC, and it says which force's they are.

use std::{io, sync::Arc};

use axum::serve::Listener;
use chassis::{Principal, Tls, tls::Speaking};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;

/// How many may be under way: a peer that says nothing holds up no other, nor do as many as one host has at hand.
const HANDSHAKES: usize = 1024;

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(super) struct Peer(pub(super) Principal);

/// A listener that lets nobody in without a certificate of our authority that names them.
#[derive(Debug)]
pub(super) struct Mutual {
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, Peer)>,
    _accepting: AbortOnDropHandle<()>,
}

impl Mutual {
    /// Over this listener, with the certificates of `[tls]`.
    pub(super) fn new(listener: TcpListener, tls: Tls) -> Self {
        let (found, accepted) = mpsc::channel(1);
        let accepting = tokio::spawn(accept(listener, tls, found));
        Self { accepted, _accepting: AbortOnDropHandle::new(accepting) }
    }
}

/// A listener that lets in anybody, and asks nobody who they are.
#[derive(Debug)]
pub(super) struct Open(pub(super) TcpListener);

impl Listener for Open {
    type Io = TcpStream;
    type Addr = Peer;

    async fn accept(&mut self) -> (TcpStream, Peer) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        (stream, Peer(Principal::Anybody))
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer(Principal::Anybody))
    }
}

async fn accept(mut listener: TcpListener, tls: Tls, found: mpsc::Sender<(TlsStream<TcpStream>, Peer)>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    // Never closed.
    while let Ok(place) = places.clone().acquire_owned().await {
        let (stream, _) = Listener::accept(&mut listener).await;
        let (tls, found) = (tls.clone(), found.clone());
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream, Speaking::Http).await else {
                return tracing::debug!("a MAIT connection came to nothing");
            };
            let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            match certificate.and_then(Principal::of_certificate) {
                // It fails when nobody accepts any more.
                Some(principal) => drop(found.send((stream, Peer(principal))).await),
                None => tracing::warn!("a MAIT connection with a certificate that names nobody"),
            }
            drop(place);
        });
    }
}

impl Listener for Mutual {
    type Io = TlsStream<TcpStream>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Self::Io, Peer) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer(Principal::Anybody))
    }
}
