//! Documents to evidence-store: one AddItem each, again and again until it has them. One that it refuses holds up no other.

use std::{collections::BTreeSet, io, time::Duration};

use api::evidence::v1::{AddItemRequest, AddItemResponse, ItemHeader, ItemKind, add_item_request::Part, item_header};
use chassis::status::reason_of;
use exhibit::receipt::Leaf;
use ids::{SessionId, TrackName};
use tonic::Code;
use tracing::Instrument;

use super::{
    Document, Owner, Piece,
    receipts::{digest, receipt},
    upload::Uploader,
};
use crate::events::timestamp;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Bytes in one message.
const CHUNK: usize = 64 * 1024;
/// An answer that doesn't come for so long isn't waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Sent,
    /// It can't be read, or isn't wanted; this says nothing of the others.
    Refused,
    /// Nothing can be sent now.
    Away,
}

impl Uploader {
    /// Sends what a session's documents still owe, until none does or its folder is retired.
    pub(super) async fn send_documents(&self, session: SessionId) {
        let (mut pause, mut refused) = (FIRST_PAUSE, BTreeSet::new());
        while let Some(owner) = self.spool.owner(session) {
            let owed = self.spool.documents_owed(session);
            if owed.is_empty() {
                return;
            }
            let outcome = match owed.difference(&refused).next() {
                Some(document) => {
                    let name = document.name();
                    let span = tracing::info_span!("add_item", call_id = %owner.call, kind = name);
                    let outcome = self.send_document(&owner, *document).instrument(owner.trace().follow(span)).await;
                    if outcome == Outcome::Refused {
                        refused.insert(*document);
                    }
                    outcome
                }
                // All of them have been tried.
                None => Outcome::Away,
            };
            match outcome {
                Outcome::Sent => pause = FIRST_PAUSE,
                Outcome::Refused => {}
                Outcome::Away => {
                    self.spool.documents_failed(session);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    refused.clear();
                }
            }
        }
    }

    async fn send_document(&self, owner: &Owner, document: Document) -> Outcome {
        let (spool, session) = (self.spool.clone(), owner.session);
        let loaded = tokio::task::spawn_blocking(move || spool.load_document(session, document)).await;
        let piece = match loaded.map_err(std::io::Error::other).flatten() {
            Ok(piece) => piece,
            Err(error) => {
                tracing::error!(call_id = %owner.call, kind = document.name(), %error, "a session's document is not readable");
                return Outcome::Refused;
            }
        };
        let mut evidence = self.evidence.clone();
        let answer = evidence.add_item(tokio_stream::iter(messages(owner, document, &piece)));
        let status = match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => return self.document_added(owner, document, &piece, answer.into_inner()).await,
            Ok(Err(status)) => status,
            Err(_) => {
                tracing::warn!(call_id = %owner.call, kind = document.name(), "a session's document waits in the spool: no answer");
                return Outcome::Away;
            }
        };
        let reason = reason_of(&status).unwrap_or_default();
        // Its folder stays until a person has looked, or a later evidence-store takes it.
        match status.code() {
            Code::InvalidArgument | Code::FailedPrecondition | Code::DataLoss | Code::AlreadyExists => {
                tracing::error!(call_id = %owner.call, kind = document.name(), code = ?status.code(), reason, "a session's document was refused");
                Outcome::Refused
            }
            code => {
                tracing::warn!(call_id = %owner.call, kind = document.name(), ?code, reason, "a session's document waits in the spool");
                Outcome::Away
            }
        }
    }

    /// Keeps what proves it, then lets the document go.
    async fn document_added(
        &self,
        owner: &Owner,
        document: Document,
        piece: &Piece,
        answer: AddItemResponse,
    ) -> Outcome {
        let (spool, session, sha256) = (self.spool.clone(), owner.session, piece.sha256.into());
        let kept = tokio::task::spawn_blocking(move || {
            if let Some(proof) = answer.receipt {
                let exhibit = answer.exhibit_id.parse().map_err(io::Error::other)?;
                let (track, seq, chain) = (TrackName::items(), answer.seq, digest(&answer.chain)?);
                spool.keep_receipt(session, &receipt(Leaf { exhibit, track, seq, sha256, chain }, proof)?)?;
                // A document isn't sent again for a line that a crash has lost.
                spool.settle_receipts(session)?;
            }
            spool.document_sent(session, document);
            Ok(())
        });
        let kept = kept.await.map_err(io::Error::other).flatten();
        match kept {
            Ok(()) => Outcome::Sent,
            Err(error) => {
                tracing::error!(call_id = %owner.call, kind = document.name(), %error, "a document's receipt was not kept");
                Outcome::Away
            }
        }
    }
}

fn messages(owner: &Owner, document: Document, piece: &Piece) -> Vec<AddItemRequest> {
    let kind = match document {
        Document::GapLedger { .. } => ItemKind::GapLedger,
        Document::Participants => ItemKind::Participants,
        Document::ChatTranscript { .. } => ItemKind::ChatTranscript,
        Document::Chapters { .. } => ItemKind::Chapters,
        Document::Still(_) | Document::Photograph(_) => ItemKind::Still,
    };
    let media_type = match document {
        Document::Photograph(_) => "image/jpeg",
        _ => "application/json",
    };
    let header = ItemHeader {
        request_id: document.request_id(owner.session).to_string(),
        force_id: owner.force.to_string(),
        exhibit: Some(item_header::Exhibit::CallId(owner.call.to_string())),
        kind: kind.into(),
        name: document.name(),
        media_type: media_type.to_owned(),
        sha256: piece.sha256.to_vec(),
        bytes: piece.data.len() as u64,
        made_at: Some(timestamp(piece.starts_at)),
    };
    let part = |part| AddItemRequest { part: Some(part) };
    let chunks = piece.data.chunks(CHUNK).map(|chunk| part(Part::Chunk(chunk.to_vec())));
    std::iter::once(part(Part::Header(header))).chain(chunks).collect()
}
