//! The witness, as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main(witness::SERVICE, witness::migrate, witness::run)
}
