//! Trust roots, given out of band, and the way from a signer's certificate to one of them (RFC 5280 section 6, what seals need of it).

use chrono::{DateTime, Utc};

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

    /// Finds the way from the signer to a root, every certificate on it valid at that time: a trusted timestamp's, or for want of one
    /// the signing time. Answers their names, signer first.
    ///
    /// # Errors
    /// [`Error::Untrusted`] says where the way ends.
    pub fn establish(&self, seal: &CheckedSeal, then: DateTime<Utc>) -> Result<Vec<String>, Error> {
        if !seal.signer().may_sign() {
            return Err(Error::Untrusted("its key usage doesn't allow signing documents".into()));
        }
        self.way(seal.signer(), seal.intermediates(), then)
    }

    /// The way from any certificate, which other ones may pave, to a root: every certificate on it valid at that time.
    pub(crate) fn way(
        &self,
        from: &Certificate,
        intermediates: &[Certificate],
        then: DateTime<Utc>,
    ) -> Result<Vec<String>, Error> {
        let untrusted = |what: String| Err(Error::Untrusted(what));
        let mut at = from;
        let mut way = Vec::new();
        loop {
            usable(at, then)?;
            way.push(at.subject());
            if self.0.contains(at) {
                return Ok(way);
            }
            let intermediates_below = way.len() - 1;
            let issuer = |among| issuer(among, at, intermediates_below, then);
            if let Some(root) = issuer(&self.0) {
                usable(root, then)?;
                way.push(root.subject());
                return Ok(way);
            }
            if way.len() > LONGEST_WAY {
                return untrusted("the way to a trust root is too long".into());
            }
            match issuer(intermediates) {
                Some(next) => at = next,
                None => return untrusted(format!("{} was not issued by any of the given trust roots", at.subject())),
            }
        }
    }
}

/// Who issued this one. An authority that was renewed is there more than once, by one name and key: the one that was good then.
fn issuer<'a>(
    among: &'a [Certificate],
    of: &Certificate,
    intermediates_below: usize,
    then: DateTime<Utc>,
) -> Option<&'a Certificate> {
    let issuers = || among.iter().filter(|c| c.issued(of) && c.may_issue(intermediates_below));
    issuers().find(|c| usable(c, then).is_ok()).or_else(|| issuers().next())
}

fn usable(certificate: &Certificate, then: DateTime<Utc>) -> Result<(), Error> {
    let name = certificate.subject();
    if let Some(extension) = certificate.unknown_critical() {
        return Err(Error::Untrusted(format!(
            "{name} has a limit that this verifier doesn't understand ({extension})"
        )));
    }
    certificate.valid_at(then).map_err(|e| Error::Untrusted(format!("{name}: {e}")))
}
