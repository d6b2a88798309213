//! More than two in a call: who waits, who is in, who is sent away, and that nobody is there without being on the record.

use std::collections::BTreeSet;

use crate::rig::{OFFICER, PATIENCE, Rig, Time, pass, reason};
use crate::stand_in::Moody;
use api::session::v1::{
    AdmitParticipantRequest, Participant, ParticipantAdmitted, ParticipantRemoved, Role, Session, Standing,
};
use ids::CallId;
use serde_json::Value;
use testkit::{
    phone::{Pass, Phone},
    until,
};

/// Somebody with a code for that role: waiting.
async fn guest(rig: &Rig, call: CallId, role: Role) -> Phone {
    let code = rig.invite_as(call, role).await.unwrap();
    let (status, joined) = rig.type_code(&code).await;
    assert_eq!((status, &joined["standing"], &joined["others"]), (200, &"waiting".into(), &Value::Array(vec![])));
    Phone::new(serde_json::from_value::<Pass>(joined).unwrap())
}

/// The same, let in and publishing.
async fn guest_in(rig: &Rig, call: CallId, role: Role) -> Phone {
    let mut phone = guest(rig, call, role).await;
    rig.admit(call, id(&phone)).await.unwrap();
    phone.publish().await.unwrap();
    phone
}

fn id(phone: &Phone) -> &str {
    &phone.pass().participant_id
}

fn one(session: &Session, who: &str) -> Participant {
    session.participants.iter().find(|one| one.participant_id == who).cloned().unwrap_or_default()
}

async fn sees_and_hears(phone: &Phone, whom: &str) {
    phone.wait_for(whom, PATIENCE, |got| got.video_frames > 10 && got.audio_packets > 10).await.unwrap();
}

/// What the next event says to whoever holds this token; `None` if it is no token any more.
async fn event(rig: &Rig, token: &str) -> Option<Value> {
    let request = rig.http.get(format!("{}/events", rig.base)).bearer_auth(token);
    let mut events = request.send().await.unwrap();
    if events.status() == 401 {
        return None;
    }
    let mut text = String::new();
    while !text.contains("\n\n") {
        text += &String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap());
    }
    let data = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap();
    Some(serde_json::from_str(data).unwrap())
}

