//! Any RPC by its descriptor, and its request as bytes: what the contracts have is asked for without a word of it being written here, so
//! that a new RPC can't be forgotten.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes};
use futures::stream;
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};
use prost_types::{DescriptorProto, FileDescriptorSet};
use tonic::{
    Request, Status,
    client::{Grpc, GrpcService},
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{Body, StdError, http::uri::PathAndQuery},
};

/// The contracts, as the services serve them by reflection.
pub struct Contracts {
    messages: BTreeMap<String, DescriptorProto>,
    /// All RPCs.
    pub rpcs: Vec<Rpc>,
}

/// An RPC.
pub struct Rpc {
    /// `alcove.intake.v1.IntakeService/OpenCall`.
    pub name: String,
    /// Its request's type, for [`Contracts::message`].
    pub request: String,
}

impl Contracts {
    /// All there are.
    pub fn read() -> Self {
        let set = FileDescriptorSet::decode(api::DESCRIPTORS).unwrap();
        let (mut messages, mut rpcs) = (BTreeMap::new(), Vec::new());
        for file in set.file.iter().filter(|file| file.package().starts_with("alcove.")) {
            for message in &file.message_type {
                collect(&format!(".{}", file.package()), message, &mut messages);
            }
            for service in &file.service {
                let rpc = |method: &prost_types::MethodDescriptorProto| Rpc {
                    name: format!("{}.{}/{}", file.package(), service.name(), method.name()),
                    request: method.input_type().to_owned(),
                };
                rpcs.extend(service.method.iter().map(rpc));
            }
        }
        assert!(rpcs.len() > 60, "the contracts were not found");
        Self { messages, rpcs }
    }

    /// What a message is made of, if it is one of ours.
    pub fn message(&self, of: &str) -> Option<&DescriptorProto> {
        self.messages.get(of)
    }
}

fn collect(within: &str, message: &DescriptorProto, all: &mut BTreeMap<String, DescriptorProto>) {
    let name = format!("{within}.{}", message.name());
    for nested in &message.nested_type {
        collect(&name, nested, all);
    }
    all.insert(name, message.clone());
}

/// Puts a field behind those that are there. `value` is as its wire type has it, without its length.
pub fn put(message: &mut Vec<u8>, number: i32, wire: WireType, value: &[u8]) {
    encode_key(number.cast_unsigned(), wire, message);
    if wire == WireType::LengthDelimited {
        encode_varint(value.len() as u64, message);
    }
    message.put_slice(value);
}

/// Sends one message to an RPC of any kind, and waits until it is let in or refused: the head of its answer is enough, for some are as
/// long as a call.
pub async fn call<C>(channel: C, rpc: &str, message: Vec<u8>, bearer: Option<&str>) -> Result<(), Status>
where
    C: GrpcService<tonic::body::Body>,
    C::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <C::ResponseBody as Body>::Error: Into<StdError> + Send,
    C::Error: Into<StdError>,
{
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unavailable(Into::<StdError>::into(error).to_string()))?;
    let mut request = Request::new(stream::iter([message]));
    if let Some(bearer) = bearer {
        request.metadata_mut().insert("authorization", format!("Bearer {bearer}").parse().unwrap());
    }
    grpc.streaming(request, PathAndQuery::try_from(format!("/{rpc}")).unwrap(), Raw).await.map(drop)
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
