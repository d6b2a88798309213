//! What an officer still has to type once the call has ended: the two calls of `tests/tests/journey_help.rs`, counted by the console's page.

use alcove_tests::{
    browser::Browser,
    help::{Done, Room, story},
};

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
};

/// Has both calls, one after the other.
pub async fn measure(figures: &Figures) -> Result<(), Failure> {
    let room = Room::open().await?;
    let browser = Browser::start().await?;
    let pages = room.first(&browser, "7101").await?;
    story::standard(&pages).await?;
    figures.add(figure("fields_typed_standard", 0.0, &room.done(&pages, "bench-standard").await?));
    let pages = room.next(pages, &browser, "7102").await?;
    story::high(&pages).await?;
    figures.add(figure("fields_typed_high", 4.0, &room.done(&pages, "bench-high").await?));
    Ok(())
}

fn figure(id: &str, most: f64, done: &Done) -> Figure {
    let (during, after) = (&done.by_hand.during, &done.by_hand.after);
    let note = format!(
        "typed after the end of the call, and {} buttons and choices; in the call {} fields, {} keys, buttons and choices",
        after.pressed,
        during.typed.len(),
        during.pressed,
    );
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let typed = after.typed.len() as f64;
    Figure::new(id, typed, "", Target::AtMost(most), note)
}
