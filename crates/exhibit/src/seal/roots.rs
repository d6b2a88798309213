//! Trust roots, given out of band, and the way from a signer's certificate to one of them (RFC 5280 section 6, what seals need of it).

use super::{Certificate, CheckedSeal, Error};

/// More than this between signer and root is nobody's honest hierarchy.
const LONGEST_WAY: usize = 5;

/// Certificates that the verifier's user trusts, however they came by them.
#[derive(Debug, Clone)]
pub struct Roots(Vec<Certificate>);

impl Roots {
    /// Reads a PEM file of one or more.
    ///
    /// # Errors
    /// If there is none, or one can't be read.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        Certificate::all_from_pem(pem).map(Self)
    }

    /// Finds the way from the signer to a root, every certificate on it valid at the signing time. Answers their names, signer first.
    ///
    /// # Errors
    /// [`Error::Untrusted`] says where the way ends.
    pub fn establish(&self, seal: &CheckedSeal) -> Result<Vec<String>, Error> {
        let untrusted = |what: String| Err(Error::Untrusted(what));
        if !seal.signer().may_sign() {
            return untrusted("its key usage doesn't allow signing documents".into());
        }
        let mut at = seal.signer();
        let mut way = Vec::new();
        loop {
            usable(at, seal)?;
            way.push(at.subject());
            if self.0.contains(at) {
                return Ok(way);
            }
            let intermediates_below = way.len() - 1;
            let issuer = |c: &&Certificate| c.issued(at) && c.may_issue(intermediates_below);
            if let Some(root) = self.0.iter().find(issuer) {
                usable(root, seal)?;
                way.push(root.subject());
                return Ok(way);
            }
            if way.len() > LONGEST_WAY {
                return untrusted("the way to a trust root is too long".into());
            }
            match seal.intermediates().iter().find(issuer) {
                Some(next) => at = next,
                None => return untrusted(format!("{} was not issued by any of the given trust roots", at.subject())),
            }
        }
    }
}

fn usable(certificate: &Certificate, seal: &CheckedSeal) -> Result<(), Error> {
    let name = certificate.subject();
    if let Some(extension) = certificate.unknown_critical() {
        return Err(Error::Untrusted(format!(
            "{name} has a limit that this verifier doesn't understand ({extension})"
        )));
    }
    certificate.valid_at(seal.signing_time()).map_err(|e| Error::Untrusted(format!("{name}: {e}")))
}
