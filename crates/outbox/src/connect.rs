//! Connections to Postgres and NATS that come up by themselves: a service starts, and goes on, without either.

use std::{str::FromStr, time::Duration};

use async_nats::{Client, ConnectOptions, Event, connection::State, jetstream};
use chassis::{
    Health, Shutdown,
    config::{self, ConfigError, Profile},
    tls::Tls,
};
use sqlx::{
    Connection, PgConnection, PgPool, Row,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    Error,
    line::{PATIENCE, within},
    role,
};

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Brings the schema `outbox` up to date.
///
/// # Errors
/// When the database is away, or a migration fails.
pub async fn migrate(pool: &PgPool) -> Result<(), Error> {
    migrate_schema(pool, "outbox", &MIGRATOR).await
}

/// Brings a service's database up to date: the schema `outbox`, then the service's own.
///
/// # Errors
/// When the database is away, or a migration fails.
pub async fn migrate_service(
    database: &config::Database,
    schema: &'static str,
    own: &'static Migrator,
) -> Result<(), Error> {
    let pool = pg_pool(database, Profile::Dev).await?;
    migrate(&pool).await?;
    migrate_schema(&pool, schema, own).await?;
    pool.close().await;
    Ok(())
}

/// A connection that sees every force, for a migration may change rows of any; the setting ends with it.
///
/// # Errors
/// When the database is away.
pub async fn for_migrations(pool: &PgPool) -> Result<PgConnection, Error> {
    let mut connection = pool.acquire().await?.detach();
    sqlx::raw_sql("set alcove.force = '*'").execute(&mut connection).await?;
    Ok(connection)
}

/// Each schema keeps its own record of migrations, and never meets the other's.
async fn migrate_schema(pool: &PgPool, schema: &'static str, own: &'static Migrator) -> Result<(), Error> {
    let mut migrator = Migrator { migrations: own.migrations.clone(), ..Migrator::DEFAULT };
    migrator.create_schema(schema);
    migrator.dangerous_set_table_name(format!("{schema}._sqlx_migrations"));
    let mut connection = for_migrations(pool).await?;
    migrator.run(&mut connection).await.map_err(|source| Error::Migrate { schema, source })?;
    Ok(connection.close().await?)
}

/// A pool that connects when it is first used. When the database is away, taking a connection fails after a few
/// seconds, so that the caller is told while they are still listening.
///
/// Each connection is looked at before it is handed out: sqlx 0.9 does not roll back when a `begin` is dropped while it
/// waits (a client that hangs up), and the next user would find itself inside somebody else's transaction.
///
/// Production takes no connection as a role that row-level security doesn't bind.
///
/// # Errors
/// When the URL isn't one, or the role is such.
pub async fn pg_pool(database: &config::Database, profile: Profile) -> Result<PgPool, Error> {
    let options = PgConnectOptions::from_str(database.url.expose())?;
    let strict = profile == Profile::Production;
    if strict {
        role::refuse_if_unbound(&options).await?;
    }
    Ok(PgPoolOptions::new()
        .max_connections(database.max_connections)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .after_connect(move |connection, _| Box::pin(allowed(connection, strict)))
        .before_acquire(|connection, _| Box::pin(is_outside_any_transaction(connection)))
        .connect_lazy_with(options))
}

/// Refuses a role that came to see everything after we started, or while the database was away.
async fn allowed(connection: &mut PgConnection, strict: bool) -> Result<(), sqlx::Error> {
    if !strict || role::is_bound(connection).await? {
        Ok(())
    } else {
        Err(sqlx::Error::Configuration(Error::Unbound.into()))
    }
}

/// Alive, and with no transaction open: then, and only then, does a transaction begin with its statement. One simple
/// query, in place of sqlx' ping.
async fn is_outside_any_transaction(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::raw_sql("select now() = statement_timestamp()").fetch_one(connection).await?;
    row.try_get(0)
}

/// A client that connects by itself, now or whenever NATS is there, and again after every loss. With `tls://` it shows our certificate, and
/// NATS lets us do what the service of that name may; answers come to subjects that only this service may hear.
///
/// # Errors
/// When the URL isn't one, or a certificate is needed and there is none.
pub async fn nats(
    service: &str,
    nats: &config::Nats,
    tls: Option<&Tls>,
) -> Result<(Client, jetstream::Context), Error> {
    let mut options = ConnectOptions::new();
    if nats.is_guarded() {
        let tls = tls.ok_or_else(|| ConfigError::unusable("nats.url", "tls:// needs the section tls"))?;
        // Other servers are told by address, and an address is no name that a certificate has.
        options = options.require_tls(true).tls_client_config(tls.of_reconnecting_client()).ignore_discovered_servers();
    }
    let client = options
        .name(service)
        .custom_inbox_prefix(format!("_INBOX_{service}"))
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| {
            Duration::from_millis(20 * 2_u64.saturating_pow(attempts.min(7) as u32)).min(Duration::from_secs(2))
        })
        .event_callback(|event| async move {
            match event {
                Event::Connected | Event::Disconnected => tracing::info!(%event, "nats"),
                // An error here may be the only sign of a refused publish: it is never answered.
                event => tracing::warn!(%event, "nats"),
            }
        })
        .connect(nats.url.as_str())
        .await
        .map_err(|error| Error::nats("connect")(error.into()))?;
    let jetstream = jetstream::ContextBuilder::new()
        .timeout(Duration::from_secs(5))
        .ack_timeout(Duration::from_secs(2))
        .build(client.clone());
    Ok((client, jetstream))
}

/// Keeps the checks `database` and `nats` in step with the truth until the shutdown; not well until first seen well.
pub async fn watch_health(pool: PgPool, client: Client, health: Health, shutdown: Shutdown) {
    health.set("database", false);
    health.set("nats", false);
    loop {
        health.set("nats", client.connection_state() == State::Connected);
        let looked = within(PATIENCE, sqlx::query_scalar!("select 1 as one").fetch_one(&pool));
        let Some(database) = shutdown.or(looked).await else { return };
        health.set("database", database.is_ok());
        if shutdown.or(tokio::time::sleep(Duration::from_secs(1))).await.is_none() {
            return;
        }
    }
}
