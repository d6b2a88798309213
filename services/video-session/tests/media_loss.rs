//! On a bad road: lost pictures are asked for again, lost sound is not, and whatever stays away is in the ledger, packet by
//! packet, as the road itself counted it. A network lost for a while is noticed, and its return is too.

use std::{collections::BTreeSet, time::Duration};

use crate::media_support::{Recording, Room, participant, probe};
use testkit::{
    phone::Phone,
    road::{Loss, Road, Stream, Way, Weather},
};
use video_session::media::{MediaConfig, MediaEvent, Medium, What};

const ROAD: &str = "127.0.0.2";
const PATIENCE: Duration = Duration::from_secs(20);
/// At a synthetic phone's 15 pictures a second: ten seconds.
const LONG_ENOUGH: u64 = 150;
/// The payload types of a synthetic phone.
const OPUS: u8 = 111;
const VP8: u8 = 96;

async fn room(seed: u64) -> (Room, Road) {
    let at = ROAD.parse().unwrap();
    let config = MediaConfig { listen: "127.0.0.1:0".parse().unwrap(), advertise: vec![at], tcp: false };
    let room = Room::with(config).await;
    let road = Road::open(room.media.local_addr(), at, seed).await.unwrap();
    (room, road)
}

/// A call of ten seconds with this weather both ways, begun and ended in sunshine: of what is lost before the first packet or
/// after the last one nobody can know from sequence numbers.
struct Ride {
    recording: Recording,
    sound: Stream,
    picture: Stream,
}

impl Ride {
    async fn in_weather(weather: Weather) -> Self {
        Self::of(weather, |room| room.phone(1)).await
    }

    async fn of(weather: Weather, caller: impl Fn(&Room) -> Phone) -> Self {
        let (mut room, road) = room(1).await;
        let (mut caller, mut officer) = (caller(&room), room.phone(2));
        let watched = participant(1).to_string();
        caller.publish().await.unwrap();
        officer.watch(&watched).await.unwrap();
        officer.wait_for(&watched, PATIENCE, |seen| seen.video_frames >= 5 && seen.audio_packets >= 5).await.unwrap();

        for way in [Way::Up, Way::Down] {
            road.weather(way, weather);
        }
        caller.has_sent(caller.sent().video_frames + LONG_ENOUGH, PATIENCE).await.unwrap();
        for way in [Way::Up, Way::Down] {
            road.weather(way, Weather::default());
        }
        caller.has_sent(caller.sent().video_frames + 15, PATIENCE).await.unwrap();
        caller.fall_silent();
        let reports = of(&road, OPUS).reports;
        testkit::until("a report on all that was sent", async || of(&road, OPUS).reports > reports).await;
        road.settled().await;
        assert!(caller.is_connected() && officer.received(&watched).video_frames > LONG_ENOUGH / 2, "it stays up");
        let (sound, picture) = (of(&road, OPUS), of(&road, VP8));
        caller.hang_up().await.unwrap();
        Self { recording: room.recording().await, sound, picture }
    }

    fn assert_exact(&self) {
        let (counters, ledger) = (self.recording.counters, &self.recording.noted);
        // Sound is sent once: what the road lost is what the ledger has, one by one.
        assert_eq!(in_ledger(ledger, Medium::Audio), self.sound.lost, "{counters:?}");
        assert_eq!(counters.audio_lost, self.sound.lost.len() as u64);
        assert_eq!(counters.audio_packets, self.sound.passed.len() as u64);
        // Pictures are sent again: only what the road lost can be in the ledger, and nothing is nowhere.
        let lost: BTreeSet<_> = self.picture.lost.iter().copied().collect();
        let left = in_ledger(ledger, Medium::Video);
        assert!(left.iter().all(|sequence| lost.contains(sequence)), "{left:?} of {lost:?}");
        assert_eq!(counters.video_lost, left.len() as u64);
        assert_eq!(counters.video_packets + counters.video_lost, self.pictures_sent(), "{counters:?}");

        let probed = probe(&self.recording.file);
        assert_eq!(probed.complaints, "");
        assert_eq!((probed.video_frames, probed.audio_frames), (counters.video_frames, counters.audio_frames));
    }

    /// How many packets of video there were, each counted once.
    fn pictures_sent(&self) -> u64 {
        self.picture.passed.iter().chain(&self.picture.lost).collect::<BTreeSet<_>>().len() as u64
    }

    /// What the phone sent over what it had to say.
    fn sent_again(&self) -> f64 {
        let pictures = self.picture.passed.len() + self.picture.lost.len();
        let sound = self.sound.passed.len() + self.sound.lost.len();
        (pictures + sound) as f64 / (self.pictures_sent() as f64 + sound as f64)
    }
}

/// The caller's stream of this kind, before anything of it was forwarded.
fn of(road: &Road, payload_type: u8) -> Stream {
    road.streams(Way::Up).into_iter().find(|stream| stream.payload_type == payload_type).unwrap_or_default()
}

