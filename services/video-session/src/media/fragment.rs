//! A fragment of SDP (RFC 8840), as a PATCH brings it: candidates that came late, and with an ICE restart new credentials,
//! which are answered with a fragment of ours.

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

    /// The new credentials of a restart, if they are any (RFC 8839, section 5.4).
    pub(super) fn credentials(&self) -> Result<(&str, &str), MediaError> {
        let is_good = |text: &&str, shortest: usize| (shortest..=256).contains(&text.len()) && text.bytes().all(is_ice);
        let ufrag = self.ufrag.as_deref().filter(|ufrag| is_good(ufrag, 4));
        let pwd = self.pwd.as_deref().filter(|pwd| is_good(pwd, 22));
        ufrag.zip(pwd).ok_or_else(|| malformed("a restart without usable credentials"))
    }
}

/// What of an answer tells of its ICE session, as a restart is answered (RFC 9725, section 4.3.3).
pub(super) fn of_answer(answer: &str) -> String {
    let (session, sections) = answer.split_once("\r\nm=").unwrap_or((answer, ""));
    // One that was turned down has no transport.
    let section = sections.split("\r\nm=").find(|section| section.contains("\r\na=ice-ufrag:")).unwrap_or_default();
    let of_session = |line: &&str| ["a=ice-", "a=group:"].iter().any(|kept| line.starts_with(kept));
    let of_section = |line: &&str| {
        ["a=mid:", "a=ice-", "a=candidate:", "a=end-of-candidates"].iter().any(|kept| line.starts_with(kept))
    };
    let (media, rest) = section.split_once("\r\n").unwrap_or_default();
    let lines = session.lines().filter(of_session).map(ToOwned::to_owned);
    let lines = lines.chain([format!("m={media}")]).chain(rest.lines().filter(of_section).map(ToOwned::to_owned));
    lines.map(|line| line + "\r\n").collect()
}

fn is_ice(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
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
    fn credentials_that_are_none_are_refused() {
        assert_eq!(Fragment::parse(FRAGMENT).unwrap().credentials(), Ok(("abcd", "0123456789012345678901")));
        for (of, by) in
            [("abcd", "abc"), ("abcd", "ab:cd"), ("0123456789012345678901", "short"), ("a=ice-pwd:", "a=pwd:")]
        {
            assert!(Fragment::parse(&FRAGMENT.replace(of, by)).unwrap().credentials().is_err(), "{by}");
        }
    }

    #[test]
    fn a_restart_is_answered_with_the_ice_session_only() {
        let answer = "v=0\r\ns=-\r\na=group:BUNDLE 1\r\na=fingerprint:x\r\nm=audio 0 X 0\r\na=mid:0\r\n\
            m=video 9 X 96\r\nc=IN IP4 0.0.0.0\r\na=setup:passive\r\na=mid:1\r\na=ice-ufrag:ours\r\na=ice-pwd:secret\r\n\
            a=candidate:1 1 udp 1 192.0.2.1 7403 typ host\r\na=end-of-candidates\r\n";
        assert_eq!(
            of_answer(answer),
            "a=group:BUNDLE 1\r\nm=video 9 X 96\r\na=mid:1\r\na=ice-ufrag:ours\r\na=ice-pwd:secret\r\n\
             a=candidate:1 1 udp 1 192.0.2.1 7403 typ host\r\na=end-of-candidates\r\n"
        );
    }

    #[test]
    fn anything_else_is_refused() {
        let two = format!("{FRAGMENT}a=ice-ufrag:efgh\r\n");
        for bad in ["", "{}", "hello", "v=0\r\n", "a=mid:0\r\nrubbish\r\n", &two, &"a=x\r\n".repeat(10_000)] {
            assert!(Fragment::parse(bad).is_err(), "{bad}");
        }
    }
}
