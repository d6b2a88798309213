//! A connection that comes back from the pool is in nobody's transaction.

use chassis::config::{Database, Profile};
use sqlx::Row;

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_left_open_is_not_handed_on() {
    let database = testkit::database().await;
    let text = format!("url = \"{}\"\nmax_connections = 1", database.url());
    let pool = outbox::pg_pool(&toml::from_str::<Database>(&text).unwrap(), Profile::Dev).await.unwrap();

    // What a `begin` that was dropped in mid-wait leaves behind, and what the desk's reader did to the next writer.
    let mut left = pool.acquire().await.unwrap();
    sqlx::raw_sql("begin isolation level repeatable read read only").execute(&mut *left).await.unwrap();
    drop(left);

    sqlx::raw_sql("create table written (by int)").execute(&pool).await.unwrap();
    let mut next = pool.acquire().await.unwrap();
    let row = sqlx::raw_sql("select now() = statement_timestamp()").fetch_one(&mut *next).await.unwrap();
    assert!(row.get::<bool, _>(0));
}
