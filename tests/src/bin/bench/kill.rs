//! kill -9 of the video-session that carries twenty calls, one of them of two browsers, with another instance beside it: how long that
//! call's officer is without a picture, how long it takes until everybody in all of them sees the other again, and how much of what the
//! callers had sent by then is in no recording. A stack of its own each time, because the instance that is left is not the one to be
//! killed next.

use std::time::Instant;

use alcove_tests::{browser::Browser, media_probe::Probe, takeover::Talk};
use futures::future::try_join_all;

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    samples::Samples,
};

/// Frames a second of the clip that the phones play.
const CLIP: f64 = 15.0;

/// What several kills showed, in seconds.
#[derive(Default)]
struct Seen {
    officer: Samples,
    caller: Samples,
    all: Samples,
    missing: Samples,
}

/// Plays the calls, and kills their instance, several times.
pub async fn measure(figures: &Figures, quick: bool) -> Result<(), Failure> {
    let (times, others) = if quick { (1, 1) } else { (5, 19) };
    let mut seen = Seen::default();
    for number in 0..times {
        seen.one(5_000 + number, others).await?;
    }
    let beside = format!("{} calls up, both ends of {others} of them synthetic", others + 1);
    let note = format!(
        "the longest of {times}: kill -9 to the officer's next frame on screen, on the other instance; median {:.2} s; the \
         caller's, at most {:.2} s; the lease is 2 s; {beside}",
        seen.officer.median(),
        seen.caller.max(),
    );
    figures.add(Figure::new("kill_recovery_s", seen.officer.max(), "s", Target::AtMost(5.0), note));
    let note = format!(
        "the longest of {times}: kill -9 until both ends of every call have ten pictures of the other again; median {:.2} s; {beside}",
        seen.all.median(),
    );
    figures.add(Figure::new("kill_recovery_all_s", seen.all.max(), "s", Target::None, note));
    let note = format!(
        "the longest of {} calls: pictures that the caller had made just before the kill and the recording hasn't, over how many were \
         made a second; median {:.2} s; {beside}",
        seen.missing.count(),
        seen.missing.median(),
    );
    figures.add(Figure::new("kill_missing_s", seen.missing.max(), "s", Target::AtMost(1.0), note));
    Ok(())
}

impl Seen {
    async fn one(&mut self, incident: u32, others: u32) -> Result<(), Failure> {
        let browser = Browser::start().await?;
        let mut talk = Talk::among(&browser, &incident.to_string(), others).await?;
        let (before, began) = (talk.pictures_made().await?, Instant::now());
        talk.pages.caller.until("window.shown.length > 150").await?;
        let made = talk.pictures_made().await?;
        let rate = (made - before) as f64 / began.elapsed().as_secs_f64();
        let sent: Vec<u64> = talk.others.iter().map(|other| other.sent().video_frames).collect();
        let killed = Instant::now();
        let back = talk.killed().await?;
        try_join_all(talk.others.iter().map(|other| other.sees_each_other(2))).await?;
        self.all.add(killed.elapsed().as_secs_f64());
        self.officer.add(back.officer.as_secs_f64());
        self.caller.add(back.caller.as_secs_f64());
        // It comes back with what it had not sent.
        talk.desk.stack.second_session().restart().await?;
        let folder = tempfile::tempdir()?;
        for (other, sent) in std::mem::take(&mut talk.others).into_iter().zip(sent) {
            let package = other.ended(&talk.desk, folder.path()).await?;
            self.missing.add(sent.saturating_sub(kept(&package)?) as f64 / CLIP);
        }
        let package = talk.ended(folder.path()).await?;
        self.missing.add(made.saturating_sub(kept(&package)?) as f64 / rate);
        Ok(())
    }
}

/// Pictures of the caller's first stream that are in a package.
fn kept(package: &std::path::Path) -> Result<u64, Failure> {
    Ok(Probe::file(&package.join("bag/data/tracks/caller-1.mkv"))?.video_frames)
}
