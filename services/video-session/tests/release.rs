//! What a call leaves is handed over before its end is told; our copy stays until evidence-store lets go of it, and the
//! receipts stay for good.

use crate::rig::{OFFICER, Rig, Time, evidence::segments};
use crate::stand_in::{Moody, receipt_key};
use exhibit::receipt::check;
use testkit::until;

#[tokio::test]
async fn documents_come_before_the_end_and_segments_go_only_when_archived() {
    let moody = Moody::default();
    let settings = [
        ("evidence__url", moody.serve().await),
        ("evidence__receipt_key", receipt_key().public().to_string()),
        ("spool__release", "archived".to_owned()),
    ];
    let mut rig = Rig::start(Time::Real, &settings).await;
    let call = rig.accepted(true).await;
    let phones = rig.both(call).await;
    let held = || moody.0.lock().unwrap().track("caller-1").map_or(0, |segments| segments.len());
    until("three segments", async || held() > 2).await;
    rig.end(call).await;
    let ended = rig.ended(call).await;
    let documents = moody.0.lock().unwrap().items.clone();
    let read = |name: &str| -> serde_json::Value { serde_json::from_slice(&documents[name].1).unwrap() };
    let ledger = read("gap-ledger");
    let of = |track: &str| -> Vec<String> {
        let events = ledger["events"].as_array().unwrap().iter().filter(|event| event["track"] == track);
        events.map(|event| event["what"].as_str().unwrap().to_owned()).collect()
    };
    for track in ["caller-1", "officer-1"] {
        let events = of(track);
        assert!(events.contains(&"began".to_owned()) && events.contains(&"size".to_owned()), "{events:?}");
        assert!(events.contains(&"ended".to_owned()), "{events:?}");
    }
    let participants = read("participants");
    let people = participants["participants"].as_array().unwrap();
    assert_eq!(people.len(), 2);
    for person in people {
        let officer = person["role"] == "officer";
        assert_eq!(person["officer"], if officer { OFFICER.into() } else { serde_json::Value::Null });
        let there = &person["presences"][0];
        let declared = ended.tracks.iter().find(|track| there["track"] == *track.track).unwrap();
        assert_eq!(person["participant"], *declared.participant_id);
        assert_eq!(there["segments"], declared.segments.to_string());
        assert!(there["joined_at"].as_str().unwrap() < there["left_at"].as_str().unwrap());
    }

    // Everything is acknowledged and told; our copy is still whole.
    let session = ended.session_id.clone();
    let folder = rig.dir.path().join("spool").join(&session);
    let segments = |track: &str| segments(&std::fs::read(folder.join(format!("{track}.film"))).unwrap());
    let count =
        async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&rig.database.pool()).await.unwrap();
    let heard = "select count(*) from outbox.inbox where source = 'evidence'";
    rig.say_sealed(1, call).await;
    until("the seal to be heard of", async || count(heard).await == 1).await;
    let released = "select count(*) from session.sessions where released_at is not null";
    assert_eq!(count(released).await, 0, "sealed is not archived");
    // All but the newest segment: that one came late, and what takes it is archived later.
    let all: Vec<(&str, u64)> = ended.tracks.iter().map(|track| (&*track.track, track.segments)).collect();
    let most: Vec<(&str, u64)> = all.iter().map(|(track, segments)| (*track, segments - 1)).collect();
    rig.say_archived(2, call, &most).await;
    until("the archive to be heard of", async || count(heard).await == 2).await;
    // Another session's folder, looked at behind this one, is gone: this one was left on purpose.
    let other = rig.accepted(true).await;
    let others_phones = rig.both(other).await;
    rig.end(other).await;
    let ended_other = rig.ended(other).await;
    let others: Vec<(&str, u64)> = ended_other.tracks.iter().map(|track| (&*track.track, track.segments)).collect();
    rig.say_archived(1, other, &others).await;
    let other_folder = rig.dir.path().join("spool").join(&ended_other.session_id);
    until("the other spool to be let go", async || !other_folder.exists()).await;
    for track in &ended.tracks {
        assert_eq!(segments(&track.track), track.segments);
    }
    rig.say_archived(3, call, &all).await;
    until("the spool to be let go", async || !folder.exists()).await;
    let receipts = rig.dir.path().join("receipts").join(format!("{session}.jsonl"));
    let checked = check(&std::fs::read_to_string(receipts).unwrap(), &receipt_key().public(), None).unwrap();
    assert!(checked.is_good(), "{checked}");
    let documents = checked.receipts.iter().filter(|(_, about, _)| about.starts_with("item ")).count();
    assert_eq!(documents, 4, "{checked}");
    let segments = ended.tracks.iter().map(|track| track.segments).sum::<u64>();
    assert_eq!(checked.receipts.len() as u64, segments + 4);
    drop((phones, others_phones));
    rig.stop().await;
}

#[tokio::test]
async fn documents_that_are_refused_hold_up_neither_the_end_nor_are_lost() {
    let moody = Moody::default();
    moody.0.lock().unwrap().refuse_items = 4;
    let mut rig = Rig::start(Time::Real, &[("evidence__url", moody.serve().await)]).await;
    let call = rig.accepted(true).await;
    let phones = rig.both(call).await;
    rig.end(call).await;
    let session = rig.ended(call).await.session_id;
    // In development, without an archive, the seal is enough; but not while something is owed.
    rig.say_sealed(1, call).await;
    let folder = rig.dir.path().join("spool").join(session);
    until("the spool to be let go", async || !folder.exists()).await;
    assert_eq!(moody.0.lock().unwrap().items.len(), 4, "sent before the folder went");
    drop(phones);
    rig.stop().await;
}
