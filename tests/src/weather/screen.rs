//! What pages say of their media: Chromium's own statistics, and when its screen showed a picture.

use serde::Deserialize;

use super::Outcome;
use crate::browser::Page;

/// All streams of a page's connections.
const STATISTICS: &str = "(async () => {
    const streams = [];
    for (const link of window.links) {
        (await link.getStats()).forEach((one) => { if (/^(in|out)bound-rtp$/.test(one.type)) streams.push(one); });
    }
    return { now: performance.now(), shown: window.shown, streams };
})()";

/// A picture that stands still for so long is a freeze, milliseconds.
const FREEZE: f64 = 200.0;

/// A page at one moment.
#[derive(Debug, Deserialize)]
pub(super) struct Look {
    /// By the page's clock, milliseconds.
    now: f64,
    /// When each picture was shown.
    shown: Vec<f64>,
    streams: Vec<Report>,
}

/// What Chromium says of a stream. What it doesn't say is zero.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Report {
    r#type: String,
    kind: String,
    pub(super) ssrc: u32,
    packets_sent: f64,
    retransmitted_packets_sent: f64,
    concealed_samples: f64,
    silent_concealed_samples: f64,
    total_samples_received: f64,
    frames_decoded: f64,
}

impl Report {
    /// Packets over packets that were no repairs.
    pub(super) fn sent_again(&self) -> f64 {
        self.packets_sent / (self.packets_sent - self.retransmitted_packets_sent).max(1.0)
    }
}

/// What was seen and heard for a while.
#[derive(Debug)]
pub struct Seen {
    /// Seconds that it lasted.
    pub seconds: f64,
    /// Of these, how many the picture stood still for 0.2 s or longer at a time.
    pub frozen: f64,
    /// Pictures a second.
    pub pictures: f64,
    /// Of the sound, the share that was made up because it did not come in time.
    pub concealed: f64,
}

impl Seen {
    pub(super) fn between(before: &Look, after: &Look) -> Self {
        let during: Vec<_> = after.shown.iter().copied().filter(|at| (before.now..after.now).contains(at)).collect();
        let edges = [before.now].into_iter().chain(during.iter().copied()).chain([after.now]);
        let gaps = edges.clone().zip(edges.skip(1)).map(|(from, to)| to - from);
        let seconds = (after.now - before.now) / 1_000.0;
        let (heard, made_up) = (after.sound(|one| one.total_samples_received), after.sound(Report::made_up));
        let heard = heard - before.sound(|one| one.total_samples_received);
        Self {
            seconds,
            frozen: gaps.filter(|gap| *gap >= FREEZE).fold(0.0, |sum, gap| sum + gap / 1_000.0),
            pictures: during.len() as f64 / seconds,
            concealed: (made_up - before.sound(Report::made_up)) / heard.max(1.0),
        }
    }
}

impl Look {
    /// Pictures a second that came in since.
    pub(super) fn pictures_since(&self, before: &Self) -> f64 {
        let decoded = |look: &Self| look.streams.iter().map(|one| one.frames_decoded).sum::<f64>();
        (decoded(self) - decoded(before)) * 1_000.0 / (self.now - before.now)
    }

    /// Of all sound that comes in.
    fn sound(&self, of: impl Fn(&Report) -> f64) -> f64 {
        self.streams.iter().filter(|one| one.r#type == "inbound-rtp" && one.kind == "audio").map(of).sum()
    }
}

impl Report {
    /// Silence made up from silence is no loss.
    fn made_up(&self) -> f64 {
        self.concealed_samples - self.silent_concealed_samples
    }
}

/// Looks at a page.
pub(super) async fn look(page: &Page<'_>) -> Outcome<Look> {
    Ok(serde_json::from_value(page.evaluate(STATISTICS).await?)?)
}

/// What it sends of one kind.
pub(super) async fn outbound(page: &Page<'_>, kind: &str) -> Outcome<Report> {
    let streams = look(page).await?.streams;
    let found = streams.into_iter().find(|one| one.r#type == "outbound-rtp" && one.kind == kind);
    found.ok_or_else(|| format!("it sends no {kind}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_stands_still_at_an_end_is_frozen_too() {
        let look = |now, shown: &[f64]| Look { now, shown: shown.to_vec(), streams: Vec::new() };
        let seen =
            Seen::between(&look(1_000.0, &[]), &look(3_000.0, &[990.0, 1_300.0, 1_350.0, 1_400.0, 1_700.0, 1_800.0]));
        let expected = 0.3 + 0.3 + 1.2;
        assert!((seen.frozen - expected).abs() < 1e-9, "{seen:?}");
        assert!((seen.pictures - 2.5).abs() < 1e-9, "{seen:?}");
    }
}
