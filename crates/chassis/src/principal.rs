//! Who asks: what a certificate, and a token over it, say about a caller.

use ids::{ForceId, OfficerId};
use tonic::transport::CertificateDer;
use webpki::EndEntityCert;

use crate::roles::Roles;

/// What our certificates' names begin with.
const TRUST_DOMAIN: &str = "spiffe://alcove/";

/// The caller of an RPC. Handlers find it in the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Nobody was asked to say who they are: there is no `[tls]`, which only the dev profile can do without.
    Anybody,
    /// A force's control-room system.
    ControlRoom {
        /// The force.
        force: ForceId,
        /// Which of its systems.
        system: String,
    },
    /// One of our services, asking for itself.
    Service(String),
    /// An officer, whose token came by the console.
    Officer {
        /// Who.
        id: OfficerId,
        /// Of which force.
        force: ForceId,
        /// What they may do there.
        roles: Roles,
    },
}

impl Principal {
    /// Who the holder of this certificate is. It must have one name of ours, and that must be whole:
    /// `spiffe://alcove/control-room/<force>/<system>` or `spiffe://alcove/service/<name>`.
    #[must_use]
    pub fn of_certificate(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = EndEntityCert::try_from(certificate).ok()?;
        let mut names = certificate.valid_uri_names().filter_map(|name| name.strip_prefix(TRUST_DOMAIN));
        let (name, None) = (names.next()?, names.next()) else { return None };
        Self::named(name)
    }

    fn named(name: &str) -> Option<Self> {
        let parts: Vec<_> = name.split('/').collect();
        match parts[..] {
            ["control-room", force, system] if plain(system) => {
                Some(Self::ControlRoom { force: force.parse().ok()?, system: system.to_owned() })
            }
            ["service", name] if plain(name) => Some(Self::Service(name.to_owned())),
            _ => None,
        }
    }

    /// The officer who asks, if it is one.
    #[must_use]
    pub fn officer(&self) -> Option<&OfficerId> {
        match self {
            Self::Officer { id, .. } => Some(id),
            Self::Anybody | Self::ControlRoom { .. } | Self::Service(_) => None,
        }
    }

    /// The only force that it may ask about; none if it works for all of them.
    #[must_use]
    pub fn force(&self) -> Option<&ForceId> {
        match self {
            Self::Anybody | Self::Service(_) => None,
            Self::ControlRoom { force, .. } | Self::Officer { force, .. } => Some(force),
        }
    }
}

fn plain(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_is_whole_or_nobody_s() {
        assert_eq!(Principal::named("service/intake"), Some(Principal::Service("intake".to_owned())));
        let kent = Principal::named("control-room/kent/cad-1").unwrap();
        assert_eq!(kent.force().map(ToString::to_string).as_deref(), Some("kent"));
        for bad in [
            "",
            "service",
            "service/",
            "service/intake/",
            "service/intake/x",
            "service/Intake",
            "control-room/kent",
            "control-room/kent/",
            "control-room//cad",
            "control-room/no force/cad",
            "officer/kent/pc-okafor",
        ] {
            assert_eq!(Principal::named(bad), None, "{bad}");
        }
    }
}
