//! Who is who in a test: an authority, and the certificates by which services and control rooms know each other.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};

use crate::Error;

/// An authority, whose certificates lie in a folder.
#[derive(Debug)]
pub struct Identities {
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
}

/// What somebody shows, and whom they believe: PEM files.
#[derive(Debug, Clone)]
pub struct Papers {
    /// Their certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority's certificate.
    pub roots: PathBuf,
}

impl Identities {
    /// A new authority; its files go into the folder.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn new(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::io("a folder for certificates"))?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        write(&folder.join("ca.pem"), &certificate.pem())?;
        Ok(Self { issuer: Issuer::new(params, key), folder: folder.to_owned() })
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
        let file: String = uri.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let at = |kind: &str| self.folder.join(format!("{file}.{kind}"));
        let papers = Papers { certificate: at("pem"), key: at("key"), roots: self.folder.join("ca.pem") };
        write(&papers.certificate, &certificate.pem())?;
        write(&papers.key, &key.serialize_pem())?;
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
