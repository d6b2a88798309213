//! Logs to stderr, traces and metrics to an OTLP collector. Set up once by [`crate::main`], flushed last.
//!
//! Trace ids are made and passed on even when nothing is exported, so that a log line can always name its call.

use std::{io, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets, dynamic_filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use uuid::Uuid;

use crate::{
    Entropy, Error, ServiceInfo,
    config::{LogFormat, Telemetry as Settings},
    logs::WithTrace,
    metrics::measure_process,
};

/// How long the last export may take.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// What must be flushed at the end.
#[must_use = "telemetry that is dropped before its flush loses its last seconds"]
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
}

/// Starts logging and tracing for the whole process. Must be called inside the runtime.
///
/// # Errors
/// When the filter or the endpoint can't be used, or telemetry has been set up already.
pub fn init(service: &ServiceInfo, settings: &Settings) -> Result<Telemetry, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Telemetry(error.to_string());
    let resource = Resource::builder()
        .with_service_name(service.name)
        .with_attributes([
            KeyValue::new("service.version", service.version),
            // Of two replicas each has its own metrics, and so has each start.
            KeyValue::new("service.instance.id", instance().to_string()),
        ])
        .build();
    let mut traces = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio))));
    let mut metrics = SdkMeterProvider::builder().with_resource(resource);
    if let Some(endpoint) = &settings.otlp_endpoint {
        let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build().map_err(|e| failed(&e))?;
        let points = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build().map_err(|e| failed(&e))?;
        traces = traces.with_batch_exporter(spans);
        metrics = metrics.with_reader(PeriodicReader::builder(points).with_interval(settings.metrics_every()).build());
    }
    let (traces, metrics) = (traces.build(), metrics.build());
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    // Without anybody who reads them, instruments would be errors in the log.
    if settings.otlp_endpoint.is_some() {
        opentelemetry::global::set_meter_provider(metrics.clone());
    }
    measure_process(service);

    // What NATS tells reaches the log through the outbox, once. `rtc` tells of the addresses of phones: who wants that must ask for it.
    let filter = EnvFilter::try_new(format!("async_nats=off,rtc=off,{}", settings.log)).map_err(|e| failed(&e))?;
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let log: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
        LogFormat::Text => log.event_format(WithTrace::text()).with_filter(filter).boxed(),
        LogFormat::Json => {
            let fields = tracing_subscriber::fmt::format::JsonFields::new();
            log.fmt_fields(fields).event_format(WithTrace::json()).with_filter(filter).boxed()
        }
    };
    // A filter of its own: a quieter log must not cut traces short. Libraries' own spans would only be noise.
    let ours = Targets::new().with_default(LevelFilter::INFO).with_targets(
        ["h2", "hyper", "tonic", "tower", "sqlx", "async_nats", "rtc"].map(|name| (name, LevelFilter::OFF)),
    );
    // Asked of each span: where both filters said "always" once and for all, what was asked last of something else would decide, and with
    // a louder log whole calls were missing from their traces (tokio-rs/tracing#2519).
    let ours = dynamic_filter_fn(move |span, _| ours.would_enable(span.target(), span.level()))
        .with_max_level_hint(LevelFilter::INFO);
    let spans = tracing_opentelemetry::layer()
        .with_tracer(traces.tracer(service.name))
        .with_location(false)
        .with_threads(false)
        .with_filter(ours);
    Registry::default().with(log).with(spans).try_init().map_err(|e| failed(&e))?;
    Ok(Telemetry { traces, metrics })
}

fn instance() -> Uuid {
    uuid::Builder::from_random_bytes(Entropy::os().bytes()).into_uuid()
}

impl Telemetry {
    /// Sends what is left. Blocks, so not inside the runtime; the runtime must still be there to send with.
    pub fn flush(self) {
        for flushed in [self.traces.shutdown_with_timeout(FLUSH_LIMIT), self.metrics.shutdown_with_timeout(FLUSH_LIMIT)]
        {
            if let Err(error) = flushed {
                tracing::warn!(%error, "the last telemetry was not delivered");
            }
        }
    }
}
