//! One force's rows, whatever a statement forgets to ask for.

use api::intake::v1::ConsentKind;
use ids::CallId;
use testkit::{isolation::Isolation, until};

use crate::rig::{FORCE, Rig, Time};

const ISOLATION: Isolation<'static> = Isolation {
    schema: "session",
    nobodys: &[
        ("instances", "the processes that carry calls, of whichever force"),
        ("guesses", "one row, which counts everybody's wrong codes"),
    ],
    filled: &["early_consents", "fast_tracks", "invitations", "participants", "presences", "sessions", "tracks"],
};

#[tokio::test]
async fn a_query_that_forgets_the_filter_finds_nothing() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let (ours, early): (CallId, CallId) = (rig.id(), rig.id());
    rig.say_nth_accepted_in("kent", 1, ours, true).await;
    let theirs = rig.accepted(true).await;
    let phones = rig.both(theirs).await;
    rig.ask_for_unit(rig.asking_for_unit(theirs, "DANGER")).await.unwrap();
    rig.say_consent(early, ConsentKind::Recording, true).await;
    let both = "select (select count(*) from session.sessions) + (select count(*) from session.early_consents)";
    until("both sessions, and what is kept for a third", async || {
        sqlx::query_scalar::<_, i64>(both).fetch_one(&rig.database.pool()).await.unwrap() == 3
    })
    .await;
    ISOLATION.prove(&rig.database.url(), "kent", FORCE).await;
    // And the other way round.
    Isolation { filled: &["sessions"], ..ISOLATION }.prove(&rig.database.url(), FORCE, "kent").await;
    drop(phones);
    rig.stop().await;
}
