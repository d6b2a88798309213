//! The officers' front door, as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main(console::SERVICE, console::migrate, console::run)
}
