//! What live calls cost: CPU of `video-session`, with two-way calls of synthetic phones, all recorded.
//!
//! The phones run in this process and take most of the machine; only the service's own use is counted.

use std::time::Duration;

use alcove_tests::{
    desk::{AcceptedCall, FORCE},
    package::exhibit_of,
};
use futures::{StreamExt, TryStreamExt, stream};
use testkit::phone::{Phone, join};

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    machine::cpu_seconds,
    stage::{Invited, Sealed, Stage},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// One call with both phones playing and watching.
pub struct TwoWay {
    invited: Invited,
    phones: [Phone; 2],
}

impl TwoWay {
    /// Sets one up; both have seen the other's first frame.
    pub async fn begin(stage: &Stage) -> Result<Self, Failure> {
        let invited = stage.invited().await?;
        let mut officer = invited.accepted.officers_phone().await?;
        let mut caller = Phone::new(join(&stage.desk.stack.caller_page(), &invited.code).await?);
        caller.publish().await?;
        let ids = [&officer, &caller].map(|phone| phone.pass().participant_id.clone());
        caller.watch(&ids[0]).await?;
        officer.watch(&ids[1]).await?;
        caller.wait_for(&ids[0], PATIENCE, |received| received.first_frame.is_some()).await?;
        officer.wait_for(&ids[1], PATIENCE, |received| received.first_frame.is_some()).await?;
        Ok(Self { invited, phones: [officer, caller] })
    }

    /// So many, set up a few at a time.
    pub async fn begin_all(stage: &Stage, count: usize) -> Result<Vec<Self>, Failure> {
        stream::iter((0..count).map(|_| Self::begin(stage))).buffer_unordered(4).try_collect().await
    }

    /// The officer's phone and the caller's.
    pub fn phones(&self) -> &[Phone; 2] {
        &self.phones
    }

    /// The officer who has it, and the control room's watch on it.
    pub fn accepted(&mut self) -> &mut AcceptedCall {
        &mut self.invited.accepted
    }

    /// Ends it; answers how long the seal took, and how long after the accept there was a code.
    pub async fn end(self, stage: &Stage) -> Result<(Sealed, Duration), Failure> {
        let Self { mut invited, phones } = self;
        let sealed = stage.end(&mut invited.accepted).await?;
        for phone in phones {
            phone.hang_up().await?;
        }
        Ok((sealed, invited.after_accept))
    }

    /// Frames of video that both have received of each other.
    fn frames(&self) -> u64 {
        let [officer, caller] = &self.phones;
        let of = |phone: &Phone, other: &Phone| phone.received(&other.pass().participant_id).video_frames;
        of(officer, caller) + of(caller, officer)
    }
}

/// What so many calls took over some seconds.
struct Load {
    cpu_percent: f64,
    evidence_percent: f64,
    frames_per_call: f64,
    kbps: f64,
}

/// Measures with four calls, then with eight.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let talk = Duration::from_secs(if quick { 2 } else { 10 });
    let (session, evidence) = (stage.pid("video-session"), stage.pid("evidence-store"));
    let idle = used(session, talk).await?;

    let mut loads = Vec::new();
    for count in if quick { [1, 2] } else { [4, 8] } {
        let calls = TwoWay::begin_all(stage, count).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let frames = |calls: &[TwoWay]| calls.iter().map(TwoWay::frames).sum::<u64>();
        let before = frames(&calls);
        let (cpu, stored) = tokio::try_join!(used(session, talk), used(evidence, talk))?;
        let came = frames(&calls) - before;
        let id = calls.first().map(|call| call.invited.accepted.call.call_id.clone()).unwrap_or_default();
        for call in calls {
            call.end(stage).await?;
        }
        let n = count as f64;
        let load = Load {
            cpu_percent: (cpu - idle).max(0.0) / n,
            evidence_percent: stored / n,
            frames_per_call: came as f64 / n / talk.as_secs_f64() / 2.0,
            kbps: kbps(stage, &id).await?,
        };
        loads.push((n, load));
    }
    let [(few, light), (many, heavy)] = &loads[..] else { return Err("two loads were to be measured".into()) };
    let of_one_core = format!(
        "of one core, of video-session alone, with {many} recorded two-way calls over {} s ({few} calls: {:.2}%, idle \
         {idle:.2}% taken off); clip of {:.0} kb/s a direction at 15 frames/s, {:.1} frames/s arrived; evidence-store \
         takes another {:.2}%",
        talk.as_secs(),
        light.cpu_percent,
        heavy.kbps,
        heavy.frames_per_call,
        heavy.evidence_percent,
    );
    figures.add(Figure::new("cpu_per_call_percent", heavy.cpu_percent, "%", Target::None, of_one_core));
    Ok(())
}

/// Percent of one core that a process uses over a time.
async fn used(pid: u32, over: Duration) -> Result<f64, Failure> {
    let (before, began) = (cpu_seconds(pid)?, std::time::Instant::now());
    tokio::time::sleep(over).await;
    Ok((cpu_seconds(pid)? - before) / began.elapsed().as_secs_f64() * 100.0)
}

/// What was recorded of one participant of a sealed call, in kb/s; segments are a second long at most.
async fn kbps(stage: &Stage, call: &str) -> Result<f64, Failure> {
    let exhibit = exhibit_of(stage.desk.way("evidence-store", alcove_tests::package::WHO)?, FORCE, call).await?;
    let (bytes, segments) =
        exhibit.tracks.iter().fold((0, 0), |(bytes, segments), track| (bytes + track.bytes, segments + track.segments));
    Ok(bytes as f64 * 8.0 / 1000.0 / (segments.max(1) as f64))
}
