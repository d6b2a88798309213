//! Which instance carries a session. One at a time does, for an epoch; whoever takes it over begins the next one, and what
//! the owner before still says of its media changes nothing any more. All times are the database's: one clock for everybody.

use ids::{InstanceId, InstanceName};

/// One process of this service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Which process.
    pub id: InstanceId,
    /// As the ingress knows it.
    pub name: InstanceName,
}

/// Where a living instance is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// By the ingress.
    pub name: InstanceName,
    /// By the other instances: its gRPC.
    pub grpc_url: String,
}

/// Who carries a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The newest owner, if there was any, and what is known of its lease.
    pub owner: Option<(InstanceId, Lease)>,
    /// Counts the owners; 0 before the first.
    pub epoch: u64,
}

/// An owner's lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// It is alive, and is found there.
    Good(Address),
    /// It didn't renew: dead, stopped, or cut off from the database.
    Lapsed {
        /// Our own lease is younger than the end of its: the database may have been away, and what the owner was told then it could
        /// tell nobody.
        unseen: bool,
    },
    /// Its successor of the same name is here, or it has been dead for very long.
    Gone,
}

/// What an instance's own lease allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    /// It has none: it goes on with what it has, and takes nothing.
    None,
    /// Good since a moment ago. Perhaps nobody could renew before, so another's lapsed lease proves nothing yet.
    Fresh,
    /// Good for at least as long as a lease lasts: who is alive has renewed meanwhile.
    Firm,
}

/// What comes of asking for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is carried here already.
    Ours,
    /// Another, living instance carries it.
    Theirs(Address),
    /// Nobody alive does: it may be taken, for this epoch.
    Free {
        /// The one that begins with it.
        epoch: u64,
        /// Perhaps the last owner was told to stop recording, and nobody else knows.
        in_doubt: bool,
    },
    /// Nobody can tell yet.
    NotYet,
}

impl Ownership {
    /// What comes of this instance's asking.
    #[must_use]
    pub fn claim(&self, us: InstanceId, footing: Footing) -> Claim {
        let may_take = match &self.owner {
            Some((owner, _)) if *owner == us => return Claim::Ours,
            Some((_, Lease::Good(address))) => return Claim::Theirs(address.clone()),
            Some((_, Lease::Lapsed { .. })) => footing == Footing::Firm,
            Some((_, Lease::Gone)) | None => footing != Footing::None,
        };
        let in_doubt = matches!(self.owner, Some((_, Lease::Lapsed { unseen: true })));
        if may_take { Claim::Free { epoch: self.epoch + 1, in_doubt } } else { Claim::NotYet }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_session_is_taken_from_nobody_who_may_be_alive() {
        let [us, other] = [1, 2].map(|number| InstanceId::from(Uuid::from_u128(number)));
        let address = Address { name: "b".parse().unwrap(), grpc_url: "http://b.test".to_owned() };
        let of = |owner| Ownership { owner, epoch: 7 };
        let good = || Lease::Good(address.clone());
        for footing in [Footing::None, Footing::Fresh, Footing::Firm] {
            for lease in [good(), Lease::Lapsed { unseen: false }, Lease::Gone] {
                assert_eq!(of(Some((us, lease))).claim(us, footing), Claim::Ours, "an owner goes on, whatever happens");
            }
            assert_eq!(of(Some((other, good()))).claim(us, footing), Claim::Theirs(address.clone()));
        }
        let free = |in_doubt| Claim::Free { epoch: 8, in_doubt };
        let (taken, doubted) = (free(false), free(true));
        for (owner, [none, fresh, firm]) in [
            (None, [&Claim::NotYet, &taken, &taken]),
            (Some((other, Lease::Gone)), [&Claim::NotYet, &taken, &taken]),
            (Some((other, Lease::Lapsed { unseen: false })), [&Claim::NotYet, &Claim::NotYet, &taken]),
            (Some((other, Lease::Lapsed { unseen: true })), [&Claim::NotYet, &Claim::NotYet, &doubted]),
        ] {
            let claims =
                [Footing::None, Footing::Fresh, Footing::Firm].map(|footing| of(owner.clone()).claim(us, footing));
            assert_eq!(claims.each_ref(), [none, fresh, firm], "{owner:?}");
        }
    }
}
