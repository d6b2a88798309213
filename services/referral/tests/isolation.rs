//! One force's rows, whatever a statement forgets to ask for.

use testkit::isolation::Isolation;

use crate::desk::{Desk, FORCE, new_call};

#[tokio::test]
async fn a_query_that_forgets_the_filter_finds_nothing() {
    let desk = Desk::open().await;
    let (ours, theirs) = (new_call(), new_call());
    desk.ended_in("kent", &ours, true).await;
    desk.ended_in(FORCE, &theirs, true).await;
    desk.announced(&theirs).await;
    desk.taken(2).await;
    crate::clocks::begun(&desk.db.pool(), FORCE, &theirs).await;
    let isolation = Isolation { schema: "referral", nobodys: &[], filled: &["packages", "clocks"] };
    isolation.prove(&desk.db.url(), "kent", FORCE).await;
    assert!(desk.get("kent", &ours).await.is_ok() && desk.get(FORCE, &theirs).await.is_ok());
}
