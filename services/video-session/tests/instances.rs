//! Several instances: a session has one owner, whoever is asked leads there, and when it dies the call goes on with another.

use crate::rig;
use std::{collections::BTreeMap, time::Duration};

use crate::rig::{
    FORCE, OFFICER, PATIENCE,
    chat::next_line,
    evidence::{declared, spooled},
    pass,
    several::Several,
};
use api::session::v1::{ChapterKind, RecordingAction, RecordingState, WatchSessionRequest, send_chat_request::What};
use reqwest::{Method, header};
use testkit::until;

/// What is asked about a session, and where.
const ROUTES: [(Method, &str); 14] = [
    (Method::GET, "/whip"),
    (Method::POST, "/whip"),
    (Method::PATCH, "/whip/{resource}"),
    (Method::DELETE, "/whip/{resource}"),
    (Method::POST, "/whep/{participant}"),
    (Method::GET, "/whep/{participant}/{resource}"),
    (Method::PATCH, "/whep/{participant}/{resource}"),
    (Method::DELETE, "/whep/{participant}/{resource}"),
    (Method::GET, "/events"),
    (Method::POST, "/state"),
    (Method::POST, "/photo"),
    (Method::POST, "/chat"),
    (Method::POST, "/tap"),
    (Method::POST, "/away"),
];
/// Its token is worth nothing afterwards: asked last.
const LEAVE: &str = "/leave";
/// What anybody can answer, or what names its session in another way (asked about below).
const NOT_BY_TOKEN: [&str; 3] = ["/", "/join", "/rejoin"];

#[test]
fn every_route_is_known_here() {
    let source = include_str!("../src/web.rs");
    let routes: Vec<&str> = source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.len() > 10, "{routes:?}");
    for route in routes {
        let is_known =
            route == LEAVE || NOT_BY_TOKEN.contains(&route) || ROUTES.iter().any(|(_, known)| *known == route);
        assert!(is_known, "{route}: does it lead to the session's owner?");
    }
}

