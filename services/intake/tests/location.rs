//! Where the caller is: with consent only, for some hours, to who says why; and in no log and no event.

use crate::support::*;
use api::intake::v1::{
    ConsentKind, GetLocationRequest, Location, OpenCallRequest, RecordConsentRequest, RecordTriageRequest,
    WithdrawConsentRequest, call_update::Kind,
};
use tonic::Code;

/// Digits and words that are nowhere else.
const LATITUDE: f64 = 52.486_713_9;
const LONGITUDE: f64 = -1.890_417_3;
const WORDS: &str = "blue door by the lock keeper";
const FAST_TRACK: &str = "01900000-0000-7000-8000-0000000000f1";

fn place(latitude: f64) -> Location {
    Location { latitude, longitude: LONGITUDE, accuracy_m: 25, words: WORDS.into(), taken_at: None }
}

fn looking(call: &str) -> GetLocationRequest {
    GetLocationRequest {
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "PC1".into(),
        reason: "sending a unit".into(),
    }
}

fn agreed(call: &str, given: bool) -> RecordConsentRequest {
    let mut request = consent(call, &[]);
    request.consents.truncate(1);
    request.consents[0].kind = ConsentKind::Location.into();
    request.consents[0].given = given;
    request
}

#[tokio::test]
async fn a_location_is_shown_only_with_consent_and_every_look_is_kept() {
    let room = Room::with(&[("ALCOVE_INTAKE__TELEMETRY__LOG", "trace")]).await;
    let others = Others::at(&room.nats).await;
    let mut client = room.client.clone();
    let opening = OpenCallRequest { location: Some(place(LATITUDE)), ..opening("1") };
    let call = client.open_call(opening).await.unwrap().into_inner().call_id;
    client.record_triage(triage(&call)).await.unwrap();
    // It is known, and nobody has asked them.
    refused(client.get_location(looking(&call)).await, Code::NotFound, "NO_LOCATION");
    client.record_consent(agreed(&call, true)).await.unwrap();
    let shown = client.get_location(looking(&call)).await.unwrap().into_inner();
    let there = shown.location.unwrap();
    assert_eq!((there.latitude, there.longitude, there.accuracy_m), (LATITUDE, LONGITUDE, 25));
    assert_eq!(there.words, WORDS);
    let hours = (shown.expires_at.unwrap().seconds - there.taken_at.unwrap().seconds) / 3600;
    assert_eq!(hours, 4);
    // A newer one, at a further triage, takes its place.
    let triage = RecordTriageRequest { location: Some(place(LATITUDE + 0.01)), ..triage(&call) };
    client.record_triage(triage.clone()).await.unwrap();
    let newer = client.get_location(looking(&call)).await.unwrap().into_inner().location.unwrap();
    assert!((newer.latitude - LATITUDE - 0.01).abs() < 1e-9);
    // What was known before that, said again by another screen, doesn't.
    let mut older = place(LATITUDE);
    older.taken_at = newer.taken_at.map(|at| prost_types::Timestamp { seconds: at.seconds - 60, ..at });
    let again = OpenCallRequest { location: Some(older), ..self::opening("1") };
    assert_eq!(client.open_call(again).await.unwrap().into_inner().call_id, call);
    let still = client.get_location(looking(&call)).await.unwrap().into_inner().location.unwrap();
    assert!(still == newer);

    // The control room is told that it can be looked at, and not where it is.
    client.record_consent(consent(&call, &[ConsentKind::Video])).await.unwrap();
    client.request_transfer(transfer_of(&call)).await.unwrap();
    others.accepted(&call).await;
    let mut watch = room.watch(&call, 0).await;
    assert_eq!(name(&next(&mut watch).await.unwrap().1), "accepted");
    others.wants_a_unit(&call, FAST_TRACK).await;
    let Some((_, Kind::FastTrack(told))) = next(&mut watch).await else { panic!("something else was told") };
    assert!(told.has_location);

    // Who looks says why; another force finds nothing; what is no place is none.
    let bad = Code::InvalidArgument;
    for reason in [String::new(), " ".into(), "x".repeat(201)] {
        refused(client.get_location(GetLocationRequest { reason, ..looking(&call) }).await, bad, "REASON_REQUIRED");
    }
    let nobody = GetLocationRequest { officer_id: String::new(), ..looking(&call) };
    refused(client.get_location(nobody).await, bad, "INVALID_OFFICER");
    let theirs = GetLocationRequest { force_id: "kent".into(), ..looking(&call) };
    refused(client.get_location(theirs).await, Code::NotFound, "UNKNOWN_CALL");
    let nowhere = OpenCallRequest { location: Some(place(91.0)), ..self::opening("2") };
    refused(client.open_call(nowhere).await, bad, "INVALID_LOCATION");
    let nowhere = RecordTriageRequest { location: Some(place(f64::NAN)), request_id: fresh(), ..triage };
    refused(client.record_triage(nowhere).await, bad, "INVALID_TRIAGE");

    // They say no: it is gone, and what is said after that is not kept.
    let no = WithdrawConsentRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        call_id: call.clone(),
        kind: ConsentKind::Location.into(),
        how: "spoken on the 999 line".into(),
        taken_by: "CH4411".into(),
        subject: String::new(),
    };
    assert!(client.withdraw_consent(no).await.unwrap().into_inner().was_given);
    refused(client.get_location(looking(&call)).await, Code::NotFound, "NO_LOCATION");
    let pool = room.db.pool();
    let kept: i64 = sqlx::query_scalar("select count(*) from intake.locations").fetch_one(&pool).await.unwrap();
    assert_eq!(kept, 0);

    // Three were shown, and so many looks are kept.
    let looks: Vec<(String, String)> =
        sqlx::query_as("select looked_by, reason from intake.location_looks order by id")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(looks, vec![("PC1".to_owned(), "sending a unit".to_owned()); 3]);

    // In no log, no event, no update, and no other row.
    let published = room.first_published(&call, 5).await;
    let canaries = ["52.48671", "52.49671", "1.890417", "lock keeper"];
    let is_clean = |text: &str| canaries.iter().all(|canary| !text.contains(canary));
    let log = std::fs::read_to_string(room.service.log_file()).unwrap();
    assert!(log.contains(&call), "the log is that of this test");
    assert!(is_clean(&log));
    assert!(published.iter().all(|event| is_clean(&String::from_utf8_lossy(&event.payload))));
    let bits = [LATITUDE, LONGITUDE].map(f64::to_le_bytes);
    let has_bits = |payload: &[u8]| bits.iter().any(|bits| payload.windows(8).any(|eight| eight == bits));
    assert!(published.iter().all(|event| !has_bits(&event.payload)));
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('intake', 'outbox')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(tables.contains(&"intake.call_updates".to_owned()));
    for table in tables {
        let rows = sqlx::AssertSqlSafe(format!("select t::text from {table} t"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&pool).await.unwrap();
        assert!(rows.iter().all(|row| is_clean(row)), "{table}");
    }
}

#[tokio::test]
async fn a_location_is_forgotten_when_its_time_is_up() {
    let room = Room::with(&[("ALCOVE_INTAKE__LOCATION__KEPT_FOR_MIN", "1")]).await;
    let mut client = room.client.clone();
    let long_ago = prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 };
    let old = Location { taken_at: Some(long_ago), ..place(LATITUDE) };
    let old = client.open_call(OpenCallRequest { location: Some(old), ..opening("1") }).await.unwrap();
    let old = old.into_inner().call_id;
    let fresh = client.open_call(OpenCallRequest { location: Some(place(LATITUDE)), ..opening("2") }).await.unwrap();
    for call in [&old, &fresh.into_inner().call_id] {
        client.record_triage(triage(call)).await.unwrap();
        client.record_consent(agreed(call, true)).await.unwrap();
    }
    refused(client.get_location(looking(&old)).await, Code::NotFound, "NO_LOCATION");
    let pool = room.db.pool();
    testkit::until("only the fresh one is there", async || {
        sqlx::query_scalar::<_, i64>("select count(*) from intake.locations").fetch_one(&pool).await.unwrap() == 1
    })
    .await;
}
