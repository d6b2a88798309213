//! The caller's page opened in Chromium, up to the officer's first frame on screen there. The page's own clock measures:
//! from the start of its navigation to the time the compositor expects to show the frame.
//!
//! The officer's media comes from a second page of the same Chromium, not from a synthetic phone: that one can't make a
//! key frame when it is asked to, and the clip's next one would be what is measured. Nor is it the console's page, whose
//! work belongs on another machine than the caller's.

use std::time::Duration;

use alcove_tests::{
    browser::{Browser, Page},
    pages::DESK,
};
use api::session::v1::JoinSessionResponse;
use serde::Deserialize;

use crate::{
    Failure,
    figures::{Figure, Figures, Target},
    samples::Samples,
    stage::Stage,
};

/// The phone's screen.
const SCREEN: &str = "
    addEventListener('DOMContentLoaded', () => {
        document.getElementById('other').requestVideoFrameCallback((now, frame) => {
            const of = (path) => performance.getEntriesByType('resource').find((one) => new URL(one.name).pathname.startsWith(path));
            const [join, watch] = [of('/join'), of('/whep')];
            window.shown = {
                clicked, camera: join.startTime, joined: join.responseEnd, answered: watch.responseEnd,
                frame: Math.max(now, frame.expectedDisplayTime),
            };
        });
        const by = (id) => document.getElementById(id);
        by('code').value = CODE;
        by('go').click();
        const clicked = performance.now();
        const ready = () => { if (!by('in').disabled) by('in').click(); };
        new MutationObserver(ready).observe(by('in'), { attributeFilter: ['disabled'] });
        by('on').click();
    });";

/// Publishes by WHIP, as the console does.
const PUBLISH: &str = "(async ([whip, token]) => {
    const video = { width: 640, height: 360, frameRate: 30 };
    const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video });
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    camera.getTracks().forEach((track) => pc.addTransceiver(track, { direction: 'sendonly', streams: [camera] }));
    await pc.setLocalDescription(await pc.createOffer());
    const headers = { 'Content-Type': 'application/sdp', Authorization: 'Bearer ' + token };
    const answer = await fetch(whip, { method: 'POST', headers, body: pc.localDescription.sdp });
    if (answer.status !== 201) throw new Error('WHIP: ' + answer.status);
    await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    window.officer = { pc, stop: () => { pc.close(); camera.getTracks().forEach((track) => track.stop()); } };
})";

/// The officer has published for so long when the page is opened.
const ALREADY: Duration = Duration::from_millis(700);

/// Milliseconds since the page's navigation began.
#[derive(Deserialize)]
struct Shown {
    clicked: f64,
    camera: f64,
    joined: f64,
    answered: f64,
    frame: f64,
}

/// Opens the page for a new call each time. The first only warms Chromium up, and isn't counted.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let times = if quick { 3 } else { 21 };
    let browser = Browser::start().await?;
    let officer = browser.open("officer", &stage.desk.stack.caller_page(), DESK).await?;
    let mut shown = Vec::new();
    for _ in 0..times {
        shown.push(once(stage, &browser, officer).await?);
    }
    shown.remove(0);

    let part = |from: fn(&Shown) -> f64| shown.iter().map(from).collect::<Samples>();
    let frames = part(|shown| shown.frame / 1000.0);
    let note = format!(
        "Chromium {} on loopback, a new call each time, the officer's camera (640x360, 30/s, \
         another page of it) already publishing; {} pages after one to \
         warm up; of the median: page {:.0} ms, camera {:.0} ms, join {:.0} ms, WHEP answered {:.0} ms, connection and \
         first frame {:.0} ms; the code is typed by a script, in no time; max {:.2} s",
        browser.version(),
        frames.count(),
        part(|shown| shown.clicked).median(),
        part(|shown| shown.camera - shown.clicked).median(),
        part(|shown| shown.joined - shown.camera).median(),
        part(|shown| shown.answered - shown.joined).median(),
        part(|shown| shown.frame - shown.answered).median(),
        frames.max(),
    );
    figures.add(Figure::new("first_frame_p50_s", frames.median(), "s", Target::AtMost(0.7), note));
    let note = format!("{} pages, as above", frames.count());
    figures.add(Figure::new("first_frame_p95_s", frames.percentile(95.0), "s", Target::AtMost(1.2), note));
    Ok(())
}

async fn once(stage: &Stage, browser: &Browser, officer: Page<'_>) -> Result<Shown, Failure> {
    let mut invited = stage.invited().await?;
    let joined = invited.accepted.officer.join(&invited.accepted.call.call_id).await?;
    publish(officer, &joined).await?;
    tokio::time::sleep(ALREADY).await;

    let script = SCREEN.replace("CODE", &serde_json::Value::from(invited.code.as_str()).to_string());
    let page = browser.open_with("caller", &stage.desk.stack.caller_page(), DESK, &script).await?;
    let shown = serde_json::from_value(page.until("window.shown").await?)?;
    stage.end(&mut invited.accepted).await?;
    page.close().await?;
    officer.evaluate("window.officer.stop()").await?;
    Ok(shown)
}

async fn publish(officer: Page<'_>, joined: &JoinSessionResponse) -> Result<(), Failure> {
    let way = serde_json::json!([joined.whip_url, joined.token]);
    officer.evaluate(&format!("{PUBLISH}({way})")).await?;
    officer.until("window.officer.pc.connectionState === 'connected'").await?;
    Ok(())
}
