//! The stand-ins for what is outside: the span sink and the network.

use std::time::Duration;

use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, trace_service_client::TraceServiceClient},
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use testkit::{OtlpSink, Proxy, nats};
use tonic::codec::CompressionEncoding;

#[tokio::test]
async fn the_sink_keeps_what_a_service_exports() {
    let sink = OtlpSink::start().await.unwrap();
    let client = TraceServiceClient::connect(sink.endpoint()).await.unwrap();
    let span = Span { name: "open_call".into(), trace_id: vec![0xab; 16], ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    let mut client = client.send_compressed(CompressionEncoding::Gzip);
    client.export(ExportTraceServiceRequest { resource_spans }).await.unwrap();
    let spans = sink.wait_for(Duration::from_secs(5), |spans| !spans.is_empty()).await.unwrap();
    assert_eq!((spans[0].name.as_str(), spans[0].trace_id.as_str()), ("open_call", "ab".repeat(16).as_str()));
    let never = sink.wait_for(Duration::from_millis(20), |spans| spans.len() > 1).await;
    assert!(never.unwrap_err().to_string().contains("open_call"));
}

#[tokio::test]
async fn a_cut_network_is_cut_until_it_heals() {
    let nats = nats().await;
    let proxy = Proxy::start(nats.url().trim_start_matches("nats://")).await.unwrap();
    let client = async_nats::connect(proxy.address().to_string()).await.unwrap();
    client.flush().await.unwrap();
    proxy.cut();
    assert!(async_nats::connect(proxy.address().to_string()).await.is_err());
    proxy.heal();
    // The old client finds its way back by itself.
    let mut news = client.subscribe("news").await.unwrap();
    let heard = async {
        loop {
            let _ = client.publish("news", "x".into()).await;
            if tokio::time::timeout(Duration::from_millis(50), tokio_stream::StreamExt::next(&mut news)).await.is_ok() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), heard).await.unwrap();
}
