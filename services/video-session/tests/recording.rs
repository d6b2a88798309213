//! What is recorded reaches evidence-store: with it there, away and back, and over a kill -9 of our own process.

use std::time::Duration;

use crate::rig::{
    PATIENCE, Rig, Time,
    evidence::{Evidence, declared, segments, spooled},
};
use api::session::v1::Session;
use testkit::{Proxy, until};
use video_session::spool::{Lines, Place, Spool};

#[tokio::test]
async fn all_that_was_recorded_is_declared_and_there() {
    let evidence = Evidence::start().await;
    let mut rig = Rig::beside(&evidence).await;
    let call = rig.accepted(true).await;
    let phones = rig.both(call).await;
    until("two segments of each while it happens", async || {
        let live = evidence.holds(call).await;
        live.len() == 2 && live.values().all(|segments| *segments >= 2)
    })
    .await;
    rig.end(call).await;
    let ended = rig.ended(call).await;
    assert_eq!(ended.reason, "OFFICER_ENDED");
    let declared = declared(&ended);
    assert_eq!(declared.keys().collect::<Vec<_>>(), ["caller-1", "officer-1"]);
    assert_eq!(evidence.holds(call).await, declared, "nothing is owed when the end is told");
    // It signed for every one of them, and for the documents.
    let receipts = rig.dir.path().join("receipts").join(format!("{}.jsonl", ended.session_id));
    let key = std::fs::read_to_string(evidence.dir.path().join("evidence/receipts/receipt-key.hex")).unwrap();
    let key = key.trim().parse().unwrap();
    let checked = exhibit::receipt::check(&std::fs::read_to_string(receipts).unwrap(), &key, None).unwrap();
    assert!(checked.is_good(), "{checked}");
    assert_eq!(checked.receipts.len() as u64, declared.values().sum::<u64>() + 4);
    drop(phones);
    rig.stop().await;
}

