//! Whom production connects as, and what a transaction's scope lets through.

use chassis::config::{Database, Profile};
use ids::{ForceId, Secret};
use outbox::{Error, Scope};

#[tokio::test]
async fn production_does_not_start_as_a_role_that_no_policy_binds() {
    let world = testkit::database().await;
    let database = |url| Database { url: Secret::new(url), max_connections: 1 };
    let refused = outbox::pg_pool(&database(world.url_of_superuser()), Profile::Production).await;
    assert!(matches!(refused, Err(Error::Unbound)), "{refused:?}");
    let pool = outbox::pg_pool(&database(world.url()), Profile::Production).await.unwrap();
    assert!(pool.acquire().await.is_ok());
}

/// The database was away when the service started, or the role was changed since.
#[tokio::test]
async fn nor_does_it_go_on_as_one() {
    let mut world = testkit::database().await;
    let database = Database { url: Secret::new(world.url_of_superuser()), max_connections: 1 };
    world.stop().await.unwrap();
    let pool = outbox::pg_pool(&database, Profile::Production).await.unwrap();
    world.start().await.unwrap();
    assert!(pool.acquire().await.is_err());
    let dev = outbox::pg_pool(&database, Profile::Dev).await.unwrap();
    assert!(dev.acquire().await.is_ok());
}

#[tokio::test]
async fn a_scope_lasts_as_long_as_its_transaction() {
    let world = testkit::database().await;
    let database = Database { url: Secret::new(world.url()), max_connections: 1 };
    let pool = outbox::pg_pool(&database, Profile::Dev).await.unwrap();
    outbox::migrate(&pool).await.unwrap();
    let rows = "create table kept (force_id text, it text); select outbox.isolate('kept')";
    sqlx::raw_sql(rows).execute(&pool).await.unwrap();
    let (kent, wmp): (ForceId, ForceId) = ("kent".parse().unwrap(), "wmp".parse().unwrap());
    let put = "insert into kept values ($1, 'x')";
    for force in [&kent, &wmp] {
        let mut tx = outbox::begin(&pool, Scope::Force(force)).await.unwrap();
        sqlx::query(put).bind(force.as_str()).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }
    let count = sqlx::query_scalar::<_, i64>("select count(*) from kept");
    assert_eq!(count.fetch_one(&pool).await.unwrap(), 0, "outside of any scope");
    for (scope, seen) in [(Scope::Force(&kent), 1), (Scope::All, 2)] {
        let mut tx = outbox::begin(&pool, scope).await.unwrap();
        let count = sqlx::query_scalar::<_, i64>("select count(*) from kept");
        assert_eq!(count.fetch_one(&mut *tx).await.unwrap(), seen, "{scope:?}");
    }
    let mut tx = outbox::begin(&pool, Scope::Force(&kent)).await.unwrap();
    assert!(sqlx::query(put).bind("wmp").execute(&mut *tx).await.is_err());
}
