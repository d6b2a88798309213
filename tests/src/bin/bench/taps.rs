//! A tap on the caller's page up to the officer's: from the request to the moment when the officer's event stream says that the call
//! is covered, or shown again, or that the caller asks for help; with so many live calls, each with its officer's stream. And from the
//! officer who asks for somebody to be sent up to the control room's watch. A consent that is taken back is measured at the end, in the
//! same calls.
//!
//! What the page does itself, which is to turn into something harmless, comes before the request and is not in it.

use std::time::{Duration, Instant};

use alcove_tests::desk::AcceptedCall;
use api::intake::v1::call_update::Kind;
use reqwest::{Client, Response};
use serde_json::json;
use testkit::phone::Pass;

use crate::{
    Failure,
    calls::TwoWay,
    figures::{Figure, Figures, Target},
    samples::Samples,
    stage::Stage,
    withdrawal,
};

const PATIENCE: Duration = Duration::from_secs(20);
/// What the officer's stream says then.
const COVERED: &str = r#"{"covered":true}"#;
const SHOWN: &str = r#"{"covered":false}"#;
const ASKED: &str = "event: call";

/// Taps there and back in each of them, one after the other.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let (count, taps) = if quick { (3, 4) } else { (50, 10) };
    let mut calls = TwoWay::begin_all(stage, count).await?;
    let (http, mut told) = (Client::new(), Vec::new());
    for call in &calls {
        let [officer, caller] = call.phones();
        told.push((caller.pass().clone(), Events::follow(&http, officer.pass()).await?));
    }
    let (mut answered, mut heard) = (Samples::default(), Samples::default());
    for n in 1..=taps {
        for (caller, events) in &mut told {
            let began = Instant::now();
            let is_covered = n % 2 == 1;
            let (what, told) = if is_covered { ("away", COVERED) } else { ("back", SHOWN) };
            let (tapped, known) = tokio::try_join!(tap(&http, caller, n, what), events.says(told))?;
            answered.add((tapped - began).as_secs_f64() * 1000.0);
            heard.add((known - began).as_secs_f64() * 1000.0);
        }
    }
    // Once in each call: asking again soon is no news.
    let mut asked = Samples::default();
    for (caller, events) in &mut told {
        let began = Instant::now();
        let (_, known) = tokio::try_join!(tap(&http, caller, 1, "corner"), events.says(ASKED))?;
        asked.add((known - began).as_secs_f64() * 1000.0);
    }
    let mut sent = Samples::default();
    for call in &mut calls {
        sent.add(fast_track(call.accepted()).await?.as_secs_f64() * 1000.0);
    }
    withdrawal::measure(stage, &mut calls, figures).await?;
    for call in calls {
        call.end(stage).await?;
    }
    let note = format!(
        "cover, there and back, {} taps in {count} live recorded two-way calls, each with its officer's event stream; p50 {:.1} ms, max \
         {:.1} ms; the page has its answer after {:.1} ms (p99); loopback",
        heard.count(),
        heard.median(),
        heard.max(),
        answered.percentile(99.0),
    );
    figures.add(Figure::new("tap_p99_ms", heard.percentile(99.0), "ms", Target::AtMost(250.0), note));
    let note = format!(
        "three taps on a dull corner, once in each of {count} such calls: from the request to the officer's event stream; p50 {:.1} ms, \
         max {:.1} ms; loopback",
        asked.median(),
        asked.max(),
    );
    figures.add(Figure::new("duress_p99_ms", asked.percentile(99.0), "ms", Target::AtMost(250.0), note));
    let note = format!(
        "once in each of {count} such calls: from the officer's request to the control room's watch on the call; p50 {:.1} ms, max {:.1} ms; \
         loopback",
        sent.median(),
        sent.max(),
    );
    figures.add(Figure::new("fast_track_p99_ms", sent.percentile(99.0), "ms", Target::AtMost(1000.0), note));
    Ok(())
}

/// From the officer who asks for somebody to be sent to the control room that hears of it.
async fn fast_track(AcceptedCall { call, officer, watch }: &mut AcceptedCall) -> Result<Duration, Failure> {
    let began = Instant::now();
    let heard = async { watch.until(|kind| matches!(kind, Kind::FastTrack(_))).await.map(|_| began.elapsed()) };
    let both = async { tokio::try_join!(officer.ask_for_unit(&call.call_id), heard) };
    let (_, took) = tokio::time::timeout(PATIENCE, both).await.map_err(|_| "the control room never heard of it")??;
    Ok(took)
}

async fn tap(http: &Client, caller: &Pass, n: u32, what: &str) -> Result<Instant, Failure> {
    let url = caller.whip_url.replace("/whip", "/tap");
    let body = json!({ "n": n, "what": what });
    http.post(url).bearer_auth(&caller.token).json(&body).send().await?.error_for_status()?;
    Ok(Instant::now())
}

/// An officer's event stream.
struct Events {
    answer: Response,
    text: String,
}

impl Events {
    async fn follow(http: &Client, officer: &Pass) -> Result<Self, Failure> {
        let answer = http.get(&officer.events_url).bearer_auth(&officer.token).send().await?.error_for_status()?;
        Ok(Self { answer, text: String::new() })
    }

    /// When it says so.
    async fn says(&mut self, wanted: &str) -> Result<Instant, Failure> {
        let hearing = async {
            loop {
                if let Some((_, rest)) = self.text.split_once(wanted) {
                    self.text = rest.to_owned();
                    return Ok(Instant::now());
                }
                let chunk = self.answer.chunk().await?.ok_or("the event stream has ended")?;
                self.text.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.unwrap_or_else(|_| Err("the officer never heard of a tap".into()))
    }
}
