//! Nothing of a person leaves by a side door. A whole call is made, with a word of its own at every input that there is: names, numbers,
//! addresses, codes, what is said and noted. Then every log line, span, metric, event, refusal and temporary file is searched for each
//! of them, in every shape that it might come out in. What is kept on purpose (Postgres, the exhibit, the spool) is not searched.
//!
//! The same call shows that the services export every metric that `docs/metrics.md` lists, and that it is one trace.

mod canaries;
mod every_input;
mod figures;
mod outside;
mod room;

use std::{collections::BTreeSet, fs, io::Write, path::Path, time::Duration};

use alcove_tests::desk::{Desk, FORCE, phone};
use api::{
    evidence::v1::{PlaceHoldRequest, evidence_service_client::EvidenceServiceClient},
    intake::v1::call_update::Kind,
};
use futures::StreamExt;
use serde_json::Value;
use testkit::{SeenSpan, phone::Phone};

use self::{canaries::Canaries, outside::told_up_to_the_seal, room::Room};
use crate::telemetry::{absent, assert_listed};

const OFFICER: &str = "pc-okafor";
/// Rang from here, and is sent a link there.
const RANG: &str = "+447700900771";
/// In every field of every request.
const SWEPT: &str = "quibble swept";
/// In place of every id.
const NO_ID: &str = "quibble no-id";
/// What the gateway of text messages and we know.
const GATEWAY: &str = "thistledown gateway key";

/// What is said, written and typed. One a place, so that whoever finds one knows where it came from.
const WORDS: [&str; 38] = [
    RANG,
    SWEPT,
    NO_ID,
    GATEWAY,
    "quibble whereabouts",
    "quibble threat",
    "quibble harm",
    "quibble risk",
    "quibble witness",
    "quibble frailty",
    "quibble willing",
    "quibble teapot",
    "quibble triaged",
    "quibble agreed",
    "quibble handler",
    "quibble declined",
    "quibble account",
    "quibble paused",
    "quibble chatted",
    "quibble answered",
    "Quibblegiven",
    "Quibblefamily",
    "9 Quibble Mews",
    "BQ9 9QB",
    "quibble@example.org",
    "quibble needs",
    "quibble never",
    "Quibblechild",
    "Quibble Infants",
    "quibble referred",
    "quibble said",
    "quibble held",
    "quibble incident",
    "Quibble Caller",
    "quibble upstairs",
    "quibble details",
    "quibble adviser",
    "quibble rehoused",
];

/// Every message that the bus has: subject, headers, body.
async fn events(desk: &Desk) -> Vec<Vec<u8>> {
    let jetstream = desk.stack.nats.jetstream().await.unwrap();
    let names: Vec<String> = jetstream.stream_names().map(|name| name.unwrap()).collect().await;
    assert!(names.len() >= 5, "{names:?}");
    let mut events = Vec::new();
    for name in names {
        let mut stream = jetstream.get_stream(&name).await.unwrap();
        let state = stream.info().await.unwrap().state.clone();
        for sequence in state.first_sequence..=state.last_sequence {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            let head = format!("{} {:?} ", message.subject, message.headers);
            events.push([head.as_bytes(), &message.payload].concat());
        }
    }
    events
}

/// Every file in a folder and those below it.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push((path.display().to_string(), fs::read(&path).unwrap_or_default())),
        }
    }
    all
}

