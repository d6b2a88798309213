//! WHIP (RFC 9725) and WHEP (draft 03) as their texts have them, over HTTP, with offers that are really answered.

use crate::media_support::chromium;
use crate::rig;
use crate::rig::Rig;
use futures::StreamExt;
use reqwest::{Method, Response};
use testkit::until;

const SDP: (&str, &str) = ("content-type", "application/sdp");
const FRAGMENT: (&str, &str) = ("content-type", "application/trickle-ice-sdpfrag");
const CANDIDATE: &str = "a=ice-ufrag:chr0\r\na=ice-pwd:dmQCqG5fvihJPqAbIJYWAdir\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
    a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 4444 typ host\r\na=end-of-candidates\r\n";

/// Somebody in a call, and how they ask.
struct Asker<'a> {
    rig: &'a Rig,
    token: String,
}

impl Asker<'_> {
    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let request = self.rig.http.request(method, format!("{}{path}", self.rig.base)).body(body.to_owned());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.bearer_auth(&self.token).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> u16 {
        self.ask(Method::GET, path, &[], "").await.status().as_u16()
    }

    /// A PATCH with this If-Match: the status, and whether there was a tag or a body.
    async fn patch(&self, path: &str, if_match: Option<&str>, body: &str) -> (u16, bool, String) {
        let mut headers = vec![FRAGMENT];
        headers.extend(if_match.map(|value| ("if-match", value)));
        let answer = self.ask(Method::PATCH, path, &headers, body).await;
        (answer.status().as_u16(), answer.headers().contains_key("etag"), answer.text().await.unwrap())
    }

    /// Offers, and is answered: the location, the tag, the answer.
    async fn post(&self, path: &str, offer: String) -> (String, String, String) {
        let answer = self.ask(Method::POST, path, &[SDP], &offer).await;
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.headers()["content-type"], "application/sdp");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let (location, etag) = (header("location"), header("etag"));
        (location, etag, answer.text().await.unwrap())
    }
}

