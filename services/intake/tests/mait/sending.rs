//! What goes back: every update, in order, whatever the control room, the service or a second replica does meanwhile.

use intake::mait::schema::Field;
use testkit::{Service, until};

use super::{
    opening::{LISTEN, send},
    receiver::{Mood, Receiver, kinds, sequences},
    samples::{full, xml},
};
use crate::support::*;

const SOON: [(&str, &str); 3] =
    [LISTEN, ("ALCOVE_INTAKE__MAIT__RETRY_AFTER_MS", "50"), ("ALCOVE_INTAKE__MAIT__ANSWER_WITHIN_MS", "1000")];
const TO: &str = "ALCOVE_INTAKE__MAIT__FORCES__WMP__URL";

/// A call that came by MAIT and waits for an officer.
async fn waiting_call(room: &Room, number: &str) -> String {
    let message = xml(&full(&format!("cad-{number}"), number));
    let (_, answer) = send(&reqwest::Client::new(), &room.service.url("mait"), message).await;
    let call = answer.get(Field::CallReference).unwrap().to_owned();
    assert_eq!(room.waiting_call(number).await, call);
    call
}

#[tokio::test]
async fn updates_go_out_in_order_after_an_outage() {
    let mut receiver = Receiver::away();
    let url = receiver.url();
    let mut room = Room::with(&[&SOON[..], &[(TO, &url)]].concat()).await;
    let others = Others::at(&room.nats).await;
    // Nobody is there: the call goes on all the same, and who watches by gRPC sees it.
    let call = waiting_call(&room, "1").await;
    let mut watch = room.watch(&call, 0).await;
    others.queued(&call).await;
    others.offered(&call).await;
    others.accepted(&call).await;
    for sequence in 1..=3 {
        assert_eq!(next(&mut watch).await.unwrap().0, sequence);
    }
    // It comes back, and isn't well at first.
    receiver.comes(&[Mood::Failing, Mood::Hanging, Mood::Rejecting, Mood::Failing]).await;
    let taken = receiver.taken(3).await;
    assert_eq!((sequences(&taken), kinds(&taken)), (vec![1, 2, 3], vec!["QUEUED", "OFFERED", "ACCEPTED"]));
    assert_eq!(taken[2].get(Field::Officer), Some("PC1"));
    let met = receiver.met(7).await;
    assert!(met[..5].iter().all(|(message, _)| message.get(Field::Sequence) == Some("1")), "{met:?}");
    for (message, _) in &met {
        let sequence = message.get(Field::Sequence).unwrap();
        assert_eq!(message.get(Field::MessageId), Some(format!("{call}-{sequence}").as_str()), "the same each time");
        assert_eq!((message.get(Field::From), message.get(Field::To)), (Some("alcove"), Some(FORCE)));
        assert_eq!(message.get(Field::IncidentNumber), Some("1"));
        assert_eq!(message.get(Field::CallReference), Some(call.as_str()));
    }

    // It dies, and so does the service, in between.
    receiver.goes();
    others.invited(&call).await;
    assert_eq!(next(&mut watch).await.unwrap().0, 4);
    room.service.kill().await.unwrap();
    others.joined(&call).await;
    others.ended(&call).await;
    room.service.restart().await.unwrap();
    receiver.comes(&[]).await;
    others.sealed(&call).await;
    let taken = receiver.taken(7).await;
    // One that it was killed with may have come twice.
    let mut numbers = sequences(&taken);
    numbers.dedup();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    let last = taken.last().unwrap();
    assert_eq!((last.get(Field::Kind), last.get(Field::ExhibitReference)), (Some("SEALED"), Some("WMP/1")));
    assert_eq!(last.get(Field::SealSha256), Some("ab".repeat(32).as_str()));
    let log = room.service.log();
    assert!(log.contains("a MAIT message waits") && !log.contains("447700900123"), "{log}");
}

