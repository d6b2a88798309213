//! Every field of every request that the contracts have, filled with a word: what is refused must be refused without quoting it, and what
//! is taken must not be logged. Made from the descriptors, so that a new RPC can't be forgotten.

use bytes::Bytes;
use chassis::{Clock, Entropy};
use ids::RequestId;
use prost::encoding::WireType;
use prost_types::{FieldDescriptorProto, field_descriptor_proto::Type};
use tonic::{
    client::GrpcService,
    codegen::{Body, StdError},
};

use crate::wire::{self, Contracts, put};

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

/// Sends every request to a service's RPCs, and gives back what was said of those that were refused.
pub async fn fill<C>(contracts: &Contracts, service: &str, channel: C, about: &About<'_>) -> Vec<String>
where
    C: GrpcService<tonic::body::Body> + Clone,
    C::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <C::ResponseBody as Body>::Error: Into<StdError> + Send,
    C::Error: Into<StdError>,
{
    let mut said = Vec::new();
    for rpc in contracts.rpcs.iter().filter(|rpc| rpc.name.split('/').next() == Some(service)) {
        let message = filled(contracts, &rpc.request, about, 0);
        if let Err(status) = wire::call(channel.clone(), &rpc.name, message, None).await {
            said.push(format!("{} {status:?} {}", rpc.name, String::from_utf8_lossy(status.details())));
        }
    }
    said
}

fn filled(contracts: &Contracts, name: &str, about: &About<'_>, depth: usize) -> Vec<u8> {
    let mut message = Vec::new();
    for field in contracts.message(name).into_iter().flat_map(|message| &message.field) {
        if let Some((wire, value)) = value(contracts, field, about, depth) {
            put(&mut message, field.number(), wire, &value);
        }
    }
    message
}

/// The wire type of a field, and what is in it.
fn value(
    contracts: &Contracts,
    field: &FieldDescriptorProto,
    about: &About<'_>,
    depth: usize,
) -> Option<(WireType, Vec<u8>)> {
    Some(match field.r#type() {
        Type::String => {
            let request_id = Entropy::os().id::<RequestId>(Clock::system().now()).to_string();
            let text = match field.name() {
                "force_id" => about.force,
                "officer_id" => about.officer,
                "call_id" => about.call,
                "request_id" => &request_id,
                _ => about.word,
            };
            (WireType::LengthDelimited, text.as_bytes().to_vec())
        }
        Type::Bytes => (WireType::LengthDelimited, about.word.as_bytes().to_vec()),
        Type::Message if depth < DEEPEST => {
            (WireType::LengthDelimited, filled(contracts, field.type_name(), about, depth + 1))
        }
        Type::Double | Type::Fixed64 | Type::Sfixed64 => (WireType::SixtyFourBit, 1.5_f64.to_le_bytes().to_vec()),
        Type::Float | Type::Fixed32 | Type::Sfixed32 => (WireType::ThirtyTwoBit, 1.5_f32.to_le_bytes().to_vec()),
        Type::Message | Type::Group => return None,
        _ => (WireType::Varint, vec![1]),
    })
}
