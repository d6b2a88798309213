//! Any RPC by its descriptor: a request that says whose it is and nothing else, and how it was answered.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut};
use chassis::grpc::Channel;
use futures::stream;
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// The id of nothing.
pub const NOWHERE: &str = "0198c5a0-0000-7000-8000-000000000000";

/// An RPC, and what its request is made of.
pub struct Method {
    /// `alcove.intake.v1.IntakeService/OpenCall`.
    pub rpc: String,
    request: DescriptorProto,
    /// The message within it that says whose it is, for a stream that begins with one.
    header: Option<(u32, DescriptorProto)>,
}

/// Every RPC of the contracts.
pub fn methods() -> Vec<Method> {
    let files = FileDescriptorSet::decode(api::DESCRIPTORS).unwrap().file;
    let messages: BTreeMap<String, DescriptorProto> = files
        .iter()
        .flat_map(|file| {
            file.message_type.iter().map(|one| (format!(".{}.{}", file.package(), one.name()), one.clone()))
        })
        .collect();
    let mut found = Vec::new();
    for file in &files {
        for service in &file.service {
            for method in &service.method {
                let request = messages[method.input_type()].clone();
                let header = request.field.iter().find(|field| field.name() == "header");
                let header = header.map(|field| (field.number().cast_unsigned(), messages[field.type_name()].clone()));
                let rpc = format!("{}.{}/{}", file.package(), service.name(), method.name());
                found.push(Method { rpc, request, header });
            }
        }
    }
    found
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
                text(&mut message, *number, &filled(header, force, officer, call));
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
        text(&mut out, field.number().cast_unsigned(), value.as_bytes());
    }
    out
}

/// A field of bytes, as protobuf writes it; all of ours here are short, and their numbers small.
fn text(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, out);
    prost::encoding::encode_varint(value.len() as u64, out);
    out.put_slice(value);
}

/// Sends one message to an RPC of any kind, and waits until it is let in or refused.
pub async fn call(channel: Channel, rpc: &str, message: Vec<u8>, bearer: Option<&str>) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new(stream::iter([message]));
    if let Some(bearer) = bearer {
        request.metadata_mut().insert("authorization", format!("Bearer {bearer}").parse().unwrap());
    }
    grpc.streaming(request, format!("/{rpc}").parse().unwrap(), Raw).await.map(drop)
}

/// Bytes out; nothing of what comes back is of interest.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        message.advance(message.remaining());
        Ok(Some(()))
    }
}