#[tokio::test]
async fn a_fast_track_and_a_return_say_what_the_watches_say() {
    let mut receiver = Receiver::away();
    let url = receiver.url();
    receiver.comes(&[]).await;
    let room = Room::with(&[&SOON[..], &[(TO, &url)]].concat()).await;
    let others = Others::at(&room.nats).await;
    let (call, other) = (waiting_call(&room, "1").await, waiting_call(&room, "2").await);
    // A call that didn't come by MAIT is told by none.
    let unheard = room.waiting_call("3").await;
    others.queued(&unheard).await;
    others.moved(&other, 2, 240).await;
    others.returned(&other, "WAIT_LIMIT").await;
    others.accepted(&call).await;
    // What the session says may overtake the desk.
    receiver.taken(3).await;
    others.asked_for_help(&call).await;
    others.wants_a_unit(&call, "01900000-0000-7000-8000-00000000f001").await;
    let taken = receiver.taken(6).await;
    let of = |call: &str| -> Vec<_> {
        taken.iter().filter(|message| message.get(Field::CallReference) == Some(call)).cloned().collect()
    };
    let (told, back) = (of(&call), of(&other));
    assert_eq!(kinds(&back), ["QUEUED", "RETURNED"]);
    assert_eq!((back[0].get(Field::Position), back[0].get(Field::ExpectedWaitSeconds)), (Some("2"), Some("240")));
    assert_eq!(back[1].get(Field::Reason), Some("WAIT_LIMIT"));
    assert!(back[1].get(Field::Instead).is_some());
    assert_eq!(kinds(&told), ["ACCEPTED", "DURESS", "DURESS", "FAST_TRACK"]);
    assert_eq!((told[1].get(Field::How), told[1].get(Field::Seen)), (Some("CORNER"), Some("no")));
    assert_eq!(told[2].get(Field::Seen), Some("yes"));
    let pressed = &told[3];
    assert_eq!(pressed.get(Field::FastTrackId), Some("01900000-0000-7000-8000-00000000f001"));
    assert_eq!((pressed.get(Field::Risk), pressed.get(Field::Reason)), (Some("HIGH"), Some("OFFENDER_BACK")));
    assert_eq!((pressed.get(Field::Still), pressed.get(Field::HasLocation)), (Some("still-2"), Some("no")));
    assert!(of(&unheard).is_empty());
}

#[tokio::test]
async fn an_update_that_is_refused_for_good_is_left_out_and_holds_up_no_cry_for_help() {
    let mut receiver = Receiver::away();
    let url = receiver.url();
    let settings = [&SOON[..], &[("ALCOVE_INTAKE__MAIT__RETRY_AFTER_MS", "5"), (TO, &url)]].concat();
    let room = Room::with(&settings).await;
    let others = Others::at(&room.nats).await;
    let call = waiting_call(&room, "1").await;
    let mut watch = room.watch(&call, 0).await;
    others.accepted(&call).await;
    others.asked_for_help(&call).await;
    for sequence in 1..=3 {
        assert_eq!(next(&mut watch).await.unwrap().0, sequence);
    }
    // Who is away or busy says nothing of the message, however often.
    let (away, no) = ([Mood::Failing, Mood::Busy].repeat(3), [Mood::Refusing, Mood::Rejecting]);
    receiver.comes(&[&away[..], &no, &no, &no[..1]].concat()).await;
    let taken = receiver.taken(2).await;
    assert_eq!((sequences(&taken), kinds(&taken)), (vec![2, 3], vec!["DURESS", "DURESS"]), "the gap is seen");
    let met = receiver.met(13).await;
    let first = met.iter().filter(|(message, _)| message.get(Field::Sequence) == Some("1")).count();
    assert_eq!(first, away.len() + 5);
    until("the cursor to have moved", async || {
        let row = sqlx::query_as("select sent, failures, refusals, skipped from intake.mait_sent");
        row.fetch_one(&room.db.pool()).await.ok() == Some((3_i64, 0_i32, 0_i32, 1_i64))
    })
    .await;
    assert_eq!(room.service.log().matches("a MAIT message is left out").count(), 1);
}

