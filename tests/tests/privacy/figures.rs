//! What the figures say at moments whose truth is known, and not only that they come.

use std::time::Duration;

use testkit::{OtlpSink, SeenMetric};

const PATIENCE: Duration = Duration::from_secs(20);
/// Who has a pool, and how large it is by default.
const POOLS: [&str; 5] = ["intake", "call-transfer", "video-session", "evidence-store", "referral"];
const POOL: f64 = 10.0;

/// Of a service's metric, all its values together.
fn shown(seen: &[SeenMetric], service: &str, name: &str) -> Option<f64> {
    let metric = seen.iter().find(|metric| metric.service == service && metric.name == name)?;
    Some(metric.points.iter().map(|(value, _)| value).sum())
}

/// Waits until these figures are so.
async fn come(sink: &OtlpSink, figures: &[(&str, &str, f64)]) -> Vec<SeenMetric> {
    let is_so = |seen: &[SeenMetric]| figures.iter().all(|(of, name, is)| shown(seen, of, name) == Some(*is));
    let seen = sink.wait_for_metrics(PATIENCE, is_so).await;
    seen.unwrap_or_else(|_| {
        let seen = sink.metrics();
        let told = figures.iter().map(|(of, name, is)| format!("{name}: {:?}, is {is}", shown(&seen, of, name)));
        panic!("{:#?}", told.collect::<Vec<_>>())
    })
}

/// An officer and a caller in a call, and another call that waits.
pub async fn of_a_call_and_one_that_waits(sink: &OtlpSink) {
    let figures = [
        ("call-transfer", "alcove.desk.waiting", 1.0),
        ("call-transfer", "alcove.desk.in_call", 1.0),
        ("video-session", "alcove.session.live", 1.0),
        ("video-session", "alcove.session.participants", 2.0),
        ("intake", "alcove.outbox.unsent", 0.0),
    ];
    let seen = come(sink, &figures).await;
    for service in POOLS {
        assert_eq!(shown(&seen, service, "db.client.connection.max"), Some(POOL), "{service}");
        let open = shown(&seen, service, "db.client.connection.count").unwrap();
        assert!((1.0..=POOL).contains(&open), "{service}: {open} connections");
    }
}

/// All that was recorded is sealed.
pub async fn of_an_empty_spool(sink: &OtlpSink) {
    let figures = [
        ("video-session", "alcove.spool.segments", 0.0),
        ("video-session", "alcove.spool.age", 0.0),
        ("video-session", "alcove.session.live", 0.0),
        ("evidence-store", "alcove.evidence.log.behind", 0.0),
    ];
    let seen = come(sink, &figures).await;
    let (recorded, bytes) = (
        shown(&seen, "video-session", "alcove.media.segments"),
        shown(&seen, "evidence-store", "alcove.evidence.appended"),
    );
    assert!(recorded.is_some_and(|segments| segments >= 2.0), "{recorded:?}");
    // A second of sound alone is more than that.
    assert!(bytes > recorded.map(|segments| segments * 500.0), "{bytes:?} of {recorded:?} segments");
}
