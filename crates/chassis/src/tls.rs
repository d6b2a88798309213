//! Our own certificate, and whose we believe: read once, used by the server and by every client.
//!
//! A service that is given new ones is restarted: certificates live for days or longer, and a restart loses no call.

use std::{fs, path::Path};

use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

use crate::config::{self, ConfigError};

/// What the section `[tls]` points to. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    identity: Identity,
    roots: Certificate,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Reads the files of a section, if there is one.
    ///
    /// # Errors
    /// Names the key whose file can't be read.
    pub fn read(section: Option<&config::Tls>) -> Result<Option<Self>, ConfigError> {
        let Some(section) = section else { return Ok(None) };
        let certificate = pem("tls.certificate", &section.certificate)?;
        let key = pem("tls.key", &section.key)?;
        let roots = pem("tls.roots", &section.roots)?;
        Ok(Some(Self { identity: Identity::from_pem(certificate, key), roots: Certificate::from_pem(roots) }))
    }

    /// A client without a certificate gets a connection, and an answer that says what it lacks; one whose certificate is
    /// another authority's gets none.
    pub(crate) fn server(&self) -> ServerTlsConfig {
        let own = ServerTlsConfig::new().identity(self.identity.clone());
        own.client_ca_root(self.roots.clone()).client_auth_optional(true)
    }

    pub(crate) fn client(&self) -> ClientTlsConfig {
        ClientTlsConfig::new().identity(self.identity.clone()).ca_certificate(self.roots.clone())
    }
}

fn pem(key: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|error| ConfigError::unusable(key, format!("{}: {error}", path.display())))
}
