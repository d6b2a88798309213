//! The first message of a request, read before its handler does, and put back.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use http_body_util::BodyExt;
use tonic::{Status, body::Body};

/// Before each message: whether it is compressed, and its length.
const HEADER: usize = 5;
/// Who has to say which force they ask for sends no longer ones: it is tonic's own limit.
const LONGEST: usize = 4 << 20;

/// Why there is no first message to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// The body ended before it.
    Missing,
    /// It is compressed, which no server of ours accepts.
    Compressed,
    /// It is longer than any request is.
    TooLong,
}

/// Reads it, and gives it with the body as it was.
pub(super) async fn first_message(mut body: Body) -> Result<Result<(Bytes, Body), Unread>, Status> {
    let mut read = BytesMut::new();
    loop {
        if read.len() >= HEADER {
            let length =
                usize::try_from(u32::from_be_bytes([read[1], read[2], read[3], read[4]])).unwrap_or(usize::MAX);
            if read[0] != 0 {
                return Ok(Err(Unread::Compressed));
            }
            if length > LONGEST {
                return Ok(Err(Unread::TooLong));
            }
            if read.len() >= HEADER + length {
                let read = read.freeze();
                let message = read.slice(HEADER..HEADER + length);
                return Ok(Ok((message, Body::new(Again { read: Some(read), rest: body }))));
            }
        }
        match body.frame().await {
            Some(frame) => match frame?.into_data() {
                Ok(data) => read.extend_from_slice(&data),
                Err(_) => return Ok(Err(Unread::Missing)),
            },
            None => return Ok(Err(Unread::Missing)),
        }
    }
}

/// What was read, then the rest.
struct Again {
    read: Option<Bytes>,
    rest: Body,
}

impl http_body::Body for Again {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.read.take() {
            Some(read) => Poll::Ready(Some(Ok(Frame::data(read)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures::stream;
    use http_body_util::StreamBody;

    use super::*;

    fn body(pieces: &[&'static [u8]]) -> Body {
        let frames: Vec<_> =
            pieces.iter().map(|piece| Ok::<_, Status>(Frame::data(Bytes::from_static(piece)))).collect();
        Body::new(StreamBody::new(stream::iter(frames)))
    }

    #[tokio::test]
    async fn a_message_in_pieces_is_read_and_put_back() {
        let pieces: [&'static [u8]; 4] = [b"\0\0", b"\0\0\x03ab", b"c\0\0\0\0\x01", b"d"];
        let (message, body) = first_message(body(&pieces)).await.unwrap().unwrap();
        assert_eq!(message, "abc");
        assert_eq!(body.collect().await.unwrap().to_bytes(), pieces.concat());
    }

    #[tokio::test]
    async fn what_is_no_message_is_not_waited_for() {
        const CASES: [(&[u8], Unread); 4] = [
            (b"\0\0\0\0\x03ab", Unread::Missing),
            (b"", Unread::Missing),
            (b"\x01\0\0\0\x03abc", Unread::Compressed),
            (b"\0\xff\0\0\0", Unread::TooLong),
        ];
        for (piece, why) in CASES {
            assert_eq!(first_message(body(&[piece])).await.unwrap().err(), Some(why));
        }
    }
}
