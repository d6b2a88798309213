//! What was written is kept: a crash takes no acknowledged line away; and it is seen nowhere but where it belongs.

use std::collections::BTreeSet;

use crate::rig::{PATIENCE, Rig, Time, chat::Ear};
use crate::stand_in::Moody;
use api::session::v1::{RecordingAction, SendChatRequest, send_chat_request::What};
use futures::StreamExt;
use serde_json::{Value, json};
use sqlx::Connection;
use testkit::{OtlpSink, Service};

/// A service in a process of its own, that logs all it can, with an evidence-store that takes everything.
struct Watched {
    service: Service,
    rig: Rig,
    moody: Moody,
    sink: OtlpSink,
}

impl Watched {
    async fn start() -> Self {
        let (moody, sink) = (Moody::default(), OtlpSink::start().await.unwrap());
        let more = [
            ("evidence__url", moody.serve().await),
            ("telemetry__log", "trace".to_owned()),
            ("telemetry__otlp_endpoint", sink.endpoint()),
        ];
        let (rig, service) = Rig::as_process(&more).await;
        Self { service, rig, moody, sink }
    }
}

/// The transcript, once evidence-store has it.
async fn transcript(moody: &Moody) -> Value {
    let sent = async || moody.0.lock().unwrap().items.get("chat-transcript").map(|(_, bytes)| bytes.clone());
    let bytes = testkit::eventually("the transcript", sent).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_kill_in_mid_chat_loses_nothing_that_was_acknowledged() {
    let Watched { mut service, rig, moody, .. } = Watched::start().await;
    let call = rig.accepted(true).await;
    rig.join(call).await;
    let token = rig.caller(call).await;
    let mut acknowledged = BTreeSet::new();
    {
        let mut writing = futures::stream::iter(0..50)
            .map(|n| {
                let line = json!({ "id": n.to_string(), "text": format!("line {n}") });
                let request = rig.http.post(format!("{}/chat", rig.base)).bearer_auth(&token).json(&line);
                async move { request.send().await.is_ok_and(|answer| answer.status() == 200).then_some(n) }
            })
            .buffer_unordered(4);
        while let Some(written) = writing.next().await {
            acknowledged.extend(written);
            if written.is_some() && acknowledged.len() == 20 {
                // The others are on their way.
                service.kill().await.unwrap();
            }
        }
    }
    assert!((20..50).contains(&acknowledged.len()), "{acknowledged:?}");
    // And the last line was torn.
    let session = std::fs::read_dir(rig.dir.path().join("spool")).unwrap().next().unwrap().unwrap().path();
    let torn = std::fs::OpenOptions::new().append(true).open(session.join("chat.jsonl"));
    std::io::Write::write_all(&mut torn.unwrap(), br#"{"at":"2026"#).unwrap();

    service.restart().await.unwrap();
    let (grpc, http) = (service.address("grpc").to_owned(), service.address("http").to_owned());
    let Rig { database, nats, dir, clock, .. } = rig;
    let rig = Rig::reach(database, nats, dir, clock, &grpc, &http, None).await;
    let events = format!("{}/events", rig.base);
    let carried = async || {
        let asked = rig.http.get(&events).bearer_auth(&token).send().await;
        asked.is_ok_and(|answer| answer.status() == 200)
    };
    testkit::until("the session to be carried again", carried).await;
    let mut page = Ear::open(&rig, &token).await;
    let unsaid = (0..50).filter(|n| !acknowledged.contains(n)).collect::<Vec<_>>();
    for n in &unsaid {
        // Sent again: kept or not the first time, it is there once.
        let line = json!({ "id": n.to_string(), "text": format!("line {n}") });
        assert_eq!(rig.post(&token, &line).await.status(), 200);
    }
    let (mut heard, mut last) = (BTreeSet::new(), 0);
    while heard.len() < 50 {
        let line = page.next("chat").await;
        let number = line["number"].as_u64().unwrap();
        assert!(number > last && heard.insert(line["text"].as_str().unwrap().to_owned()), "{line}");
        last = number;
    }
    assert_eq!(heard, (0..50).map(|n| format!("line {n}")).collect());
    rig.end(call).await;
    rig.ended(call).await;
    // One transcript of each part: the one before the crash may be over.
    let held = moody.0.lock().unwrap();
    let transcripts = held.items.iter().filter(|(name, _)| name.starts_with("chat-transcript"));
    let transcripts: Vec<Value> = transcripts.map(|(_, (_, bytes))| serde_json::from_slice(bytes).unwrap()).collect();
    let lines: Vec<&Value> = transcripts.iter().flat_map(|one| one["lines"].as_array().unwrap()).collect();
    let said: BTreeSet<_> =
        lines.iter().filter(|line| line["what"] == "text").map(|line| line["text"].to_string()).collect();
    assert_eq!((lines.len(), said.len()), (51, 50), "and what is left of the torn one");
    assert_eq!(lines.iter().filter(|line| line["what"] == "unreadable").count(), 1);
}

#[tokio::test]
async fn what_was_said_is_in_the_transcript_and_nowhere_else() {
    let watched = Watched::start().await;
    let (rig, sink) = (&watched.rig, &watched.sink);
    let call = rig.accepted(true).await;
    rig.join(call).await;
    let token = rig.caller(call).await;
    let (canary, words, refused) = ("kookaburra-7", "Mae angen meddyg arna i", "bellbird-9");
    rig.post(&token, &json!({ "id": "1", "text": canary })).await;
    rig.post(&token, &json!({ "id": "2", "phrase": "doctor", "language": "cy" })).await;
    rig.post(&token, &json!({ "id": "1", "text": refused })).await;
    rig.post(&token, &json!({ "id": "3", "text": "x", "phrase": refused })).await;
    rig.post(&token, &json!({ "id": "4", "text": [refused] })).await;
    let request = rig.saying(call, What::Text(canary.to_owned()));
    rig.say_to(&request).await.unwrap();
    rig.say_to(&SendChatRequest { what: Some(What::Phrase(refused.to_owned())), ..request }).await.unwrap_err();
    rig.end(call).await;
    let transcript = transcript(&watched.moody).await;
    assert_eq!(transcript["format"], "alcove-chat-transcript/1");
    let lines = transcript["lines"].as_array().unwrap();
    assert_eq!((lines.len(), &lines[0]["text"], &lines[0]["role"]), (3, &json!(canary), &json!("caller")));
    let phrase = &lines[1];
    let both = (&phrase["phrase"], &phrase["language"], &phrase["words"], &phrase["english"]);
    assert_eq!(both, (&json!("doctor"), &json!("cy"), &json!(words), &json!("I need a doctor")));
    assert_eq!(lines[2]["role"], "officer");
    rig.ended(call).await;

    let spans = sink.wait_for(PATIENCE, |spans| spans.iter().any(|span| span.name == "announce_end")).await.unwrap();
    assert!(spans.iter().any(|span| span.name == "write"), "writing is in the trace");
    let log = std::fs::read_to_string(watched.service.log_file()).unwrap();
    assert!(log.len() > 10_000, "it logs all it can");
    let events = published(rig).await;
    assert!(events.len() > 100);
    let stored = dump(rig).await;
    assert!(stored.contains(&call.to_string()));
    for (place, text) in
        [("the log", log), ("a span", format!("{spans:?}")), ("an event", events), ("the database", stored)]
    {
        for said in [canary, words, refused, "I need a doctor"] {
            assert!(!text.contains(said), "{said} is in {place}");
        }
    }
}

#[tokio::test]
async fn what_is_written_off_the_record_is_read_and_not_kept() {
    let moody = Moody::default();
    let rig = Rig::start(Time::Manual, &[("evidence__url", moody.serve().await)]).await;
    let call = rig.accepted(true).await;
    let officer = rig.join(call).await;
    let token = rig.caller(call).await;
    let (mut host, mut guest) = (Ear::open(&rig, &officer.token).await, Ear::open(&rig, &token).await);
    for (order, when) in [
        (None, "before"),
        (Some(RecordingAction::Pause), "paused"),
        (Some(RecordingAction::Resume), "again"),
        (Some(RecordingAction::Stop), "withdrawn"),
    ] {
        if let Some(action) = order {
            rig.order(rig.ordering(call, action)).await.unwrap();
        }
        let (asked, answered) = (format!("{when}, the caller"), format!("{when}, the officer"));
        assert_eq!(rig.post(&token, &json!({ "id": when, "text": asked })).await.status(), 200);
        rig.say_to(&rig.saying(call, What::Text(answered.clone()))).await.unwrap();
        for page in [&mut host, &mut guest] {
            let read = [page.next("chat").await, page.next("chat").await];
            assert_eq!(read.map(|line| line["text"].clone()), [asked.as_str(), &answered], "both read both");
        }
    }
    rig.end(call).await;
    let transcript = transcript(&moody).await;
    let kept: Vec<_> =
        transcript["lines"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(kept, ["before, the caller", "before, the officer", "again, the caller", "again, the officer"]);
}

/// Everything that was published, as text.
async fn published(rig: &Rig) -> String {
    let jetstream = rig.nats.jetstream().await.unwrap();
    let stream = jetstream.get_stream("ALCOVE_SESSION").await.unwrap();
    let last = stream.get_info().await.unwrap().state.last_sequence;
    let mut all = String::new();
    for sequence in 1..=last {
        let message = stream.get_raw_message(sequence).await.unwrap();
        all += &format!("{:?} {}", message.headers, String::from_utf8_lossy(&message.payload));
    }
    all
}

/// Every row of every table, as text.
async fn dump(rig: &Rig) -> String {
    let mut connection = sqlx::PgConnection::connect(&testkit::seeing_all(&rig.database.url())).await.unwrap();
    // Bytes in a form that text can be found in.
    sqlx::query("set bytea_output = 'escape'").execute(&mut connection).await.unwrap();
    let tables =
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('session', 'outbox')";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    let mut all = String::new();
    for table in tables {
        let rows = sqlx::AssertSqlSafe(format!("select t::text from {table} t"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut connection).await.unwrap();
        all += &rows.join("\n");
    }
    all
}
