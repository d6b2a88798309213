//! Offers that can't be answered, and datagrams that must not be.

use std::time::Duration;

use crate::media_support::{Room, chromium, iphone_15, iphone_17, participant, publication, seat, unnamed};
use tokio::net::UdpSocket;
use video_session::media::{Condition, Media, MediaConfig, MediaError, Patched};

#[tokio::test]
async fn the_answer_names_one_video_codec_and_our_address() {
    let room = Room::open().await;
    let answer = room.media.publish(publication(1), chromium()).await.unwrap();
    let port = room.media.local_addr().port();
    assert!(answer.sdp.contains(&format!(" 127.0.0.1 {port} typ host")), "{}", answer.sdp);
    assert!(answer.sdp.contains("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"), "{}", answer.sdp);
    assert!(answer.sdp.contains("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"), "{}", answer.sdp);
    assert_eq!(answer.sdp.matches("a=recvonly").count(), 2);
    for wanted in ["a=setup:passive", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 transport-cc", "a=rtcp-mux"] {
        assert!(answer.sdp.contains(wanted), "{wanted} in {}", answer.sdp);
    }
    for unwanted in ["H264", "AV1", "simulcast", "goog-remb"] {
        assert!(!answer.sdp.contains(unwanted), "{unwanted} in {}", answer.sdp);
    }
    assert!(answer.etag.starts_with('"') && answer.etag.ends_with('"'));
    assert_eq!(answer.resource.to_string().parse(), Ok(answer.resource));
}

#[tokio::test]
async fn a_viewer_gets_the_publishers_codec_under_its_own_numbers() {
    let room = Room::open().await;
    room.media.publish(publication(1), chromium()).await.unwrap();
    let viewer = chromium()
        .replace("a=sendonly", "a=recvonly")
        .replace(":96 ", ":120 ")
        .replace(" 96 ", " 120 ")
        .replace("apt=96", "apt=120");
    let answer = room.media.watch(seat(2), participant(1), viewer).await.unwrap();
    assert!(answer.sdp.contains("m=video 9 UDP/TLS/RTP/SAVPF 120 97\r\n"), "{}", answer.sdp);
    assert_eq!(answer.sdp.matches("a=sendonly").count(), 2);
    assert!(answer.sdp.contains("a=ssrc-group:FID"), "{}", answer.sdp);
    assert_eq!(answer.sdp.matches("transport-wide-cc").count(), 2, "what its path carries is measured: {}", answer.sdp);
}

#[tokio::test]
async fn an_iphone_sends_the_h264_that_everybody_plays() {
    let room = Room::open().await;
    for (number, offer) in [(1, iphone_15()), (2, iphone_17())] {
        let sdp = room.media.publish(publication(number), offer).await.unwrap().sdp;
        assert!(sdp.contains("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"), "{sdp}");
        assert!(sdp.contains("m=video 9 UDP/TLS/RTP/SAVPF 98 99\r\n"), "constrained baseline, mode 1: {sdp}");
        for line in [
            "a=rtpmap:98 H264/90000",
            "a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
            "a=rtpmap:99 rtx/90000",
            "a=fmtp:99 apt=98",
            "a=rtcp-fb:98 nack",
            "a=rtcp-fb:98 nack pli",
            "a=rtcp-fb:98 ccm fir",
            "a=rtcp-fb:98 transport-cc",
            "a=fmtp:111 minptime=10;useinbandfec=1",
        ] {
            assert_eq!(sdp.lines().filter(|l| *l == line).count(), 1, "{line} in {sdp}");
        }
        assert_eq!(sdp.matches("a=recvonly").count(), 2);
    }
    // A Chromium that watches it is told the same profile, an iPhone that watches VP8 has that under its own number.
    let viewer = |offer: String| offer.replace("a=sendonly", "a=recvonly");
    let sdp = room.media.watch(seat(3), participant(1), viewer(chromium())).await.unwrap().sdp;
    assert!(sdp.contains("m=video 9 UDP/TLS/RTP/SAVPF 108 109\r\n"), "{sdp}");
    room.media.publish(publication(4), chromium()).await.unwrap();
    for (offer, wanted) in [(iphone_15(), "100 101"), (iphone_17(), "107 108")] {
        let sdp = room.media.watch(seat(5), participant(4), viewer(offer)).await.unwrap().sdp;
        assert!(sdp.contains(&format!("m=video 9 UDP/TLS/RTP/SAVPF {wanted}\r\n")), "{sdp}");
        assert!(sdp.contains("a=fmtp:111 minptime=10;useinbandfec=1\r\n"), "{sdp}");
    }
}

#[tokio::test]
async fn an_offer_of_both_ways_is_answered_one_way() {
    let room = Room::open().await;
    for offer in [chromium().replace("a=sendonly", "a=sendrecv"), chromium().replace("a=sendonly\r\n", "")] {
        let sdp = room.media.publish(publication(1), offer.clone()).await.unwrap().sdp;
        assert_eq!((sdp.matches("a=recvonly").count(), sdp.matches("a=sendrecv").count()), (2, 0), "{sdp}");
        let sdp = room.media.watch(seat(2), participant(1), offer).await.unwrap().sdp;
        assert_eq!((sdp.matches("a=sendonly").count(), sdp.matches("a=sendrecv").count()), (2, 0), "{sdp}");
    }
}

