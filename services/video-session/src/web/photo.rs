//! `POST /photo`: a photograph out of the caller's camera stream, when the officer has asked for one. Its hash was made on the phone
//! (`Content-Digest`, RFC 9530), and is the exhibit's: 201 says that evidence-store has exactly that, 202 that it follows from the spool.

use std::{io, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::json;

use super::{Bearer, Paced, Web, body, to_the_end::to_the_end};
use crate::{
    error::Error,
    ledger,
    spool::{Document, Piece},
    store::Named,
    wishes::Asked,
};

/// Bytes of the largest.
pub(super) const LARGEST: usize = 8 * 1024 * 1024;
/// As long as one takes on a slow network.
const SLOWEST: Duration = Duration::from_secs(180);
/// evidence-store is waited for so long.
const PATIENCE: Duration = Duration::from_secs(4);
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// A photograph that is what its sender says.
pub(super) struct Photograph {
    bytes: Bytes,
    sha256: [u8; 32],
}

impl FromRequest<Arc<Web>> for Photograph {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Response> {
        read(request, web).await.map_err(Error::into_response)
    }
}

async fn read(request: Request, web: &Arc<Web>) -> Result<Photograph, Error> {
    let claimed = digest(request.headers()).ok_or(Error::DigestWrong)?;
    if let Some(Bearer { named, .. }) = request.extensions().get()
        && web.wishes.asked(named.session, &claimed, web.app.now()) == Asked::Not
    {
        body::waste(request, SLOWEST).await;
        return Err(Error::NotAsked);
    }
    let bytes = body::whole(request, web, "image/jpeg", SLOWEST).await?;
    if !bytes.starts_with(JPEG) {
        return Err(Error::MalformedBody);
    }
    let sha256 = Piece::sha256(&bytes);
    if sha256 == claimed { Ok(Photograph { bytes, sha256 }) } else { Err(Error::DigestWrong) }
}

/// `sha-256=:...:`, among others perhaps.
fn digest(headers: &HeaderMap) -> Option<[u8; 32]> {
    let all = headers.get(CONTENT_DIGEST)?.to_str().ok()?;
    let ours = all.split(',').find_map(|one| one.trim().strip_prefix("sha-256=:")?.strip_suffix(':'))?;
    STANDARD.decode(ours).ok()?.try_into().ok()
}

pub(super) async fn photo(
    State(web): State<Arc<Web>>,
    Paced(bearer): Paced,
    Photograph { bytes, sha256 }: Photograph,
) -> Result<Response, Error> {
    let who = bearer.named;
    let number = match web.wishes.asked(who.session, &sha256, web.app.now()) {
        Asked::Not => return Err(Error::NotAsked),
        Asked::Before(number) => number,
        Asked::Anew => {
            let web = web.clone();
            // One that is kept is counted, or the next would be a second one.
            to_the_end(async move { keep(&web, who, bytes, sha256).await }).await?
        }
    };
    let status = if arrived(&web, who, number).await { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    Ok((status, Json(json!({ "number": number }))).into_response())
}

/// On our own disk, synced: from here on it gets there.
async fn keep(web: &Web, who: Named, bytes: Bytes, sha256: [u8; 32]) -> Result<u32, Error> {
    let spool = web.spool.clone();
    let known = tokio::task::spawn_blocking(move || spool.highest(who.session, Document::Photograph)).await;
    let known = known.map_err(io::Error::other).flatten().map_err(Error::Spool)?;
    let begun = web.app.begin_photograph(who, known).await?;
    // From here on one at a time: it may have come twice at once.
    match web.wishes.asked(who.session, &sha256, web.app.now()) {
        Asked::Not => return Err(Error::NotAsked),
        Asked::Before(number) => return Ok(number),
        Asked::Anew => {}
    }
    let (spool, owner, number, now) = (web.spool.clone(), begun.owner.clone(), begun.number, web.app.now());
    let track = web.rooms.track(who.participant);
    let kept = tokio::task::spawn_blocking(move || {
        let piece = Piece::new(now, now, bytes);
        spool.prepare(&owner)?;
        spool.note(owner.session, &[ledger::photograph(number, who.participant, track.as_ref(), &piece)])?;
        spool.keep_document(owner.session, Document::Photograph(number), &piece)
    });
    kept.await.map_err(io::Error::other).flatten().map_err(Error::Spool)?;
    // Before the commit lets the next one in.
    web.wishes.met(who.session, sha256, number);
    begun.commit().await?;
    Ok(number)
}

/// Waits for evidence-store to have it, not for ever.
async fn arrived(web: &Web, who: Named, number: u32) -> bool {
    let mut changes = web.spool.changes();
    let sent = async {
        while web.spool.documents_owed(who.session).contains(&Document::Photograph(number)) {
            // The spool is ours, so its sender can't be gone.
            let _ = changes.changed().await;
        }
    };
    tokio::time::timeout(PATIENCE, sent).await.is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_digest_is_read_as_rfc_9530_writes_it() {
        let read = |value: &str| digest(&HeaderMap::from_iter([(CONTENT_DIGEST, value.parse().unwrap())]));
        let of_nothing = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
        assert_eq!(read(of_nothing), Some(Piece::sha256(b"")));
        assert_eq!(read(&format!("sha-512=:AAAA:, {of_nothing}")), Some(Piece::sha256(b"")));
        for wrong in ["", "sha-256=47DE", "sha-256=:47DE:", "sha-512=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(digest(&HeaderMap::new()), None);
    }
}
