//! A reloaded page is back in the call without a new code; nobody else is.

use crate::rig::Rig;
use ids::CallId;
use reqwest::{Method, Response, header::SET_COOKIE};
use testkit::until;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const NAME: &str = "__Host-back=";

async fn ask(rig: &Rig, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = rig.http.request(method, format!("{}{path}", rig.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// The cookie that an answer sets, with its value alone.
fn cookie(answer: &Response) -> (String, String) {
    let [set] = answer.headers().get_all(SET_COOKIE).iter().collect::<Vec<_>>().try_into().expect("one cookie");
    let set = set.to_str().unwrap();
    (set.to_owned(), set.split(';').next().unwrap().to_owned())
}

async fn token(answer: Response) -> String {
    assert_eq!(answer.status(), 200);
    let body: serde_json::Value = answer.json().await.unwrap();
    body["token"].as_str().unwrap().to_owned()
}

async fn reason(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: serde_json::Value = answer.json().await.unwrap();
    (status, body["reason"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_reload_is_back_without_a_code_and_no_older_page_is() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    rig.join(call).await;
    let code = rig.invite(call).await.unwrap().code;
    let body = serde_json::json!({ "code": code });
    let joined = rig.http.post(format!("{}/join", rig.base)).json(&body).send().await.unwrap();
    let (set, first) = cookie(&joined);
    assert!(
        set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"),
        "of this session only, for nobody else: {set}"
    );
    let first_token = token(joined).await;
    assert_eq!(first, format!("{NAME}{first_token}"));

    let ours = ("origin", rig.base.as_str());
    let back = async |cookie: &str| ask(&rig, Method::POST, "/rejoin", &[("cookie", cookie), ours]).await;
    let unknown = (401, "TOKEN_UNKNOWN".to_owned());
    for headers in [
        vec![ours],
        vec![("cookie", first.as_str())],
        vec![("cookie", first.as_str()), ("origin", "https://evil.test")],
        vec![("cookie", first.as_str()), ours, ("sec-fetch-site", "same-site")],
        vec![("cookie", "__Host-back=nobody"), ours],
    ] {
        assert_eq!(reason(ask(&rig, Method::POST, "/rejoin", &headers).await).await, unknown, "{headers:?}");
    }

    let answer = back(&first).await;
    let (_, second) = cookie(&answer);
    let second_token = token(answer).await;
    assert_ne!(second_token, first_token);
    let may_send = async |token: &str| {
        let bearer = format!("Bearer {token}");
        ask(&rig, Method::GET, "/whip", &[("authorization", bearer.as_str())]).await.status().as_u16()
    };
    assert_eq!((may_send(&first_token).await, may_send(&second_token).await), (401, 204), "the older page is out");
    assert_eq!(token(back(&first).await).await, second_token, "an impatient thumb, or an answer that was lost");
    let third_token = token(back(&second).await).await;
    assert_eq!(may_send(&third_token).await, 204);
    assert_eq!(reason(back(&first).await).await, unknown, "two reloads later");

    // Another phone is let in by a new code: what the first one kept is worth nothing.
    let code = rig.invite(call).await.unwrap().code;
    let (status, _) = rig.type_code(&code).await;
    assert_eq!(status, 200);
    let refused = back(&format!("{NAME}{third_token}")).await;
    assert!(cookie(&refused).0.contains("Max-Age=0"), "it can forget it");
    assert_eq!(reason(refused).await, unknown);
}

/// A page that reads the events, as its cookie and its bearer.
async fn page(rig: &Rig, call: CallId) -> (String, String, Response) {
    let held = rig.caller(call).await;
    let bearer = format!("Bearer {held}");
    let reads = ask(rig, Method::GET, "/events", &[("authorization", &bearer)]).await;
    assert_eq!(reads.status(), 200);
    (format!("{NAME}{held}"), bearer, reads)
}

/// What a page of that browser is answered, reloaded, or told to go on there.
async fn comes_back(rig: &Rig, kept: &str, here: bool) -> Response {
    let asked = rig.http.post(format!("{}/rejoin", rig.base)).header("cookie", kept).header("origin", &rig.base);
    let asked = if here { asked.json(&serde_json::json!({ "here": true })) } else { asked };
    asked.send().await.unwrap()
}

async fn opened(rig: &Rig, kept: &str) -> Response {
    ask(rig, Method::DELETE, "/rejoin", &[("cookie", kept), ("origin", &rig.base)]).await
}

#[tokio::test]
async fn a_second_tab_takes_the_call_from_the_first_only_if_it_is_told_to() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    rig.join(call).await;
    let (kept, bearer, reads) = page(&rig, call).await;
    let refused = comes_back(&rig, &kept, false).await;
    assert_eq!(refused.headers().get(SET_COOKIE), None, "the first one needs it");
    assert_eq!(reason(refused).await, (409, "OPEN_ALREADY".to_owned()));
    let still = ask(&rig, Method::GET, "/whip", &[("authorization", &bearer)]).await;
    assert_eq!(still.status(), 204, "and has the call");
    let second = token(comes_back(&rig, &kept, true).await).await;
    let gone = ask(&rig, Method::GET, "/events", &[("authorization", &bearer)]).await;
    assert_eq!(gone.status(), 401);
    drop(reads);

    // A reload says so before, and is back at once.
    let (kept, bearer) = (format!("{NAME}{second}"), format!("Bearer {second}"));
    let reads = ask(&rig, Method::GET, "/events", &[("authorization", &bearer)]).await;
    assert_eq!(comes_back(&rig, &kept, false).await.status(), 409);
    assert_eq!(ask(&rig, Method::POST, "/away", &[("authorization", &bearer)]).await.status(), 204);
    let third = token(comes_back(&rig, &kept, false).await).await;
    drop(reads);

    // One that crashed says nothing, and its connections end.
    let (kept, bearer) = (format!("{NAME}{third}"), format!("Bearer {third}"));
    drop(ask(&rig, Method::GET, "/events", &[("authorization", &bearer)]).await);
    until("the end of the crashed page", async || comes_back(&rig, &kept, false).await.status() == 200).await;
}

#[tokio::test]
async fn whoever_opens_another_page_is_shown_nothing_and_leaves_the_first_its_call() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    rig.join(call).await;
    let (kept, bearer, reads) = page(&rig, call).await;
    let beside = opened(&rig, &kept).await;
    assert_eq!((beside.status().as_u16(), beside.headers().get(SET_COOKIE)), (204, None));
    for here in [false, true] {
        let refused = comes_back(&rig, &kept, here).await;
        assert_eq!(refused.headers().get(SET_COOKIE), None);
        assert_eq!(reason(refused).await, (409, "NOT_HERE".to_owned()), "reloaded, it learns of no call");
    }
    // The first one reloads.
    assert_eq!(ask(&rig, Method::POST, "/away", &[("authorization", &bearer)]).await.status(), 204);
    let second = token(comes_back(&rig, &kept, false).await).await;
    drop(reads);

    // Opened once more, and then the first one crashes: the call is not to go on in whichever hands these are.
    let (kept, bearer) = (format!("{NAME}{second}"), format!("Bearer {second}"));
    let reads = ask(&rig, Method::GET, "/events", &[("authorization", &bearer)]).await;
    opened(&rig, &kept).await;
    drop(reads);
    until("the end of the crashed page", async || comes_back(&rig, &kept, false).await.status() != 409).await;
    let refused = comes_back(&rig, &kept, false).await;
    assert!(cookie(&refused).0.contains("Max-Age=0"));
    assert_eq!(reason(refused).await, (401, "TOKEN_UNKNOWN".to_owned()));
    // Opened when nobody has the call, it is forgotten at once.
    let (kept, _, reads) = page(&rig, call).await;
    drop(reads);
    until("the end of the crashed page", async || opened(&rig, &kept).await.headers().contains_key(SET_COOKIE)).await;
}

#[tokio::test]
async fn no_other_tab_speaks_of_a_call_that_is_covered() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    rig.join(call).await;
    let (kept, bearer, reads) = page(&rig, call).await;
    // It is so from the tap on, whenever it can be written down.
    let late = "create function session.refuse() returns trigger language plpgsql as $$ begin raise 'a fault'; end $$;
                create trigger refuse before update on session.sessions for each row when (new.tap <> old.tap)
                    execute function session.refuse();";
    sqlx::raw_sql(late).execute(&rig.database.pool()).await.unwrap();
    let tapped = rig.tap(bearer.trim_start_matches("Bearer "), 1, "away").await;
    assert_eq!(tapped.status(), 204);
    for here in [false, true] {
        assert_eq!(reason(comes_back(&rig, &kept, here).await).await, (409, "NOT_HERE".to_owned()));
    }
    // Its own reload finds it covered, as before.
    assert_eq!(ask(&rig, Method::POST, "/away", &[("authorization", &bearer)]).await.status(), 204);
    let back: serde_json::Value = comes_back(&rig, &kept, false).await.json().await.unwrap();
    assert_eq!((&back["covered"], &back["tap"]), (&true.into(), &1.into()));
    drop(reads);
}

#[tokio::test]
async fn a_code_that_is_typed_again_in_another_tab_says_where_the_call_is() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let code = rig.invite(call).await.unwrap().code;
    let (_, joined) = rig.type_code(&code).await;
    let held = joined["token"].as_str().unwrap();
    let (kept, bearer) = (format!("{NAME}{held}"), format!("Bearer {held}"));
    let again = async |kept: &str| {
        let asked = rig.http.post(format!("{}/join", rig.base)).header("cookie", kept).header("origin", &rig.base);
        reason(asked.json(&serde_json::json!({ "code": code })).send().await.unwrap()).await
    };
    let used = (410, "CODE_USED".to_owned());
    assert_eq!(again(&kept).await, used, "nobody has the call");
    let reads = ask(&rig, Method::GET, "/events", &[("authorization", &bearer)]).await;
    opened(&rig, &kept).await;
    assert_eq!(again(&format!("{NAME}nobody")).await, used, "on another phone");
    assert_eq!(again(&kept).await, (409, "OPEN_ALREADY".to_owned()));
    assert_eq!(comes_back(&rig, &kept, true).await.status(), 200, "they know the code");
    drop(reads);
}

#[tokio::test]
async fn an_ended_call_is_over_for_reloads_too_and_leaving_is_for_good() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    rig.join(call).await;
    let code = rig.invite(call).await.unwrap().code;
    let (_, joined) = rig.type_code(&code).await;
    let held = joined["token"].as_str().unwrap();
    let (bearer, kept) = (format!("Bearer {held}"), format!("{NAME}{held}"));

    let away = ask(&rig, Method::POST, "/away", &[("authorization", &bearer)]).await;
    assert_eq!((away.status().as_u16(), away.headers().get(SET_COOKIE)), (204, None), "it may be a reload");
    let left = ask(&rig, Method::POST, "/leave", &[("authorization", &bearer)]).await;
    assert_eq!(left.headers()["clear-site-data"], "\"cookies\"", "anything more leaves more");
    assert!(cookie(&left).0.contains("Max-Age=0"));
    let forgotten = ask(&rig, Method::DELETE, "/rejoin", &[]).await;
    assert_eq!(forgotten.status(), 204);
    assert!(cookie(&forgotten).0.contains("Max-Age=0"));
    let back = async |kept: &str| ask(&rig, Method::POST, "/rejoin", &[("cookie", kept), ("origin", &rig.base)]).await;
    assert_eq!(reason(back(&kept).await).await, (401, "TOKEN_UNKNOWN".to_owned()), "whatever a phone has kept");

    let asked_back = rig.caller(call).await;
    rig.end(call).await;
    let over = back(&format!("{NAME}{asked_back}")).await;
    assert!(cookie(&over).0.contains("Max-Age=0"));
    assert_eq!(reason(over).await, (410, "SESSION_ENDED".to_owned()));
    // The page whose call has ended says so, and its phone forgets.
    let bearer = format!("Bearer {asked_back}");
    let told = ask(&rig, Method::POST, "/leave", &[("authorization", &bearer)]).await;
    assert_eq!((told.status().as_u16(), &told.headers()["clear-site-data"]), (204, &"\"cookies\"".parse().unwrap()));
    assert!(cookie(&told).0.contains("Max-Age=0"));
}

