//! A fragment of SDP (RFC 8840), as a PATCH brings it: candidates that came late, and with an ICE restart new credentials.

use super::{
    MediaError,
    negotiate::{MOST_CANDIDATES, malformed, usable},
};

const LARGEST: usize = 16 * 1024;

/// What we take from one.
#[derive(Debug)]
pub(super) struct Fragment {
    ufrag: Option<String>,
    pwd: Option<String>,
    /// As `candidate:` values; those that can't be used are left out without a word (RFC 9725, section 4.3.2).
    pub(super) candidates: Vec<String>,
}

impl Fragment {
    pub(super) fn parse(text: &str) -> Result<Self, MediaError> {
        if text.len() > LARGEST {
            return Err(malformed("too long"));
        }
        let lines = || text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        let is_fragment = lines().all(|line| line.as_bytes().get(1) == Some(&b'=')) && lines().any(is_attribute);
        if !is_fragment {
            return Err(malformed("not a fragment of SDP"));
        }
        let values = |name: &'static str| lines().filter_map(move |line| line.strip_prefix(name));
        let only = |name: &'static str| {
            let first = values(name).next();
            // One transport is all we have, so all sections speak of one ICE session.
            if values(name).any(|other| Some(other) != first) {
                return Err(malformed("more than one ICE session"));
            }
            Ok(first.map(ToOwned::to_owned))
        };
        let candidates = values("a=candidate:").filter(|value| usable(value)).take(MOST_CANDIDATES);
        Ok(Self {
            ufrag: only("a=ice-ufrag:")?,
            pwd: only("a=ice-pwd:")?,
            candidates: candidates.map(ToOwned::to_owned).collect(),
        })
    }

    /// Does it begin another ICE session than the one of this user-name fragment?
    pub(super) fn restarts(&self, remote_ufrag: &str) -> bool {
        self.ufrag.as_deref().is_some_and(|ufrag| ufrag != remote_ufrag)
    }
}

fn is_attribute(line: &str) -> bool {
    line.starts_with("a=")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAGMENT: &str = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
        a=candidate:1 1 udp 1 192.0.2.7 4444 typ host\r\na=candidate:1 1 udp 1 x.local 4444 typ host\r\na=end-of-candidates\r\n";

    #[test]
    fn only_usable_candidates_are_taken() {
        let fragment = Fragment::parse(FRAGMENT).unwrap();
        assert_eq!(fragment.candidates, ["1 1 udp 1 192.0.2.7 4444 typ host"]);
        assert!(!fragment.restarts("abcd") && fragment.restarts("efgh"));
        let nameless = Fragment::parse("a=candidate:1 1 udp 1 192.0.2.7 4444 typ host\r\n").unwrap();
        assert!(!nameless.restarts("abcd"), "candidates alone belong to the session they are sent to");
    }

    #[test]
    fn anything_else_is_refused() {
        let two = format!("{FRAGMENT}a=ice-ufrag:efgh\r\n");
        for bad in ["", "{}", "hello", "v=0\r\n", "a=mid:0\r\nrubbish\r\n", &two, &"a=x\r\n".repeat(10_000)] {
            assert!(Fragment::parse(bad).is_err(), "{bad}");
        }
    }
}