/// More of them than are told anything at the same time.
#[tokio::test]
async fn sessions_whose_rows_are_locked_hold_up_their_own_facts_only() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let is_there = |session: &Session| session.participants.iter().any(|one| one.connected);
    let (mut calls, mut phones) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let call = rig.accepted(false).await;
        let (officer, caller) = rig.both(call).await;
        officer.hang_up().await.unwrap();
        rig.watched(call, is_there).await;
        calls.push(call);
        phones.push(caller);
    }
    let (free, locked) = calls.split_last().unwrap();
    let held = rig.hold_sessions(locked).await;
    for phone in phones {
        // Each of the facts that nobody waits for.
        for what in ["away", "corner"] {
            assert_eq!(rig.tap(&phone.pass().token, 1, what).await.status(), 204);
        }
        phone.hang_up().await.unwrap();
    }
    rig.watched(*free, |session| !is_there(session)).await;
    for call in locked {
        rig.watched(*call, is_there).await;
    }
    held.rollback().await.unwrap();
    for call in locked {
        rig.watched(*call, |session| !is_there(session)).await;
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_call_goes_on_while_evidence_store_is_away() {
    let evidence = Evidence::start().await;
    let proxy = Proxy::start(evidence.service.address("grpc")).await.unwrap();
    let url = format!("http://{}", proxy.address());
    let rig = Rig::start(Time::Real, &[("evidence__url", url), ("rules__drain_limit_s", "20".to_owned())]).await;
    let call = rig.accepted(true).await;
    let (officer, mut caller) = rig.both(call).await;
    until("a segment", async || evidence.holds(call).await.get("caller-1").is_some_and(|segments| *segments > 0)).await;
    proxy.cut();
    let before = evidence.holds(call).await;
    let spool = rig.dir.path().join("spool");
    until("more than it has", async || spooled(&spool)["caller-1"] > before["caller-1"] + 4).await;
    let officer_id = officer.pass().participant_id.clone();
    caller.watch(&officer_id).await.unwrap();
    caller.wait_for(&officer_id, PATIENCE, |got| got.video_frames > 10).await.unwrap();
    rig.end(call).await;
    let held = evidence.holds(call).await;
    assert!(held.values().sum::<u64>() <= before.values().sum::<u64>() + 4, "it is away: {before:?}, {held:?}");
    proxy.heal();
    let declared = declared(&rig.ended(call).await);
    assert!(declared["caller-1"] >= 4, "{declared:?}");
    assert_eq!(evidence.holds(call).await, declared);
}

/// Whatever is wrong with the database, by what it answers: it is not away, and trying again doesn't help.
#[tokio::test]
async fn what_the_rows_refuse_waits_until_that_is_mended_and_no_call_ends_without_its_documents() {
    let evidence = Evidence::start().await;
    let mut rig = Rig::beside(&evidence).await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    until("a segment", async || evidence.holds(call).await.get("caller-1").is_some_and(|segments| *segments > 0)).await;
    let pool = rig.database.pool();
    // A sequence counts what is rolled back, too.
    let fault = "create sequence session.tries;
        create function session.refuse() returns trigger language plpgsql security definer as
            $$ begin perform nextval('session.tries'); raise 'a fault'; end $$;
        create trigger refuse before update on session.tracks for each row execute function session.refuse();";
    sqlx::raw_sql(fault).execute(&pool).await.unwrap();
    let tried = async || -> i64 {
        let tries = "select case when is_called then last_value else 0 end from session.tries";
        sqlx::query_scalar(tries).fetch_one(&pool).await.unwrap()
    };
    caller.hang_up().await.unwrap();
    until("the fact to be tried again", async || tried().await > 2).await;
    rig.end(call).await;
    let then = tried().await;
    until("the documents to be tried, and the facts again", async || tried().await > then + 4).await;
    sqlx::raw_sql("drop trigger refuse on session.tracks").execute(&pool).await.unwrap();
    let declared = declared(&rig.ended(call).await);
    assert_eq!(evidence.holds(call).await, declared);
    let items = evidence.items(call).await;
    assert!(["gap-ledger", "participants"].iter().all(|one| items.iter().any(|item| item.contains(one))), "{items:?}");
    until("that they left", async || {
        let open = "select count(*) from session.presences where track is not null and ended_at is null";
        sqlx::query_scalar::<_, i64>(open).fetch_one(&pool).await.unwrap() == 0
    })
    .await;
    drop(officer);
    rig.stop().await;
}

#[tokio::test]
async fn a_call_that_cant_be_kept_holds_up_no_other_and_loses_nothing_itself() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let (sick, well) = (rig.accepted(true).await, rig.accepted(true).await);
    let phones = (rig.both(sick).await, rig.both(well).await);
    let [sick, well] = [sick, well].map(|call| rig.folder(call));
    let (sick, well) = (sick.await, well.await);
    let kept = |folder: &std::path::Path| segments(&std::fs::read(folder.join("caller-1.film")).unwrap_or_default());
    until("a segment of each", async || kept(&sick) > 0 && kept(&well) > 0).await;
    let away = rig.dir.path().join("away");
    std::fs::rename(&sick, &away).unwrap();
    let (then, held) = (kept(&well), kept(&away));
    until("more of the other", async || kept(&well) > then + 4).await;
    assert!(kept(&away) <= held + 1, "it has nowhere to go");
    std::fs::rename(&away, &sick).unwrap();
    until("what had to wait", async || kept(&sick) > held + 4).await;
    drop(phones);
    rig.stop().await;
    let spool = Spool::open(&rig.dir.path().join("spool"), &rig.dir.path().join("receipts"), None).unwrap();
    for session in spool.sessions() {
        for (track, count) in spool.recorded(session) {
            for seq in 0..count {
                spool.load(session, &Place { track: track.clone(), seq }).unwrap();
            }
        }
        let ledger = spool.lines(session, Lines::Ledger).unwrap();
        let count = |what: &str| ledger.iter().filter(|line| line.contains(&format!(r#""what":"{what}""#))).count();
        assert_eq!((count("began"), count("ended"), count("not-kept")), (2, 2, 0), "{ledger:?}");
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_spooled() {
    // Nobody comes back after the crash.
    assert_eq!(killed_in_mid_call(false).await, "BOTH_GONE");
}

#[tokio::test]
async fn a_process_killed_between_the_end_and_its_telling_tells_it_on_the_next_start() {
    assert_eq!(killed_in_mid_call(true).await, "OFFICER_ENDED");
}

/// Kills the service with segments owed, starts it again, and gives back how the call ended.
async fn killed_in_mid_call(ended_first: bool) -> String {
    let evidence = Evidence::start().await;
    let proxy = Proxy::start(evidence.service.address("grpc")).await.unwrap();
    let more = [("evidence__url", format!("http://{}", proxy.address())), ("rules__both_gone_s", "2".to_owned())];
    let (rig, mut service) = Rig::as_process(&more).await;
    let spool = rig.dir.path().join("spool");
    let call = rig.accepted(true).await;
    let phones = rig.both(call).await;
    until("two segments", async || evidence.holds(call).await.get("caller-1").is_some_and(|segments| *segments > 1))
        .await;
    proxy.cut();
    until("more than that", async || spooled(&spool)["caller-1"] > 3).await;
    if ended_first {
        rig.end(call).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    service.kill().await.unwrap();
    let kept = spooled(&spool);
    assert!(kept["caller-1"] > 3, "{kept:?}");
    assert!(evidence.holds(call).await["caller-1"] < kept["caller-1"], "something is owed");

    proxy.heal();
    service.restart().await.unwrap();
    let ended = rig.ended(call).await;
    assert_eq!(declared(&ended), kept);
    assert_eq!(evidence.holds(call).await, kept);
    assert!(service.terminate().await.unwrap().success());
    drop(phones);
    ended.reason
}
