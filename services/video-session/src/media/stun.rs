//! The least of STUN (RFC 8489): whose connectivity check this is, by its USERNAME. Nothing is answered from here.

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
/// Type, length, magic cookie, transaction.
const HEADER: usize = 20;

/// True for anything shaped like STUN.
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4)
}

/// The two halves of a binding request's USERNAME: ours, theirs.
pub(super) fn request_user(datagram: &[u8]) -> Option<(&str, &str)> {
    let is_request = datagram.get(..2)? == [0x00, 0x01] && datagram.get(4..8)? == MAGIC_COOKIE;
    let (_, value) = attributes(datagram).filter(|_| is_request).find_map(|found| found.of(USERNAME))?;
    std::str::from_utf8(value).ok()?.split_once(':')
}

/// What a message's MESSAGE-INTEGRITY is of, and its value (RFC 8489, section 14.5): the message up to it, as if it ended
/// with it.
pub(super) fn signed(datagram: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (at, tag) = attributes(datagram).find_map(|found| found.of(MESSAGE_INTEGRITY))?;
    let mut text = datagram.get(..at)?.to_vec();
    let length = u16::try_from(at - HEADER + 4 + tag.len()).ok()?;
    text[2..4].copy_from_slice(&length.to_be_bytes());
    (tag.len() == 20).then_some((text, tag))
}

struct Attribute<'a> {
    /// Where it begins in the message.
    at: usize,
    kind: u16,
    value: &'a [u8],
}

impl<'a> Attribute<'a> {
    fn of(self, kind: u16) -> Option<(usize, &'a [u8])> {
        (self.kind == kind).then_some((self.at, self.value))
    }
}

/// A message's attributes, up to the first that isn't whole.
fn attributes(datagram: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    let length = datagram.get(2..4).map_or(0, |length| usize::from(u16::from_be_bytes([length[0], length[1]])));
    let message = datagram.get(..HEADER + length).unwrap_or_default();
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let [a, b, c, d, rest @ ..] = message.get(at..)? else { return None };
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let found = Attribute { at, kind: u16::from_be_bytes([*a, *b]), value: rest.get(..length)? };
        at += 4 + length.next_multiple_of(4);
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&[0, 1], &length[..], &MAGIC_COOKIE, &[7; 12], attributes].concat()
    }

    #[test]
    fn the_user_is_found_behind_other_attributes() {
        let datagram = request(b"\x80\x22\x00\x01x\0\0\0\x00\x06\x00\x05ab:cd\0\0\0");
        assert_eq!(request_user(&datagram), Some(("ab", "cd")));
    }

    #[test]
    fn what_is_signed_ends_with_its_signature() {
        let tag = [9; 20];
        let before = b"\x00\x06\x00\x05ab:cd\0\0\0";
        let datagram = request(&[&before[..], b"\x00\x08\x00\x14", &tag, b"\x80\x28\x00\x04crc!"].concat());
        let (text, found) = signed(&datagram).unwrap();
        assert_eq!(found, tag);
        assert_eq!(text[..4], [0, 1, 0, 36], "as if nothing came after it");
        assert_eq!(text[4..], datagram[4..32]);
        assert!(signed(&request(before)).is_none());
        assert!(signed(&request(b"\x00\x08\x00\x04abcd")).is_none(), "too short to be one");
    }

    #[test]
    fn anything_else_has_no_user() {
        for bad in [
            request(b""),
            request(b"\x00\x06\x00\xff"),
            request(b"\x00\x06\x00\x02ab\0\0"),
            vec![0, 1, 0, 0],
            vec![],
            [&[1, 1], &request(b"\x00\x06\x00\x05ab:cd\0\0\0")[2..]].concat(),
        ] {
            assert_eq!(request_user(&bad), None, "{bad:?}");
        }
    }
}
