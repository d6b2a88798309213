//! The neutral host: what each wrong request is told, and what every answer carries.

use std::time::Duration;

use crate::rig::{PATIENCE, Rig, Time, chat::Ear, evidence::spooled, pass};
use reqwest::{Method, Response};
use serde_json::Value;
use testkit::{road::Road, until};

const ROAD: &str = "127.0.0.4";

async fn ask(rig: &Rig, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let mut request = rig.http.request(method, format!("{}{path}", rig.base)).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn reason(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["status"], status);
    (status, body["reason"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn each_wrong_request_has_its_own_answer() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let officer = rig.join(call).await;
    let token = format!("Bearer {}", officer.token);
    let bearer = ("authorization", token.as_str());
    let sdp = ("content-type", "application/sdp");
    let own = format!("/whep/{}", officer.participant_id);
    let stranger = "/whep/01900000-0000-7000-8000-000000000001";
    let long = "v=0\r\n".repeat(20_000);
    for (method, path, headers, body, wanted) in [
        (Method::POST, "/whip", vec![sdp], "v=0", (401, "TOKEN_UNKNOWN")),
        (Method::POST, "/whip", vec![("authorization", "Bearer nobody"), sdp], "v=0", (401, "TOKEN_UNKNOWN")),
        (Method::POST, "/whip", vec![bearer, ("content-type", "text/plain")], "v=0", (415, "WRONG_TYPE")),
        (Method::POST, "/whip", vec![bearer], "v=0", (415, "WRONG_TYPE")),
        (Method::POST, "/whip", vec![bearer, sdp], "not an offer", (400, "MALFORMED_SDP")),
        (Method::POST, "/whip", vec![bearer, sdp], "v=0\r\nrubbish", (400, "MALFORMED_SDP")),
        (Method::POST, "/whip", vec![bearer, sdp], long.as_str(), (413, "BODY_TOO_LARGE")),
        (Method::PUT, "/whip", vec![bearer], "", (405, "METHOD_NOT_ALLOWED")),
        (Method::DELETE, "/whip/00000000000000000000000000000001", vec![bearer], "", (404, "UNKNOWN_RESOURCE")),
        (Method::DELETE, "/whip/nothing", vec![bearer], "", (404, "UNKNOWN_RESOURCE")),
        (Method::POST, own.as_str(), vec![bearer, sdp], "v=0", (409, "NOTHING_TO_WATCH")),
        (Method::POST, stranger, vec![bearer, sdp], "v=0", (404, "UNKNOWN_PARTICIPANT")),
        (Method::POST, "/whep/nobody", vec![bearer, sdp], "v=0", (404, "UNKNOWN_PARTICIPANT")),
        (Method::GET, "/events", vec![], "", (401, "TOKEN_UNKNOWN")),
        (Method::POST, "/state", vec![bearer], "{\"picture\":\"no\"}", (400, "MALFORMED_BODY")),
        (Method::POST, "/away", vec![], "", (401, "TOKEN_UNKNOWN")),
        (Method::POST, "/leave", vec![], "", (401, "TOKEN_UNKNOWN")),
        (Method::POST, "/join", vec![], "not json", (400, "MALFORMED_BODY")),
        (Method::POST, "/join", vec![], "{\"code\":\"K7QF-2M9X\",\"x\":1}", (400, "MALFORMED_BODY")),
        (Method::POST, "/join", vec![], long.as_str(), (413, "BODY_TOO_LARGE")),
        (Method::POST, "/join", vec![], "{\"code\":\"K7QF-2M9X\"}", (404, "CODE_UNKNOWN")),
        (Method::GET, "/nothing", vec![], "", (404, "NOT_FOUND")),
    ] {
        let answer = ask(&rig, method.clone(), path, &headers, body).await;
        assert_eq!(answer.headers()["cache-control"], "no-store", "{method} {path}");
        assert_eq!(reason(answer).await, (wanted.0, wanted.1.to_owned()), "{method} {path} {headers:?}");
    }
    // None of them has used up a track's name.
    let (officer, caller) = rig.both(call).await;
    let spool = rig.dir.path().join("spool");
    until("a segment of each", async || spooled(&spool).values().filter(|kept| **kept > 0).count() == 2).await;
    rig.end(call).await;
    rig.watched(call, |session| session.end_reason == "OFFICER_ENDED").await;
    // evidence-store is nowhere: past the limit the end is told all the same, with what is owed.
    tokio::time::sleep(Duration::from_millis(500)).await;
    rig.clock.advance(Duration::from_secs(31));
    let over = rig.ended(call).await;
    assert!(over.tracks.iter().all(|track| track.segments > 0), "{over:?}");
    let tracks: Vec<_> = over.tracks.iter().map(|track| track.track.as_str()).collect();
    assert_eq!(tracks, ["caller-1", "officer-1"]);
    let token = format!("Bearer {}", officer.pass().token);
    let after = ask(&rig, Method::POST, "/whip", &[("authorization", token.as_str()), sdp], "v=0").await;
    assert_eq!(reason(after).await, (410, "SESSION_ENDED".to_owned()));
    drop(caller);
}

#[tokio::test]
async fn the_page_is_neutral_and_nothing_of_it_stays() {
    let rig = Rig::alone().await;
    let answer = ask(&rig, Method::GET, "/", &[("accept-language", "ur-PK,en;q=0.5")], "").await;
    // Shown all the same, and kept out of sight.
    assert_eq!(answer.status(), 404);
    let headers = answer.headers().clone();
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(headers[name], value);
    }
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(!policy.contains("script-src 'self'") && !policy.contains("style-src 'self'"), "{policy}");
    for absent in ["server", "set-cookie", "strict-transport-security", "report-to", "nel", "content-encoding"] {
        assert!(!headers.contains_key(absent), "{absent}");
    }
    let text = answer.text().await.unwrap();
    assert!(text.contains("<html lang=\"ur\" dir=\"rtl\">"));
    let lower = text.to_lowercase();
    for absent in ["{{", "police", "alcove", "<script src", "<link rel=\"stylesheet\"", "http://", "history."] {
        assert!(!lower.contains(absent), "{absent}");
    }

    let packed = ask(&rig, Method::GET, "/", &[("accept-language", "ur"), ("accept-encoding", "gzip, br")], "").await;
    assert_eq!((packed.status().as_u16(), &packed.headers()["content-encoding"]), (404, &"gzip".parse().unwrap()));
    let packed = packed.bytes().await.unwrap();
    assert!(packed.len() < 40_000 && packed.len() * 2 < text.len(), "{} of {}", packed.len(), text.len());
    for gone in ["/page.js", "/page.css", "/phrases/en.json"] {
        assert_eq!(reason(ask(&rig, Method::GET, gone, &[], "").await).await, (404, "NOT_FOUND".to_owned()));
    }
    let words = ask(&rig, Method::GET, "/words/so.json", &[], "").await;
    assert_eq!(
        (words.status().as_u16(), &words.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    assert_eq!(words.json::<serde_json::Value>().await.unwrap()["language"], "so");
}

#[tokio::test]
async fn the_pages_status_is_the_forces_choice() {
    let rig = Rig::start(Time::Manual, &[("page__status", "200".to_owned())]).await;
    let answer = ask(&rig, Method::GET, "/", &[], "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().starts_with("<!doctype html>"));
}

#[tokio::test]
async fn only_the_consoles_own_origin_may_use_it_from_elsewhere() {
    let rig = Rig::alone().await;
    for (path, origin, allowed) in [
        ("/whip", "http://127.0.0.1:7306", true),
        ("/whip", "http://evil.test", false),
        ("/events", "http://localhost:7306", true),
        ("/state", "http://127.0.0.1:7306", true),
        ("/words/en.json", "http://127.0.0.1:7306", true),
        ("/join", "http://127.0.0.1:7306", false),
        ("/rejoin", "http://127.0.0.1:7306", false),
        ("/photo", "http://127.0.0.1:7306", false),
        ("/chat", "http://127.0.0.1:7306", false),
        ("/leave", "http://127.0.0.1:7306", false),
        ("/away", "http://127.0.0.1:7306", false),
    ] {
        let is_shared = allowed || origin.contains("evil");
        let simple = ask(&rig, Method::GET, path, &[("origin", origin)], "").await;
        let exposed = simple.headers().get("access-control-expose-headers").map(|value| value.to_str().unwrap());
        assert_eq!(exposed.is_some_and(|names| names.contains("retry-after")), is_shared, "{path}");
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        let answer = ask(&rig, Method::OPTIONS, path, &headers, "").await;
        let seen = answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(seen.as_deref(), allowed.then_some(origin), "{path} {origin}");
        let accepted = answer.headers().get("accept-post").map(|value| value.to_str().unwrap());
        assert_eq!(accepted, (path == "/whip").then_some("application/sdp"), "{path}");
    }
}

#[tokio::test]
async fn wrong_tokens_are_looked_up_one_at_a_time_in_the_end() {
    let rig = Rig::start(Time::Manual, &[("http__behind_proxy", "true".to_owned())]).await;
    let token = rig.join(rig.accepted(true).await).await.token;
    let asked = |from: &str, token: &str| {
        let request = rig.http.get(format!("{}/whip", rig.base)).header("x-forwarded-for", from).bearer_auth(token);
        async { request.send().await.unwrap() }
    };
    let (bad, other, unknown) = ("198.51.100.1", "198.51.100.2", (401, "TOKEN_UNKNOWN".to_owned()));
    for _ in 0..60 {
        assert_eq!(reason(asked(bad, "nobody's").await).await, unknown);
    }
    // The database takes its time.
    let mut busy = rig.database.pool().begin().await.unwrap();
    sqlx::query("lock table session.participants in access exclusive mode").execute(&mut *busy).await.unwrap();
    let looked_up = async |so_many: i64| {
        until("the look into the database", async || {
            let waiting =
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%token_hash%'";
            sqlx::query_scalar::<_, i64>(waiting).fetch_one(&rig.database.pool()).await.unwrap() == so_many
        })
        .await;
    };
    let first = tokio::spawn(asked(bad, "nobody's"));
    looked_up(1).await;
    let behind = tokio::time::timeout(PATIENCE, asked(bad, "nobody's")).await.expect("nobody waits for ever");
    assert_eq!(behind.headers()["retry-after"], "1");
    assert_eq!(reason(behind).await, (429, "TOO_MANY_REQUESTS".to_owned()), "not looked up, as nothing else of theirs");
    let elsewhere = tokio::spawn(asked(other, "nobody's either"));
    looked_up(2).await;
    busy.rollback().await.unwrap();
    for answer in [first, elsewhere] {
        assert_eq!(reason(answer.await.unwrap()).await, unknown);
    }
    assert_eq!(asked(bad, &token).await.status(), 204, "whoever shares the address is slowed down, not shut out");
}

#[tokio::test]
async fn one_publication_a_person_and_the_next_gets_the_next_name() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    let second = testkit::phone::Phone::new(caller.pass().clone()).publish().await.unwrap_err().to_string();
    assert!(second.contains("ALREADY_PUBLISHING"), "{second}");

    // The officer's page was reloaded: it joins anew, and nobody waits for the old one to time out.
    let mut reloaded = testkit::phone::Phone::new(pass(rig.join(call).await));
    reloaded.publish().await.unwrap();
    let old = format!("Bearer {}", officer.pass().token);
    let old = ask(&rig, Method::GET, "/events", &[("authorization", old.as_str())], "").await;
    assert_eq!(reason(old).await, (401, "TOKEN_UNKNOWN".to_owned()));

    let headers = [("authorization", format!("Bearer {}", reloaded.pass().token))];
    let mut events = ask(&rig, Method::GET, "/events", &headers.each_ref().map(|(n, v)| (*n, v.as_str())), "").await;
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let pass = caller.pass().clone();
    caller.hang_up().await.unwrap();
    let mut again = testkit::phone::Phone::new(pass);
    again.publish().await.unwrap();
    let mut heard = String::new();
    let hearing = async {
        while !heard.contains("guest-2") {
            heard += &String::from_utf8_lossy(&events.chunk().await.unwrap().expect("the stream goes on"));
        }
        rig.end(call).await;
        while let Some(more) = events.chunk().await.unwrap() {
            heard += &String::from_utf8_lossy(&more);
        }
    };
    tokio::time::timeout(PATIENCE, hearing).await.expect("the events come");
    assert!(heard.contains(r#""state":"live""#) && heard.contains(r#""state":"ended""#), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_says_while_its_connection_is_lost_is_noted() {
    let settings = [("media__advertise", ROAD.to_owned()), ("media__tcp", "false".to_owned())];
    let rig = Rig::start(Time::Manual, &settings).await;
    let addresses = testkit::listening(&rig.dir.path().join("addresses.json")).await.unwrap();
    let road = Road::open(addresses["udp"].parse().unwrap(), ROAD.parse().unwrap(), 1).await.unwrap();
    let call = rig.accepted(true).await;
    let (_officer, caller) = rig.both(call).await;
    road.cut();
    rig.watched(call, |session| session.participants.iter().all(|one| !one.connected)).await;
    let token = format!("Bearer {}", caller.pass().token);
    let say = async |what: &str| ask(&rig, Method::POST, "/state", &[("authorization", &token)], what).await.status();
    assert_eq!(say(r#"{"picture":false,"why":"signal"}"#).await, 204);
    assert_eq!(say(r#"{"sound":false,"reason":"speaks to the control room"}"#).await, 204);
    assert_eq!(say(r#"{"sound":false,"why":"taken"}"#).await, 204);
    assert_eq!(say(r#"{"sound":false,"why":"stolen"}"#).await, 400);
    assert_eq!(say(&format!(r#"{{"sound":false,"reason":"{}"}}"#, "x".repeat(201))).await, 400);
    assert_eq!(say(r#"{"sound":false,"reason":"two\nlines"}"#).await, 400);
    let ledger = rig.ledger();
    let line = ledger.lines().find(|line| line.contains("turned-off")).expect("heard, and not dropped");
    assert!(line.contains("caller-1") && line.contains("signal"), "{line}");
    let why: Vec<_> = ledger.lines().filter(|line| line.contains("audio") && line.contains("turned-off")).collect();
    let [choice, taken] = why[..] else { panic!("{why:?}") };
    assert!(choice.contains(r#""reason":"speaks to the control room""#), "{choice}");
    assert!(taken.contains(r#""why":"taken""#), "{taken}");
}

#[tokio::test]
async fn that_a_microphone_is_off_by_choice_is_told_until_it_is_on() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    let mut ear = Ear::open(&rig, &officer.pass().token).await;
    let token = format!("Bearer {}", caller.pass().token);
    let is_theirs = |one: &&Value| one["participant_id"] == caller.pass().participant_id.as_str();
    let mut next = async || loop {
        let session = ear.next("session").await;
        if let Some(one) = session["publishing"].as_array().unwrap().iter().find(is_theirs) {
            return one["sound"].as_bool().unwrap();
        }
    };
    let mut heard = vec![next().await];
    for told in [r#"{"sound":false}"#, r#"{"sound":true}"#, r#"{"sound":false,"why":"taken"}"#, r#"{"sound":false}"#] {
        assert_eq!(ask(&rig, Method::POST, "/state", &[("authorization", &token)], told).await.status(), 204);
        let is_on = told != r#"{"sound":false}"#;
        while heard.last() != Some(&is_on) {
            heard.push(next().await);
        }
    }
    heard.dedup();
    assert_eq!(heard, [true, false, true, false]);
}

#[tokio::test]
async fn a_page_that_listens_too_often_loses_its_oldest_ear() {
    let rig = Rig::alone().await;
    let token = format!("Bearer {}", rig.join(rig.accepted(true).await).await.token);
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = ask(&rig, Method::GET, "/events", &[("authorization", token.as_str())], "").await;
        assert!(stream.chunk().await.unwrap().is_some());
        streams.push(stream);
    }
    let mut oldest = streams.remove(0);
    let end = async { while oldest.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(PATIENCE, end).await.expect("the oldest ends");
    for stream in &mut streams {
        let more = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("a sign of life");
        assert!(more.unwrap().is_some(), "the others go on");
    }
}