/// A page reloaded: what the browser's cookie gets it.
async fn rejoin(rig: &Rig, token: &str) -> (u16, Value) {
    let request = rig.http.post(format!("{}/rejoin", rig.base)).header("origin", &rig.base);
    let answer = request.header("cookie", format!("__Host-back={token}")).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// How many are watching somebody just now, as the record has it.
async fn watching(rig: &Rig) -> i64 {
    let open = "select count(*) from session.presences where watched_id is not null and ended_at is null";
    sqlx::query_scalar(open).fetch_one(&rig.database.pool()).await.unwrap()
}

#[tokio::test]
async fn an_observer_waits_is_let_in_and_is_on_the_record_from_then_to_the_end() {
    let moody = Moody::default();
    let mut rig = Rig::start(Time::Real, &[("evidence__url", moody.serve().await)]).await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    let mut sergeant = Phone::new(pass(rig.join_as(call, "s.one", Role::Observer).await.unwrap()));
    let own = id(&sergeant).to_owned();

    let waits = one(&rig.watched(call, |session| session.participants.len() == 3).await, &own);
    assert_eq!(
        (waits.role(), waits.standing(), waits.officer_id.as_str()),
        (Role::Observer, Standing::Waiting, "s.one")
    );
    let heard = event(&rig, &sergeant.pass().token).await.unwrap();
    assert_eq!(
        (&heard["standing"], &heard["people"], &heard["publishing"]),
        (&"waiting".into(), &Value::Array(vec![]), &Value::Array(vec![]))
    );
    let refused = sergeant.watch(id(&caller)).await.unwrap_err().to_string();
    assert!(refused.contains("403") && refused.contains("NOT_ADMITTED"), "{refused}");

    rig.admit(call, &own).await.unwrap();
    rig.event::<ParticipantAdmitted>("participant_admitted", call).await;
    let refused = sergeant.publish().await.unwrap_err().to_string();
    assert!(refused.contains("403") && refused.contains("NOT_YOURS_TO_PUBLISH"), "{refused}");
    for other in [&caller, &officer] {
        sergeant.watch(id(other)).await.unwrap();
        sees_and_hears(&sergeant, id(other)).await;
    }
    let is_in = one(&rig.watched(call, |session| one(session, &own).watching).await, &own);
    assert_eq!((is_in.standing(), is_in.connected), (Standing::In, false));
    assert!(is_in.since.unwrap().seconds >= waits.since.unwrap().seconds);
    // The officer's console has it from the desk, the caller's page from its events.
    let heard = event(&rig, &caller.pass().token).await.unwrap();
    let listens = serde_json::json!({ "participant_id": own, "role": "listener" });
    assert!(heard["people"].as_array().unwrap().contains(&listens), "{heard}");

    sergeant.hang_up().await.unwrap();
    let left = one(&rig.watched(call, |session| !one(session, &own).watching).await, &own);
    assert_eq!(left.standing(), Standing::In, "they may look again");
    rig.end(call).await;
    let ended = rig.ended(call).await;
    let tracks: Vec<_> = ended.tracks.iter().map(|track| track.track.as_str()).collect();
    assert_eq!(tracks, ["caller-1", "officer-1"], "whoever says nothing has no track");

    let document: Value = serde_json::from_slice(&moody.0.lock().unwrap().items["participants"].1).unwrap();
    let people = document["participants"].as_array().unwrap();
    let observer = people.iter().find(|person| person["participant"] == own).unwrap();
    assert_eq!((&observer["role"], &observer["officer"]), (&"observer".into(), &"s.one".into()));
    let at = |value: &Value| value.as_str().unwrap().to_owned();
    assert!(at(&observer["came_at"]) <= at(&observer["admitted_at"]) && observer["removed_at"].is_null());
    let watched: BTreeSet<_> = observer["presences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|there| {
            assert!(
                at(&observer["admitted_at"]) <= at(&there["joined_at"])
                    && at(&there["joined_at"]) < at(&there["left_at"])
            );
            at(&there["watched"])
        })
        .collect();
    assert_eq!(watched, [&caller, &officer].map(|phone| id(phone).to_owned()).into());
    drop((officer, caller));
    rig.stop().await;
}

#[tokio::test]
async fn whoever_is_sent_away_is_gone_at_once_and_may_be_asked_back() {
    let rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let (_officer, mut caller) = rig.both(call).await;
    let mut helper = guest_in(&rig, call, Role::Interpreter).await;
    let own = id(&helper).to_owned();
    rig.watched(call, |session| one(session, &own).connected).await;
    helper.watch(id(&caller)).await.unwrap();
    caller.watch(&own).await.unwrap();
    sees_and_hears(&helper, id(&caller)).await;
    sees_and_hears(&caller, &own).await;

    let first = rig.remove(call, &own).await.unwrap();
    until("its own connection closed", async || !helper.is_connected()).await;
    rig.watched(call, |session| {
        let gone = one(session, &own);
        gone.standing() == Standing::Removed && !gone.connected && !gone.watching
    })
    .await;
    until("nobody watches", async || watching(&rig).await == 0).await;
    assert_eq!(event(&rig, &helper.pass().token).await, None, "their token is worth nothing");
    let (status, refused) = rejoin(&rig, &helper.pass().token).await;
    assert_eq!((status, &refused["reason"]), (401, &"TOKEN_UNKNOWN".into()), "and no reload brings them back");
    rig.event::<ParticipantRemoved>("participant_removed", call).await;
    assert_eq!(rig.remove(call, &own).await.unwrap(), first, "once is enough");
    assert_eq!(reason(&rig.admit(call, &own).await.unwrap_err()), "PARTICIPANT_REMOVED");

    let again = guest_in(&rig, call, Role::Interpreter).await;
    let asked_back = rig.watched(call, |session| one(session, id(&again)).connected).await;
    assert_eq!(one(&asked_back, &own).standing(), Standing::Removed, "the first stay stays on the record");
    let heard = event(&rig, &caller.pass().token).await.unwrap();
    let tracks: Vec<_> =
        heard["publishing"].as_array().unwrap().iter().map(|one| one["track"].as_str().unwrap()).collect();
    assert!(tracks.contains(&"helper-2"), "names are never used twice: {tracks:?}");
}

