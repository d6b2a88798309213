//! Who sends: control rooms show the certificate that they show to gRPC, and it says which force's they are.

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use chassis::{ConfigError, Principal, config::Tls};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
    server::TlsStream,
};
use tokio_util::task::AbortOnDropHandle;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many may be under way: a peer that says nothing holds up no other.
const HANDSHAKES: usize = 64;

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
    ///
    /// # Errors
    /// Names the key whose file can't be used.
    pub(super) fn new(listener: TcpListener, tls: &Tls) -> Result<Self, ConfigError> {
        let acceptor = TlsAcceptor::from(Arc::new(server(tls)?));
        let (found, accepted) = mpsc::channel(HANDSHAKES);
        let accepting = tokio::spawn(accept(listener, acceptor, found));
        Ok(Self { accepted, _accepting: AbortOnDropHandle::new(accepting) })
    }
}

async fn accept(mut listener: TcpListener, acceptor: TlsAcceptor, found: mpsc::Sender<(TlsStream<TcpStream>, Peer)>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    // Never closed.
    while let Ok(place) = places.clone().acquire_owned().await {
        let (stream, _) = Listener::accept(&mut listener).await;
        let (acceptor, found) = (acceptor.clone(), found.clone());
        tokio::spawn(async move {
            let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
            let Ok(Ok(stream)) = shaken else { return tracing::debug!("a MAIT connection came to nothing") };
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

fn server(tls: &Tls) -> Result<ServerConfig, ConfigError> {
    let wrong = |key: &'static str| move |error: &dyn std::fmt::Display| ConfigError::unusable(key, error);
    let read = |key: &'static str, path: &Path| fs::read(path).map_err(|error| wrong(key)(&error));
    let provider = Arc::new(default_provider());

    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read("tls.certificate", &tls.certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong("tls.certificate")(&error))?;
    let key = PrivateKeyDer::from_pem_slice(&read("tls.key", &tls.key)?).map_err(|error| wrong("tls.key")(&error))?;
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(&read("tls.roots", &tls.roots)?) {
        let root = root.map_err(|error| wrong("tls.roots")(&error))?;
        roots.add(root).map_err(|error| wrong("tls.roots")(&error))?;
    }
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .map_err(|error| wrong("tls.roots")(&error))?;
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("tls")(&error))?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(|error| wrong("tls.certificate")(&error))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(server)
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

impl Connected<IncomingStream<'_, Mutual>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Mutual>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Without `[tls]`, which only dev can do without, nobody is asked.
impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(_: IncomingStream<'_, TcpListener>) -> Self {
        Self(Principal::Anybody)
    }
}