#[tokio::test]
async fn what_a_page_said_before_it_left_does_not_bring_the_cookie_back() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    rig.join(call).await;
    let (stays, leaves) = (said_slowly(&rig, call, false).await, said_slowly(&rig, call, true).await);
    assert!(stays.starts_with("HTTP/1.1 204") && stays.contains(NAME), "{stays}");
    assert!(stays.contains(".heard.unheard;"), "one choice undoes no other: {stays}");
    assert!(leaves.starts_with("HTTP/1.1 204") && !leaves.to_lowercase().contains("set-cookie"), "{leaves}");
}

/// The caller comes, and, with their microphone off, turns their picture off in a request whose end is on its way for a while:
/// perhaps until after they have left. What it is answered.
async fn said_slowly(rig: &Rig, call: CallId, leaves_meanwhile: bool) -> String {
    let token = rig.caller(call).await;
    let body = r#"{"picture":false,"why":"choice"}"#;
    let head = format!(
        "POST /state HTTP/1.1\r\nhost: us\r\nauthorization: Bearer {token}\r\ncookie: {NAME}{token}.unheard\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut line = TcpStream::connect(rig.base.trim_start_matches("http://")).await.unwrap();
    line.write_all(head.as_bytes()).await.unwrap();
    // It is wanted by now: whose it is, is known.
    let mut go_on = [0; 25];
    line.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    if leaves_meanwhile {
        let bearer = format!("Bearer {token}");
        assert_eq!(ask(rig, Method::POST, "/leave", &[("authorization", &bearer)]).await.status(), 204);
    }
    line.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.unwrap();
    answer
}
