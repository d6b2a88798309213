//! Over TCP, too, nobody who is not expected gets a word out of the media port.

use std::time::Duration;

use crate::media_support::Room;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn framed(datagram: &[u8]) -> Vec<u8> {
    [&u16::try_from(datagram.len()).unwrap().to_be_bytes()[..], datagram].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_closed_without_an_answer() {
    let room = Room::open().await;
    let check_of_nobody = b"\x00\x01\x00\x10\x21\x12\xa4\x42transaction.\x00\x06\x00\x09abcd:efgh\0\0\0";
    for first in [framed(b"GET / HTTP/1.1\r\n"), framed(check_of_nobody), framed(b""), framed(&[0; 5_000])] {
        let mut stream = TcpStream::connect(room.media.local_addr()).await.unwrap();
        stream.write_all(&first).await.unwrap();
        let mut answer = Vec::new();
        // Closed with something of theirs unread it is an error, and no less closed.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it is closed");
        assert_eq!(answer, b"");
    }
}
