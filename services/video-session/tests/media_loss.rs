//! Packets lost on the way are asked for again, and the recording has every frame. A network lost for a while is noticed,
//! and its return is too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod media_support;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use media_support::{Room, participant, probe};
use tokio::net::UdpSocket;
use video_session::media::{MediaConfig, MediaEvent};

/// Between phones and server: loses every 17th media packet, each way. It stands at another loopback address with the
/// server's own port, which is what the server advertises.
#[derive(Clone, Default)]
struct LossyRoad {
    lost: Arc<AtomicU64>,
    cut: Arc<AtomicBool>,
}

const ROAD: &str = "127.0.0.2";
const PATIENCE: Duration = Duration::from_secs(20);

impl LossyRoad {
    async fn open(server: SocketAddr) -> Self {
        let road = Self::default();
        let front = Arc::new(UdpSocket::bind((ROAD, server.port())).await.unwrap());
        tokio::spawn(road.clone().there(front, server));
        road
    }

    async fn there(self, front: Arc<UdpSocket>, server: SocketAddr) {
        let mut backs: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
        let (mut buffer, mut media) = (vec![0; 2_048], 0);
        while let Ok((length, phone)) = front.recv_from(&mut buffer).await {
            let back = match backs.get(&phone) {
                Some(back) => Arc::clone(back),
                None => {
                    let back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                    back.connect(server).await.unwrap();
                    tokio::spawn(self.clone().and_back(Arc::clone(&back), Arc::clone(&front), phone));
                    backs.insert(phone, Arc::clone(&back));
                    back
                }
            };
            if !self.loses(&buffer[..length], &mut media) {
                let _ = back.send(&buffer[..length]).await;
            }
        }
    }

    async fn and_back(self, back: Arc<UdpSocket>, front: Arc<UdpSocket>, phone: SocketAddr) {
        let (mut buffer, mut media) = (vec![0; 2_048], 0);
        while let Ok(length) = back.recv(&mut buffer).await {
            if !self.loses(&buffer[..length], &mut media) {
                let _ = front.send_to(&buffer[..length], phone).await;
            }
        }
    }

    /// Media only, unless it is cut: how a connection is made is not what is tested here.
    fn loses(&self, datagram: &[u8], media: &mut u64) -> bool {
        let is_rtp = datagram[0] & 0xc0 == 0x80 && !(192..=223).contains(&datagram[1]);
        *media += u64::from(is_rtp);
        let loses = is_rtp && media.is_multiple_of(17);
        self.lost.fetch_add(u64::from(loses), Ordering::Relaxed);
        loses || self.cut.load(Ordering::Relaxed)
    }
}

async fn room() -> (Room, LossyRoad) {
    let config =
        MediaConfig { listen: "127.0.0.1:0".parse().unwrap(), advertise: vec![ROAD.parse().unwrap()], tcp: false };
    let room = Room::with(config).await;
    let road = LossyRoad::open(room.media.local_addr()).await;
    (room, road)
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_video_is_repaired_before_it_is_written() {
    let (mut room, road) = room().await;
    let (mut caller, mut officer) = (room.phone(1), room.phone(2));
    caller.publish().await.unwrap();
    officer.watch(&participant(1).to_string()).await.unwrap();
    officer
        .wait_for(&participant(1).to_string(), Duration::from_secs(30), |seen| seen.video_frames >= 75)
        .await
        .unwrap();
    caller.hang_up().await.unwrap();

    let recording = room.recording().await;
    let counters = recording.counters;
    assert!(road.lost.load(Ordering::Relaxed) >= 20, "the road lost too little to prove anything");
    assert!(counters.audio_lost > 0, "sound is not repaired: {counters:?}");
    assert_eq!((counters.video_lost, counters.video_frames_broken), (0, 0), "{counters:?}");
    let probed = probe(&recording.file);
    assert_eq!(probed.complaints, "");
    assert_eq!((probed.video_frames, probed.audio_frames), (counters.video_frames, counters.audio_frames));
    assert!(probed.picture_after_sound.abs() <= 80, "{probed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_lost_for_a_while_is_noticed_and_its_return_is_too() {
    let (mut room, road) = room().await;
    let mut caller = room.phone(1);
    caller.publish().await.unwrap();
    caller.has_sent(15, PATIENCE).await.unwrap();
    road.cut.store(true, Ordering::Relaxed);
    wait_for(&mut room, |event| matches!(event, MediaEvent::Connected { .. })).await;
    wait_for(&mut room, |event| matches!(event, MediaEvent::Disconnected { .. })).await;
    road.cut.store(false, Ordering::Relaxed);
    wait_for(&mut room, |event| matches!(event, MediaEvent::Connected { .. })).await;
    caller.has_sent(caller.sent().video_frames + 15, PATIENCE).await.unwrap();
    caller.hang_up().await.unwrap();
    wait_for_end(&mut room).await;
}

/// The segments of before have been taken already, so only the end is looked at.
async fn wait_for_end(room: &mut Room) {
    while let Some(event) = room.events.recv().await {
        if let MediaEvent::PublicationEnded { counters, .. } = event {
            assert!(counters.audio_lost > 50, "the cut left a hole in the sound: {counters:?}");
            return;
        }
    }
    panic!("no end came");
}

async fn wait_for(room: &mut Room, wanted: impl Fn(&MediaEvent) -> bool) {
    loop {
        let event = tokio::time::timeout(PATIENCE, room.events.recv()).await.unwrap().unwrap();
        assert!(!matches!(event, MediaEvent::PublicationEnded { .. }), "given up: {event:?}");
        if wanted(&event) {
            return;
        }
    }
}
