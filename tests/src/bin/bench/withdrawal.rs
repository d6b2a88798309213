//! A consent to be recorded taken back in a live call: from WithdrawConsent until all that must know of it do: the session has stopped
//! recording and says so to whoever watches it, the officer's console among them, and the control room's watch tells it.
//!
//! How much is recorded after the session has stopped is not in it: video-session's tests hold that to two frames.

use std::time::{Duration, Instant};

use alcove_tests::desk::{AcceptedCall, FORCE};
use api::{
    intake::v1::{ConsentKind, WithdrawConsentRequest, call_update::Kind},
    session::v1::RecordingState,
};

use crate::{
    Failure,
    calls::TwoWay,
    figures::{Figure, Figures, Target},
    samples::Samples,
    stage::Stage,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Once in each of these live calls; they are not recorded any more then.
pub async fn measure(stage: &Stage, calls: &mut [TwoWay], figures: &Figures) -> Result<(), Failure> {
    let (mut answered, mut stopped, mut told, mut everywhere) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    for call in calls.iter_mut() {
        let took = tokio::time::timeout(PATIENCE, withdraw(stage, call.accepted()));
        let [answer, stop, tell] = took.await.map_err(|_| "a withdrawal was not heard of everywhere")??;
        let ms = |took: Duration| took.as_secs_f64() * 1000.0;
        answered.add(ms(answer));
        stopped.add(ms(stop));
        told.add(ms(tell));
        everywhere.add(ms(stop.max(tell)));
    }
    let note = format!(
        "recording taken back, once in each of {} live recorded two-way calls: from WithdrawConsent until WatchSession says that \
         recording has stopped and WatchCall tells it, whichever is later; p50 {:.1} ms, max {:.1} ms; the session alone {:.1} ms \
         (p99), the control room alone {:.1} ms, the answer {:.1} ms; loopback",
        calls.len(),
        everywhere.median(),
        everywhere.max(),
        stopped.percentile(99.0),
        told.percentile(99.0),
        answered.percentile(99.0),
    );
    figures.add(Figure::new("withdrawal_p99_ms", everywhere.percentile(99.0), "ms", Target::AtMost(1000.0), note));
    Ok(())
}

/// When it was answered, when the session had stopped, and when the control room was told.
async fn withdraw(
    stage: &Stage,
    AcceptedCall { call, officer, watch }: &mut AcceptedCall,
) -> Result<[Duration; 3], Failure> {
    let room = &stage.desk.control_room;
    let request = WithdrawConsentRequest {
        request_id: room.request_id(),
        force_id: FORCE.to_owned(),
        call_id: call.call_id.clone(),
        kind: ConsentKind::Recording.into(),
        how: "spoken on the 999 line".to_owned(),
        taken_by: "CH-0417".to_owned(),
        ..Default::default()
    };
    let mut client = room.client();
    let began = Instant::now();
    let answer = async { client.withdraw_consent(request).await.map(|_| began.elapsed()).map_err(Failure::from) };
    let stop = async {
        let is_stopped = |state: RecordingState| state == RecordingState::Stopped;
        officer.session_until(&call.call_id, |session| is_stopped(session.recording_state())).await?;
        Ok::<_, Failure>(began.elapsed())
    };
    let tell = async {
        let is_it = |kind: &Kind| match kind {
            Kind::ConsentChanged(changed) => changed.kind() == ConsentKind::Recording && !changed.given,
            _ => false,
        };
        watch.until(is_it).await?;
        Ok::<_, Failure>(began.elapsed())
    };
    let (answer, stop, tell) = tokio::try_join!(answer, stop, tell)?;
    Ok([answer, stop, tell])
}
