//! A test that is killed leaves nothing running, and the next one clears its folders away.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use testkit::{database, nats, until};

#[tokio::test]
#[ignore = "what the test below starts and kills"]
async fn victim() {
    let (db, _nats) = tokio::join!(database(), nats());
    println!("\nup {}", db.url());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_test_leaves_nothing() {
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["--exact", "victim", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let up = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("up "))).unwrap().unwrap();
    let folder = up.split_once("host=").unwrap().1;
    let children = children_of(victim.id());
    assert!(children.len() >= 2, "{children:?}");
    victim.kill().unwrap();
    victim.wait().unwrap();

    until("its servers to end", async || !children.iter().any(|pid| is_alive(*pid))).await;
    // Whoever needs a folder next sweeps: this test or, a moment before, one beside it.
    let _next = database().await;
    until("its folder to go", async || !fs::exists(folder).unwrap()).await;
}

fn children_of(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

/// The fourth field of `stat`, after a name in parentheses that may itself have spaces.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn is_alive(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}
