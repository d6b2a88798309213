//! Every RPC, with a request that says whose it is and nothing else.

use prost::encoding::WireType::LengthDelimited;
use prost_types::{DescriptorProto, field_descriptor_proto::Type};

use crate::wire::{Contracts, put};

/// The id of nothing.
pub const NOWHERE: &str = "0198c5a0-0000-7000-8000-000000000000";

/// An RPC, and what its request is made of.
pub struct Method {
    /// `alcove.intake.v1.IntakeService/OpenCall`.
    pub rpc: String,
    request: DescriptorProto,
    /// The message within it that says whose it is, for a stream that begins with one.
    header: Option<(i32, DescriptorProto)>,
}

/// Every RPC of the contracts.
pub fn methods() -> Vec<Method> {
    let contracts = Contracts::read();
    let method = |rpc: &crate::wire::Rpc| {
        let request = contracts.message(&rpc.request).unwrap().clone();
        let header = request.field.iter().find(|field| field.name() == "header");
        let header = header.map(|field| (field.number(), contracts.message(field.type_name()).unwrap().clone()));
        Method { rpc: rpc.name.clone(), request, header }
    };
    contracts.rpcs.iter().map(method).collect()
}

impl Method {
    /// A request about something of a force that isn't there, in an officer's name.
    pub fn about(&self, force: &str, officer: &str) -> Vec<u8> {
        self.about_call(force, officer, NOWHERE)
    }

    /// The same about this call, as far as it is about one.
    pub fn about_call(&self, force: &str, officer: &str, call: &str) -> Vec<u8> {
        match &self.header {
            None => filled(&self.request, force, officer, call),
            Some((number, header)) => {
                let mut message = Vec::new();
                put(&mut message, *number, LengthDelimited, &filled(header, force, officer, call));
                message
            }
        }
    }
}

fn filled(message: &DescriptorProto, force: &str, officer: &str, call: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for field in message.field.iter().filter(|field| field.r#type() == Type::String) {
        let value = match field.name() {
            "force_id" => force,
            "officer_id" | "who" | "taken_by" => officer,
            "reason" => "a test",
            "call_id" => call,
            name if name.ends_with("_id") => NOWHERE,
            _ => continue,
        };
        put(&mut out, field.number(), LengthDelimited, value.as_bytes());
    }
    out
}
