//! Our own certificate, and whose we believe: of every listener and every client. TLS 1.3, and nothing before it.
//!
//! Certificates are replaced under a process that runs (a mounted secret changes when its issuer renews it). So the files are read
//! again when a connection is made and a minute has passed since they were last read: whoever comes sees the new certificate, and who
//! is connected stays so by the old one. What can't be used (half written, a key of another certificate) is refused, and the old one
//! kept, until it can. A watch on the files would tell of each of three, and be no sooner for whoever connects.

use std::{
    fmt, fs, io,
    path::Path,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use opentelemetry::{KeyValue, metrics::Counter};
use ring::digest::{Context, SHA256};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig, SignatureScheme,
        client::{ResolvesClientCert, Resumption},
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
        server::WebPkiClientVerifier,
        sign::CertifiedKey,
        version::TLS13,
    },
    server,
};

use crate::{
    Clock, chain,
    config::{self, ConfigError},
    metrics::counter,
};

/// How old what was read may be when a connection is made.
const FRESH: TimeDelta = TimeDelta::minutes(1);
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A new certificate is used from here on.
const TAKEN: &str = "taken";
/// A new certificate can't be used.
const REFUSED: &str = "refused";

static ROTATIONS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    counter("alcove.tls.rotations", "{certificate}", "New certificates, and whether they could be used: by the outcome")
});

/// What the section `[tls]` points to. Clones are the same one.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    section: config::Tls,
    clock: Clock,
    current: Mutex<Current>,
}

struct Current {
    pair: Pair,
    read_at: DateTime<Utc>,
}

/// What is made from the files.
#[derive(Clone)]
struct Pair {
    digest: [u8; 32],
    grpc: Arc<ServerConfig>,
    http: Arc<ServerConfig>,
    grpc_client: Arc<ClientConfig>,
    http_client: Arc<ClientConfig>,
}

/// What is spoken over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaking {
    /// HTTP/2.
    Grpc,
    /// HTTP/1.1.
    Http,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Reads the files of a section, if there is one.
    ///
    /// # Errors
    /// Names the key whose file can't be read, or can't be used.
    pub fn read(section: Option<&config::Tls>, clock: Clock) -> Result<Option<Self>, ConfigError> {
        let Some(section) = section else { return Ok(None) };
        let files = Files::read(section)?;
        let current = Mutex::new(Current { pair: Pair::of(&files)?, read_at: clock.now() });
        // So that the first refusal can be told from none.
        [TAKEN, REFUSED].into_iter().for_each(|outcome| count(outcome, 0));
        Ok(Some(Self(Arc::new(Shared { section: section.clone(), clock, current }))))
    }

    /// Shakes hands with somebody who has connected, by the certificate of the moment. Whoever has none gets a connection, and is told
    /// later what they lack; one whose certificate is another authority's gets none.
    ///
    /// # Errors
    /// It came to nothing, or takes too long.
    pub async fn accept(&self, stream: TcpStream, speaking: Speaking) -> io::Result<server::TlsStream<TcpStream>> {
        let pair = self.pair();
        let config = match speaking {
            Speaking::Grpc => pair.grpc,
            Speaking::Http => pair.http,
        };
        tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await?
    }

    /// Connects, and shows the certificate of the moment.
    pub(crate) async fn connect(&self, host: &str, port: u16) -> io::Result<client::TlsStream<TcpStream>> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        TlsConnector::from(self.pair().grpc_client).connect(name, stream).await
    }

    /// What an HTTP client is to show and believe from here on: the same one until there is a new certificate.
    #[must_use]
    pub fn of_http_client(&self) -> Arc<ClientConfig> {
        self.pair().http_client
    }

    /// For a client library that makes its own connections and makes them again (NATS'): each shows the certificate of the moment. Whom it
    /// believes are the authorities of now.
    #[must_use]
    pub fn of_reconnecting_client(&self) -> ClientConfig {
        let mut config = ClientConfig::clone(&self.pair().grpc_client);
        config.alpn_protocols.clear();
        // A session that is taken up again shows none.
        config.resumption = Resumption::disabled();
        config.client_auth_cert_resolver = Arc::new(OfTheMoment(self.clone()));
        config
    }

    /// What there is, as fresh as it has to be. Three small files are read where it isn't, once a minute.
    fn pair(&self) -> Pair {
        let Shared { section, clock, current } = &*self.0;
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock.now();
        if (now - current.read_at).abs() >= FRESH {
            current.read_at = now;
            match newer(section, &current.pair) {
                Ok(None) => {}
                Ok(Some(pair)) => {
                    current.pair = pair;
                    tracing::info!("a new certificate is used from here on");
                    count(TAKEN, 1);
                }
                Err(error) => {
                    tracing::error!(error = chain(&error), "a new certificate can't be used: the old one stays");
                    count(REFUSED, 1);
                }
            }
        }
        current.pair.clone()
    }
}

