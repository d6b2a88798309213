//! The least of STUN (RFC 8489): whose connectivity check this is, by its USERNAME. Nothing is answered from here.

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;

/// True for anything shaped like STUN.
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4)
}

/// The two halves of a binding request's USERNAME: ours, theirs.
pub(super) fn request_user(datagram: &[u8]) -> Option<(&str, &str)> {
    if datagram.get(..2)? != [0x00, 0x01] || datagram.get(4..8)? != MAGIC_COOKIE {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([*datagram.get(2)?, *datagram.get(3)?]));
    let mut attributes = datagram.get(20..20 + length)?;
    while let [a, b, c, d, rest @ ..] = attributes {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let value = rest.get(..length)?;
        if u16::from_be_bytes([*a, *b]) == USERNAME {
            return std::str::from_utf8(value).ok()?.split_once(':');
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
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
