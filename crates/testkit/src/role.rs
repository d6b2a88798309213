//! Whom services and tests connect to Postgres as: nobody special, so that its policies bind them as in production.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Whom services and tests connect as.
pub(crate) const ROLE: &str = "alcove";

/// The URL, of connections that see the rows of every force from the start.
#[must_use]
pub fn seeing_all(url: &str) -> String {
    format!("{url}{}options[alcove.force]=*", if url.contains('?') { '&' } else { '?' })
}

/// Answers, and has the role, which owns the database that is there from the start.
pub(crate) async fn ready(url: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let known = "select exists (select from pg_roles where rolname = 'alcove')";
    if !sqlx::query_scalar::<_, bool>(known).fetch_one(&mut connection).await? {
        let role = format!("create role {ROLE} login createdb; alter database postgres owner to {ROLE}");
        sqlx::raw_sql(AssertSqlSafe(role)).execute(&mut connection).await?;
    }
    connection.close().await
}
