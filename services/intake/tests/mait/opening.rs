//! A message that opens a call: once, whatever is sent how often, and nothing of it in a log.

use api::intake::v1::{CallState, GetCallRequest, Line};
use intake::mait::{
    document::Document,
    read::read,
    schema::{Field, Kind, LARGEST},
};
use reqwest::{StatusCode, header};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::samples::{complete, full, plain, xml};
use crate::support::*;

pub const LISTEN: (&str, &str) = ("ALCOVE_INTAKE__MAIT__LISTEN", "127.0.0.1:0");

/// Sends it; the status and the message that is answered with.
pub async fn send(client: &reqwest::Client, url: &str, body: impl Into<reqwest::Body>) -> (StatusCode, Document) {
    let request = client.post(format!("{url}/mait")).header(header::CONTENT_TYPE, "application/xml; charset=utf-8");
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/xml");
    (answer.status(), read(&answer.bytes().await.unwrap()).unwrap())
}

/// Asserts that it is refused, with this word and about this field.
#[track_caller]
pub fn rejected((status, answer): (StatusCode, Document), with: u16, reason: &str, field: Option<&str>) {
    assert_eq!((status.as_u16(), answer.kind), (with, Kind::Rejection), "{answer:?}");
    assert_eq!((answer.get(Field::Reason), answer.get(Field::RefusedField)), (Some(reason), field));
}

async fn calls(room: &Room) -> i64 {
    sqlx::query_scalar("select count(*) from intake.calls").fetch_one(&room.db.pool()).await.unwrap()
}

#[tokio::test]
async fn a_message_opens_a_call_once() {
    let room = Room::with(&[LISTEN]).await;
    let (client, url) = (reqwest::Client::new(), room.service.url("mait"));
    // Where they are now: where they were days ago is forgotten at once.
    let message = full("cad-1", "1123").without(Field::TakenAt);
    let (status, answer) = send(&client, &url, xml(&message)).await;
    assert_eq!((status, answer.kind), (StatusCode::OK, Kind::Acknowledgement));
    assert_eq!(answer.get(Field::InReplyTo), Some("cad-1"));
    assert_eq!((answer.get(Field::From), answer.get(Field::To)), (Some("alcove"), Some(FORCE)));
    let call = answer.get(Field::CallReference).unwrap().to_owned();

    let get = GetCallRequest { force_id: FORCE.into(), call_id: call.clone() };
    let got = room.client.clone().get_call(get).await.unwrap().into_inner();
    assert_eq!((got.state(), got.line()), (CallState::Open, Line::Line999));
    assert_eq!(
        got.incident.map(|incident| (incident.date, incident.number)),
        Some(("2026-11-24".into(), "1123".into()))
    );
    let kept: (String, f64, i32, String) = sqlx::query_as(
        "select caller_number, latitude, accuracy_m, words from intake.calls c join intake.locations l on l.call_id = c.id",
    )
    .fetch_one(&room.db.pool())
    .await
    .unwrap();
    assert_eq!(kept, (NUMBER.into(), 52.4801, 20, "top flat, blue door".into()));
    assert_eq!(room.published(&call, "call_opened").await.len(), 1);

    // Said again, a minute later and written another way: the same call. So do many at once.
    let again = xml(&message.clone().with(Field::SentAt, "2026-11-24T09:16:02Z")).replace("><", ">\n  <");
    let (_, answer) = send(&client, &url, again).await;
    assert_eq!(answer.get(Field::CallReference), Some(call.as_str()));
    let twins = (0..8).map(|_| send(&client, &url, xml(&plain("cad-2", "1124"))));
    let answers = futures::future::join_all(twins).await;
    assert!(
        answers.iter().all(|(_, answer)| answer.get(Field::CallReference) == answers[0].1.get(Field::CallReference))
    );
    // Another message of the same incident is about the same call, as with OpenCall.
    let (_, answer) = send(&client, &url, xml(&plain("cad-3", "1123"))).await;
    assert_eq!(answer.get(Field::CallReference), Some(call.as_str()));
    assert_eq!(room.call("1123").await, call);
    assert_eq!(calls(&room).await, 2);

    let log = room.service.log();
    assert!(!log.contains("447700900123") && !log.contains("ords of the caller") && !log.contains("blue door"));
}