/// Asked at each handshake.
#[derive(Debug)]
struct OfTheMoment(Tls);

impl ResolvesClientCert for OfTheMoment {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.pair().grpc_client.client_auth_cert_resolver.resolve(hints, schemes)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn newer(section: &config::Tls, than: &Pair) -> Result<Option<Pair>, ConfigError> {
    let files = Files::read(section)?;
    if files.digest() == than.digest { Ok(None) } else { Pair::of(&files).map(Some) }
}

fn count(outcome: &'static str, rotations: u64) {
    ROTATIONS.add(rotations, &[KeyValue::new("alcove.outcome", outcome)]);
}

/// As PEM.
struct Files {
    certificate: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
    roots: Vec<u8>,
}

impl Files {
    fn read(section: &config::Tls) -> Result<Self, ConfigError> {
        let read = |key: &str, path: &Path| {
            fs::read(path).map_err(|error| ConfigError::unusable(key, format!("{}: {error}", path.display())))
        };
        Ok(Self {
            certificate: read("tls.certificate", &section.certificate)?,
            key: read("tls.key", &section.key)?.into(),
            roots: read("tls.roots", &section.roots)?,
        })
    }

    /// Of all three: they are one thing.
    fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        for file in [&self.certificate, &*self.key, &self.roots] {
            context.update(&(file.len() as u64).to_be_bytes());
            context.update(file);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }
}

impl Pair {
    fn of(files: &Files) -> Result<Self, ConfigError> {
        let wrong = |key: &'static str| move |error: &dyn fmt::Display| ConfigError::unusable(key, error);
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&files.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong("tls.certificate")(&error))?;
        let key = PrivateKeyDer::from_pem_slice(&files.key).map_err(|error| wrong("tls.key")(&error))?;
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(&files.roots) {
            let root = root.map_err(|error| wrong("tls.roots")(&error))?;
            roots.add(root).map_err(|error| wrong("tls.roots")(&error))?;
        }
        let (roots, provider) = (Arc::new(roots), Arc::new(default_provider()));
        let clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(|error| wrong("tls.roots")(&error))?;
        // A key that isn't the certificate's is found out here.
        let mut grpc = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| wrong("tls")(&error))?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(|error| wrong("tls.certificate")(&error))?;
        let mut grpc_client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| wrong("tls")(&error))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|error| wrong("tls.certificate")(&error))?;
        let (mut http, mut http_client) = (grpc.clone(), grpc_client.clone());
        let (h2, h1) = (vec![b"h2".to_vec()], vec![b"http/1.1".to_vec()]);
        (grpc.alpn_protocols, grpc_client.alpn_protocols) = (h2.clone(), h2);
        (http.alpn_protocols, http_client.alpn_protocols) = (h1.clone(), h1);
        Ok(Self {
            digest: files.digest(),
            grpc: grpc.into(),
            http: http.into(),
            grpc_client: grpc_client.into(),
            http_client: http_client.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use tempfile::TempDir;
    use testkit::Identities;

    use super::*;
    use crate::{ManualClock, logs::captured::Log};

    #[test]
    fn a_new_pair_that_is_none_is_told_once_a_minute_and_without_its_key() {
        let folder = TempDir::new().unwrap();
        let identities = Identities::new(folder.path()).unwrap();
        let papers = identities.service("referral").unwrap();
        let section = config::Tls {
            certificate: papers.certificate.clone(),
            key: papers.key.clone(),
            roots: papers.roots.clone(),
        };
        let (clock, (log, _guard)) = (ManualClock::new(Clock::system().now()), Log::open());
        let tls = Tls::read(Some(&section), clock.clone().into()).unwrap().unwrap();
        let first = tls.pair().digest;
        fs::write(&papers.key, "-----BEGIN PRIVATE KEY-----\nSECRETSECRETSECRET==\n-----END PRIVATE KEY-----\n")
            .unwrap();
        let three_connect = || (0..3).map(|_| tls.pair().digest).all(|digest| digest == first);
        assert!(three_connect() && log.text().is_empty(), "not a minute is over");
        clock.advance(Duration::from_secs(60));
        assert!(three_connect());
        let text = log.text();
        assert_eq!(text.matches("the old one stays").count(), 1, "{text}");
        assert!(text.contains("tls.") && !text.contains("SECRET"), "{text}");
        identities.service("referral").unwrap();
        // A clock that was set back is looked at, too.
        clock.set(clock.now() - TimeDelta::days(1));
        assert!(!three_connect());
        assert_eq!(log.text().matches("a new certificate is used").count(), 1, "{}", log.text());
    }
}
