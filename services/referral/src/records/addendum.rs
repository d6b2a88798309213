//! A package's documents, brought into an addendum of the call's exhibit. Every step may be repeated: the requests' ids are the rows'.

use api::evidence::v1::{
    AddAddendumRequest, AddItemRequest, ExhibitState, GetExhibitRequest, GetExhibitResponse, ItemHeader, ItemKind,
    SealRequest, add_item_request::Part, get_exhibit_request::Key, item_header::Exhibit,
};
use chrono::{DateTime, Utc};
use futures::stream;
use ids::{ExhibitId, ForceId, RequestId};
use tonic::{Code, Status};
use uuid::Uuid;

use super::Records;
use crate::{
    domain::{
        documents::{Document, DocumentKind},
        sealing::{Addendum, Attempt, Sealing, SealingState},
    },
    grpc::timestamp,
    store::sealings::Claimed,
};

/// Bytes of one message up the stream.
const CHUNK: usize = 256 * 1024;

impl Records {
    /// Brings what isn't there yet, asks for the seal, and says how far that has come.
    pub async fn bring(&self, claimed: &Claimed, now: DateTime<Utc>) -> Attempt {
        let sealing = &claimed.sealing;
        let brought = match &sealing.state {
            SealingState::Added(addendum) => Ok(addendum.exhibits.clone()),
            _ => self.add(sealing, &claimed.documents).await,
        };
        let exhibits = match brought {
            Ok(exhibits) => exhibits,
            Err(attempt) => return attempt,
        };
        match self.seal(&sealing.force, &exhibits, now).await {
            Ok((reference, Some(at))) => Attempt::Sealed(Addendum { exhibits, reference }, at),
            Ok((reference, None)) => Attempt::Added(Addendum { exhibits, reference }),
            Err(refusal) => refused(&refusal),
        }
    }

    /// Opens the addendum, or finds the one that is open, and adds each document. What was sealed meanwhile takes no more: evidence-store
    /// says where the next ones are.
    async fn add(
        &self,
        sealing: &Sealing,
        documents: &[(Uuid, [u8; 32], Document)],
    ) -> Result<Vec<ExhibitId>, Attempt> {
        let what = format!("the evidential package, {}", sealing.number);
        let opening = AddAddendumRequest {
            request_id: sealing.id.to_string(),
            force_id: sealing.force.to_string(),
            exhibit_id: sealing.parent.to_string(),
            who: sealing.by.to_string(),
            reason: if sealing.reason.trim().is_empty() { what } else { sealing.reason.clone() },
        };
        let opened = self.evidence.clone().add_addendum(opening).await.map_err(|refusal| refused(&refusal))?;
        let opened = opened.into_inner().exhibit_id;
        let mut exhibits: Vec<ExhibitId> = vec![];
        for (id, sha256, document) in documents {
            let header = ItemHeader {
                request_id: id.to_string(),
                force_id: sealing.force.to_string(),
                exhibit: Some(Exhibit::ExhibitId(opened.clone())),
                kind: kind(document.kind).into(),
                name: document.name.clone(),
                media_type: document.media_type.clone(),
                sha256: sha256.to_vec(),
                bytes: document.body.len() as u64,
                made_at: Some(timestamp(sealing.at)),
            };
            let header = AddItemRequest { part: Some(Part::Header(header)) };
            let chunks = document.body.chunks(CHUNK);
            let chunks = chunks.map(|chunk| AddItemRequest { part: Some(Part::Chunk(chunk.to_vec())) });
            let parts: Vec<_> = [header].into_iter().chain(chunks).collect();
            let added =
                self.evidence.clone().add_item(stream::iter(parts)).await.map_err(|refusal| refused(&refusal))?;
            let exhibit = added.into_inner().exhibit_id.parse();
            let exhibit = exhibit.map_err(|_| Attempt::Later("MALFORMED_ID".to_owned()))?;
            if !exhibits.contains(&exhibit) {
                exhibits.push(exhibit);
            }
        }
        Ok(exhibits)
    }

