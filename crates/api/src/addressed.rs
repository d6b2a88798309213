//! What of a request says whose it is: the force and the call that it is about, and the officer in whose name it comes. Read from
//! the very message that a handler will get, so that whoever checks it and whoever acts on it can't read two things.

use prost::{DecodeError, Message};

include!("gen/addressed.rs");

/// A request, or the first message of a stream of them, that names a force.
pub trait Addressed {
    /// The force that it is about.
    fn force_id(&self) -> &str;

    /// The officer who asks, as far as it says so.
    fn officer_id(&self) -> Option<&str>;

    /// The call that it is about, as far as it says so.
    fn call_id(&self) -> Option<&str>;
}

/// As [`Addressed`], taken out of its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The force; empty if none is named.
    pub force: String,
    /// The officer, if one is named.
    pub officer: Option<String>,
    /// The call, if one is named.
    pub call: Option<String>,
}

/// Reads the address out of a request, as it came.
pub type Read = fn(&[u8]) -> Result<Address, DecodeError>;

/// An RPC of ours.
#[derive(Debug, Clone, Copy)]
pub struct Rpc {
    /// `alcove.intake.v1.IntakeService/OpenCall`.
    pub path: &'static str,
    /// One request, one answer.
    pub unary: bool,
    /// Reads the address of its (first) request; none for an RPC that is about no force.
    pub address: Option<Read>,
}

/// The RPC of this path.
#[must_use]
pub fn rpc(path: &str) -> Option<&'static Rpc> {
    RPCS.iter().find(|rpc| rpc.path == path)
}

fn address<M: Message + Addressed + Default>(message: &[u8]) -> Result<Address, DecodeError> {
    let message = M::decode(message)?;
    let named = |field: Option<&str>| field.filter(|name| !name.is_empty()).map(str::to_owned);
    let (officer, call) = (named(message.officer_id()), named(message.call_id()));
    Ok(Address { force: message.force_id().to_owned(), officer, call })
}
