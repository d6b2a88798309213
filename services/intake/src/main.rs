//! The binary of intake; see the library.

use std::process::ExitCode;

use chassis::ServiceInfo;

fn main() -> ExitCode {
    let info = ServiceInfo { name: "intake", version: env!("CARGO_PKG_VERSION"), defaults: intake::config::DEFAULTS };
    chassis::main(info, intake::migrate, intake::run)
}
