//! Adding items and reading files back.

use api::evidence::v1::{
    AddAddendumRequest, AddItemRequest, AddItemResponse, ItemHeader, ItemKind, ReadItemRequest, SealRequest,
    add_item_request::Part, item_header::Exhibit,
};
use exhibit::Digest;
use tonic::Status;

use super::{Client, FORCE, Room, at, fresh};

/// A header for these bytes, for the exhibit of a call.
pub fn header(call: &str, kind: ItemKind, name: &str, data: &[u8]) -> ItemHeader {
    ItemHeader {
        request_id: fresh(),
        force_id: FORCE.into(),
        exhibit: Some(Exhibit::CallId(call.into())),
        kind: kind.into(),
        name: name.into(),
        media_type: "application/json".into(),
        sha256: Digest::of(data).as_bytes().to_vec(),
        bytes: data.len() as u64,
        made_at: Some(at(7)),
    }
}

/// The same, for an exhibit by its own id.
pub fn header_for(exhibit: &str, kind: ItemKind, name: &str, data: &[u8]) -> ItemHeader {
    ItemHeader { exhibit: Some(Exhibit::ExhibitId(exhibit.into())), ..header("", kind, name, data) }
}

/// What goes up the stream: the header, then the bytes in pieces.
pub fn parts(header: &ItemHeader, data: &[u8]) -> Vec<AddItemRequest> {
    let mut parts = vec![AddItemRequest { part: Some(Part::Header(header.clone())) }];
    parts.extend(data.chunks(100_000).map(|chunk| AddItemRequest { part: Some(Part::Chunk(chunk.to_vec())) }));
    parts
}

pub async fn add(client: &Client, header: &ItemHeader, data: &[u8]) -> Result<AddItemResponse, Status> {
    let parts = futures::stream::iter(parts(header, data));
    Ok(client.clone().add_item(parts).await?.into_inner())
}

pub fn reading(exhibit: &str, path: &str, offset: u64, length: u64) -> ReadItemRequest {
    ReadItemRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        exhibit_id: exhibit.into(),
        path: path.into(),
        offset,
        length,
        who: "PC 1".into(),
        reason: "playback".into(),
    }
}

pub fn addendum(exhibit: &str) -> AddAddendumRequest {
    AddAddendumRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        exhibit_id: exhibit.into(),
        who: "PC 1".into(),
        reason: "body-worn video came later".into(),
    }
}

/// Of an addendum.
pub fn sealing(exhibit: &str) -> SealRequest {
    SealRequest { request_id: fresh(), force_id: FORCE.into(), exhibit_id: exhibit.into(), ..SealRequest::default() }
}

impl Room {
    pub async fn read(&self, request: ReadItemRequest) -> Result<Vec<u8>, Status> {
        let mut chunks = self.client.clone().read_item(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await? {
            bytes.extend(chunk.chunk);
        }
        Ok(bytes)
    }
}
