//! The instance that carries a call is killed, or loses Postgres: both pages are back by themselves, on another one, and the exhibit
//! has both parts.

use alcove_tests::{browser::Browser, media_probe::Probe, takeover::Talk};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn both_pages_are_back_by_themselves_when_their_instance_is_killed() {
    let browser = Browser::start().await.unwrap();
    let mut talk = Talk::begin(&browser, "2301").await.unwrap();
    // What both have sent by now is more than what a crash may cost.
    talk.pages.caller.until("window.shown.length > 150").await.unwrap();
    let sent = talk.pictures_made().await.unwrap();
    talk.killed().await.unwrap();

    // It comes back with what it had not sent, and is not asked for more.
    talk.desk.stack.second_session().restart().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = talk.ended(folder.path()).await.unwrap();
    let manifest = std::fs::read(package.join("bag/data/manifest.json")).unwrap();
    assert_eq!(exhibit::Manifest::parse(&manifest).unwrap().missing_segments(), 0);
    let frames = |track: &str| Probe::file(&package.join(format!("bag/data/tracks/{track}.mkv"))).unwrap().video_frames;
    // A segment is a second at most, and what is on the disk has survived.
    let rate = 30;
    assert!(frames("caller-1") + 2 * rate > sent, "{} of {sent}", frames("caller-1"));
    for track in ["caller-2", "officer-1", "officer-2"] {
        assert!(frames(track) > 0, "{track}");
    }
    let read = |item: &str| -> Value {
        serde_json::from_slice(&std::fs::read(package.join("bag/data/items").join(item).join("1.json")).unwrap())
            .unwrap()
    };
    let part = read("gap-ledger/gap-ledger-2");
    let tracks: Vec<_> =
        part["events"].as_array().unwrap().iter().map(|event| event["track"].as_str().unwrap()).collect();
    assert!(tracks.contains(&"caller-2") && !tracks.contains(&"caller-1"), "{tracks:?}");
    let people = read("participants/participants");
    let caller = people["participants"].as_array().unwrap().iter().find(|one| one["role"] == "caller").unwrap();
    let stays: Vec<_> =
        caller["presences"].as_array().unwrap().iter().filter(|stay| !stay["track"].is_null()).collect();
    assert_eq!((stays[0]["track"].as_str(), stays[1]["track"].as_str()), (Some("caller-1"), Some("caller-2")));
    assert!(stays[0]["left_at"].is_null() && !stays[0]["gone_by"].is_null(), "nobody saw the end of the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_pages_follow_the_call_when_their_instance_alone_has_lost_postgres() {
    let browser = Browser::start().await.unwrap();
    let talk = Talk::begin(&browser, "2302").await.unwrap();
    // Their media still gets through to it: only what the next one says tells them that it is of no use.
    talk.cut_off().await.unwrap();
    let stats = talk.pages.caller.evaluate("window.callStats()").await.unwrap();
    assert_eq!(stats["connected"], true, "{stats}");
    talk.desk.stack.second_database().heal();
    let folder = tempfile::tempdir().unwrap();
    let package = talk.ended(folder.path()).await.unwrap();
    for track in ["caller-1", "caller-2", "officer-1", "officer-2"] {
        let recording = Probe::file(&package.join(format!("bag/data/tracks/{track}.mkv"))).unwrap();
        assert!(recording.video_frames > 0, "{track}");
    }
}
