//! AddItem, AddAddendum, ReadItem.

use api::evidence::v1::{
    self as proto, AddAddendumRequest, AddAddendumResponse, AddItemRequest, AddItemResponse, ItemHeader,
    ReadItemRequest, ReadItemResponse, add_item_request::Part, item_header::Exhibit,
};
use bytes::BytesMut;
use exhibit::{Digest, manifest::ItemKind};
use futures::StreamExt;
use ids::{ExhibitId, ForceId, RequestId};
use outbox::{Scope, replay};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::{
    Answers, Grpc, append,
    parse::{asker, parsed},
};
use crate::{
    app::{KeptItem, MAX_ITEM, NewcomingItem, Wanted},
    error::Error,
    events::{instant, timestamp},
    journal::core::Purpose,
    store::{self, ItemRow, Key},
};

impl Grpc {
    pub(super) async fn add(&self, mut parts: Streaming<AddItemRequest>) -> Result<AddItemResponse, Status> {
        let Some(Part::Header(header)) = parts.message().await?.and_then(|first| first.part) else {
            return Err(Error::InvalidItem.into());
        };
        let item = item(&header)?;
        let id = RequestId::from(item.id);
        // Asked before anything is read. The claim is only taken with the answer: until then the item's id does its work.
        let mut tx = self.0.begin("add_item", Scope::Force(&item.force)).await?;
        let first = replay::first_answer(&mut tx, id, "AddItem", &header).await.map_err(Error::from)?;
        drop(tx);
        if let Some(first) = first {
            return Ok(first);
        }
        let mut data = BytesMut::new();
        while let Some(part) = parts.message().await? {
            let Some(Part::Chunk(chunk)) = part.part else { return Err(Error::InvalidItem.into()) };
            if data.len() + chunk.len() > MAX_ITEM {
                return Err(Error::ItemTooLarge.into());
            }
            data.extend_from_slice(&chunk);
        }
        if data.len() as u64 != header.bytes {
            return Err(Error::HashMismatch.into());
        }
        let KeptItem { exhibit, row, receipt } = self.0.add_item(&item, data.freeze()).await?;
        let answer = AddItemResponse {
            exhibit_id: exhibit.to_string(),
            chain: row.chain.as_bytes().to_vec(),
            seq: row.seq,
            receipt: receipt.map(append::receipt),
            item: Some(told(row)),
        };
        Ok(self.remembered(&item, &header, answer).await?)
    }

