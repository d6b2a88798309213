//! Who is who in a test: an authority, and the certificates by which services and control rooms know each other.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};

use crate::Error;

/// An authority; whomever it certifies has a folder in its own.
#[derive(Debug)]
pub struct Identities {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    folder: PathBuf,
}

/// What somebody shows, and whom they believe: PEM files, in one folder.
#[derive(Debug, Clone)]
pub struct Papers {
    /// Their certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority's certificate.
    pub roots: PathBuf,
    /// Where they are: `certificate.pem`, `key.pem` and `roots.pem`.
    pub folder: PathBuf,
}

impl Identities {
    /// A new authority, and its folder.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn new(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::io("a folder for certificates"))?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        // OpenSSL takes whoever is called as their authority is for one.
        params.distinguished_name.push(DnType::CommonName, "Authority of a stack");
        let key = KeyPair::generate().map_err(failed)?;
        let pem = params.self_signed(&key).map_err(failed)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem, folder: folder.to_owned() })
    }

    /// The certificate of one of our services, wherever on this machine it listens.
    ///
    /// # Errors
    /// When it can't be made or written.
    pub fn service(&self, name: &str) -> Result<Papers, Error> {
        self.named(&format!("spiffe://alcove/service/{name}"))
    }

    /// The certificate of a force's control room.
    ///
    /// # Errors
    /// When it can't be made or written.
    pub fn control_room(&self, force: &str) -> Result<Papers, Error> {
        self.named(&format!("spiffe://alcove/control-room/{force}/cad"))
    }

    /// A certificate of any name.
    ///
    /// # Errors
    /// When it can't be made or written.
    pub fn named(&self, uri: &str) -> Result<Papers, Error> {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).map_err(failed)?;
        params.subject_alt_names.push(SanType::URI(uri.try_into().map_err(failed)?));
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let name = uri.trim_start_matches("spiffe://alcove/").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(Error::io("a folder for a certificate"))?;
        let papers = Papers {
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
            roots: folder.join("roots.pem"),
            folder,
        };
        write(&papers.certificate, &certificate.pem())?;
        write(&papers.key, &key.serialize_pem())?;
        write(&papers.roots, &self.pem)?;
        Ok(papers)
    }
}

impl Papers {
    /// The settings of a service's section `[tls]`.
    #[must_use]
    pub fn settings(&self) -> [(&'static str, String); 3] {
        [("tls__certificate", &self.certificate), ("tls__key", &self.key), ("tls__roots", &self.roots)]
            .map(|(setting, path)| (setting, path.display().to_string()))
    }
}

fn write(path: &Path, pem: &str) -> Result<(), Error> {
    fs::write(path, pem).map_err(Error::io("writing a certificate"))
}

fn failed(error: rcgen::Error) -> Error {
    Error::Io { what: "making a certificate".to_owned(), source: io::Error::other(error) }
}
