//! The binary of referral; see the library.

use std::process::ExitCode;

use chassis::ServiceInfo;

fn main() -> ExitCode {
    let info =
        ServiceInfo { name: "referral", version: env!("CARGO_PKG_VERSION"), defaults: referral::config::DEFAULTS };
    chassis::main(info, referral::migrate, referral::run)
}
