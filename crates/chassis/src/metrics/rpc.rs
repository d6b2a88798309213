//! Rate, errors and duration of each RPC, by OpenTelemetry's RPC conventions (1.45). A stream lives for as long as its call does, so
//! how long it took says nothing: streams are counted while they are open and when they end.

use std::{sync::LazyLock, time::Instant};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram, UpDownCounter},
};
use tonic::Code;

use super::{METER, counter, durations};

/// What is measured of RPCs.
struct Instruments {
    calls: Histogram<f64>,
    open: UpDownCounter<i64>,
    ended: Counter<u64>,
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| Instruments {
    calls: durations("rpc.server.call.duration", "How long unary RPCs took, as the server saw it"),
    open: global::meter(METER)
        .i64_up_down_counter("alcove.rpc.streams")
        .with_unit("{stream}")
        .with_description("Streaming RPCs that are open")
        .build(),
    ended: counter("alcove.rpc.streams.ended", "{stream}", "Streaming RPCs that have ended"),
});

/// One RPC, from its request to its status. Dropped without one, its client went away.
#[derive(Debug)]
pub(crate) struct Measured {
    method: &'static str,
    is_unary: bool,
    since: Instant,
    ended: bool,
}

impl Measured {
    /// Of a path such as `/alcove.intake.v1.IntakeService/OpenCall`; nothing of health checks and reflection. What nobody offers is
    /// `_OTHER`, or strangers could make up attributes.
    pub(crate) fn begin(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/alcove.").and(path.strip_prefix('/'))?;
        let rpc = api::addressed::rpc(path);
        let (method, is_unary) = rpc.map_or(("_OTHER", true), |rpc| (rpc.path, rpc.unary));
        let begun = Self { method, is_unary, since: Instant::now(), ended: false };
        if !is_unary {
            INSTRUMENTS.open.add(1, &begun.attributes());
        }
        Some(begun)
    }

    /// Its status is known. Only the first counts.
    pub(crate) fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let mut attributes = self.attributes().to_vec();
        if !self.is_unary {
            INSTRUMENTS.open.add(-1, &attributes);
        }
        attributes.push(KeyValue::new("rpc.response.status_code", code_name(code)));
        if is_error(code) {
            attributes.push(KeyValue::new("error.type", code_name(code)));
        }
        if self.is_unary {
            INSTRUMENTS.calls.record(self.since.elapsed().as_secs_f64(), &attributes);
        } else {
            INSTRUMENTS.ended.add(1, &attributes);
        }
    }

    fn attributes(&self) -> [KeyValue; 2] {
        [KeyValue::new("rpc.system.name", "grpc"), KeyValue::new("rpc.method", self.method)]
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

/// A client's mistake is not the server's error (OpenTelemetry's conventions for gRPC servers).
pub(crate) fn is_error(code: Code) -> bool {
    use Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
    matches!(code, Unknown | DeadlineExceeded | Unimplemented | Internal | Unavailable | DataLoss)
}

/// As the conventions spell it.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