    /// Asks that each is sealed, and when all are since when; the last one's reference with it. One that holds late segments, too, is
    /// left to evidence-store, which waits for the rest of them.
    async fn seal(
        &self,
        force: &ForceId,
        exhibits: &[ExhibitId],
        now: DateTime<Utc>,
    ) -> Result<(String, Option<DateTime<Utc>>), Status> {
        let (mut reference, mut since) = (String::new(), Some(now));
        for exhibit in exhibits {
            let mut found = self.addendum(force, *exhibit).await?;
            if found.state() == ExhibitState::Open && found.tracks.is_empty() {
                let request = SealRequest {
                    request_id: self.entropy.id::<RequestId>(now).to_string(),
                    force_id: force.to_string(),
                    exhibit_id: exhibit.to_string(),
                    ..SealRequest::default()
                };
                self.evidence.clone().seal(request).await?;
                found = self.addendum(force, *exhibit).await?;
            }
            let sealed = matches!(found.state(), ExhibitState::Sealed | ExhibitState::Disposed);
            let at = found.sealed_at.and_then(|at| DateTime::from_timestamp(at.seconds, at.nanos.unsigned_abs()));
            since = since.and(at).filter(|_| sealed);
            reference = found.reference;
        }
        Ok((reference, since))
    }

    async fn addendum(&self, force: &ForceId, exhibit: ExhibitId) -> Result<GetExhibitResponse, Status> {
        let key = Some(Key::ExhibitId(exhibit.to_string()));
        let request = GetExhibitRequest { force_id: force.to_string(), key };
        Ok(self.evidence.clone().get_exhibit(request).await?.into_inner())
    }
}

fn kind(kind: DocumentKind) -> ItemKind {
    match kind {
        DocumentKind::Statement => ItemKind::Statement,
        DocumentKind::RiskAssessment => ItemKind::RiskAssessment,
        DocumentKind::Other => ItemKind::Other,
    }
}

/// What evidence-store's refusal means: that it isn't there, or not ready, passes; that it won't take it doesn't.
fn refused(refusal: &Status) -> Attempt {
    let reason = chassis::status::reason_of(refusal).unwrap_or_else(|| format!("{:?}", refusal.code()));
    let never = match refusal.code() {
        Code::FailedPrecondition => !matches!(reason.as_str(), "NOT_SEALED" | "SESSION_NOT_ENDED"),
        Code::InvalidArgument | Code::NotFound | Code::AlreadyExists | Code::DataLoss => true,
        _ => false,
    };
    if never { Attempt::Never(reason) } else { Attempt::Later(reason) }
}

#[cfg(test)]
mod tests {
    use chassis::status::status;

    use super::*;

    #[test]
    fn what_passes_is_tried_again_and_what_doesn_t_is_not() {
        let said = |code, reason| refused(&status(code, reason, "no"));
        for (code, reason) in [
            (Code::FailedPrecondition, "NOT_SEALED"),
            (Code::FailedPrecondition, "SESSION_NOT_ENDED"),
            (Code::Unavailable, "DATABASE_UNAVAILABLE"),
            (Code::ResourceExhausted, "NO_SPACE"),
            (Code::PermissionDenied, "NOT_ALLOWED"),
        ] {
            assert_eq!(said(code, reason), Attempt::Later(reason.to_owned()));
        }
        for (code, reason) in [
            (Code::FailedPrecondition, "DISPOSED"),
            (Code::NotFound, "UNKNOWN_EXHIBIT"),
            (Code::DataLoss, "KEY_LOST"),
            (Code::InvalidArgument, "ITEM_TOO_LARGE"),
        ] {
            assert_eq!(said(code, reason), Attempt::Never(reason.to_owned()));
        }
        assert_eq!(refused(&Status::unavailable("gone")), Attempt::Later("Unavailable".to_owned()));
    }
}
