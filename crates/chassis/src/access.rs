//! Who may call what: a service's table of rules. What is in no rule, nobody may.

use crate::{principal::Principal, roles::Role};

/// Whom a rule lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody, even without a certificate: what is public, and what a machine asks that has none.
    Everybody,
    /// Anybody with a certificate of ours.
    Known,
    /// A force's control room.
    ControlRoom,
    /// One of our services, by its name.
    Service(&'static str),
    /// An officer in this role, whatever other ones they have.
    Officer(Role),
}

/// Who may call one RPC, and what somebody is told who asks about another force.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// `alcove.intake.v1.IntakeService/OpenCall`; with `*` for the method, all of a service's.
    pub rpc: &'static str,
    /// Whoever is one of these.
    pub who: &'static [Who],
    /// Another force's thing is answered as one that isn't there: NOT_FOUND with this reason.
    pub unknown: Option<&'static str>,
    /// An officer lent by another force is let in where the service says that the call is theirs ([`crate::grpc::Lent`]).
    pub lent: bool,
}

impl Rule {
    /// A rule for an RPC that is about no one thing: asked for another force it is refused.
    #[must_use]
    pub const fn of(rpc: &'static str, who: &'static [Who]) -> Self {
        Self { rpc, who, unknown: None, lent: false }
    }

    /// A rule for an RPC about a thing, and the reason that says that there is no such thing.
    #[must_use]
    pub const fn about(rpc: &'static str, who: &'static [Who], unknown: &'static str) -> Self {
        Self { rpc, who, unknown: Some(unknown), lent: false }
    }

    /// The same rule, which a lent officer may come by for a call of theirs.
    #[must_use]
    pub const fn lent(self) -> Self {
        Self { lent: true, ..self }
    }

    /// Whether it lets this caller in; `None` is one without a certificate.
    #[must_use]
    pub fn admits(&self, caller: Option<&Principal>) -> bool {
        self.who.iter().any(|who| who.is(caller))
    }
}

impl Who {
    fn is(self, caller: Option<&Principal>) -> bool {
        match (self, caller) {
            (Self::Everybody, _) | (_, Some(Principal::Anybody)) => true,
            (Self::Known, caller) => caller.is_some(),
            (Self::ControlRoom, Some(Principal::ControlRoom { .. })) => true,
            (Self::Service(name), Some(Principal::Service(caller))) => name == caller,
            (Self::Officer(role), Some(Principal::Officer { roles, .. })) => roles.has(role),
            _ => false,
        }
    }
}

/// What every server of ours answers beside its own service: a kubelet has no certificate; whoever explores the
/// contracts has one.
pub(crate) const EVERY_SERVER: &[Rule] = &[
    Rule::of("grpc.health.v1.Health/*", &[Who::Everybody]),
    Rule::of("grpc.reflection.v1.ServerReflection/*", &[Who::Known]),
];

/// The rule for a path such as `/alcove.intake.v1.IntakeService/OpenCall`.
pub(crate) fn rule_for<'a>(mut rules: impl Iterator<Item = &'a Rule>, path: &str) -> Option<&'a Rule> {
    let path = path.strip_prefix('/')?;
    let service = path.split_once('/')?.0;
    rules.find(|rule| rule.rpc == path || rule.rpc.strip_suffix("/*") == Some(service))
}
