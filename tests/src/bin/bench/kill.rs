//! kill -9 of the video-session that carries a call of two browsers, with another instance beside it: how long the officer is
//! without a picture, and how much of what the caller had sent by then is in no recording. A stack of its own each time, because the instance
//! that is left is not the one to be killed next.

use std::time::Instant;

use alcove_tests::{browser::Browser, media_probe::Probe, takeover::Talk};

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    samples::Samples,
};

/// Plays a call, and kills its instance, several times.
pub async fn measure(figures: &Figures, quick: bool) -> Result<(), Failure> {
    let times = if quick { 1 } else { 5 };
    let (mut backs, mut missing) = (Vec::new(), Vec::new());
    for number in 0..times {
        let browser = Browser::start().await?;
        let mut talk = Talk::begin(&browser, &format!("{}", 5_000 + number)).await?;
        let (before, began) = (talk.pictures_made().await?, Instant::now());
        talk.pages.caller.until("window.shown.length > 150").await?;
        let made = talk.pictures_made().await?;
        let rate = (made - before) as f64 / began.elapsed().as_secs_f64();
        backs.push(talk.killed().await?);
        // It comes back with what it had not sent.
        talk.desk.stack.second_session().restart().await?;
        let folder = tempfile::tempdir()?;
        let package = talk.ended(folder.path()).await?;
        let kept = Probe::file(&package.join("bag/data/tracks/caller-1.mkv"))?.video_frames;
        missing.push(made.saturating_sub(kept) as f64 / rate);
    }
    let officer: Samples = backs.iter().map(|back| back.officer.as_secs_f64()).collect();
    let caller: Samples = backs.iter().map(|back| back.caller.as_secs_f64()).collect();
    let note = format!(
        "the longest of {times}: kill -9 to the officer's next frame on screen, on the other instance; median {:.2} s; the \
         caller's, at most {:.2} s; the lease is 2 s; one call",
        officer.median(),
        caller.max(),
    );
    figures.add(Figure::new("kill_recovery_s", officer.max(), "s", Target::AtMost(5.0), note));
    let missing: Samples = missing.into_iter().collect();
    let note = format!(
        "the longest of {times}: pictures that the caller's page had made just before the kill and the recording hasn't, over how many it \
         made a second; median {:.2} s; one call",
        missing.median(),
    );
    figures.add(Figure::new("kill_missing_s", missing.max(), "s", Target::AtMost(1.0), note));
    Ok(())
}
