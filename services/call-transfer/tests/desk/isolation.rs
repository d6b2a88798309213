//! One force's rows, whatever a statement forgets to ask for.

use api::intake::v1::RiskGrade;
use testkit::isolation::Isolation;

use crate::{
    loans,
    support::{TestDesk, asked, clock},
};

const ISOLATION: Isolation<'static> = Isolation {
    schema: "transfer",
    nobodys: &[],
    filled: &["alerts", "calls", "fast_tracks", "loans", "offers", "officers", "passes"],
};

#[tokio::test]
async fn a_query_that_forgets_the_filter_finds_nothing() {
    let desk = TestDesk::start(clock().into(), 1, &[]).await;
    desk.officer(0, "kent", "pc-1").presence(api::transfer::v1::Presence::Free).await.unwrap();
    let mut one = desk.free("pc-1").await;
    let call = desk.call_as(asked(RiskGrade::High)).await;
    one.offered(call).await;
    one.decline(call, "no").await.unwrap();
    desk.escalate(call, desk.new_fast_track(), 2, "pc-1").await;
    loans::offer(&mut desk.officer(0, "wmp", "sgt-1"), "surrey", &["pc-1"], (0, 3600)).await.unwrap();
    let pool = desk.pool.clone();
    testkit::until("the fast-track to be kept", async || {
        let kept = "select count(*) from transfer.fast_tracks";
        sqlx::query_scalar::<_, i64>(kept).fetch_one(&pool).await.unwrap() == 1
    })
    .await;
    let url = desk.postgres.url("call_transfer");
    ISOLATION.prove(&url, "kent", "wmp").await;
    // And the other way round.
    Isolation { filled: &["officers"], ..ISOLATION }.prove(&url, "wmp", "kent").await;
    desk.stop().await;
}
