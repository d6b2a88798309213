//! The first answer to a request id is every answer to it.

use api::intake::v1::{CallOpened, TransferCancelled};
use chassis::{Clock, Entropy};
use ids::RequestId;
use outbox::{Error, replay};
use sqlx::PgPool;

const RPC: &str = "OpenCall";

fn request(call: &str) -> TransferCancelled {
    TransferCancelled { call_id: call.to_owned(), ..TransferCancelled::default() }
}

/// A use case: claims, does its work once, remembers.
async fn open(pool: &PgPool, id: RequestId, rpc: &'static str, call: &str) -> Result<String, Error> {
    let mut tx = pool.begin().await?;
    if let Some(first) = replay::first_answer::<_, CallOpened>(&mut tx, id, rpc, &request(call)).await? {
        return Ok(first.call_id);
    }
    let answer: i64 = sqlx::query_scalar("insert into effects default values returning id").fetch_one(&mut *tx).await?;
    let answer = CallOpened { call_id: answer.to_string(), ..CallOpened::default() };
    replay::remember(&mut tx, id, &answer).await?;
    tx.commit().await?;
    Ok(answer.call_id)
}

async fn world() -> (testkit::TestDatabase, PgPool, RequestId) {
    let database = testkit::database().await;
    let pool = database.pool();
    outbox::migrate(&pool).await.unwrap();
    // A second time changes nothing.
    outbox::migrate(&pool).await.unwrap();
    sqlx::raw_sql("create table effects (id bigserial)").execute(&pool).await.unwrap();
    (database, pool, Entropy::os().id(Clock::system().now()))
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer() {
    let (_database, pool, id) = world().await;
    let first = open(&pool, id, RPC, "a").await.unwrap();
    assert_eq!(open(&pool, id, RPC, "a").await.unwrap(), first);
    let other = Entropy::os().id(Clock::system().now());
    assert_ne!(open(&pool, other, RPC, "a").await.unwrap(), first);
}

#[tokio::test]
async fn twins_at_once_get_one_answer_and_one_effect() {
    let (_database, pool, id) = world().await;
    let twins = futures::future::join_all((0..16).map(|_| open(&pool, id, RPC, "a"))).await;
    let answers: Vec<_> = twins.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let effects: i64 = sqlx::query_scalar("select count(*) from effects").fetch_one(&pool).await.unwrap();
    assert_eq!(effects, 1);
}

#[tokio::test]
async fn the_same_id_for_something_else_is_refused() {
    let (_database, pool, id) = world().await;
    open(&pool, id, RPC, "a").await.unwrap();
    assert!(matches!(open(&pool, id, RPC, "b").await, Err(Error::RequestIdReused)));
    assert!(matches!(open(&pool, id, "Other", "a").await, Err(Error::RequestIdReused)));
}

#[tokio::test]
async fn a_claim_that_was_rolled_back_is_free() {
    let (_database, pool, id) = world().await;
    let mut tx = pool.begin().await.unwrap();
    assert!(replay::first_answer::<_, CallOpened>(&mut tx, id, RPC, &request("a")).await.unwrap().is_none());
    tx.rollback().await.unwrap();
    open(&pool, id, RPC, "a").await.unwrap();
}

#[tokio::test]
async fn a_claim_that_was_committed_without_its_answer_is_a_bug_that_shows() {
    let (_database, pool, id) = world().await;
    let mut tx = pool.begin().await.unwrap();
    assert!(replay::first_answer::<_, CallOpened>(&mut tx, id, RPC, &request("a")).await.unwrap().is_none());
    tx.commit().await.unwrap();
    assert!(matches!(open(&pool, id, RPC, "a").await, Err(Error::AnswerLost { rpc: RPC })));
}

/// What was answered holds personal data, and is not kept for ever.
#[tokio::test]
async fn an_answer_of_long_ago_is_forgotten_and_its_effect_is_not_repeated() {
    let (_database, pool, old) = world().await;
    open(&pool, old, RPC, "a").await.unwrap();
    let age = "update outbox.answers set claimed_at = now() - interval '91 days'";
    sqlx::query(age).execute(&pool).await.unwrap();
    let new = Entropy::os().id(Clock::system().now());
    let first = open(&pool, new, RPC, "b").await.unwrap();
    let kept = "select array_agg(request_id) from outbox.answers where answer is not null";
    let kept: Vec<uuid::Uuid> = sqlx::query_scalar(kept).fetch_one(&pool).await.unwrap();
    assert_eq!(kept, [new.uuid()]);
    assert!(matches!(open(&pool, old, RPC, "a").await, Err(Error::AnswerLost { rpc: RPC })));
    assert_eq!(open(&pool, new, RPC, "b").await.unwrap(), first);
}
