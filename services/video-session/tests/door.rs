//! The door: a right code always lets in or leads to where one waits, whatever is guessed; one that is of no use says why; and nobody else
//! learns anything.

use crate::rig;
use std::time::Duration;

use crate::rig::{FORCE, OFFICER, Rig, Time, reason, settings};
use api::session::v1::{Participant, RevokeInvitationRequest, RevokeInvitationResponse, Role, Session, Standing};
use ids::CallId;
use serde_json::{Value, json};
use testkit::{
    Service,
    phone::{Pass, Phone},
};
use tonic::{Response, Status};

/// Behind a proxy, so that a guesser may have any address.
async fn rig(more: &[(&str, String)]) -> Rig {
    let settings: Vec<_> =
        [("http__behind_proxy", "true".to_owned())].into_iter().chain(more.iter().cloned()).collect();
    Rig::start(Time::Manual, &settings).await
}

/// A code typed at that address: the status, and the whole answer.
async fn typed(rig: &Rig, base: &str, from: &str, code: &str) -> (u16, Value) {
    let asked = rig.http.post(format!("{base}/join")).header("x-forwarded-for", from).json(&json!({ "code": code }));
    let answer = asked.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// One that is nobody's, but for a chance of one in 2^40.
const WRONG: &str = "0AAA-AAA0";

/// So many guesses, each from another network.
async fn guess(rig: &Rig, base: &str, so_many: u8) {
    for n in 0..so_many {
        let (status, answer) = typed(rig, base, &format!("203.0.113.{n}"), WRONG).await;
        assert_eq!((status, answer["reason"].as_str()), (404, Some("CODE_UNKNOWN")));
    }
}

/// Where somebody stands with a right code.
async fn stands(rig: &Rig, from: &str, code: &str) -> String {
    let (status, joined) = typed(rig, &rig.base, from, code).await;
    assert_eq!(status, 200, "{joined}");
    joined["standing"].as_str().unwrap().to_owned()
}

async fn code(rig: &Rig, call: CallId) -> String {
    rig.invite(call).await.unwrap().code
}

fn callers(session: &Session) -> Vec<Participant> {
    session.participants.iter().filter(|one| one.role() == Role::Caller).cloned().collect()
}

/// The same code with another last symbol.
fn slip(code: &str) -> String {
    format!("{}{}", &code[..8], if code.ends_with('0') { '1' } else { '0' })
}

fn revoking(rig: &Rig, call: CallId) -> RevokeInvitationRequest {
    RevokeInvitationRequest {
        request_id: rig.request(),
        force_id: FORCE.to_owned(),
        officer_id: OFFICER.to_owned(),
        call_id: call.to_string(),
        ..Default::default()
    }
}

async fn revoke(rig: &Rig, request: &RevokeInvitationRequest) -> Result<RevokeInvitationResponse, Status> {
    rig.desk.clone().revoke_invitation(request.clone()).await.map(Response::into_inner)
}

#[tokio::test]
async fn whatever_is_guessed_a_right_code_lets_in_or_leads_to_where_one_waits() {
    // Nobody comes to this call for longer than a call is usually kept for.
    let rig = rig(&[("rules__never_came_s", "86400".to_owned())]).await;
    let call = rig.accepted(true).await;
    let home = "198.51.100.1";
    assert_eq!(stands(&rig, home, &code(&rig, call).await).await, "in");

    // From everywhere: 20 a minute.
    let within = typed(&rig, &rig.base, home, WRONG).await;
    guess(&rig, &rig.base, 19).await;
    assert_eq!(stands(&rig, home, &code(&rig, call).await).await, "waiting");
    assert_eq!(typed(&rig, &rig.base, home, WRONG).await, within, "a wrong one always looks the same");
    rig.clock.advance(Duration::from_secs(3));
    assert_eq!(stands(&rig, home, &code(&rig, call).await).await, "in");
    assert_eq!(stands(&rig, home, &code(&rig, call).await).await, "in", "a right one uses nothing up");

    // From the same address, which many phones may have.
    rig.clock.advance(Duration::from_secs(3600));
    for _ in 0..10 {
        assert_eq!(typed(&rig, &rig.base, home, WRONG).await, within);
    }
    assert_eq!(stands(&rig, home, &code(&rig, call).await).await, "waiting");
    assert_eq!(stands(&rig, "198.51.100.2", &code(&rig, call).await).await, "in", "others don't notice");
    rig.clock.advance(Duration::from_secs(600));
    assert_eq!(stands(&rig, home, &code(&rig, call).await).await, "in");

    // At this very code.
    rig.clock.advance(Duration::from_secs(3600));
    let tried = code(&rig, call).await;
    for n in 0..4 {
        assert_eq!(typed(&rig, &rig.base, &format!("203.0.113.{n}"), &slip(&tried)).await, within);
    }
    assert_eq!(stands(&rig, home, &tried).await, "in");
    let tried = code(&rig, call).await;
    for n in 0..5 {
        assert_eq!(typed(&rig, &rig.base, &format!("203.0.113.{n}"), &slip(&tried)).await, within);
    }
    assert_eq!(stands(&rig, home, &tried).await, "waiting");
}

#[tokio::test]
async fn a_caller_who_waits_sees_nothing_is_on_the_record_and_is_let_in() {
    let rig = Rig::start(Time::Real, &[("tries__everyone_per_minute", "1".to_owned())]).await;
    let call = rig.accepted(true).await;
    let (officer, before) = rig.both(call).await;
    before.hang_up().await.unwrap();
    rig.watched(call, |session| callers(session).iter().all(|one| !one.connected)).await;
    let code = code(&rig, call).await;
    rig.type_code(WRONG).await;
    let (status, joined) = rig.type_code(&code).await;
    assert_eq!((status, &joined["standing"], &joined["others"]), (200, &"waiting".into(), &json!([])));
    let mut phone = Phone::new(serde_json::from_value::<Pass>(joined).unwrap());

    let session = rig.watched(call, |session| callers(session).len() == 2).await;
    let stand = |session: &Session| callers(session).iter().map(Participant::standing).collect::<Vec<_>>();
    assert_eq!(stand(&session), [Standing::In, Standing::Waiting], "nothing changes for who is there");
    let host = officer.pass().participant_id.clone();
    for refused in [phone.publish().await.unwrap_err(), phone.watch(&host).await.unwrap_err()] {
        assert!(refused.to_string().contains("NOT_ADMITTED"), "{refused}");
    }
    let events = rig.http.get(format!("{}/events", rig.base)).bearer_auth(&phone.pass().token);
    let heard = events.send().await.unwrap().chunk().await.unwrap().unwrap();
    let heard = String::from_utf8_lossy(&heard);
    for nothing in ["\"people\":[]", "\"publishing\":[]", "\"state\":\"invited\"", "\"recording\":\"\""] {
        assert!(heard.contains(nothing), "{nothing}: {heard}");
    }

    rig.admit(call, &phone.pass().participant_id).await.unwrap();
    phone.publish().await.unwrap();
    let session = rig.watched(call, |session| callers(session).iter().any(|one| one.connected)).await;
    assert_eq!(stand(&session), [Standing::Removed, Standing::In], "in the place of the one before");
    phone.watch(&host).await.unwrap();
    phone.wait_for(&host, rig::PATIENCE, |got| got.video_frames > 10).await.unwrap();
}

#[tokio::test]
async fn who_guessed_a_code_is_gone_with_the_next_and_the_caller_is_told() {
    let rig = rig(&[("tries__everyone_per_minute", "1".to_owned())]).await;
    let call = rig.accepted(true).await;
    let first = code(&rig, call).await;
    guess(&rig, &rig.base, 1).await;
    let (_, guessed) = typed(&rig, &rig.base, "203.0.113.9", &first).await;
    let events = async || {
        let asked = rig.http.get(format!("{}/events", rig.base)).bearer_auth(guessed["token"].as_str().unwrap());
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!((guessed["standing"].as_str(), events().await), (Some("waiting"), 200));
    let (status, told) = typed(&rig, &rig.base, "198.51.100.1", &first).await;
    assert_eq!((status, told["reason"].as_str()), (410, Some("CODE_USED")));

    let second = code(&rig, call).await;
    assert_eq!(events().await, 401, "their token is void");
    let refused = rig.admit(call, guessed["participant_id"].as_str().unwrap()).await.err().unwrap();
    assert_eq!(reason(&refused), "PARTICIPANT_REMOVED");
    let (_, joined) = typed(&rig, &rig.base, "198.51.100.1", &second).await;
    rig.admit(call, joined["participant_id"].as_str().unwrap()).await.unwrap();
    let session = rig.watched(call, |_| true).await;
    let stand = |page: &Value| {
        let all = callers(&session);
        all.iter().find(|one| Some(one.participant_id.as_str()) == page["participant_id"].as_str()).unwrap().standing()
    };
    assert_eq!([stand(&guessed), stand(&joined)], [Standing::Removed, Standing::In]);
}

#[tokio::test]
async fn what_is_guessed_at_one_instance_counts_at_all_of_them() {
    let (database, nats) = tokio::join!(testkit::database(), testkit::nats());
    let dir = tempfile::tempdir().unwrap();
    let env = |name: &str| {
        let more = [
            ("instance__name", name.to_owned()),
            ("http__behind_proxy", "true".to_owned()),
            // Two would be a minute apart.
            ("tries__everyone_per_minute", "1".to_owned()),
        ];
        settings(&database, &nats, &dir.path().join(name), &more)
    };
    let (env_a, env_b) = (env("a"), env("b"));
    fn borrowed(env: &[(String, String)]) -> Vec<(&str, &str)> {
        env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
    Service::migrate("video-session", &borrowed(&env_a)).await.unwrap();
    let a = Service::start("video-session", &borrowed(&env_a)).await.unwrap();
    let b = Service::start("video-session", &borrowed(&env_b)).await.unwrap();
    let clock = chassis::ManualClock::new("2026-11-24T12:00:00Z".parse().unwrap());
    let rig = Rig::reach(database, nats, dir, clock, a.address("grpc"), a.address("http"), None).await;
    let (first, second) = (rig.accepted(true).await, rig.accepted(true).await);
    let standing = async |call: CallId| {
        let (_, joined) = typed(&rig, &b.url("http"), "198.51.100.1", &code(&rig, call).await).await;
        joined["standing"].as_str().map(str::to_owned)
    };
    assert_eq!(standing(first).await.as_deref(), Some("in"));
    guess(&rig, &a.url("http"), 2).await;
    assert_eq!(standing(second).await.as_deref(), Some("waiting"));

    // Where it was guessed it is doubted, though another instance, which has counted nothing from there, carries the call.
    let third = rig.accepted(true).await;
    let officer = rig.join(third).await.token;
    let carried = rig.http.get(format!("{}/whip", rig.base)).bearer_auth(officer).send().await.unwrap();
    assert_eq!(carried.status(), 204);
    for _ in 0..10 {
        assert_eq!(typed(&rig, &b.url("http"), "198.51.100.1", WRONG).await.0, 404);
    }
    assert_eq!(standing(third).await.as_deref(), Some("waiting"));
}

#[tokio::test]
async fn each_code_that_is_of_no_use_says_why_to_whoever_has_it() {
    let rig = rig(&[]).await;
    let call = rig.accepted(true).await;
    let why = async |code: &str| {
        let (status, answer) = typed(&rig, &rig.base, "198.51.100.1", code).await;
        (status, answer["reason"].as_str().unwrap_or_default().to_owned())
    };
    let gone = |reason: &str| (410, reason.to_owned());

    let replaced = code(&rig, call).await;
    let withdrawn = code(&rig, call).await;
    assert_eq!(why(&replaced).await, gone("CODE_REPLACED"));
    let request = revoking(&rig, call);
    let first = revoke(&rig, &request).await.unwrap();
    assert!(first.revoked_at.is_some());
    assert_eq!(why(&withdrawn).await, gone("CODE_REVOKED"));
    let next = code(&rig, call).await;
    assert_eq!(revoke(&rig, &request).await.unwrap(), first, "a repeat withdraws nothing that came later");
    assert_eq!(why(&withdrawn).await, gone("CODE_REVOKED"), "still the first reason");
    assert_eq!(why(&next).await.0, 200);
    assert_eq!(why(&next).await, gone("CODE_USED"));
    assert_eq!(revoke(&rig, &revoking(&rig, call)).await.unwrap().revoked_at, None, "it was used");
    let late = code(&rig, call).await;
    rig.clock.advance(Duration::from_secs(600));
    assert_eq!(why(&late).await, gone("CODE_EXPIRED"));
    assert_eq!(revoke(&rig, &revoking(&rig, call)).await.unwrap().revoked_at, None, "it had run out");

    // An interpreter's is another.
    let (own, helpers) = (code(&rig, call).await, rig.invite_as(call, Role::Interpreter).await.unwrap());
    let theirs = RevokeInvitationRequest { role: Role::Interpreter.into(), ..revoking(&rig, call) };
    assert!(revoke(&rig, &theirs).await.unwrap().revoked_at.is_some());
    assert_eq!(why(&helpers).await, gone("CODE_REVOKED"));
    let refused = async |request| reason(&revoke(&rig, &request).await.err().unwrap());
    let base = || revoking(&rig, call);
    assert_eq!(refused(RevokeInvitationRequest { role: Role::Observer.into(), ..base() }).await, "WRONG_ROLE");
    assert_eq!(refused(RevokeInvitationRequest { officer_id: "o.two".to_owned(), ..base() }).await, "NOT_YOUR_CALL");
    assert_eq!(refused(RevokeInvitationRequest { force_id: "kent".to_owned(), ..base() }).await, "UNKNOWN_SESSION");
    assert_eq!(refused(RevokeInvitationRequest { role: 0, ..theirs }).await, "REQUEST_ID_REUSED");
    rig.end(call).await;
    assert_eq!(why(&own).await, gone("SESSION_ENDED"));
    assert_eq!(refused(base()).await, "SESSION_ENDED");
}

#[tokio::test]
async fn another_forces_code_is_nobodys_here_and_counts_like_a_wrong_one() {
    let other = rig(&[("page__forces", "kent".to_owned()), ("tries__everyone_per_minute", "1".to_owned())]).await;
    let call = other.accepted(true).await;
    let wrong = typed(&other, &other.base, "203.0.113.1", WRONG).await;
    other.clock.advance(Duration::from_secs(60));
    let spent = async || {
        let until = sqlx::query_scalar("select spent_until from session.guesses");
        until.fetch_one(&other.database.pool()).await.unwrap()
    };
    let before: chrono::DateTime<chrono::Utc> = spent().await;
    assert_eq!(typed(&other, &other.base, "203.0.113.2", &code(&other, call).await).await, wrong);
    assert_eq!(spent().await, before + Duration::from_secs(60));

    let own = rig(&[("page__forces", "kent,wmp".to_owned())]).await;
    let call = own.accepted(true).await;
    assert_eq!(stands(&own, "198.51.100.1", &code(&own, call).await).await, "in");
}

#[tokio::test]
async fn whoever_opens_the_page_learns_nothing_of_whose_it_is() {
    let rig = rig(&[("page__forces", FORCE.to_owned())]).await;
    let call = rig.accepted(true).await;
    rig.join(call).await;
    let used = code(&rig, call).await;
    assert_eq!(stands(&rig, "198.51.100.1", &used).await, "in");
    let mut said = String::new();
    for (method, path, body) in [
        ("GET", "/", ""),
        ("GET", "/nothing", ""),
        ("GET", "/events", ""),
        ("POST", "/join", "{}"),
        ("POST", "/join", r#"{"code":"0AAA-AAA0"}"#),
        ("POST", "/join", r#"{"link":"00000000000000000000000000"}"#),
        ("POST", "/rejoin", ""),
        ("DELETE", "/rejoin", ""),
        ("POST", "/whip", "v=0"),
        ("POST", "/leave", ""),
        ("GET", "/words/en.json", ""),
    ] {
        let asked = rig.http.request(method.parse().unwrap(), format!("{}{path}", rig.base));
        let answer = asked.header("content-type", "application/json").body(body).send().await.unwrap();
        said += &format!("{:?}", answer.headers());
        said += &answer.text().await.unwrap();
    }
    said += &typed(&rig, &rig.base, "198.51.100.1", &used).await.1.to_string();
    assert!(said.contains("CODE_UNKNOWN") && said.contains("CODE_USED") && said.contains("TOKEN_UNKNOWN"));
    let said = said.to_lowercase();
    for name in ["\"wmp", "wmp\"", OFFICER, "1123", &call.to_string(), "kent", "force", "officer", "police"] {
        let at = said.find(name).map(|at| said[at.saturating_sub(40)..].chars().take(80).collect::<String>());
        assert_eq!(at, None, "{name}");
    }
}
