//! The evidence-store binary.

use std::process::ExitCode;

use chassis::ServiceInfo;

fn main() -> ExitCode {
    let info = ServiceInfo {
        name: evidence_store::NAME,
        version: env!("CARGO_PKG_VERSION"),
        defaults: evidence_store::config::DEFAULTS,
    };
    chassis::main_with(info, evidence_store::migrate, evidence_store::run, &evidence_store::ERRANDS)
}
