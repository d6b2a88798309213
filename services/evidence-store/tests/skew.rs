//! How far the timestamp authority's clock is from ours goes to whoever watches, whether the token is taken or not.

use chassis::{
    ServiceInfo,
    config::{LogFormat, Telemetry},
    telemetry,
};
use chrono::{DateTime, TimeDelta, Utc};
use evidence_store::{
    config::Timestamping,
    tsa::{Client, Error},
};
use testkit::{
    OtlpSink,
    tsa::{POLICY, Tsa},
};

/// In a file of its own: the process has one set of telemetry.
#[test]
fn the_measured_skew_is_a_metric() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let guard = runtime.enter();
    let sink = runtime.block_on(OtlpSink::start()).unwrap();
    let settings = Telemetry {
        log: "warn".into(),
        format: LogFormat::Text,
        otlp_endpoint: Some(sink.endpoint()),
        metrics_every_ms: 60_000,
        sample_ratio: 1.0,
    };
    let info = ServiceInfo { name: "evidence-store", version: "0", defaults: "" };
    let telemetry = telemetry::init(&info, &settings).unwrap();
    runtime.block_on(async {
        let tsa = Tsa::start().await.unwrap();
        let client = Client::new(&Timestamping {
            url: Some(tsa.url()),
            roots_file: Some(tsa.authority().roots_file()),
            policy: Some(POLICY.to_owned()),
            ca_file: None,
            timeout_seconds: 30,
            max_skew_seconds: 60,
        });
        let client = client.unwrap().unwrap();
        // OpenSSL takes the machine's time and no other: a first token says when that is.
        let theirs = match client.stamp(b"seal", [7; 8], DateTime::<Utc>::UNIX_EPOCH).await {
            Err(Error::Skewed { theirs, .. }) => theirs,
            other => panic!("{other:?}"),
        };
        // Our clock is an hour ahead of theirs, and the token isn't taken.
        let refused = client.stamp(b"seal", [7; 8], theirs + TimeDelta::hours(1)).await;
        assert!(matches!(refused, Err(Error::Skewed { .. })), "{refused:?}");
    });
    drop(guard);
    telemetry.flush();
    let skews: Vec<_> =
        sink.gauges().into_iter().filter(|gauge| gauge.name == "alcove.evidence.timestamp_skew").collect();
    let [skew] = &skews[..] else { panic!("{skews:?}") };
    // Less what passed meanwhile.
    assert!(skew.unit == "s" && (-3_600. ..-3_500.).contains(&skew.value), "{skew:?}");
}
