//! An hour of twenty calls: does memory stay what it is? Not among what `make bench` runs by itself.

use std::time::{Duration, Instant};

use super::{Crowd, SETTLE, ours};
use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    machine::rss_mb,
    samples::Samples,
    stage::Stage,
};

const CALLS: usize = 20;
const TIME: Duration = Duration::from_secs(3_600);
/// The caches of the first minutes are no leak.
const WARM: Duration = Duration::from_secs(300);
const EVERY: Duration = Duration::from_secs(10);
/// What only goes up at first is no leak either: into so many the samples are cut, one after the other.
const STRETCHES: usize = 6;

/// Measures: the slope of the straight line through the samples, and what was lost.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let (time, warm, every) = if quick { (TIME / 240, WARM / 60, EVERY / 10) } else { (TIME, WARM, EVERY) };
    let crowd = Crowd::gather()?;
    let calls = ours::begin_all(stage, &crowd, CALLS).await?;
    tokio::time::sleep(SETTLE).await;
    crowd.pump.measure(time)?;
    let (pid, began) = (stage.pid("video-session"), Instant::now());
    let mut samples = Vec::new();
    while began.elapsed() < time {
        tokio::time::sleep(every).await;
        if began.elapsed() >= warm {
            samples.push((began.elapsed().as_secs_f64() / 3_600.0, rss_mb(pid)?));
        }
    }
    let tally = crowd.pump.tally().await?;
    ours::end_all(stage, calls).await?;
    crowd.pump.clear()?;
    let lost = tally.sent.saturating_sub(tally.came);
    if samples.is_empty() {
        return Err("no samples".into());
    }
    let stretches = samples.chunks(samples.len().div_ceil(STRETCHES));
    let medians = stretches.map(|stretch| stretch.iter().map(|(_, mb)| *mb).collect::<Samples>().median());
    let note = format!(
        "MiB an hour, by least squares over {} samples of {CALLS} calls in {:.0} minutes, the first {:.0} left out; medians of \
         its {STRETCHES} stretches: {} MiB; {lost} of {} packets lost",
        samples.len(),
        time.as_secs_f64() / 60.0,
        warm.as_secs_f64() / 60.0,
        medians.map(|mb| format!("{mb:.1}")).collect::<Vec<_>>().join(", "),
        tally.sent,
    );
    figures.add(Figure::new("soak_rss_slope_mb_h", slope(&samples), "MiB/h", Target::AtMost(1.0), note));
    Ok(())
}

/// Of the straight line with the least squares.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let n = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let (up, along) = samples.iter().fold((0.0, 0.0), |(up, along), sample| {
        let dx = sample.0 - x;
        (up + dx * (sample.1 - y), along + dx * dx)
    });
    if along > 0.0 { up / along } else { 0.0 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_straight_line_has_its_slope() {
        let line: Vec<_> = (0..10).map(|x| (f64::from(x), 3.0 * f64::from(x) + 7.0)).collect();
        assert!((super::slope(&line) - 3.0).abs() < 1e-9);
        assert!(super::slope(&[(1.0, 2.0)]).abs() < 1e-9);
    }
}
