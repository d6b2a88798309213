//! kill -9 of the video-session that carries a call of two browsers, with another instance beside it: how long the officer is
//! without a picture. A stack of its own each time, because the instance that is left is not the one to be killed next.

use alcove_tests::{browser::Browser, takeover::Talk};

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    samples::Samples,
};

/// Plays a call, and kills its instance, several times.
pub async fn measure(figures: &Figures, quick: bool) -> Result<(), Failure> {
    let times = if quick { 1 } else { 5 };
    let mut backs = Vec::new();
    for number in 0..times {
        let browser = Browser::start().await?;
        let mut talk = Talk::begin(&browser, &format!("{}", 5_000 + number)).await?;
        backs.push(talk.killed().await?);
        talk.desk.stack.stop().await?;
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
    Ok(())
}