#[tokio::test]
async fn six_phones_have_six_tracks_and_there_is_no_seventh() {
    let moody = Moody::default();
    let mut rig = Rig::start(Time::Real, &[("evidence__url", moody.serve().await)]).await;
    let call = rig.accepted(true).await;
    let (mut officer, caller) = rig.both(call).await;
    let mut phones = vec![];
    for role in [Role::Interpreter, Role::Supporter, Role::Interpreter, Role::Supporter] {
        phones.push(guest_in(&rig, call, role).await);
    }
    rig.watched(call, |session| session.participants.iter().filter(|one| one.connected).count() == 6).await;
    for phone in &phones {
        officer.watch(id(phone)).await.unwrap();
        sees_and_hears(&officer, id(phone)).await;
    }
    let seventh = rig.join_as(call, "s.one", Role::Observer).await.unwrap().participant_id;
    assert_eq!(reason(&rig.admit(call, &seventh).await.unwrap_err()), "SESSION_FULL");
    rig.end(call).await;
    let ended = rig.ended(call).await;
    let tracks: Vec<_> = ended.tracks.iter().map(|track| track.track.as_str()).collect();
    let all = ["caller-1", "interpreter-1", "interpreter-2", "officer-1", "supporter-1", "supporter-2"];
    assert_eq!(tracks, all);
    let people: BTreeSet<_> = ended.tracks.iter().map(|track| &track.participant_id).collect();
    assert_eq!(people.len(), 6, "each is somebody else's");
    for track in &ended.tracks {
        let held = moody.0.lock().unwrap().track(&track.track).unwrap().len() as u64;
        assert!(track.segments > 0 && held == track.segments, "{track:?}");
    }
    drop((officer, caller, phones));
    rig.stop().await;
}

#[tokio::test]
async fn nobody_watches_who_is_not_on_the_record() {
    let rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    let mut sergeants = vec![];
    for name in ["s.one", "s.two"] {
        let joined = rig.join_as(call, name, Role::Observer).await.unwrap();
        rig.admit(call, &joined.participant_id).await.unwrap();
        sergeants.push(Phone::new(pass(joined)));
    }
    let mut open = 0;
    for sergeant in &mut sergeants {
        for other in [&caller, &officer] {
            sergeant.watch(id(other)).await.unwrap();
            open += 1;
            assert_eq!(watching(&rig).await, open, "on the record as soon as it is answered");
        }
    }
    // What is refused is nobody's presence.
    let url = format!("{}/whep/{}", rig.base, id(&caller));
    let bad = rig.http.post(url).bearer_auth(&sergeants[0].pass().token);
    let bad = bad.header("content-type", "application/sdp").body("v=0").send().await.unwrap();
    assert_eq!((bad.status().as_u16(), watching(&rig).await), (400, open));

    let [one, two] = <[Phone; 2]>::try_from(sergeants).ok().unwrap();
    one.hang_up().await.unwrap();
    until("one has left", async || watching(&rig).await == open - 2).await;
    // It says goodbye, and sends no DELETE.
    two.vanish().await;
    until("both have left", async || watching(&rig).await == 0).await;
    caller.hang_up().await.unwrap();
    drop(officer);
}