async fn reason(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: serde_json::Value = answer.json().await.unwrap();
    (status, body["reason"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_session_is_made_found_patched_and_deleted() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let joined = rig.join(call).await;
    let (me, officer) = (joined.participant_id, Asker { rig: &rig, token: joined.token });
    let stranger = Asker { rig: &rig, token: "nobody".to_owned() };
    let own = format!("/whep/{me}");
    for endpoint in ["/whip", own.as_str()] {
        assert_eq!(officer.get(endpoint).await, 204, "section 4.1: a GET is welcome");
        assert_eq!(stranger.get(endpoint).await, 401);
    }
    for unknown in ["/whip/00000000000000000000000000000001", "/whep/nobody", "/whip/nothing"] {
        assert_eq!(officer.get(unknown).await, 404, "{unknown}");
    }
    let (location, etag, answer) = officer.post("/whip", chromium()).await;
    assert_eq!(officer.get(&location).await, 204);
    assert_eq!(stranger.get(&location).await, 401);
    assert_eq!(answer.matches("a=rtcp-mux-only\r\n").count(), 2, "section 4.4.1: in each bundled section");
    assert_eq!(answer.matches("a=end-of-candidates\r\n").count(), 1, "section 4.3.2: the full list");
    assert_eq!(answer.matches("a=candidate:").count(), 2, "UDP and TCP, and RTCP has none of its own: {answer}");

    let code = rig.invite(call).await.unwrap().code;
    let caller = testkit::phone::join(&rig.base, &code).await.unwrap();
    let other = Asker { rig: &rig, token: caller.token };
    assert_eq!(other.get(&location).await, 404, "it is its owner's only");

    let weak = format!("W/{etag}");
    let listed = format!("\"another\", {etag}");
    for (if_match, body, wanted) in [
        (None, CANDIDATE, 428),
        (Some("\"another\""), CANDIDATE, 412),
        (Some("\"another\", \"one more\""), CANDIDATE, 412),
        (Some(weak.as_str()), CANDIDATE, 412),
        (Some("another"), CANDIDATE, 412),
        (Some(etag.as_str()), CANDIDATE, 204),
        (Some(listed.as_str()), CANDIDATE, 204),
        (Some("*"), CANDIDATE, 204),
        (Some(etag.as_str()), "a=candidate:1 1 udp 1 x.local 4444 typ host\r\n", 204),
        (Some(etag.as_str()), "", 400),
        (Some(etag.as_str()), "not a fragment", 400),
    ] {
        let (status, tagged, text) = officer.patch(&location, if_match, body).await;
        assert_eq!(status, wanted, "{if_match:?} {body:?}: {text}");
        assert!(!tagged, "section 4.3.2: no ETag without a restart");
        assert_eq!(text.is_empty(), status == 204);
    }
    let untyped = officer.ask(Method::PATCH, &location, &[SDP, ("if-match", "*")], CANDIDATE).await;
    assert_eq!(reason(untyped).await, (415, "WRONG_TYPE".to_owned()));

    // Section 4.3.1: an entity-tag means nothing to a DELETE.
    let delete = async || officer.ask(Method::DELETE, &location, &[("if-match", "\"another\"")], "").await;
    assert_eq!(delete().await.status(), 200);
    assert_eq!(reason(delete().await).await, (404, "UNKNOWN_RESOURCE".to_owned()));
    assert_eq!(officer.patch(&location, Some("*"), CANDIDATE).await.0, 404);
}

#[tokio::test]
async fn a_restart_is_another_ice_session_of_the_same_resource() {
    let rig = Rig::alone().await;
    let officer = Asker { token: rig.join(rig.accepted(true).await).await.token, rig: &rig };
    let (location, first, answer) = officer.post("/whip", chromium()).await;
    let second = CANDIDATE.replace("chr0", "chr1").replace("dmQCqG5fvihJPqAbIJYWAdir", "kLd72NsGvHw0PqTfE5mZcR9x");
    for bad in [second.replace("a=ice-pwd:", "a=nothing:"), second.replace("kLd72NsGvHw0PqTfE5mZcR9x", "short")] {
        assert_eq!(officer.patch(&location, Some("*"), &bad).await.0, 400, "{bad}");
    }
    assert_eq!(officer.patch(&location, Some("\"another\""), &second).await.0, 412);
    // Section 4.3.3: what can't be done leaves the session as it was.
    assert_eq!(officer.patch(&location, Some(&first), CANDIDATE).await.0, 204);

    let headers = [FRAGMENT, ("if-match", "*")];
    let restarted = officer.ask(Method::PATCH, &location, &headers, &second).await;
    assert_eq!(restarted.status(), 200);
    assert_eq!(restarted.headers()["content-type"], FRAGMENT.1);
    let etag = restarted.headers()["etag"].to_str().unwrap().to_owned();
    assert!(etag != first && etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    let body = restarted.text().await.unwrap();
    let of = |text: &str, name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    for changed in ["a=ice-ufrag:", "a=ice-pwd:"] {
        assert_ne!(of(&body, changed), of(&answer, changed));
    }
    for same in ["a=group:", "m=", "a=mid:", "a=candidate:"] {
        assert_eq!(of(&body, same), of(&answer, same), "{body}");
    }
    assert!(body.contains("a=end-of-candidates") && !body.contains("a=fingerprint"), "{body}");

    assert_eq!(officer.patch(&location, Some(&first), &second).await.0, 412, "the old session is over");
    assert_eq!(officer.patch(&location, Some(&etag), &second).await.0, 204, "these are the new one's candidates");
}

#[tokio::test]
async fn methods_that_are_not_served_are_told_which_are() {
    let rig = Rig::alone().await;
    let officer = Asker { token: rig.join(rig.accepted(true).await).await.token, rig: &rig };
    let someone = "/whep/01900000-0000-7000-8000-000000000001";
    let session = "/whip/00000000000000000000000000000001";
    for (method, path, allowed) in [
        (Method::PUT, "/whip", "GET,HEAD,POST"),
        (Method::DELETE, "/whip", "GET,HEAD,POST"),
        (Method::PATCH, someone, "GET,HEAD,POST"),
        (Method::POST, session, "DELETE,GET,HEAD,PATCH"),
        (Method::GET, "/leave", "POST"),
        (Method::GET, "/join", "POST"),
    ] {
        let answer = officer.ask(method.clone(), path, &[], "").await;
        let mut allow: Vec<_> = answer.headers()["allow"].to_str().unwrap().split(',').map(str::to_owned).collect();
        allow.sort();
        assert_eq!(allow.join(","), allowed, "{method} {path}");
        assert_eq!(reason(answer).await, (405, "METHOD_NOT_ALLOWED".to_owned()));
    }
}

#[tokio::test]
async fn half_a_call_is_refused_and_silence_is_for_now() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let joined = rig.join(call).await;
    let (me, officer) = (joined.participant_id, Asker { rig: &rig, token: joined.token });
    let deaf = chromium().replace("opus/48000/2", "speex/48000/2");
    let blind = chromium().replace("VP8/90000", "VP9/90000").replace("H264/90000", "H265/90000");
    for offer in [deaf.as_str(), blind.as_str()] {
        let answer = officer.ask(Method::POST, "/whip", &[SDP], offer).await;
        assert_eq!(
            reason(answer).await,
            (422, "NO_COMMON_CODEC".to_owned()),
            "section 4.4.3, not 406: no counter-offer"
        );
    }
    let viewer = chromium().replace("a=sendonly", "a=recvonly");
    let early = officer.ask(Method::POST, &format!("/whep/{me}"), &[SDP], &viewer).await;
    assert_eq!(early.headers()["retry-after"], "1");
    assert_eq!(reason(early).await, (409, "NOTHING_TO_WATCH".to_owned()));
    let stranger = "/whep/01900000-0000-7000-8000-000000000001";
    let never = officer.ask(Method::POST, stranger, &[SDP], &viewer).await;
    assert!(!never.headers().contains_key("retry-after"), "waiting won't help");
    assert_eq!(reason(never).await, (404, "UNKNOWN_PARTICIPANT".to_owned()));

    // None of them has left anything behind: now it is answered, watched, and deaf viewers are told as well.
    officer.post("/whip", chromium()).await;
    let (location, _, answer) = officer.post(&format!("/whep/{me}"), viewer.clone()).await;
    assert_eq!(officer.get(&location).await, 204);
    let streams: std::collections::BTreeSet<_> =
        answer.lines().filter_map(|line| line.strip_prefix("a=msid:")?.split(' ').next()).collect();
    assert_eq!(streams.len(), 1, "section 4.4.2: one stream: {answer}");
    let (anew, ..) = officer.post(&format!("/whep/{me}"), viewer.clone()).await;
    until("the end of the first", async || officer.get(&location).await == 404).await;
    assert_eq!(officer.get(&anew).await, 204, "nobody is shown anybody twice");
    let deaf = viewer.replace("opus/48000/2", "speex/48000/2");
    let deaf = officer.ask(Method::POST, &format!("/whep/{me}"), &[SDP], &deaf).await;
    assert_eq!(reason(deaf).await.0, 422);
}

#[tokio::test]
async fn turn_servers_come_with_credentials_of_ones_own() {
    let settings = [
        ("turn__urls", "turns:turn.test:443?transport=tcp,stun:turn.test".to_owned()),
        ("turn__secret", "north wind".to_owned()),
    ];
    let rig = Rig::start(rig::Time::Manual, &settings).await;
    let call = rig.accepted(true).await;
    let joined = rig.join(call).await;
    let [turn, stun] = &joined.ice_servers[..] else { panic!("two servers") };
    let until = rig.clock.now().timestamp() + 3600;
    assert_eq!(turn.url, "turns:turn.test:443?transport=tcp");
    assert_eq!(turn.username, format!("{until}:{}", joined.participant_id));
    assert_eq!((stun.url.as_str(), stun.credential.as_str()), ("stun:turn.test", ""));
    let credential = turn.credential.clone();
    let officer = Asker { rig: &rig, token: joined.token };
    let answer = officer.ask(Method::POST, "/whip", &[SDP], &chromium()).await;
    let links: Vec<_> = answer.headers().get_all("link").iter().map(|link| link.to_str().unwrap().to_owned()).collect();
    assert_eq!(links.len(), 2, "section 4.6: {links:?}");
    let wanted = format!(
        "<turns:turn.test:443?transport=tcp>; rel=\"ice-server\"; username=\"{until}:{}\"; credential=\"{credential}\"",
        joined.participant_id
    );
    assert!(links[0].starts_with(&wanted), "{links:?}");
    assert_eq!(links[1], "<stun:turn.test>; rel=\"ice-server\"");
    let origin = [("origin", "http://127.0.0.1:7306"), ("access-control-request-method", "POST")];
    let preflight = officer.ask(Method::OPTIONS, "/whip", &origin, "").await;
    assert!(!preflight.headers().contains_key("link"), "section 4.6: not to whoever asks");

    let code = rig.invite(call).await.unwrap().code;
    let (status, caller) = rig.type_code(&code).await;
    assert_eq!(status, 200);
    let [turn, stun] = caller["ice_servers"].as_array().unwrap().as_slice() else { panic!("{caller}") };
    assert_eq!(turn["urls"], "turns:turn.test:443?transport=tcp");
    assert_eq!(turn["username"], format!("{until}:{}", caller["participant_id"].as_str().unwrap()));
    assert_eq!(stun.as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_may_ask_faster_than_a_page_would() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let officer = Asker { token: rig.join(call).await.token, rig: &rig };
    let unknown = "/whip/00000000000000000000000000000001";
    for _ in 0..60 {
        assert_eq!(officer.ask(Method::DELETE, unknown, &[], "").await.status(), 404);
    }
    for (method, path) in [(Method::DELETE, unknown), (Method::PATCH, unknown), (Method::POST, "/whip")] {
        let answer = officer.ask(method, path, &[SDP], "v=0").await;
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(reason(answer).await, (429, "TOO_MANY_REQUESTS".to_owned()));
    }
    assert_eq!(officer.get("/whip").await, 204, "looking changes nothing");
    rig.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(officer.ask(Method::DELETE, unknown, &[], "").await.status(), 404);
    // Looking costs a look into the database, too: after so many there is none.
    let looked = futures::stream::iter(0..300).then(|_| officer.get("/whip"));
    assert!(looked.any(|status| async move { status == 429 }).await);
    assert_eq!(officer.ask(Method::POST, "/chat", &[], "").await.status(), 429);
    assert_eq!(officer.ask(Method::POST, "/leave", &[], "").await.status(), 204, "one may always leave");
}
