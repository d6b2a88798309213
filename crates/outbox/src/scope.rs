//! Whose rows a transaction sees. Every table of a force has a policy by the setting `alcove.force`
//! (`outbox.isolate`), so a statement that forgets its filter finds nothing of another force. A connection outside any
//! transaction of these has no setting, and sees nothing.

use ids::ForceId;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, PgTransaction};

use crate::Tx;

/// The forces whose rows a transaction sees.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// One force's: what every request and every event is for.
    Force(&'a ForceId),
    /// All: the service's own work, and whoever comes with a secret that alone says which force they belong to.
    All,
}

impl Scope<'_> {
    /// With the `begin`, so that it costs no round trip. A force's id is letters, digits and hyphens: nothing to quote.
    fn statement(self, begin: &str) -> AssertSqlSafe<String> {
        let force = match self {
            Self::Force(force) => force.as_str(),
            Self::All => "*",
        };
        AssertSqlSafe(format!("{begin}; set local alcove.force = '{force}'"))
    }
}

/// A transaction that sees these rows.
///
/// # Errors
/// When the database is away.
pub async fn begin(pool: &PgPool, scope: Scope<'_>) -> Result<Tx, sqlx::Error> {
    pool.begin_with(scope.statement("begin")).await
}

/// A transaction that only reads, and sees one moment, however many statements it has.
///
/// # Errors
/// When the database is away.
pub async fn begin_reading(pool: &PgPool, scope: Scope<'_>) -> Result<Tx, sqlx::Error> {
    pool.begin_with(scope.statement("begin isolation level repeatable read read only")).await
}

/// From here on the transaction sees one force's rows: what it looked for among all has been found.
///
/// # Errors
/// When the database is away.
pub async fn narrow(tx: &mut PgConnection, force: &ForceId) -> Result<(), sqlx::Error> {
    sqlx::query("select set_config('alcove.force', $1, true)").bind(force.as_str()).execute(tx).await?;
    Ok(())
}

/// [`begin`] on a connection that somebody holds.
///
/// # Errors
/// When the database is away.
pub async fn begin_on<'c>(
    connection: &'c mut PgConnection,
    scope: Scope<'_>,
) -> Result<PgTransaction<'c>, sqlx::Error> {
    connection.begin_with(scope.statement("begin")).await
}