/// What of these is found where.
fn found(canaries: &Canaries, texts: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<String> {
    let within = |(place, text): (String, Vec<u8>)| {
        let lines = text.split(|byte| *byte == b'\n').filter_map(|line| {
            let words = canaries.within(line);
            let shown = String::from_utf8_lossy(&line[..line.len().min(600)]).into_owned();
            (!words.is_empty()).then(|| format!("{place}: {words:?} in {shown}"))
        });
        lines.collect::<Vec<_>>()
    };
    texts.into_iter().flat_map(within).collect()
}

/// From the control room's first word on, over the bus and past the queue: one trace, linked to those who moved it on.
fn assert_one_trace(spans: &[SeenSpan]) -> String {
    let opened = spans.iter().find(|span| span.name == "alcove.intake.v1.IntakeService/OpenCall").unwrap();
    let of_call: Vec<_> = spans.iter().filter(|span| span.trace_id == opened.trace_id).collect();
    let services: BTreeSet<_> = of_call.iter().map(|span| span.service.as_str()).collect();
    let through = ["call-transfer", "evidence-store", "intake", "referral", "video-session"];
    assert!(through.iter().all(|service| services.contains(service)), "{services:?}");
    for name in ["transfer/call_accepted", "session/session_ended", "evidence/exhibit_sealed", "accept_offer"] {
        assert!(of_call.iter().any(|span| span.name == name), "nothing of {name}");
    }
    let accepted = of_call.iter().find(|span| span.name == "accept_offer").unwrap();
    assert!(accepted.linked_traces.iter().any(|trace| *trace != opened.trace_id), "{accepted:?}");
    opened.trace_id.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_leaves_by_a_side_door() {
    let mut room = Room::open().await;
    let mut canaries = Canaries::of(&WORDS);
    let mut told_by_mait = room.listens_to_mait().await;
    let call_id = room.handed_over("7701").await;
    let mut said = room.sent_by_mait("7701").await;
    let mut watch = room.desk.control_room.watch(&call_id, 0).await.unwrap();
    let officer = room.accepted(&call_id).await;
    let joined = officer.join(&call_id).await.unwrap();
    canaries.add(&joined.token);
    said.extend([joined.whip_url.clone(), joined.whep_url.clone(), joined.events_url.clone()]);
    let mut desk_phone = phone(joined);
    desk_phone.publish().await.unwrap();

    // A link that is sent, and then a code instead.
    officer.text(&call_id, "").await.unwrap();
    let message = room.messages.recv().await.unwrap();
    canaries.add(message.split_once('#').unwrap().1.split_whitespace().next().unwrap());
    let code = officer.invite(&call_id).await.unwrap().code;
    canaries.add(&code);
    let pass = testkit::phone::join(&room.desk.stack.caller_page(), &code).await.unwrap();
    canaries.add(&pass.token);
    said.extend([pass.whip_url.clone(), pass.whep_url.clone(), pass.events_url.clone()]);
    let mut caller = Phone::new(pass);
    caller.publish().await.unwrap();
    watch.until(|kind| matches!(kind, Kind::CallerJoined(_))).await.unwrap();

    room.written(&caller, &officer, &call_id).await;
    watch.until(|kind| matches!(kind, Kind::Duress(_))).await.unwrap();
    let fast_track = room.worked_on(&call_id).await;
    watch.until(|kind| matches!(kind, Kind::FastTrack(_))).await.unwrap();
    room.taken_on(&call_id, fast_track).await;
    // Another waits meanwhile.
    room.desk.control_room.hand_over("7702").await.unwrap();
    room.referred(&call_id).await;
    let link = room.link().await;
    canaries.add(&link);
    said.extend(room.answered_by_link(&link).await);
    figures::of_a_call_and_one_that_waits(&room.sink).await;
    officer.end(&call_id).await.unwrap();
    watch.until(|kind| matches!(kind, Kind::Sealed(_))).await.unwrap();
    let exhibit = alcove_tests::package::exhibit_of(room.way("evidence-store"), FORCE, &call_id).await.unwrap();
    let holding = PlaceHoldRequest {
        request_id: room.request_id(),
        force_id: FORCE.into(),
        exhibit_id: exhibit.exhibit_id,
        who: OFFICER.into(),
        reason: "quibble held".into(),
    };
    EvidenceServiceClient::new(room.way("evidence-store")).place_hold(holding).await.unwrap();
    drop((caller, desk_phone));
    said.extend(room.swept().await);
    assert!(said.len() > 100, "the sweep was refused {} times only", said.len());

    // Metrics and trace.
    let seen = room.sink.wait_for_metrics(Duration::from_secs(20), |seen| absent(seen).is_empty()).await;
    let seen = seen.unwrap_or_else(|_| panic!("never exported: {:?}", absent(&room.sink.metrics())));
    assert_listed(&seen);
    figures::of_an_empty_spool(&room.sink).await;
    told_up_to_the_seal(&mut told_by_mait).await;
    let is_sealed = |spans: &[SeenSpan]| spans.iter().any(|span| span.name == "evidence/exhibit_sealed");
    room.sink.wait_for(Duration::from_secs(20), is_sealed).await.unwrap();
    let events = events(&room.desk).await;
    let Room { desk, sink, logs, .. } = room;
    desk.stack.stop().await.unwrap();
    let trace = assert_one_trace(&sink.spans());

    // Each of the places is what it should be: the call, by its id, is in it. A service's temporary files lie beside its log.
    let written = files(logs.path());
    let events = events.into_iter().map(|event| ("an event".to_owned(), event));
    let events: Vec<_> = events.collect();
    let exported: Vec<_> = sink.words().into_iter().map(|word| ("telemetry".to_owned(), word.into_bytes())).collect();
    let said: Vec<_> = said.into_iter().map(|text| ("an answer".to_owned(), text.into_bytes())).collect();
    for (place, texts, sign) in [
        ("logs", &written, &*call_id),
        ("events", &events, &*call_id),
        ("telemetry", &exported, "alcove.intake.v1.IntakeService/OpenCall"),
    ] {
        assert!(!found(&Canaries::of(&[sign]), texts.clone()).is_empty(), "nothing of the call is in the {place}");
    }
    for (path, text) in written.iter().filter(|(path, _)| path.ends_with("intake.log")) {
        let lines = || text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let lines: Vec<Value> = lines().map(|line| serde_json::from_slice(line).unwrap()).collect();
        assert!(lines.iter().any(|line| line["trace_id"] == *trace), "{path} names no trace");
    }

    let everything = [written, events, exported, said].concat();
    assert_eq!(found(&canaries, everything), Vec::<String>::new());

    // And it would have been seen, whichever way it had come in.
    let mut log = fs::File::options().append(true).open(logs.path().join("intake.log")).unwrap();
    let followed = format!("GET /r/{link}");
    let planted = ["rang from 07700 900771", "caller: quibble details", "by Quibble+Adviser", followed.as_str()];
    planted.iter().for_each(|line| writeln!(log, "{line}").unwrap());
    assert_eq!(found(&canaries, files(logs.path())).len(), planted.len());
}