    /// Keeps the answer, unless a twin's was kept meanwhile: then that is the first.
    async fn remembered(
        &self,
        item: &NewcomingItem,
        header: &ItemHeader,
        answer: AddItemResponse,
    ) -> Result<AddItemResponse, Error> {
        let id = RequestId::from(item.id);
        let mut tx = self.0.begin("add_item", Scope::Force(&item.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, id, "AddItem", header).await? {
            return Ok(first);
        }
        replay::remember(&mut tx, id, &answer).await?;
        store::commit(tx, "add_item").await?;
        Ok(answer)
    }

    pub(super) async fn open_addendum(&self, request: AddAddendumRequest) -> Result<AddAddendumResponse, Error> {
        let id: RequestId = parsed(&request.request_id)?;
        let (force, exhibit) = (parsed::<ForceId>(&request.force_id)?, parsed::<ExhibitId>(&request.exhibit_id)?);
        let asker = asker(&request.who, &request.reason)?;
        let mut tx = self.0.begin("add_addendum", Scope::Force(&force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, id, "AddAddendum", &request).await? {
            return Ok(first);
        }
        let addendum = self.0.add_addendum(&mut tx, &force, exhibit, id, &asker).await?;
        let answer = AddAddendumResponse {
            exhibit_id: addendum.exhibit.id.to_string(),
            reference: addendum.exhibit.reference.to_string(),
        };
        replay::remember(&mut tx, id, &answer).await?;
        store::commit(tx, "add_addendum").await?;
        self.0.make_known(&addendum, Purpose::Hold).await?;
        Ok(answer)
    }

    pub(super) async fn read(&self, request: ReadItemRequest) -> Result<Answers<ReadItemResponse>, Error> {
        let id: RequestId = parsed(&request.request_id)?;
        let (force, exhibit) = (parsed::<ForceId>(&request.force_id)?, parsed::<ExhibitId>(&request.exhibit_id)?);
        let asker = asker(&request.who, &request.reason)?;
        let ReadItemRequest { path, offset, length, .. } = request;
        let chunks = self.0.read(&force, exhibit, id, &asker, &Wanted { path, offset, length }).await?;
        Ok(Box::pin(ReceiverStream::new(chunks).map(|chunk| Ok(ReadItemResponse { chunk: chunk? }))))
    }
}

fn item(header: &ItemHeader) -> Result<NewcomingItem, Error> {
    let id = parsed::<RequestId>(&header.request_id)?.uuid();
    let force = parsed(&header.force_id)?;
    let key = match &header.exhibit {
        Some(Exhibit::ExhibitId(id)) => Key::Exhibit(parsed(id)?),
        Some(Exhibit::CallId(call)) => Key::Call(parsed(call)?),
        None => Key::Exhibit(parsed("")?),
    };
    if header.bytes > MAX_ITEM as u64 {
        return Err(Error::ItemTooLarge);
    }
    Ok(NewcomingItem {
        id,
        force,
        key,
        kind: kind(header.kind()).ok_or(Error::InvalidItem)?,
        name: header.name.parse().map_err(|_| Error::InvalidItem)?,
        media_type: header.media_type.parse().map_err(|_| Error::InvalidItem)?,
        sha256: Digest::try_from(&header.sha256[..]).map_err(|_| Error::HashMismatch)?,
        made_at: header.made_at.and_then(instant).ok_or(Error::InvalidItem)?,
    })
}

fn kind(kind: proto::ItemKind) -> Option<ItemKind> {
    Some(match kind {
        proto::ItemKind::Unspecified => return None,
        proto::ItemKind::Still => ItemKind::Still,
        proto::ItemKind::ChatTranscript => ItemKind::ChatTranscript,
        proto::ItemKind::Chapters => ItemKind::Chapters,
        proto::ItemKind::GapLedger => ItemKind::GapLedger,
        proto::ItemKind::Consents => ItemKind::Consents,
        proto::ItemKind::Participants => ItemKind::Participants,
        proto::ItemKind::RiskAssessment => ItemKind::RiskAssessment,
        proto::ItemKind::Statement => ItemKind::Statement,
        proto::ItemKind::Other => ItemKind::Other,
    })
}

fn told_kind(kind: ItemKind) -> proto::ItemKind {
    match kind {
        ItemKind::Still => proto::ItemKind::Still,
        ItemKind::ChatTranscript => proto::ItemKind::ChatTranscript,
        ItemKind::Chapters => proto::ItemKind::Chapters,
        ItemKind::GapLedger => proto::ItemKind::GapLedger,
        ItemKind::Consents => proto::ItemKind::Consents,
        ItemKind::Participants => proto::ItemKind::Participants,
        ItemKind::RiskAssessment => proto::ItemKind::RiskAssessment,
        ItemKind::Statement => proto::ItemKind::Statement,
        ItemKind::Other => proto::ItemKind::Other,
    }
}

/// As the contract tells it.
pub(super) fn told(row: ItemRow) -> proto::Item {
    let kind = row.kind.parse().map_or(proto::ItemKind::Unspecified, told_kind);
    proto::Item {
        path: row.path(),
        kind: kind.into(),
        name: row.name,
        version: u32::try_from(row.version).unwrap_or(u32::MAX),
        media_type: row.media_type,
        bytes: row.bytes,
        sha256: row.sha256.to_string(),
        made_at: Some(timestamp(row.made_at)),
        added_at: Some(timestamp(row.added_at)),
    }
}
