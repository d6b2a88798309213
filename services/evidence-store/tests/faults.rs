//! A real kernel's refusals: fdatasync fails, the disk is full. They need root (to attach strace, to mount a tmpfs) and are
//! optional: without it each prints that it was left out, and why, and passes.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::support::*;
use api::evidence::v1::{ExhibitSealed, ExhibitState};
use exhibit::verify::{Outcome, Trust, verify};
use tempfile::TempDir;
use tonic::Code;

/// Says so if a test can't be had here, for want of what it needs.
fn left_out(test: &str, needs: &str) {
    eprintln!("left out: {test}, which needs {needs}");
}

/// strace on a running process; gone when dropped.
struct Strace(Child);

impl Strace {
    /// Attached on return: from now on each fdatasync of the process fails with EIO.
    fn failing_fdatasync(pid: u32) -> Option<Self> {
        let mut command = Command::new("strace");
        command.args(["-f", "-p", &pid.to_string(), "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO"]);
        let mut strace = command.stderr(Stdio::piped()).spawn().ok()?;
        let mut lines = BufReader::new(strace.stderr.take()?).lines();
        let attached = lines.any(|line| line.is_ok_and(|line| line.contains("attached")));
        // Whatever it says from here on must go somewhere, or it stops.
        std::thread::spawn(move || lines.for_each(drop));
        attached.then_some(Self(strace))
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_fdatasync_ends_the_process_before_any_ack() {
    let left_out = |needs| left_out("a_failing_fdatasync_ends_the_process_before_any_ack", needs);
    if !rustix::process::geteuid().is_root() {
        return left_out("root, to attach strace");
    }
    let mut room = Room::open().await;
    let call = room.call().await;
    let first = room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
    let Some(strace) = Strace::failing_fdatasync(room.service.pid()) else {
        return left_out("strace, allowed to attach");
    };
    let answer = room.append().await.send(segment(&call, "caller-1", 1)).await;
    assert!(answer.is_err(), "acknowledged without being durable");
    let ended = tokio::time::timeout(PATIENCE, async {
        loop {
            match room.service.ended().unwrap() {
                Some(status) => break status,
                None => tokio::task::yield_now().await,
            }
        }
    });
    assert_eq!(ended.await.unwrap().code(), Some(74), "{}", room.service.log());
    drop(strace);
    room.restart().await;
    let mut again = room.append().await;
    assert_eq!(held(again.send(segment(&call, "caller-1", 0)).await.unwrap()), held(first));
    again.send(segment(&call, "caller-1", 1)).await.unwrap();
}

/// A small file system in memory; unmounted when dropped.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(at: &Path, mb: u32) -> Option<Self> {
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", &format!("size={mb}m"), "tmpfs"]).arg(at).output().ok()?;
        done.status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

#[tokio::test]
async fn on_a_full_disk_what_is_open_is_sealed_and_nothing_new_begins() {
    let dir = TempDir::new().unwrap();
    let Some(_disk) = Tmpfs::mount(dir.path(), 8) else {
        return left_out("on_a_full_disk_what_is_open_is_sealed_and_nothing_new_begins", "root, to mount a tmpfs");
    };
    let keys = TempDir::new().unwrap();
    let (data, keys) = (dir.path().to_str().unwrap(), keys.path().to_str().unwrap().to_owned());
    // As config.toml says: a full journal's disk must not stop the log.
    let log = TempDir::new().unwrap();
    let settings = [
        ("ALCOVE_EVIDENCE_STORE__LOG__DIR", log.path().to_str().unwrap()),
        ("ALCOVE_EVIDENCE_STORE__JOURNAL__DATA_DIR", data),
        ("ALCOVE_EVIDENCE_STORE__JOURNAL__RESERVE_MB", "2"),
        ("ALCOVE_EVIDENCE_STORE__JOURNAL__REFUSE_NEW_BELOW_MB", "1"),
        ("ALCOVE_EVIDENCE_STORE__KEYS__DIRS", keys.as_str()),
    ];
    let room = Room::with(&settings).await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    let mut held = 0;
    // To the last kilobyte.
    for len in [200_000, 10_000, 1_000, 1] {
        let full = loop {
            match stream.send(holding(&call, "caller-1", held, bytes("caller-1", held, len))).await {
                Ok(_) => held += 1,
                Err(full) => break full,
            }
        };
        refused::<()>(Err(full), Code::ResourceExhausted, "NO_SPACE");
        stream = room.append().await;
    }
    assert!(held > 10, "{held}");
    refused(room.client.clone().open_exhibit(opening(&fresh())).await, Code::ResourceExhausted, "NO_SPACE");
    let other = room.append().await.send(holding(&call, "officer-1", 0, vec![1])).await;
    refused(other, Code::ResourceExhausted, "NO_SPACE");
    // It is sealed all the same: its seal is written out of the reserve.
    others.ended(&call, &[("caller-1", held)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(sealed.missing_segments, 0);
    assert_eq!(room.exhibit(&call).await.unwrap().state(), ExhibitState::Sealed);
    assert!(room.service.log().contains("journal draws on its reserve"), "{}", room.service.log());
    let roots = dir.path().join("signing/roots.pem");
    let archive = TempDir::new().unwrap();
    let file = archive.path().join("package.tar");
    std::fs::write(&file, room.export(&sealed.exhibit_id).await).unwrap();
    let signers = exhibit::seal::Roots::from_pem(&std::fs::read_to_string(roots).unwrap()).unwrap();
    let trust = Trust { signers: Some(signers), ..Trust::default() };
    // No authority and no witness here: nothing is wrong, and not all is proved.
    assert_eq!(verify(&file, &trust).unwrap().outcome(), Outcome::InPart);
}