#[tokio::test]
async fn packets_are_to_name_their_section_where_the_offer_names_no_stream() {
    let room = Room::open().await;
    let named = "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";
    for (offer, times) in [(chromium(), 0), (unnamed(&chromium()), 2), (unnamed(&chromium()).replace(named, ""), 0)] {
        let sdp = room.media.publish(publication(1), offer).await.unwrap().sdp;
        assert_eq!((sdp.matches("a=recvonly").count(), sdp.matches(named).count()), (2, times), "{sdp}");
    }
    let viewer = unnamed(&chromium()).replace("a=sendonly", "a=recvonly");
    let sdp = room.media.watch(seat(2), participant(1), viewer).await.unwrap().sdp;
    assert_eq!((sdp.matches("a=sendonly").count(), sdp.matches(named).count()), (2, 0), "ours are named: {sdp}");
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let room = Room::open().await;
    let media = &room.media;
    let publish = |offer: String| media.publish(publication(1), offer);
    let broken = [
        String::new(),
        "v=0".to_owned(),
        "{\"type\":\"offer\"}".to_owned(),
        chromium().replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256"),
        chromium().replace("a=ice-pwd:", "a=nothing:"),
        chromium().replace("m=video", "m=application"),
        chromium().replace("a=sendonly", "a=recvonly"),
        chromium().chars().rev().collect(),
        chromium()[..chromium().find("a=mid:").unwrap()].to_owned(),
    ];
    for offer in broken {
        let answer = publish(offer.clone()).await;
        assert!(matches!(answer, Err(MediaError::MalformedSdp(_))), "{answer:?} to {offer}");
    }
    let without = chromium().replace("VP8/90000", "VP9/90000").replace("H264/90000", "H265/90000");
    assert_eq!(publish(without).await.unwrap_err(), MediaError::NoCommonCodec);
    let without = chromium().replace("opus/48000/2", "speex/48000/2");
    assert_eq!(
        publish(without).await.unwrap_err(),
        MediaError::NoCommonCodec,
        "nobody is recorded without sound unawares"
    );
    let watch = |offer: String| media.watch(seat(2), participant(1), offer);
    let viewer = chromium().replace("a=sendonly", "a=recvonly");
    assert_eq!(watch(viewer.clone()).await.unwrap_err(), MediaError::NothingToWatch);

    let published = publish(chromium()).await.unwrap();
    let without = viewer.replace("VP8/90000", "VP9/90000");
    assert_eq!(watch(without).await.unwrap_err(), MediaError::NoCommonCodec);
    assert!(watch(viewer.clone()).await.is_ok());
    let fragment = "a=ice-ufrag:chr0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 4444 typ host\r\n".to_owned();
    let patch = |fragment: &str| media.patch(published.resource, Condition::Any, fragment.to_owned());
    assert_eq!(patch(&fragment).await, Ok(Patched::Trickled));
    assert!(matches!(patch("?").await, Err(MediaError::MalformedSdp(_))));
    let no_password = patch(&fragment.replace("chr0", "chr1")).await;
    assert!(matches!(no_password, Err(MediaError::MalformedSdp(_))), "{no_password:?}");

    media.close(published.resource).await;
    media.close(published.resource).await;
    assert_eq!(patch(&fragment).await, Err(MediaError::UnknownResource));
    assert_eq!(watch(viewer).await.unwrap_err(), MediaError::NothingToWatch);
}

#[tokio::test]
async fn phones_are_never_told_to_send_to_nowhere() {
    let (events, _keep) = tokio::sync::mpsc::unbounded_channel();
    let config = MediaConfig { listen: "0.0.0.0:0".parse().unwrap(), advertise: Vec::new(), tcp: true };
    let refused = Media::start(config, chassis::Clock::system(), chassis::Entropy::seeded(1), events);
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn strangers_get_no_answer() {
    let room = Room::open().await;
    let answer = room.media.publish(publication(1), chromium()).await.unwrap();
    let ufrag = answer.sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(room.media.local_addr()).await.unwrap();
    let half = [0_u8; 10];
    for datagram in [
        binding_request("nobody:abcd"),
        binding_request(&format!("{ufrag}:wrong")),
        binding_request(&format!("{ufrag}:chr0")), // the right names, but no proof of the password
        binding_request("")[..20].to_vec(),
        half.to_vec(),
        vec![0x80; 40],
        vec![22; 60],
        Vec::new(),
    ] {
        socket.send(&datagram).await.unwrap();
    }
    let mut buffer = [0; 1_500];
    let mut answers = Vec::new();
    while let Ok(Ok(length)) = tokio::time::timeout(Duration::from_millis(400), socket.recv(&mut buffer)).await {
        answers.push(buffer[..length].to_vec());
    }
    assert!(answers.is_empty(), "{answers:?}");
}

fn binding_request(user: &str) -> Vec<u8> {
    let padded = user.len().next_multiple_of(4);
    let length = if user.is_empty() { 0 } else { 4 + padded };
    let mut out = vec![0, 1];
    out.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
    out.extend_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    out.extend_from_slice(&[7; 12]);
    if !user.is_empty() {
        out.extend_from_slice(&[0, 6]);
        out.extend_from_slice(&u16::try_from(user.len()).unwrap().to_be_bytes());
        out.extend_from_slice(user.as_bytes());
        out.resize(20 + length, 0);
    }
    out
}
