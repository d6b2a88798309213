//! From the end of a call to its seal: real recordings of synthetic phones, ended one after the other while others go on.

use std::time::{Duration, Instant};

use crate::{
    Failure,
    calls::TwoWay,
    figures::{Figure, Figures, Target},
    samples::Samples,
    stage::Stage,
};

/// Calls that are up at once.
const TOGETHER: usize = 10;
/// How long they have talked before the first of them ends.
const TALK: Duration = Duration::from_secs(3);

/// Plays rounds of calls until there are enough, or the time is up.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let (enough, time) = if quick { (TOGETHER, Duration::from_secs(15)) } else { (100, Duration::from_secs(90)) };
    let began = Instant::now();
    let (mut all, mut evidence, mut invitations) = (Samples::default(), Samples::default(), Samples::default());
    while all.count() < enough && began.elapsed() < time {
        let calls = TwoWay::begin_all(stage, TOGETHER).await?;
        tokio::time::sleep(TALK).await;
        for call in calls {
            let (sealed, after_accept) = call.end(stage).await?;
            all.add(sealed.all.as_secs_f64());
            evidence.add(sealed.evidence.as_secs_f64());
            invitations.add(after_accept.as_secs_f64() * 1000.0);
        }
    }
    let note = format!(
        "EndSession to the control room's Sealed, {} calls of 3 to 10 s with both sides recorded, up to {TOGETHER} at \
         once; p50 {:.3} s, max {:.3} s; evidence-store's own part, from SessionEnded to ExhibitSealed on the bus: p50 \
         {:.3} s, p99 {:.3} s; local timestamp authority and witness",
        all.count(),
        all.median(),
        all.max(),
        evidence.median(),
        evidence.percentile(99.0),
    );
    figures.add(Figure::new("seal_p99_s", all.percentile(99.0), "s", Target::AtMost(1.0), note));
    let note = format!(
        "AcceptOffer answered to the code in the officer's hand, {} calls, up to {TOGETHER} live; call-transfer answered \
         UNAVAILABLE {} times and was asked again",
        invitations.count(),
        stage.retries(),
    );
    let figure = |id, value| Figure::new(id, value, "ms", Target::None, note.clone());
    figures.add(figure("accept_to_invitation_p50_ms", invitations.median()));
    figures.add(figure("accept_to_invitation_p95_ms", invitations.percentile(95.0)));
    Ok(())
}
