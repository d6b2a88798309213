//! The whole database as text: where a secret must not be found.

use sqlx::PgPool;

/// Every row of every table, by table. Bytes are in hex.
pub async fn every_row(pool: &PgPool) -> Vec<(String, String)> {
    let tables: Vec<(String,)> = sqlx::query_as(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables
         where table_schema in ('session', 'outbox')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 6);
    let mut all = Vec::new();
    for (table,) in tables {
        let dump = sqlx::AssertSqlSafe(format!("select coalesce(string_agg(t::text, ' '), '') from {table} t"));
        let (text,): (String,) = sqlx::query_as(dump).fetch_one(pool).await.unwrap();
        all.push((table, text));
    }
    all
}
