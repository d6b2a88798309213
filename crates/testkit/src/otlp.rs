//! A stand-in for the tracing backend: takes OTLP over gRPC and keeps every span and gauge for the test to look at.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{metric::Data, number_data_point},
    trace::v1::Span,
};
use tokio::{net::TcpListener, sync::watch};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Request, Response, Status, codec::CompressionEncoding, transport::Server};

use crate::Error;

/// A span as it arrived.
#[derive(Debug, Clone)]
pub struct SeenSpan {
    /// The service that made it.
    pub service: String,
    /// Its name.
    pub name: String,
    /// The trace it is in, in hex.
    pub trace_id: String,
    /// Its own id, in hex.
    pub span_id: String,
    /// Its parent's id, in hex; empty for a root.
    pub parent_span_id: String,
    /// Its attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// The traces it links to, in hex.
    pub linked_traces: Vec<String>,
}

/// A gauge's value as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenGauge {
    /// The gauge's name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// What it showed.
    pub value: f64,
}

/// The sink; ends when dropped.
#[derive(Debug)]
pub struct OtlpSink {
    address: SocketAddr,
    spans: watch::Receiver<Vec<SeenSpan>>,
    gauges: watch::Receiver<Vec<SeenGauge>>,
    _server: AbortOnDropHandle<Result<(), tonic::transport::Error>>,
}

impl OtlpSink {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("a port for spans"))?;
        let address = listener.local_addr().map_err(Error::io("a port for spans"))?;
        let (kept, spans) = watch::channel(Vec::new());
        let traces = TraceServiceServer::new(Traces { kept }).accept_compressed(CompressionEncoding::Gzip);
        let (kept, gauges) = watch::channel(Vec::new());
        let metrics = MetricsServiceServer::new(Metrics { kept }).accept_compressed(CompressionEncoding::Gzip);
        let server = Server::builder().add_service(traces).add_service(metrics);
        let server = tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Ok(Self { address, spans, gauges, _server: AbortOnDropHandle::new(server) })
    }

    /// For a service's `telemetry.otlp_endpoint`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<SeenSpan> {
        self.spans.borrow().clone()
    }

    /// The gauges so far, as often as each was sent.
    #[must_use]
    pub fn gauges(&self) -> Vec<SeenGauge> {
        self.gauges.borrow().clone()
    }

    /// Waits until the spans so far are enough, and answers them.
    ///
    /// # Errors
    /// When that takes longer than `patience`: with the names of what has come.
    pub async fn wait_for(
        &self,
        patience: Duration,
        enough: impl Fn(&[SeenSpan]) -> bool,
    ) -> Result<Vec<SeenSpan>, Error> {
        let mut spans = self.spans.clone();
        match tokio::time::timeout(patience, spans.wait_for(|spans| enough(spans))).await {
            Ok(Ok(spans)) => Ok(spans.clone()),
            _ => {
                let seen: Vec<_> =
                    self.spans().iter().map(|s| format!("{}: {} ({})", s.service, s.name, s.trace_id)).collect();
                Err(Error::Late { what: "spans".to_owned(), seconds: patience.as_secs(), log: seen.join("\n") })
            }
        }
    }
}

struct Traces {
    kept: watch::Sender<Vec<SeenSpan>>,
}

#[tonic::async_trait]
impl TraceService for Traces {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut arrived = Vec::new();
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.map(|r| texts(r.attributes)).unwrap_or_default();
            let service = attributes.get("service.name").cloned().unwrap_or_default();
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            arrived.extend(spans.map(|span| seen(&service, span)));
        }
        self.kept.send_modify(|kept| kept.append(&mut arrived));
        Ok(Response::new(Default::default()))
    }
}

/// Of metrics, gauges are kept; the rest is taken and dropped, so that who sends it has nothing to complain of.
struct Metrics {
    kept: watch::Sender<Vec<SeenGauge>>,
}

#[tonic::async_trait]
impl MetricsService for Metrics {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        let mut arrived = Vec::new();
        for metric in scopes.flat_map(|scope| scope.metrics) {
            let Some(Data::Gauge(gauge)) = metric.data else { continue };
            arrived.extend(gauge.data_points.into_iter().filter_map(|point| {
                let value = match point.value? {
                    number_data_point::Value::AsDouble(value) => value,
                    number_data_point::Value::AsInt(value) => value as f64,
                };
                Some(SeenGauge { name: metric.name.clone(), unit: metric.unit.clone(), value })
            }));
        }
        self.kept.send_modify(|kept| kept.append(&mut arrived));
        Ok(Response::new(Default::default()))
    }
}

fn seen(service: &str, span: Span) -> SeenSpan {
    SeenSpan {
        service: service.to_owned(),
        name: span.name,
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_span_id: hex(&span.parent_span_id),
        attributes: texts(span.attributes),
        linked_traces: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Value::StringValue(text) => text,
        Value::BoolValue(yes) => yes.to_string(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().filter_map(|a| Some((a.key, text(a.value?.value?)))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