#[tokio::test]
async fn whoever_is_asked_leads_to_the_owner() {
    let all = Several::start(&[]).await;
    let call = all.rig.accepted(true).await;
    let officer = pass(all.rig.join(call).await);
    let code = all.rig.invite(call).await.unwrap().code;
    let taken = all.ask(&all.a, Method::GET, "/events", &officer.token).send().await.unwrap();
    assert_eq!(taken.status(), 200);
    assert_eq!(all.owner(call).await, (Some("a".to_owned()), 1));

    let location = |answer: &reqwest::Response| answer.headers()[header::LOCATION].to_str().unwrap().to_owned();
    for (method, route) in ROUTES {
        let path = route.replace("{resource}", &"0".repeat(32)).replace("{participant}", &officer.participant_id);
        let led = all.ask(&all.b, method.clone(), &path, &officer.token).header("origin", "http://127.0.0.1:7306");
        let led = led.send().await.unwrap();
        assert_eq!((led.status().as_u16(), location(&led)), (307, format!("/i/a{path}")), "{method} {path}");
        let may_follow = led.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap());
        let is_pages_own = ["/photo", "/chat", "/tap", "/away"].contains(&route);
        assert_eq!(may_follow, (!is_pages_own).then_some("http://127.0.0.1:7306"), "a console may follow: {path}");
        let there = all.ask(&all.a, method.clone(), &location(&led), &officer.token).send().await.unwrap();
        assert!(![307, 401, 405].contains(&there.status().as_u16()), "{method} {path}: {there:?}");
    }
    // A browser asks first, without a token: it is told so by whoever gets it, under whichever name.
    for service in [&all.a, &all.b] {
        for path in ["/i/a/whip", "/i/b/whip", "/i/a/events", "/i/b/events"] {
            let asked = all.http.request(Method::OPTIONS, format!("{}{path}", service.url("http")));
            let asked = asked.header("origin", "http://127.0.0.1:7306").header("access-control-request-method", "POST");
            let told = asked.header("access-control-request-headers", "authorization").send().await.unwrap();
            assert_eq!(told.status(), 200, "{path}");
            assert_eq!(told.headers()["access-control-allow-origin"], "http://127.0.0.1:7306", "{path}");
            assert!(
                told.headers()["access-control-allow-headers"].to_str().unwrap().contains("authorization"),
                "{path}"
            );
        }
    }
    let stranger = all.ask(&all.b, Method::POST, "/whip", "nobody").send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    // The name in a path is the ingress' affair: whoever gets it answers as without.
    let misled = all.ask(&all.a, Method::GET, "/i/b/events", &officer.token).send().await.unwrap();
    assert_eq!(misled.status(), 200);

    let typed = |to: String| all.http.post(to).json(&serde_json::json!({ "code": code })).send();
    let led = typed(format!("{}/join", all.b.url("http"))).await.unwrap();
    assert_eq!((led.status().as_u16(), location(&led)), (307, "/i/a/join".to_owned()));
    let joined = typed(format!("{}{}", all.front.url(), location(&led))).await.unwrap();
    assert_eq!(joined.status(), 200, "it was not used up on the way");
    let cookie = joined.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let back = |to: String| all.http.post(to).header("cookie", &cookie).header("origin", all.front.url()).send();
    let led = back(format!("{}/rejoin", all.b.url("http"))).await.unwrap();
    assert_eq!((led.status().as_u16(), location(&led)), (307, "/i/a/rejoin".to_owned()));
    // Only the owner knows whether another page has the call.
    let opened = all.http.delete(format!("{}/rejoin", all.b.url("http"))).header("cookie", &cookie);
    let led = opened.header("origin", all.front.url()).send().await.unwrap();
    assert_eq!((led.status().as_u16(), location(&led)), (307, "/i/a/rejoin".to_owned()));
    assert_eq!(back(format!("{}{}", all.front.url(), location(&led))).await.unwrap().status(), 200);
    // Redirects are followed, and the token comes along, whichever of the two is asked first.
    for _ in 0..4 {
        let followed = all.rig.http.get(&officer.events_url).bearer_auth(&officer.token).send().await.unwrap();
        assert_eq!(followed.status(), 200);
    }
    let led = all.ask(&all.b, Method::POST, LEAVE, &officer.token).send().await.unwrap();
    assert_eq!((led.status().as_u16(), location(&led)), (307, "/i/a/leave".to_owned()));
    let left = all.ask(&all.a, Method::POST, &location(&led), &officer.token).send().await.unwrap();
    assert_eq!(left.status(), 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officers_order_is_carried_out_where_the_call_is() {
    let all = Several::start(&[]).await;
    let (call, _officer, _caller) = all.talk().await;
    // The officer's way is to the other one.
    let state = all.rig.order(all.rig.ordering(call, RecordingAction::Pause)).await.unwrap();
    assert_eq!(state, RecordingState::Paused);
    let folder = all.spool("a").join(session_of(&all).await);
    let noted = || std::fs::read_to_string(folder.join("ledger.jsonl")).unwrap();
    until("the word of it where it is recorded", async || noted().contains(r#""what":"paused""#)).await;
    let again = led(all.rig.ordering(call, RecordingAction::Resume));
    let refused = all.rig.desk.clone().set_recording(again).await.unwrap_err();
    assert_eq!(
        (refused.code(), rig::reason(&refused)),
        (tonic::Code::Unavailable, "NOT_OWNER".to_owned()),
        "once is enough"
    );
    let state = all.rig.order(all.rig.ordering(call, RecordingAction::Resume)).await.unwrap();
    assert_eq!(state, RecordingState::On);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_officer_writes_and_marks_is_kept_and_read_where_the_call_is() {
    let all = Several::start(&[]).await;
    let rig = &all.rig;
    let call = rig.accepted(true).await;
    let officer = pass(rig.join(call).await);
    let taken = all.ask(&all.a, Method::GET, "/events", &officer.token).send().await.unwrap();
    assert_eq!((taken.status().as_u16(), all.owner(call).await.0), (200, Some("a".to_owned())));

    // The officer's way is to the other one.
    let mut read = rig.reading(call, OFFICER).await;
    rig.say_to(&rig.saying(call, What::Text("is it safe?".to_owned()))).await.unwrap();
    assert_eq!(next_line(&mut read).await.text, "is it safe?");
    let mark = rig.marking(call, ChapterKind::Account, "");
    assert_eq!(rig.desk.clone().mark_chapter(mark).await.unwrap().into_inner().number, 1);
    let folder = session_of(&all).await;
    let kept = |name: &str, file: &str| std::fs::read_to_string(all.spool(name).join(&folder).join(file));
    assert_eq!(kept("a", "chat.jsonl").unwrap().lines().count(), 1);
    assert_eq!(kept("a", "chapters.jsonl").unwrap().lines().count(), 1);
    assert!(kept("b", "chat.jsonl").is_err() && kept("b", "chapters.jsonl").is_err());

    // Once is enough, for these as well.
    let said = rig.desk.clone().send_chat(led(rig.saying(call, What::Text("twice".to_owned())))).await.unwrap_err();
    let marked = rig.desk.clone().mark_chapter(led(rig.marking(call, ChapterKind::Other, ""))).await.unwrap_err();
    let watching =
        WatchSessionRequest { force_id: FORCE.into(), call_id: call.to_string(), officer_id: OFFICER.into() };
    let watched = rig.desk.clone().watch_session(led(watching)).await.map(|_| ()).unwrap_err();
    assert_eq!([said, marked, watched].map(|refused| rig::reason(&refused)), ["NOT_OWNER"; 3]);
}

/// A request that was passed on before.
fn led<T>(request: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(request);
    request.metadata_mut().insert("x-alcove-led", "1".parse().unwrap());
    request
}

/// What a dead owner's spool holds comes to evidence-store once it is back, and belongs to the same call.
async fn killed(is_back_before_the_end: bool) {
    let mut all = Several::start(&[("rules__drain_limit_s", "4".to_owned())]).await;
    let (call, officer, caller) = all.talk().await;
    until("a segment", async || all.evidence.holds(call).await.get("caller-1").is_some_and(|held| *held > 0)).await;
    all.road.cut();
    let held = all.evidence.holds(call).await["caller-1"];
    until("seconds that are owed", async || spooled(&all.spool("a"))["caller-1"] > held + 2).await;
    all.a.kill().await.unwrap();

    officer.sees("guest-2", 30, PATIENCE).await.unwrap();
    caller.sees("host-2", 30, PATIENCE).await.unwrap();
    assert_eq!(all.owner(call).await, (Some("b".to_owned()), 2));
    let kept = spooled(&all.spool("a"));
    let session = all.rig.watched(call, |session| session.state == 3).await;
    assert!(session.participants.iter().all(|one| one.connected), "{session:?}");
    all.road.heal();
    if is_back_before_the_end {
        all.a.restart().await.unwrap();
        all.whole("a", call).await;
    }
    all.rig.end(call).await;
    let ended = declared(&all.rig.ended(call).await);
    let held = all.evidence.holds(call).await;
    assert_eq!(held, ended, "nothing is declared that isn't there");
    assert!(["caller-2", "officer-2"].iter().all(|track| ended[*track] > 0), "{ended:?}");
    until("the phones' hearing of it", async || officer.is_over() && caller.is_over()).await;
    if is_back_before_the_end {
        let parts: BTreeMap<_, _> = kept.into_iter().chain(spooled(&all.spool("b"))).collect();
        assert_eq!(ended, parts, "all of both parts");
    } else {
        assert!(ended["caller-1"] < kept["caller-1"], "the rest is on a disk that isn't there");
        all.a.restart().await.unwrap();
        all.whole("a", call).await;
    }
    let folder = all.spool("a").join(session_of(&all).await);
    until("the ledger of its part", async || folder.join("gap-ledger.sent").exists()).await;
    assert!(!folder.join("participants.sent").exists(), "who was there is told by the last owner");
    let folder = all.spool("b").join(folder.file_name().unwrap());
    until("the last part's documents", async || {
        ["gap-ledger-2.sent", "participants.sent"].iter().all(|document| folder.join(document).exists())
    })
    .await;
}

async fn session_of(all: &Several) -> String {
    let id: uuid::Uuid = sqlx::query_scalar("select session_id from session.sessions")
        .fetch_one(&all.rig.database.pool())
        .await
        .unwrap();
    id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_its_instance_which_delivers_the_rest_before_the_end() {
    killed(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_its_instance_which_delivers_the_rest_after_the_seal() {
    killed(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_was_stopped_finds_itself_fenced() {
    let all = Several::start(&[]).await;
    let (call, officer, caller) = all.talk().await;
    all.a.freeze().unwrap();
    officer.sees("guest-2", 15, PATIENCE).await.unwrap();
    caller.sees("host-2", 15, PATIENCE).await.unwrap();
    all.a.thaw().unwrap();
    // It closes what it still holds, sends it, and says so.
    all.whole("a", call).await;
    assert_eq!(all.owner(call).await, (Some("b".to_owned()), 2));
    let session = all.rig.watched(call, |_| true).await;
    assert!(session.participants.iter().all(|one| one.connected), "its word is worth nothing any more: {session:?}");
    let open: Vec<String> = sqlx::query_scalar(
        "select track from session.presences where track is not null and ended_at is null order by track",
    )
    .fetch_all(&all.rig.database.pool())
    .await
    .unwrap();
    assert_eq!(open, ["caller-2", "officer-2"]);
    officer.sees("guest-2", 45, PATIENCE).await.unwrap();
    all.rig.end(call).await;
    let ended = declared(&all.rig.ended(call).await);
    assert_eq!(ended.keys().collect::<Vec<_>>(), ["caller-1", "caller-2", "officer-1", "officer-2"]);
    assert_eq!(all.evidence.holds(call).await, ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_anything_over_because_postgres_was_away() {
    let mut all = Several::start(&[]).await;
    let (call, officer, _caller) = all.talk().await;
    let token = pass(all.rig.join_as(call, "s.one", api::session::v1::Role::Observer).await.unwrap()).token;
    all.rig.database.stop().await.unwrap();
    // Longer than a lease.
    tokio::time::sleep(Duration::from_secs(2)).await;
    all.rig.database.start().await.unwrap();
    let mut asked = Vec::new();
    let led = async {
        while asked.last() != Some(&307) {
            asked.push(all.ask(&all.b, Method::GET, "/events", &token).send().await.unwrap().status().as_u16());
        }
    };
    let known = tokio::time::timeout(PATIENCE, led).await.is_ok();
    assert!(known, "it knows the owner again: {:?}", asked.last());
    assert!(!asked.contains(&200), "{asked:?}");
    officer.sees("guest-1", 60, PATIENCE).await.unwrap();
    assert_eq!(all.owner(call).await, (Some("a".to_owned()), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_of_the_same_name_ends_the_first() {
    let all = Several::start(&[]).await;
    let (call, officer, _caller) = all.talk().await;
    let second = all.another_a().await;
    until("the first one's end", async || all.a.ended().unwrap().is_some()).await;
    assert!(!all.a.ended().unwrap().unwrap().success());
    all.front.lead("a", second.address("http"));
    officer.sees("guest-2", 15, PATIENCE).await.unwrap();
    assert_eq!(all.owner(call).await.1, 2);
}
