//! Where TLS ends in front of a service: a name of its own, under an authority that only whoever is introduced to it trusts.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, OnceLock},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    Error, Port,
    authority::{certify, trust},
    scratch::Scratch,
};

/// It listens; ends when dropped.
#[derive(Debug)]
pub struct Tls {
    name: String,
    port: Port,
    scratch: Scratch,
    target: Arc<OnceLock<String>>,
    _accepts: AbortOnDropHandle<io::Result<()>>,
}

impl Tls {
    /// Listens on a port of 127.0.0.1 as the host of that name, and leads nowhere yet.
    ///
    /// # Errors
    /// When OpenSSL or `certutil` isn't installed, or no port can be had.
    pub async fn open(name: &str) -> Result<Self, Error> {
        let scratch = Scratch::new("tls-")?;
        certify(scratch.path(), &format!("DNS:{name}"))?;
        let port = Port::claim()?;
        let listener = TcpListener::bind(port.address()).await.map_err(Error::io("a port for TLS"))?;
        let acceptor = acceptor(scratch.path()).map_err(Error::io("TLS"))?;
        let target = Arc::new(OnceLock::new());
        let accepts = tokio::spawn(accept(listener, acceptor, Arc::clone(&target)));
        Ok(Self { name: name.to_owned(), port, scratch, target, _accepts: AbortOnDropHandle::new(accepts) })
    }

    /// Its origin.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}:{}", self.name, self.port.address().port())
    }

    /// Leads to that address (`127.0.0.1:1234`) from here on.
    pub fn lead(&self, to: &str) {
        // To one for good: a second one changes nothing.
        let _ = self.target.set(to.to_owned());
    }

    /// Introduces its authority to both browsers of a home folder: Chromium, and Firefox with the profile `profile`.
    ///
    /// # Errors
    /// When `certutil` refuses.
    pub fn introduce_to(&self, home: &Path) -> Result<(), Error> {
        let authority = self.scratch.path().join("ca.pem");
        trust(&authority, &home.join(".pki/nssdb"))?;
        trust(&authority, &home.join("profile"))
    }
}

fn acceptor(folder: &Path) -> io::Result<TlsAcceptor> {
    let read = |file: &str| fs::read(folder.join(file));
    let certificate = CertificateDer::from_pem_slice(&read("server.pem")?).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(&read("server.key")?).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(io::Error::other)?;
    Ok(Arc::new(config).into())
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, target: Arc<OnceLock<String>>) -> io::Result<()> {
    loop {
        let (near, _) = listener.accept().await?;
        let (acceptor, target) = (acceptor.clone(), target.get().cloned());
        tokio::spawn(async move {
            let mut near = acceptor.accept(near).await?;
            let mut far = TcpStream::connect(target.ok_or(io::ErrorKind::NotConnected)?).await?;
            copy_bidirectional(&mut near, &mut far).await
        });
    }
}
