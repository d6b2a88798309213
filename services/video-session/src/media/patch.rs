//! PATCH (RFC 9725, section 4.3): candidates that come after the offer. The ICE session that a request names is compared
//! here, on the loop, where it would change.

use super::{MediaError, ResourceId, engine::Engine, engine::guard, fragment::Fragment, peer::Peer};

/// Which ICE session a request means: its If-Match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `*`: whichever it is now.
    Any,
    /// One of these, as strong entity-tags with their quotation marks.
    Tags(Vec<String>),
}

impl Condition {
    fn holds(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

impl Engine {
    pub(super) fn patch(&mut self, resource: ResourceId, condition: &Condition, text: &str) -> Result<(), MediaError> {
        let peer = self.peers.get_mut(&resource).ok_or(MediaError::UnknownResource)?;
        if !condition.holds(&peer.etag()) {
            return Err(MediaError::Stale);
        }
        let fragment = Fragment::parse(text)?;
        if fragment.restarts(&peer.ufrag.1) {
            return Err(MediaError::RestartRefused);
        }
        trickle(peer, fragment);
        self.touch(resource);
        Ok(())
    }
}

fn trickle(peer: &mut Peer, fragment: Fragment) {
    for candidate in fragment.candidates {
        let candidate = rtc::peer_connection::transport::RTCIceCandidateInit { candidate, ..Default::default() };
        let added = guard(|| peer.connection.add_remote_candidate(candidate));
        if !matches!(added, Ok(Ok(()))) {
            tracing::debug!(participant = %peer.participant, "candidate refused");
        }
    }
}
