//! A stand-in for the tracing backend: takes OTLP over gRPC and keeps every span and metric for the test to look at.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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
    metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point},
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
    /// How long it took.
    pub took: Duration,
}

/// What sort of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricKind {
    /// How something stands.
    Gauge,
    /// What only grows.
    Counter,
    /// A count of what is there.
    UpDownCounter,
    /// A distribution.
    Histogram,
}

/// A metric as it arrived, with the values of its last export.
#[derive(Debug, Clone)]
pub struct SeenMetric {
    /// The service that sent it.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Its kind.
    pub kind: MetricKind,
    /// Its values, with their attributes; of a histogram how many there were.
    pub points: Vec<(f64, BTreeMap<String, String>)>,
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
    metrics: watch::Receiver<Metrics>,
    heard: Heard,
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
        let heard = Heard::default();
        let (kept, spans) = watch::channel(Vec::new());
        let traces =
            TraceServiceServer::new(Traces { kept, heard: heard.clone() }).accept_compressed(CompressionEncoding::Gzip);
        let (kept, seen) = watch::channel(Metrics::default());
        let metrics = MetricsServiceServer::new(TakeMetrics { kept, heard: heard.clone() })
            .accept_compressed(CompressionEncoding::Gzip);
        let server = Server::builder().add_service(traces).add_service(metrics);
        let server = tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Ok(Self { address, spans, metrics: seen, heard, _server: AbortOnDropHandle::new(server) })
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
        self.metrics.borrow().gauges.clone()
    }

    /// The metrics so far, by service and name.
    #[must_use]
    pub fn metrics(&self) -> Vec<SeenMetric> {
        self.metrics.borrow().all()
    }

    /// Every text that it was ever sent, of spans, their events and statuses, metrics and resources alike: names, attributes, all.
    #[must_use]
    pub fn words(&self) -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        for message in self.heard.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            add_texts(&format!("{message:?}"), &mut words);
        }
        words
    }

    /// Waits until the metrics so far are enough, and answers them.
    ///
    /// # Errors
    /// When that takes longer than `patience`: with the names of what has come.
    pub async fn wait_for_metrics(
        &self,
        patience: Duration,
        enough: impl Fn(&[SeenMetric]) -> bool,
    ) -> Result<Vec<SeenMetric>, Error> {
        let mut metrics = self.metrics.clone();
        match tokio::time::timeout(patience, metrics.wait_for(|metrics| enough(&metrics.all()))).await {
            Ok(Ok(metrics)) => Ok(metrics.all()),
            _ => {
                let names: BTreeSet<_> = self.metrics().into_iter().map(|metric| metric.name).collect();
                let log = names.into_iter().collect::<Vec<_>>().join("\n");
                Err(Error::Late { what: "metrics".to_owned(), seconds: patience.as_secs(), log })
            }
        }
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

/// Every message that came.
type Heard = Arc<Mutex<Vec<Box<dyn Debug + Send>>>>;

struct Traces {
    kept: watch::Sender<Vec<SeenSpan>>,
    heard: Heard,
}

#[tonic::async_trait]
impl TraceService for Traces {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let (mut arrived, request) = (Vec::new(), request.into_inner());
        keep(&self.heard, request.clone());
        for resource in request.resource_spans {
            let attributes = resource.resource.map(|r| texts(r.attributes)).unwrap_or_default();
            let service = attributes.get("service.name").cloned().unwrap_or_default();
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            arrived.extend(spans.map(|span| seen(&service, span)));
        }
        self.kept.send_modify(|kept| kept.append(&mut arrived));
        Ok(Response::new(Default::default()))
    }
}

/// What came of metrics: gauges as often as they came, and the newest of each.
#[derive(Debug, Default)]
struct Metrics {
    gauges: Vec<SeenGauge>,
    newest: BTreeMap<(String, String), SeenMetric>,
}

impl Metrics {
    fn all(&self) -> Vec<SeenMetric> {
        self.newest.values().cloned().collect()
    }
}

struct TakeMetrics {
    kept: watch::Sender<Metrics>,
    heard: Heard,
}

#[tonic::async_trait]
impl MetricsService for TakeMetrics {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let request = request.into_inner();
        keep(&self.heard, request.clone());
        self.kept.send_modify(|kept| {
            for resource in request.resource_metrics {
                let attributes = resource.resource.map(|r| texts(r.attributes)).unwrap_or_default();
                let service = attributes.get("service.name").cloned().unwrap_or_default();
                for metric in resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                    let Some(metric) = measured(&service, metric) else { continue };
                    if metric.kind == MetricKind::Gauge {
                        let SeenMetric { name, unit, points, .. } = &metric;
                        let gauge = |value: &f64| SeenGauge { name: name.clone(), unit: unit.clone(), value: *value };
                        kept.gauges.extend(points.iter().map(|(value, _)| gauge(value)));
                    }
                    kept.newest.insert((service.clone(), metric.name.clone()), metric);
                }
            }
        });
        Ok(Response::new(Default::default()))
    }
}

fn measured(service: &str, metric: Metric) -> Option<SeenMetric> {
    let of = |points: Vec<NumberDataPoint>| {
        let point = |point: NumberDataPoint| {
            let value = match point.value? {
                number_data_point::Value::AsDouble(value) => value,
                number_data_point::Value::AsInt(value) => value as f64,
            };
            Some((value, texts(point.attributes)))
        };
        points.into_iter().filter_map(point).collect()
    };
    let (kind, points) = match metric.data? {
        Data::Gauge(gauge) => (MetricKind::Gauge, of(gauge.data_points)),
        Data::Sum(sum) if sum.is_monotonic => (MetricKind::Counter, of(sum.data_points)),
        Data::Sum(sum) => (MetricKind::UpDownCounter, of(sum.data_points)),
        Data::Histogram(histogram) => {
            let points = histogram.data_points.into_iter().map(|point| (point.count as f64, texts(point.attributes)));
            (MetricKind::Histogram, points.collect())
        }
        Data::ExponentialHistogram(_) | Data::Summary(_) => return None,
    };
    Some(SeenMetric { service: service.to_owned(), name: metric.name, unit: metric.unit, kind, points })
}

/// Every text in a message, by what is printed of it: whatever a field is called, no text is forgotten.
fn add_texts(printed: &str, words: &mut BTreeSet<String>) {
    let mut rest = printed;
    while let Some(begins) = rest.find('"') {
        let text = &rest[begins + 1..];
        let mut escaped = false;
        let ends = text.find(|c: char| match c {
            _ if std::mem::take(&mut escaped) => false,
            '\\' => {
                escaped = true;
                false
            }
            c => c == '"',
        });
        let Some(ends) = ends else { break };
        if !words.contains(&text[..ends]) {
            words.insert(text[..ends].to_owned());
        }
        rest = &text[ends + 1..];
    }
}

/// Keeps a message for whoever asks for its texts: to print it here would hold up its sender.
fn keep(heard: &Heard, message: impl Debug + Send + 'static) {
    heard.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(message));
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
        took: Duration::from_nanos(span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano)),
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
