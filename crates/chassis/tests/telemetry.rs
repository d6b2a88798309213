//! Spans as a collector sees them: one trace over a gRPC call, and back into a stored one.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    obedient::{Obedient, ask, serve},
    rotation::one_is_taken_and_one_refused,
};
use chassis::{Health, ServiceInfo, Shutdown, Trace, config, telemetry};
use testkit::OtlpSink;
use tracing::Instrument;

const STORED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const UNSAMPLED: &str = "00-1bf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

// One test, because telemetry is the process's: `cargo test` runs a file's tests in one process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_is_one_trace() {
    let sink = OtlpSink::start().await.unwrap();
    let settings = config::Telemetry {
        log: "error".to_owned(),
        format: config::LogFormat::Json,
        otlp_endpoint: Some(sink.endpoint()),
        metrics_every_ms: 50,
        sample_ratio: 1.0,
    };
    let service = ServiceInfo { name: "obedient", version: "1", defaults: "" };
    let telemetry = telemetry::init(&service, &settings).unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let (_, serving, client) = serve(Obedient::default(), &Health::new(), shutdown).await;
    let get = async |what: &str| client.clone().get_package(ask(what)).await;

    // The client's span is the parent of the server's.
    let caller = tracing::info_span!("caller");
    let outer = Trace::of(&caller);
    let inner = Trace::parse(&get("nothing").instrument(caller).await.unwrap().into_inner().package_id);
    assert_eq!(inner.trace_id(), outer.trace_id());
    assert_ne!(inner, outer);

    // A use case follows the call's stored trace, and links the request's.
    let other = tracing::info_span!("another_caller");
    let request = Trace::of(&other);
    let followed = Trace::parse(&get(STORED).instrument(other).await.unwrap().into_inner().package_id);
    assert_eq!(followed.trace_id(), Trace::parse(STORED).trace_id());

    // What wasn't sampled stays unsampled, and what is no trace changes nothing.
    let quiet = Trace::parse(&get(UNSAMPLED).await.unwrap().into_inner().package_id);
    assert_eq!(quiet.trace_id(), Trace::parse(UNSAMPLED).trace_id());
    assert!(quiet.as_str().ends_with("-00"), "{quiet}");
    let here = tracing::info_span!("here");
    let stays = here.in_scope(|| Trace::of(&Trace::none().follow(tracing::info_span!("stays"))));
    assert_eq!(stays.trace_id(), Trace::of(&here).trace_id());
    drop(here);

    get("refuse").await.unwrap_err();
    get("panic").await.unwrap_err();
    one_is_taken_and_one_refused().await;
    trigger.request();
    serving.await.unwrap().unwrap();
    tokio::task::spawn_blocking(|| telemetry.flush()).await.unwrap();

    let spans = sink
        .wait_for(Duration::from_secs(20), |spans| {
            spans.iter().filter(|span| span.name.ends_with("/GetPackage")).count() >= 5
        })
        .await
        .unwrap();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).cloned().collect::<Vec<_>>();
    let rpcs = named("alcove.referral.v1.ReferralService/GetPackage");
    assert!(spans.iter().all(|span| span.service == "obedient"));
    let rpc = rpcs.iter().find(|span| span.trace_id == outer.trace_id()).unwrap();
    assert_eq!(rpc.parent_span_id, outer.as_str()[36..52]);
    assert_eq!(rpc.attributes["rpc.response.status_code"], "OK");
    let use_cases = named("use_case");
    let [use_case] = use_cases.as_slice() else { panic!("one of the two is sampled: {use_cases:?}") };
    assert_eq!(use_case.trace_id, followed.trace_id());
    assert_eq!(use_case.parent_span_id, STORED[36..52]);
    assert_eq!(use_case.linked_traces, [request.trace_id()]);
    let codes: Vec<_> = rpcs.iter().map(|span| span.attributes["rpc.response.status_code"].as_str()).collect();
    assert!(codes.contains(&"FAILED_PRECONDITION") && codes.contains(&"INTERNAL"), "{codes:?}");
    let metrics = sink.metrics();
    let calls = metrics.iter().find(|metric| metric.name == "rpc.server.call.duration").unwrap();
    let of = |code: &str| calls.points.iter().find(|(_, of)| of["rpc.response.status_code"] == code).unwrap();
    let ((count, ok), (_, refused), (_, failed)) = (of("OK"), of("FAILED_PRECONDITION"), of("INTERNAL"));
    assert!(*count >= 3.0 && ok["rpc.method"] == "alcove.referral.v1.ReferralService/GetPackage", "{ok:?}");
    // What a client gets wrong is no error of ours.
    assert!(!ok.contains_key("error.type") && !refused.contains_key("error.type"));
    assert_eq!(failed["error.type"], "INTERNAL");
    let rotations = metrics.iter().find(|metric| metric.name == "alcove.tls.rotations").unwrap();
    let outcomes: BTreeMap<_, _> = rotations.points.iter().map(|(n, of)| (of["alcove.outcome"].as_str(), *n)).collect();
    assert_eq!(outcomes, BTreeMap::from([("refused", 1.0), ("taken", 1.0)]));
    let text = format!("{spans:?}");
    assert!(!text.contains("the call is over"), "a span holds no content");
}
