//! Whether row-level security binds the role that we connect as: it doesn't bind a superuser, or a role with BYPASSRLS.

use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};

use crate::{
    Error, is_away,
    line::{PATIENCE, within},
};

/// Looks once, with a connection of its own. When the database is away nothing is known yet: the pool looks again at
/// each of its connections.
pub(crate) async fn refuse_if_unbound(options: &PgConnectOptions) -> Result<(), Error> {
    let looked = async {
        let mut connection = PgConnection::connect_with(options).await?;
        let bound = is_bound(&mut connection).await?;
        connection.close().await?;
        Ok(bound)
    };
    match within(PATIENCE, looked).await {
        Ok(false) => Err(Error::Unbound),
        Err(error) if !is_away(&error) => Err(Error::Database(error)),
        _ => Ok(()),
    }
}

/// Is this connection's role held to one force's rows?
pub(crate) async fn is_bound(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let look = "select not (rolsuper or rolbypassrls) from pg_roles where rolname = current_user";
    sqlx::raw_sql(look).fetch_one(connection).await?.try_get(0)
}
