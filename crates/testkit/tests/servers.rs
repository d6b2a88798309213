//! The private servers themselves: fresh, separate, taken away and brought back with all that was acknowledged.

use async_nats::jetstream::stream::Config;
use sqlx::{Connection as _, PgConnection};
use testkit::{database, database_durable, nats};

#[tokio::test]
async fn databases_are_separate() {
    let (one, two) = tokio::join!(database(), database());
    sqlx::raw_sql("CREATE TABLE only_here (x int)").execute(&one.pool()).await.unwrap();
    assert!(sqlx::raw_sql("SELECT * FROM only_here").execute(&two.pool()).await.is_err());
}

#[tokio::test]
async fn a_commit_survives_stop_and_crash() {
    let mut db = database_durable().await;
    sqlx::raw_sql("CREATE TABLE kept (x int)").execute(&db.pool()).await.unwrap();
    for crash in [false, true] {
        sqlx::raw_sql("INSERT INTO kept VALUES (1)").execute(&db.pool()).await.unwrap();
        if crash { db.crash().await } else { db.stop().await }.unwrap();
        assert!(PgConnection::connect(&db.url()).await.is_err());
        db.start().await.unwrap();
    }
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM kept").fetch_one(&db.pool()).await.unwrap();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn nats_comes_back_on_its_port_with_its_streams() {
    let mut nats = nats().await;
    let url = nats.url().to_owned();
    let js = nats.jetstream().await.unwrap();
    js.create_stream(Config { name: "KEPT".into(), subjects: vec!["kept".into()], ..Config::default() }).await.unwrap();
    js.publish("kept", "one".into()).await.unwrap().await.unwrap();
    nats.stop().await.unwrap();
    assert!(nats.client().await.is_err());
    nats.start().await.unwrap();
    assert_eq!(nats.url(), url);
    let mut stream = nats.jetstream().await.unwrap().get_stream("KEPT").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 1);
}
