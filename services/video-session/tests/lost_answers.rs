//! Requests whose answer nobody gets: whoever asks again goes on, as if it had got there.

use crate::media_support::chromium;
use crate::rig::Rig;
use reqwest::{RequestBuilder, Response};
use testkit::until;

fn whip(rig: &Rig, token: &str) -> RequestBuilder {
    let post = rig.http.post(format!("{}/whip", rig.base)).header("content-type", "application/sdp");
    post.bearer_auth(token).body(chromium())
}

/// Whether somebody's resource is there, as they see it.
async fn is_there(rig: &Rig, token: &str, published: &Response) -> bool {
    let location = published.headers()["location"].to_str().unwrap();
    rig.http.get(format!("{}{location}", rig.base)).bearer_auth(token).send().await.unwrap().status() == 204
}

async fn tracks(rig: &Rig) -> Vec<String> {
    let names = sqlx::query_scalar("select track from session.tracks order by track");
    names.fetch_all(&rig.database.pool()).await.unwrap()
}

/// An officer in a call that is carried here: their token.
async fn officer(rig: &Rig) -> String {
    let token = rig.join(rig.accepted(true).await).await.token;
    assert_eq!(rig.http.get(format!("{}/whip", rig.base)).bearer_auth(&token).send().await.unwrap().status(), 204);
    token
}

#[tokio::test]
async fn whoever_hangs_up_too_early_has_published_and_publishes_anew() {
    let rig = Rig::alone().await;
    let token = officer(&rig).await;
    let held = rig.hold_session().await;
    let cut = tokio::spawn(whip(&rig, &token).send());
    rig.waiting(1).await;
    cut.abort();
    // Answered after the other end of that connection has closed.
    assert_eq!(whip(&rig, "nobody's").send().await.unwrap().status(), 401);
    held.rollback().await.unwrap();
    until("the publication", async || tracks(&rig).await == ["officer-1"]).await;

    let again = whip(&rig, &token).send().await.unwrap();
    assert_eq!(again.status(), 201);
    assert_eq!(tracks(&rig).await, ["officer-1", "officer-2"], "never a name twice");
    until("the end of the first", async || {
        let over = "select track from session.presences where ended_at is not null";
        sqlx::query_scalar::<_, String>(over).fetch_all(&rig.database.pool()).await.unwrap() == ["officer-1"]
    })
    .await;
    assert!(is_there(&rig, &token, &again).await, "it has nothing to do with the first one's end");
}

#[tokio::test]
async fn an_answer_that_got_lost_keeps_nobody_from_publishing() {
    let rig = Rig::alone().await;
    let token = officer(&rig).await;
    let lost = whip(&rig, &token).send().await.unwrap();
    let again = whip(&rig, &token).send().await.unwrap();
    assert_eq!((lost.status().as_u16(), again.status().as_u16()), (201, 201));
    until("the end of the first", async || !is_there(&rig, &token, &lost).await).await;
    assert!(is_there(&rig, &token, &again).await);
}

#[tokio::test]
async fn of_two_publications_at_once_there_is_one() {
    let rig = Rig::alone().await;
    let token = officer(&rig).await;
    let held = rig.hold_session().await;
    let both = [(); 2].map(|()| tokio::spawn(whip(&rig, &token).send()));
    rig.waiting(2).await;
    held.rollback().await.unwrap();
    let mut statuses = Vec::new();
    for one in both {
        statuses.push(one.await.unwrap().unwrap().status().as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(tracks(&rig).await, ["officer-1"]);
}

#[tokio::test]
async fn a_code_whose_answer_got_lost_lets_the_same_page_in_and_nobody_else() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let code = rig.invite(call).await.unwrap().code;
    let join = async |page: Option<&str>| {
        let body = serde_json::json!({ "code": code, "page": page });
        let answer = rig.http.post(format!("{}/join", rig.base)).json(&body).send().await.unwrap();
        let cookie = answer.headers().get("set-cookie").cloned();
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap(), cookie)
    };
    let (mine, another) = ("0123456789abcdef0123456789abcdef", "f123456789abcdef0123456789abcdef");
    let used =
        |answer: (u16, serde_json::Value, _)| assert_eq!((answer.0, &answer.1["reason"]), (410, &"CODE_USED".into()));
    assert_eq!(join(Some("short")).await.0, 400);

    let lost = join(Some(mine)).await;
    assert_eq!(lost.0, 200);
    assert_eq!(join(Some(mine)).await, lost, "the same person, token and cookie");
    used(join(Some(another)).await);
    used(join(None).await);
    rig.clock.advance(std::time::Duration::from_secs(119));
    assert_eq!(join(Some(mine)).await.0, 200);
    rig.clock.advance(std::time::Duration::from_secs(1));
    used(join(Some(mine)).await);

    // Not one more person.
    let session = rig.watched(call, |session| session.participants.len() == 1).await;
    assert_eq!(session.participants[0].participant_id, lost.1["participant_id"].as_str().unwrap());
}

#[tokio::test]
async fn whoever_has_left_does_not_come_back_by_their_code() {
    let rig = Rig::alone().await;
    let code = rig.invite(rig.accepted(true).await).await.unwrap().code;
    let body = serde_json::json!({ "code": code, "page": "0123456789abcdef0123456789abcdef" });
    let join = async || rig.http.post(format!("{}/join", rig.base)).json(&body).send().await.unwrap();
    let joined: serde_json::Value = join().await.json().await.unwrap();
    let leave = rig.http.post(format!("{}/leave", rig.base)).bearer_auth(joined["token"].as_str().unwrap());
    assert_eq!(leave.send().await.unwrap().status(), 204);
    assert_eq!(join().await.status(), 410);
}
