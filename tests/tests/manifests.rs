//! deploy/k8s as it is rendered, beside the code: every configuration is one that its service takes, every port, name and probe is
//! there, every pod is fenced in, and nothing may connect but what the call graph says.

mod bus;
mod ceremony;
mod config;
mod graph;
mod network;
mod pods;
mod rendered;
mod services;

use std::path::PathBuf;

fn root() -> PathBuf {
    testkit::workspace()
}