#[tokio::test]
async fn each_wrong_request_has_its_own_answer() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let officer = rig.join(call).await.participant_id;
    let waits = rig.join_as(call, "s.one", Role::Observer).await.unwrap().participant_id;
    let nobody = "01900000-0000-7000-8000-000000000001";
    for (answer, wanted) in [
        (rig.admit(call, nobody).await.map(drop), "UNKNOWN_PARTICIPANT"),
        (rig.admit(call, "nobody").await.map(drop), "MALFORMED_ID"),
        (rig.admit(rig.id(), &waits).await.map(drop), "UNKNOWN_SESSION"),
        (rig.remove(call, nobody).await.map(drop), "UNKNOWN_PARTICIPANT"),
        (rig.remove(call, &officer).await.map(drop), "OFFICER_STAYS"),
        (rig.invite_as(call, Role::Observer).await.map(drop), "WRONG_ROLE"),
        (rig.invite_as(call, Role::Officer).await.map(drop), "WRONG_ROLE"),
        (rig.join_as(call, "s.one", Role::Interpreter).await.map(drop), "WRONG_ROLE"),
        (rig.join_as(call, "s.one", Role::Officer).await.map(drop), "NOT_YOUR_CALL"),
        (rig.join_as(call, OFFICER, Role::Observer).await.map(drop), "WRONG_ROLE"),
    ] {
        assert_eq!(answer.map_err(|status| reason(&status)), Err(wanted.to_owned()));
    }
    let theirs = AdmitParticipantRequest { officer_id: "o.two".to_owned(), ..rig.admitting(call, &waits) };
    let refused = rig.desk.clone().admit_participant(theirs).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_YOUR_CALL");

    // A repeat gets the first answer, whatever has happened since.
    let request = rig.admitting(call, &waits);
    let first = rig.desk.clone().admit_participant(request.clone()).await.unwrap().into_inner();
    rig.remove(call, &waits).await.unwrap();
    let again = rig.desk.clone().admit_participant(request.clone()).await.unwrap().into_inner();
    assert_eq!(first, again);
    let other = AdmitParticipantRequest { participant_id: officer, ..request };
    assert_eq!(reason(&rig.desk.clone().admit_participant(other).await.unwrap_err()), "REQUEST_ID_REUSED");

    // Whoever waits and reloads their page waits on, as the same.
    let waits = guest(&rig, call, Role::Interpreter).await;
    let (status, back) = rejoin(&rig, &waits.pass().token).await;
    assert_eq!((status, &back["standing"], &back["others"]), (200, &"waiting".into(), &Value::Array(vec![])));
    assert_eq!(back["participant_id"], *id(&waits));

    // A code for one role leaves another's alone.
    let caller = rig.invite_as(call, Role::Caller).await.unwrap();
    rig.invite_as(call, Role::Supporter).await.unwrap();
    let (status, joined) = rig.type_code(&caller).await;
    assert_eq!((status, &joined["standing"]), (200, &"in".into()));
    rig.end(call).await;
    assert_eq!(reason(&rig.admit(call, id(&waits)).await.unwrap_err()), "SESSION_ENDED");
}

#[tokio::test]
async fn a_crash_leaves_nobody_in_and_says_that_nobody_saw_them_go() {
    let moody = Moody::default();
    // Nobody comes back after it.
    let more = [("evidence__url", moody.serve().await), ("rules__both_gone_s", "2".to_owned())];
    let (rig, mut service) = Rig::as_process(&more).await;
    let call = rig.accepted(true).await;
    let phones = rig.both(call).await;
    let joined = rig.join_as(call, "s.one", Role::Observer).await.unwrap();
    rig.admit(call, &joined.participant_id).await.unwrap();
    let mut sergeant = Phone::new(pass(joined));
    sergeant.watch(id(&phones.1)).await.unwrap();
    sees_and_hears(&sergeant, id(&phones.1)).await;
    service.kill().await.unwrap();
    assert_eq!(watching(&rig).await, 1, "it could not say so any more");

    service.restart().await.unwrap();
    let ended = rig.ended(call).await;
    assert_eq!((ended.reason.as_str(), watching(&rig).await), ("BOTH_GONE", 0));
    let document: Value = serde_json::from_slice(&moody.0.lock().unwrap().items["participants"].1).unwrap();
    let people = document["participants"].as_array().unwrap();
    assert_eq!(people.len(), 3);
    for there in people.iter().map(|person| &person["presences"][0]) {
        assert!(there["left_at"].is_null(), "{there}");
        assert!(there["gone_by"].as_str().unwrap() > there["joined_at"].as_str().unwrap(), "{there}");
    }
    assert!(service.terminate().await.unwrap().success());
    drop((phones, sergeant));
}