#[tokio::test]
async fn neither_a_cry_for_help_nor_the_last_update_is_left_out_however_often_it_is_refused() {
    let mut receiver = Receiver::away();
    let url = receiver.url();
    let settings = [&SOON[..], &[("ALCOVE_INTAKE__MAIT__RETRY_AFTER_MS", "5"), (TO, &url)]].concat();
    let room = Room::with(&settings).await;
    let others = Others::at(&room.nats).await;
    let call = waiting_call(&room, "1").await;
    let mut watch = room.watch(&call, 0).await;
    let no = [Mood::Refusing, Mood::Rejecting].repeat(4);
    // Nothing waits behind it.
    others.accepted(&call).await;
    assert_eq!(next(&mut watch).await.unwrap().0, 1);
    receiver.comes(&no).await;
    assert_eq!(sequences(&receiver.taken(1).await), [1]);
    // Behind these something does: first a word, then a fast-track, and each time another.
    receiver.goes();
    others.asked_for_help(&call).await;
    for sequence in 2..=3 {
        assert_eq!(next(&mut watch).await.unwrap().0, sequence);
    }
    receiver.comes(&no).await;
    assert_eq!(sequences(&receiver.taken(3).await), [1, 2, 3]);
    receiver.goes();
    others.wants_a_unit(&call, "01900000-0000-7000-8000-00000000f001").await;
    others.covered(&call, true).await;
    for sequence in 4..=5 {
        assert_eq!(next(&mut watch).await.unwrap().0, sequence);
    }
    receiver.comes(&no).await;
    let taken = receiver.taken(5).await;
    assert_eq!(sequences(&taken), [1, 2, 3, 4, 5]);
    assert_eq!(kinds(&taken)[3..], ["FAST_TRACK", "COVERED"]);
    assert!(!room.service.log().contains("a MAIT message is left out"));
}

#[tokio::test]
async fn a_call_of_a_force_without_an_address_is_not_followed() {
    let mut receiver = Receiver::away();
    let url = receiver.url();
    receiver.comes(&[]).await;
    let room = Room::with(&[&SOON[..], &[("ALCOVE_INTAKE__MAIT__FORCES__KENT__URL", &url)]].concat()).await;
    waiting_call(&room, "1").await;
    waiting_call(&room, "2").await;
    let followed: i64 =
        sqlx::query_scalar("select count(*) from intake.mait_sent").fetch_one(&room.db.pool()).await.unwrap();
    assert_eq!(followed, 0, "an address that comes later is told of nothing that is over");
    assert_eq!(room.service.log().matches("nothing goes back").count(), 1);
}

#[tokio::test]
async fn two_replicas_never_interleave() {
    let mut receiver = Receiver::away();
    let url = receiver.url();
    let settings = [&SOON[..], &[(TO, &url)]].concat();
    let room = Room::with(&settings).await;
    let (db, bus) = (room.db.url(), room.nats.url().to_owned());
    let env = [("ALCOVE_INTAKE__DATABASE__URL", db.as_str()), ("ALCOVE_INTAKE__NATS__URL", bus.as_str())];
    let twin = Service::start("intake", &[&env[..], &settings].concat()).await.unwrap();
    let others = Others::at(&room.nats).await;
    let calls = [waiting_call(&room, "1").await, waiting_call(&room, "2").await];
    receiver.comes(&[]).await;
    for position in (1..=20).rev() {
        for call in &calls {
            others.moved(call, position, 60 * position).await;
        }
    }
    let taken = receiver.taken(40).await;
    for call in &calls {
        let of_it: Vec<_> =
            taken.iter().filter(|message| message.get(Field::CallReference) == Some(call.as_str())).cloned().collect();
        assert_eq!(sequences(&of_it), (1..=20).collect::<Vec<_>>(), "each once, in order");
    }
    drop(twin);
}
