//! The desk's queue, as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main(call_transfer::SERVICE, call_transfer::migrate, call_transfer::run)
}
