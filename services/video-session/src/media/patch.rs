//! PATCH (RFC 9725, section 4.3): candidates that come after the offer, and ICE restarts, by which a phone that has changed
//! its network keeps its call and we keep its recording. The ICE session that a request names is compared here, on the
//! loop, where it changes.

use std::{collections::HashSet, time::Instant};

use super::{
    MediaError, ResourceId,
    endpoint::Endpoint,
    engine::{Engine, guard},
    fragment::{self, Fragment},
    peer::Peer,
};

/// Which ICE session a request means: its If-Match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `*`: whichever it is now.
    Any,
    /// One of these, as strong entity-tags with their quotation marks.
    Tags(Vec<String>),
}

/// What a PATCH has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patched {
    /// The candidates are taken into the ICE session that there is.
    Trickled,
    /// There is a new ICE session.
    Restarted {
        /// Our side of it, as a fragment of SDP.
        fragment: String,
        /// Its tag.
        etag: String,
    },
}

impl Condition {
    /// As the lines of an If-Match name it (RFC 9110, section 13.1.1). What isn't an entity-tag matches nothing; a weak one never does,
    /// for the comparison is the strong one. `"*"` is how RFC 9725's own figure writes `*`, and no tag of ours.
    #[must_use]
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tags = Vec::new();
        for mut rest in lines {
            if matches!(rest.trim(), "*" | "\"*\"") {
                return Self::Any;
            }
            // A tag may hold a comma, so it is not enough to split.
            while let Some((before, opened)) = rest.split_once('"') {
                let Some((tag, after)) = opened.split_once('"') else { break };
                let is_strong = before.trim_matches([' ', '\t', ',']).is_empty();
                if is_strong {
                    tags.push(format!("\"{tag}\""));
                }
                rest = after;
            }
        }
        Self::Tags(tags)
    }

    fn holds(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

impl Engine {
    pub(super) fn patch(
        &mut self,
        now: Instant,
        resource: ResourceId,
        condition: &Condition,
        text: &str,
    ) -> Result<Patched, MediaError> {
        let peer = self.peers.get_mut(&resource).ok_or(MediaError::UnknownResource)?;
        if !condition.holds(&peer.etag()) {
            return Err(MediaError::Stale);
        }
        let fragment = Fragment::parse(text)?;
        let (mut patched, mut stale) = (Patched::Trickled, HashSet::new());
        if fragment.restarts(&peer.checks.theirs) {
            let before = peer.checks.ours.clone();
            let answer;
            (answer, stale) = restart(now, peer, &fragment)?;
            stale.retain(|end| !peer.former.contains(end));
            self.by_ufrag.remove(&before);
            self.by_ufrag.insert(peer.checks.ours.clone(), resource);
            patched = Patched::Restarted { fragment: fragment::of_answer(&answer), etag: peer.etag() };
        }
        trickle(peer, fragment);
        self.leave(resource, stale.iter());
        self.touch(resource);
        Ok(patched)
    }
}

/// Whatever could be wrong with the request is found before anything is changed: what fails leaves the session as it was.
/// Gives the answer, and the addresses of the session before last.
fn restart(now: Instant, peer: &mut Peer, fragment: &Fragment) -> Result<(String, HashSet<Endpoint>), MediaError> {
    let theirs = fragment.credentials()?;
    let Ok(Ok(answer)) = guard(|| peer.connection.restart(now, theirs)) else {
        tracing::warn!(participant = %peer.participant, "ICE restart failed");
        return Err(MediaError::RestartRefused);
    };
    let before = std::mem::replace(&mut peer.checks, answer.checks);
    Ok((answer.sdp, std::mem::replace(&mut peer.former, before.addresses)))
}

fn trickle(peer: &mut Peer, fragment: Fragment) {
    for candidate in fragment.candidates {
        let added = guard(|| peer.connection.trickle(&candidate));
        if !matches!(added, Ok(Ok(()))) {
            tracing::debug!(participant = %peer.participant, "candidate refused");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_condition_is_read() {
        let of = |lines: &[&'static str]| Condition::parse(lines.iter().copied());
        let tags = |tags: &[&str]| Condition::Tags(tags.iter().map(|tag| format!("\"{tag}\"")).collect());
        assert_eq!(of(&["*"]), Condition::Any);
        assert_eq!(of(&["\"*\""]), Condition::Any);
        assert_eq!(of(&["\"a\""]), tags(&["a"]));
        assert_eq!(of(&["\"a\", \"b,c\" ,\"\"", "\"d\""]), tags(&["a", "b,c", "", "d"]));
        assert_eq!(of(&["W/\"a\", \"b\""]), tags(&["b"]), "a weak tag never matches");
        for nothing in ["", "a", "\"a", "W/\"a\"", "x\"a\""] {
            assert_eq!(of(&[nothing]), tags(&[]), "{nothing}");
        }
    }
}
