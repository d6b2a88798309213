//! Every field of every request that the contracts have, filled with a word: what is refused must be refused without quoting it, and what
//! is taken must not be logged. Made from the descriptors, so that a new RPC can't be forgotten.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes};
use chassis::{Clock, Entropy};
use futures::stream;
use ids::RequestId;
use prost::Message;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};
use tonic::{
    Request, Status,
    client::{Grpc, GrpcService},
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{Body, StdError, http::uri::PathAndQuery},
};

/// Messages within messages are filled so deep.
const DEEPEST: usize = 5;

/// What requests are about.
pub struct About<'a> {
    /// The force.
    pub force: &'a str,
    /// The officer who asks.
    pub officer: &'a str,
    /// The call; itself a word, when ids are to be no ids.
    pub call: &'a str,
    /// In every other text.
    pub word: &'a str,
}

/// All RPCs.
pub struct Contracts {
    messages: BTreeMap<String, DescriptorProto>,
    /// Service, path, request.
    rpcs: Vec<(String, String, String)>,
    entropy: Entropy,
}

impl Contracts {
    /// As the services serve them by reflection.
    pub fn read() -> Self {
        let set = FileDescriptorSet::decode(api::DESCRIPTORS).unwrap();
        let (mut messages, mut rpcs) = (BTreeMap::new(), Vec::new());
        for file in set.file.iter().filter(|file| file.package().starts_with("alcove.")) {
            for message in &file.message_type {
                collect(&format!(".{}", file.package()), message, &mut messages);
            }
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                let rpc = |method: &prost_types::MethodDescriptorProto| {
                    (name.clone(), format!("/{name}/{}", method.name()), method.input_type().to_owned())
                };
                rpcs.extend(service.method.iter().map(rpc));
            }
        }
        assert!(rpcs.len() > 60, "the contracts were not found");
        Self { messages, rpcs, entropy: Entropy::os() }
    }

    /// Sends every request to a service's RPCs, and gives back what was said of those that were refused, and how many were.
    pub async fn fill<C>(&self, service: &str, channel: C, about: &About<'_>) -> Vec<String>
    where
        C: GrpcService<tonic::body::Body> + Clone,
        C::ResponseBody: Body<Data = Bytes> + Send + 'static,
        <C::ResponseBody as Body>::Error: Into<StdError> + Send,
        C::Error: Into<StdError>,
    {
        let mut said = Vec::new();
        for (_, path, input) in self.rpcs.iter().filter(|(of, ..)| of == service) {
            let message = Bytes::from(self.message(input, about, 0));
            let mut grpc = Grpc::new(channel.clone());
            if grpc.ready().await.is_err() {
                panic!("{service} is away");
            }
            let request = Request::new(stream::iter([message]));
            // Its head is enough: an answer is as long as a call.
            let answer = grpc.streaming(request, PathAndQuery::try_from(path.as_str()).unwrap(), Raw).await;
            if let Err(status) = answer {
                said.push(format!("{path} {status:?} {}", String::from_utf8_lossy(status.details())));
            }
        }
        said
    }

    fn message(&self, name: &str, about: &About<'_>, depth: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in self.messages.get(name).into_iter().flat_map(|message| &message.field) {
            let Some((wire, value)) = self.value(field, about, depth) else { continue };
            let key = (u64::try_from(field.number()).unwrap() << 3) | wire;
            prost::encoding::encode_varint(key, &mut bytes);
            if wire == 2 {
                prost::encoding::encode_varint(value.len() as u64, &mut bytes);
            }
            bytes.put_slice(&value);
        }
        bytes
    }

    /// The wire type of a field, and what is in it.
    fn value(&self, field: &FieldDescriptorProto, about: &About<'_>, depth: usize) -> Option<(u64, Vec<u8>)> {
        Some(match field.r#type() {
            Type::String => {
                let request_id = self.entropy.id::<RequestId>(Clock::system().now()).to_string();
                let text = match field.name() {
                    "force_id" => about.force,
                    "officer_id" => about.officer,
                    "call_id" => about.call,
                    "request_id" => &request_id,
                    _ => about.word,
                };
                (2, text.as_bytes().to_vec())
            }
            Type::Bytes => (2, about.word.as_bytes().to_vec()),
            Type::Message if depth < DEEPEST => (2, self.message(field.type_name(), about, depth + 1)),
            Type::Double | Type::Fixed64 | Type::Sfixed64 => (1, 1.5_f64.to_le_bytes().to_vec()),
            Type::Float | Type::Fixed32 | Type::Sfixed32 => (5, 1.5_f32.to_le_bytes().to_vec()),
            Type::Message | Type::Group => return None,
            _ => (0, vec![1]),
        })
    }
}

fn collect(within: &str, message: &DescriptorProto, all: &mut BTreeMap<String, DescriptorProto>) {
    let name = format!("{within}.{}", message.name());
    for nested in &message.nested_type {
        collect(&name, nested, all);
    }
    all.insert(name, message.clone());
}

/// Messages as they are on the wire.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
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
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
