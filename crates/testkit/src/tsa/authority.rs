//! The authority itself, as OpenSSL makes one: files in a folder, a process for each answer.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use crate::{
    Error,
    scratch::{Scratch, run},
};

/// The policy it stamps under.
pub const POLICY: &str = "1.3.6.1.4.1.32473.1";

/// Policy OIDs as they are in a request: ours, the other that it knows, and one that it doesn't.
const POLICIES: [&[u8]; 3] = [
    b"\x06\x09\x2b\x06\x01\x04\x01\x81\xfd\x59\x01",
    b"\x06\x09\x2b\x06\x01\x04\x01\x81\xfd\x59\x02",
    b"\x06\x09\x2b\x06\x01\x04\x01\x81\xfd\x59\x03",
];

/// What an authority is to be like. The default is ECDSA P-256 and SHA-256 throughout.
#[derive(Debug, Clone)]
pub struct AuthorityOptions {
    /// Arguments of `openssl genpkey`, such as `-algorithm RSA`.
    pub key: &'static str,
    /// With which digest it signs.
    pub digest: &'static str,
    /// With which digest it names its certificate: `sha1` gives the attribute of RFC 2634, anything else that of RFC 5035.
    pub ess: &'static str,
    /// Whether the CA's certificate comes with each answer.
    pub with_ca: bool,
}

impl Default for AuthorityOptions {
    fn default() -> Self {
        Self { key: "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", digest: "sha256", ess: "sha256", with_ca: false }
    }
}

/// How an answer is to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Not at all.
    Nothing,
    /// It answers another request: same content, other nonce.
    Nonce,
    /// It is made under another policy than the one asked for.
    Policy,
    /// It is over another digest.
    Imprint,
    /// It is signed with an expired certificate of the same authority.
    Expired,
    /// It is a proper refusal.
    Rejection,
}

/// A CA and an authority under it.
#[derive(Debug)]
pub struct Authority {
    folder: Scratch,
    roots_pem: String,
    with_ca: bool,
    // OpenSSL keeps the serial number in a file.
    one_at_a_time: Mutex<()>,
}

impl Authority {
    /// Makes one in a temporary folder.
    ///
    /// # Errors
    /// When OpenSSL isn't there, or fails.
    pub fn make(options: &AuthorityOptions) -> Result<Self, Error> {
        let folder = Scratch::new("tsa-")?;
        let config = include_str!("tsa.cnf").replace("{digest}", options.digest).replace("{ess}", options.ess);
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).map_err(Error::io(format!("writing {name}")))
        };
        write("tsa.cnf", &config)?;
        let script = format!(
            "
            openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key
            openssl req -x509 -new -key ca.key -out ca.pem -days 3650 -config tsa.cnf -extensions root \
                -subj '/CN=Alcove development timestamp CA - not for evidence'
            openssl genpkey {key} -out tsa.key
            openssl req -new -key tsa.key -out tsa.csr -config tsa.cnf \
                -subj '/CN=Alcove development timestamps - not for evidence'
            touch index.txt; echo 1000 > ca.serial; echo 01 > serial
            issue='openssl ca -batch -notext -config tsa.cnf -extensions stamping -in tsa.csr'
            $issue -out good.pem -days 1000
            $issue -out expired.pem -startdate 20200101000000Z -enddate 20210101000000Z",
            key = options.key
        );
        run(Command::new("bash").args(["-euc", &script]).current_dir(folder.path()))?;
        let roots_pem = fs::read_to_string(folder.path().join("ca.pem")).map_err(Error::io("reading ca.pem"))?;
        Ok(Self { folder, roots_pem, with_ca: options.with_ca, one_at_a_time: Mutex::default() })
    }

    /// The CA's certificate: the root to give to whoever checks.
    #[must_use]
    pub fn roots_pem(&self) -> &str {
        &self.roots_pem
    }

    /// The same as a file, for `openssl ts -verify -CAfile`.
    #[must_use]
    pub fn roots_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Its files (`ca.key`, `ca.pem`, `tsa.key`, `tsa.csr`, `good.pem`), for a test that wants to forge something.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Answers a query, right or wrong.
    ///
    /// # Errors
    /// When OpenSSL can't be run. A query that it doesn't like is answered with a refusal.
    pub fn reply(&self, query: &[u8], wrong: Wrong) -> Result<Vec<u8>, Error> {
        let _one = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder.path();
        let certificate = if wrong == Wrong::Expired { "expired.pem" } else { "good.pem" };
        fs::write(folder.join("query.tsq"), bend(query, wrong)).map_err(Error::io("writing the query"))?;
        let mut command = Command::new("openssl");
        command.args(["ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "query.tsq"]);
        command.args(["-signer", certificate, "-out", "reply.tsr"]).current_dir(folder);
        if self.with_ca {
            command.args(["-chain", "ca.pem"]);
        }
        run(&mut command)?;
        fs::read(folder.join("reply.tsr")).map_err(Error::io("reading the reply"))
    }

    /// Whether OpenSSL accepts an answer over this content. Its words if not.
    ///
    /// # Errors
    /// When it doesn't.
    pub fn openssl_verifies(&self, reply: &[u8], content: &[u8]) -> Result<(), Error> {
        let folder = Scratch::new("verify-")?;
        let path = |name: &str| folder.path().join(name);
        fs::write(path("reply.tsr"), reply).map_err(Error::io("writing the reply"))?;
        fs::write(path("content"), content).map_err(Error::io("writing the content"))?;
        let mut command = Command::new("openssl");
        command.args(["ts", "-verify"]);
        let option = |name: &'static str, file: &Path| [name.into(), file.as_os_str().to_owned()];
        command.args(option("-in", &path("reply.tsr")));
        command.args(option("-data", &path("content")));
        run(command.args(option("-CAfile", &self.roots_file())))
    }
}

/// Turns a query into another one, whose answer is then wrong for the first. The lengths stay, so the DER does too.
fn bend(query: &[u8], wrong: Wrong) -> Vec<u8> {
    let mut query = query.to_vec();
    let mut turn = |before: &[u8], by: usize| {
        let at = query.windows(before.len()).position(|window| window == before);
        if let Some(byte) = at.and_then(|at| query.get_mut(at + before.len() - 1 + by)) {
            *byte ^= 1;
        }
    };
    match wrong {
        Wrong::Nothing | Wrong::Expired => {}
        Wrong::Nonce => turn(b"\x02\x08", 8),
        Wrong::Imprint => turn(b"\x04\x20", 1),
        Wrong::Policy | Wrong::Rejection => {
            let [ours, other, unknown] = POLICIES;
            let instead = if wrong == Wrong::Policy { other } else { unknown };
            if let Some(at) = query.windows(ours.len()).position(|window| window == ours) {
                query.splice(at..at + ours.len(), instead.iter().copied());
            } else if wrong == Wrong::Rejection {
                // SHA-224, which it doesn't take.
                let sha256 = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01";
                if let Some(at) = query.windows(sha256.len()).position(|window| window == sha256) {
                    query[at + sha256.len() - 1] = 4;
                }
            }
        }
    }
    query
}