#[tokio::test]
async fn the_same_id_with_another_body_is_refused() {
    let room = Room::with(&[LISTEN]).await;
    let (client, url) = (reqwest::Client::new(), room.service.url("mait"));
    let first = full("cad-1", "1");
    assert_eq!(send(&client, &url, xml(&first)).await.0, StatusCode::OK);
    // Also when what has changed is not kept.
    for changed in [first.clone().with(Field::IncidentNumber, "2"), first.with(Field::Details, "other words")] {
        let refused = send(&client, &url, xml(&changed)).await;
        assert_eq!(refused.1.get(Field::InReplyTo), Some("cad-1"));
        rejected(refused, 409, "REQUEST_ID_REUSED", None);
    }
    assert_eq!(calls(&room).await, 1);
}

#[tokio::test]
async fn what_cannot_open_a_call_is_rejected_with_a_reason() {
    let mut room = Room::with(&[LISTEN]).await;
    let (client, url) = (reqwest::Client::new(), room.service.url("mait"));
    let good = plain("cad-1", "1");
    let try_it = async |message: &Document| send(&client, &url, xml(message)).await;
    rejected(try_it(&good.clone().with(Field::To, "elsewhere")).await, 400, "NOT_FOR_US", None);
    let answered = complete(Kind::Acknowledgement).with(Field::To, "alcove");
    rejected(try_it(&answered).await, 400, "NOT_AN_INCIDENT", None);
    rejected(try_it(&good.clone().with(Field::IncidentDate, "2026-02-30")).await, 400, "INVALID_INCIDENT", None);
    let nowhere = good.clone().with(Field::Latitude, "91").with(Field::Longitude, "0");
    rejected(try_it(&nowhere).await, 400, "INVALID_LOCATION", None);
    let never = full("cad-1", "1").with(Field::TakenAt, "2026-11-24T25:00:00Z");
    rejected(try_it(&never).await, 400, "INVALID_FIELD", Some("TakenAt"));

    let text = xml(&good);
    let missing = text.replace("<Line>999</Line>", "");
    let refused = send(&client, &url, missing).await;
    assert_eq!((refused.1.get(Field::InReplyTo), refused.1.get(Field::To)), (None, Some("unknown")));
    rejected(refused, 400, "MISSING_FIELD", Some("Line"));
    let laughing = text.replace("<MAIT", "<!DOCTYPE MAIT [<!ENTITY l \"ha\">]><MAIT");
    rejected(send(&client, &url, laughing).await, 400, "DOCUMENT_TYPE", None);
    rejected(send(&client, &url, vec![b' '; LARGEST + 1]).await, 413, "TOO_LARGE", None);
    let request =
        client.post(format!("{url}/mait")).header(header::CONTENT_TYPE, "application/json").body(text.clone());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(client.get(format!("{url}/mait")).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(calls(&room).await, 0);

    // With the database away it is to be sent again, and then opens one call.
    room.db.stop().await.unwrap();
    rejected(try_it(&good).await, 503, "DATABASE_UNAVAILABLE", None);
    room.db.start().await.unwrap();
    assert_eq!(try_it(&good).await.0, StatusCode::OK);
    assert_eq!(calls(&room).await, 1);
}

#[tokio::test]
async fn more_at_once_than_can_be_dealt_with_are_told_to_come_again() {
    let room = Room::with(&[LISTEN]).await;
    let (client, url) = (reqwest::Client::new(), room.service.url("mait"));
    // Each begins a message, and says no more. One more each time: ours takes a place, too, while it is dealt with.
    let address = room.service.address("mait");
    let begun = "POST /mait HTTP/1.1\r\nhost: x\r\ncontent-type: application/xml\r\ncontent-length: 1000\r\n\r\n<MAIT";
    let message = xml(&plain("cad-1", "1"));
    let mut slow = vec![];
    let until_busy = async {
        loop {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            slow.push(stream);
            let (status, answer) = send(&client, &url, message.clone()).await;
            if status == StatusCode::SERVICE_UNAVAILABLE {
                break answer;
            }
        }
    };
    let busy = tokio::time::timeout(PATIENCE, until_busy).await.expect("it has had enough");
    assert_eq!(busy.get(Field::Reason), Some("BUSY"));
    assert!(slow.len() >= 32, "only after {}", slow.len());
    drop(slow);
    let until_taken = async { while send(&client, &url, message.clone()).await.0 != StatusCode::OK {} };
    tokio::time::timeout(PATIENCE, until_taken).await.expect("there is room again");
}
