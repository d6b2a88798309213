//! Whatever a guest sends, encrypted as it should be, the recording stays one.

use fuzzing::seed;

/// An even kind is RTP of the publisher, and its upper bits are milliseconds.
const RTP: u8 = 20 << 2;
const RTCP: u8 = RTP | 2;

fn rtp(payload_type: u8, number: u8, payload: &[u8]) -> Vec<u8> {
    let head = [RTP, 0x80, 0x80 | payload_type, 0, number, 0, 0, number, 0, 0, 0, 0, 1];
    [&head[..], payload].concat()
}

/// The seeds.
pub fn begin() {
    media::contained();
    let vp8 = [0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68, 1, 7];
    let sps = [0x67, 0x42, 0xe0, 0x1f, 0xda, 1, 0x40, 0x16, 0xe8, 6, 0xd0, 0xa1, 0x35];
    let report = [&[RTCP, 0x80, 200, 0, 6][..], &[0, 0, 0, 1], &[1; 20]].concat();
    let nack = [RTCP, 0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0];
    // The last one: as the first, but its SSRCs are to be learned.
    for (shape, video) in [(0, 96), (1, 96), (2, 98), (3, 96)] {
        let packets = [rtp(111, 1, &[7; 30]), rtp(video, 1, &vp8), rtp(video, 3, &sps), report.clone(), nack.to_vec()];
        let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        seed("packets", &format!("shape-{shape}"), &packets, &[shape]);
    }
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    media::packets(bytes);
}
