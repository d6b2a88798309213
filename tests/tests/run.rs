//! What `make run` tells a newcomer to type.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Something that says what it does, line by line.
struct Told {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Told {
    fn by(mut command: Command) -> Self {
        command.current_dir(testkit::workspace()).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that has this in it.
    async fn until(&mut self, wanted: &str) -> String {
        let line = async {
            loop {
                let line = self.lines.next_line().await.unwrap();
                let line = line.unwrap_or_else(|| panic!("it ended without a word of {wanted}"));
                if line.contains(wanted) {
                    break line;
                }
            }
        };
        tokio::time::timeout(PATIENCE, line).await.unwrap_or_else(|_| panic!("not a word of {wanted}"))
    }
}

fn dev_run(folder: &Path) -> Told {
    let mut command = Command::new(testkit::binary("dev").unwrap());
    command.arg("run").arg("--folder").arg(folder);
    Told::by(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_control_rooms_call_as_they_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = dev_run(folder.path());
    for client in ["control_room.py", "control_room.js"] {
        let line = run.until(client).await;
        let told = line.split("&& ").last().unwrap().trim();
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("exec {told}")]);
        let mut control_room = Told::by(shell);
        let opened: Value = serde_json::from_str(&control_room.until("call_id").await).unwrap();
        assert!(opened["call_id"].is_string(), "{opened}");
        let first: Value = serde_json::from_str(&control_room.until("kind").await).unwrap();
        assert_eq!(first["kind"], "queued");
    }
    let pid = run.child.id().unwrap().try_into().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::TERM).unwrap();
    let ended = tokio::time::timeout(PATIENCE, run.child.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
}