/// The sequence numbers that the ledger has as lost, in its order.
fn in_ledger(noted: &[What], of: Medium) -> Vec<u16> {
    let lost = noted.iter().filter_map(|what| match what {
        What::Lost { medium, first, packets } if *medium == of => Some((*first, u16::try_from(*packets).unwrap())),
        _ => None,
    });
    lost.flat_map(|(first, packets)| (0..packets).map(move |n| first.wrapping_add(n))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_percent_lost_at_random_every_picture_comes_back() {
    let ride = Ride::in_weather(Weather { loss: Loss::Random(0.05), ..Weather::default() }).await;
    ride.assert_exact();
    assert!(ride.sound.lost.len() >= 15, "the road lost too little to prove anything");
    assert!(ride.picture.lost.len() >= 8, "the road lost too little to prove anything");
    assert_eq!(ride.recording.counters.video_lost, 0, "{:?}", ride.recording.counters);
    assert!(ride.sent_again() <= 1.15, "the phone sent {:.3} times its media", ride.sent_again());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_whose_offer_names_no_stream_loses_nothing_more() {
    let weather = Weather { loss: Loss::Random(0.05), ..Weather::default() };
    let ride = Ride::of(weather, |room| room.unnamed_phone(1)).await;
    ride.assert_exact();
    assert!(ride.picture.lost.len() >= 8, "the road lost too little to prove anything");
    assert_eq!(ride.recording.counters.video_lost, 0, "{:?}", ride.recording.counters);
    assert!(ride.sent_again() <= 1.15, "the phone sent {:.3} times its media", ride.sent_again());
}

#[tokio::test(flavor = "multi_thread")]
async fn bursts_are_in_the_ledger_to_the_packet() {
    let ride = Ride::in_weather(Weather { loss: Loss::Bursts { share: 0.02, mean: 4.0 }, ..Weather::default() }).await;
    ride.assert_exact();
    assert!(ride.sound.lost.windows(2).any(|pair| pair[1] == pair[0].wrapping_add(1)), "{:?}", ride.sound.lost);
    assert!(ride.sent_again() <= 1.15, "the phone sent {:.3} times its media", ride.sent_again());
}

#[tokio::test(flavor = "multi_thread")]
async fn jitter_that_reorders_loses_nothing() {
    let ride = Ride::in_weather(Weather { jitter: Duration::from_millis(150), ..Weather::default() }).await;
    ride.assert_exact();
    assert_eq!((ride.sound.lost.len(), ride.recording.counters.video_lost), (0, 0));
    assert_eq!(ride.recording.counters.video_frames_broken, 0, "{:?}", ride.recording.counters);
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_lost_at_either_end_is_known_by_the_phones_own_count() {
    let (mut room, road) = room(1).await;
    let mut caller = room.phone(1);
    let reports = async |more: u64| {
        let wanted = of(&road, OPUS).reports + more;
        testkit::until("the phone's reports", async || of(&road, OPUS).reports >= wanted).await;
    };
    let nothing = Weather { loss: Loss::Media, ..Weather::default() };
    road.weather(Way::Up, nothing);
    caller.publish().await.unwrap();
    caller.has_sent(8, PATIENCE).await.unwrap();
    road.weather(Way::Up, Weather::default());
    // The first may come before any sound, and of the last nobody knows whether it came in order: two have sound on either side.
    reports(4).await;
    road.weather(Way::Up, nothing);
    caller.has_sent(caller.sent().video_frames + 8, PATIENCE).await.unwrap();
    caller.fall_silent();
    // The first may have been on its way already.
    reports(2).await;
    road.settled().await;
    let sound = of(&road, OPUS);
    caller.hang_up().await.unwrap();

    let recording = room.recording().await;
    let first = sound.passed[0];
    let (before, after): (Vec<u16>, Vec<u16>) = sound.lost.iter().partition(|lost| lost.wrapping_sub(first) > 1 << 15);
    assert!(before.len() > 10 && after.len() > 10, "{sound:?}");
    assert_eq!(in_ledger(&recording.noted, Medium::Audio), sound.lost);
    let known = recording.counters.audio_packets + recording.counters.audio_lost;
    assert_eq!(known, (sound.passed.len() + sound.lost.len()) as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_lost_for_a_while_is_noticed_and_its_return_is_too() {
    let (mut room, road) = room(1).await;
    let mut caller = room.phone(1);
    caller.publish().await.unwrap();
    caller.has_sent(15, PATIENCE).await.unwrap();
    road.cut();
    wait_for(&mut room, |event| matches!(event, MediaEvent::Connected { .. })).await;
    wait_for(&mut room, |event| matches!(event, MediaEvent::Disconnected { .. })).await;
    road.heal();
    wait_for(&mut room, |event| matches!(event, MediaEvent::Connected { .. })).await;
    caller.has_sent(caller.sent().video_frames + 15, PATIENCE).await.unwrap();
    caller.hang_up().await.unwrap();
    let counters = room.ended().await;
    assert!(counters.audio_lost > 50, "the cut left a hole in the sound: {counters:?}");
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
