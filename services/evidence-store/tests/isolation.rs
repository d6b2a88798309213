//! One force's rows, whatever a statement forgets to ask for.

use api::evidence::v1::{ItemKind, OpenExhibitRequest, ReviewDecision};
use testkit::isolation::Isolation;
use tonic::Code;

use crate::support::{items::*, retention::*, *};

const ISOLATION: Isolation<'static> = Isolation {
    schema: "evidence",
    nobodys: &[
        ("journal_files", "a file of the journal has the records of many calls"),
        ("archived_files", "a file of the journal, as it lies in the archive"),
        ("log_queue", "the log is one for all forces, and public: its entries are digests"),
        ("log_entries", "as the queue"),
        ("log_checkpoints", "as the queue"),
    ],
    filled: &[
        "access_heads",
        "accesses",
        "artefacts",
        "declared_tracks",
        "disposals",
        "exhibit_files",
        "exhibits",
        "hold_releases",
        "holds",
        "items",
        "reviews",
        "segments",
        "sessions",
        "tracks",
    ],
};

#[tokio::test]
async fn a_query_that_forgets_the_filter_finds_nothing() {
    let room = Room::with(&[DUE_AT_ONCE]).await;
    let others = Others::at(&room.nats).await;
    let ours = OpenExhibitRequest { force_id: "kent".into(), ..opening(&fresh()) };
    room.client.clone().open_exhibit(ours.clone()).await.unwrap();
    // Everything that there is about one: said, sealed, held back, reviewed, gone.
    let call = room.ended_call(&others, 2).await;
    room.sealed(&call).await;
    let exhibit = room.exhibit(&call).await.unwrap().exhibit_id;
    let statement = b"{}";
    add(&room.client, &header(&call, ItemKind::Statement, "statement", statement), statement).await.unwrap();
    let mut client = room.client.clone();
    let hold = client.place_hold(holding_back(&exhibit)).await.unwrap().into_inner().hold_id;
    client.release_hold(releasing(&exhibit, &hold)).await.unwrap();
    let (_, gone) = room.sealed_call_by(&others).await;
    for who in ["Insp 7", "Supt 9"] {
        client.review_retention(reviewing(&gone, who, ReviewDecision::Dispose)).await.unwrap();
    }
    client.dispose(disposing(&gone)).await.unwrap();
    ISOLATION.prove(&room.db.url(), "kent", FORCE).await;
    // And the other way round.
    Isolation { filled: &["exhibits"], ..ISOLATION }.prove(&room.db.url(), FORCE, "kent").await;
}

/// The row isn't seen, and its place is taken all the same.
#[tokio::test]
async fn a_call_that_another_force_has_is_not_found() {
    let room = Room::open().await;
    let call = room.call().await;
    let theirs = OpenExhibitRequest { force_id: "kent".into(), ..opening(&call) };
    refused(room.client.clone().open_exhibit(theirs).await, Code::NotFound, "UNKNOWN_EXHIBIT");
}

#[tokio::test]
async fn an_item_is_looked_for_among_its_own_force_s() {
    let room = Room::open().await;
    let call = room.call().await;
    // Whoever asks for the items of all forces finds none.
    let blind = "create policy of_one on evidence.items as restrictive for select \
                 using (current_setting('alcove.force', true) <> '*')";
    sqlx::query(blind).execute(&room.db.pool()).await.unwrap();
    let statement = b"{}";
    let header = header(&call, ItemKind::Statement, "statement", statement);
    let first = add(&room.client, &header, statement).await.unwrap();
    assert_eq!(add(&room.client, &header, statement).await.unwrap(), first);
}
