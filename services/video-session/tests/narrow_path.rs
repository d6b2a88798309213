//! A viewer whose network is narrow: for their sake the officer is asked to send less, and the caller never.

use crate::rig::{PATIENCE, Rig, Time, chat::Ear};
use serde_json::json;
use testkit::{
    phone::Phone,
    road::{Road, Way, Weather},
};

const ROAD: &str = "127.0.0.3";

#[tokio::test(flavor = "multi_thread")]
async fn the_officer_is_asked_for_less_and_the_caller_never() {
    let settings = [("media__advertise", ROAD.to_owned()), ("media__tcp", "false".to_owned())];
    let rig = Rig::start(Time::Real, &settings).await;
    let addresses = testkit::listening(&rig.dir.path().join("addresses.json")).await.unwrap();
    let road = Road::open(addresses["udp"].parse().unwrap(), ROAD.parse().unwrap(), 1).await.unwrap();
    let call = rig.accepted(true).await;
    let (mut officer, mut caller) = rig.both(call).await;
    let [theirs, ours] = [&officer, &caller].map(|phone| phone.pass().participant_id.clone());
    for (phone, whom) in [(&mut officer, &ours), (&mut caller, &theirs)] {
        phone.watch(whom).await.unwrap();
        phone.wait_for(whom, PATIENCE, |seen| seen.video_frames >= 15).await.unwrap();
    }
    assert_eq!((officer.asked(), caller.asked()), (None, None), "nothing is wrong yet");

    // Each side's sound has room on the other's way, and its picture hasn't. These are synthetic: they send what they send.
    road.weather(Way::Down, Weather { kbps: Some(120), ..Weather::default() });
    is_shown_no_picture(&rig, &officer, &ours).await;
    is_shown_no_picture(&rig, &caller, &theirs).await;
    let asked = async |than: u64| {
        let less = async || officer.asked().filter(|bits| *bits != than);
        testkit::eventually("what the officer is asked for", less).await.unwrap()
    };
    let first = asked(0).await;
    assert!(first < 200_000, "{first} bits a second");
    // Whatever the caller could be asked for they would have been by the second time.
    asked(first).await;
    assert_eq!(caller.asked(), None);
}

/// Somebody's page hears that they are shown no picture of another, because their network carries only the sound.
async fn is_shown_no_picture(rig: &Rig, phone: &Phone, whom: &str) {
    let mut page = Ear::open(rig, &phone.pass().token).await;
    while page.next("session").await["held"] != json!([whom]) {}
}
