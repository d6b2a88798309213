//! The video-session binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    let service = chassis::ServiceInfo {
        name: "video-session",
        version: env!("CARGO_PKG_VERSION"),
        defaults: video_session::config::DEFAULTS,
    };
    chassis::main(service, video_session::migrate, video_session::run)
}
