//! A test that is over or killed leaves nothing running, and the next one clears its folders away.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use testkit::{
    browser::{Browser, Engine, Home},
    database, nats, until,
};

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
        .args(["--exact", "orphans::victim", "--ignored", "--nocapture"])
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

#[tokio::test]
async fn a_browser_whose_test_is_over_is_gone() {
    let mut temporary = Vec::new();
    for engine in [Engine::Chromium, Engine::Firefox] {
        let home = tempfile::tempdir().unwrap();
        let folder = Some(home.path().to_owned());
        let browser = Browser::start_in(Home { engine, folder, ..Home::default() }).await.unwrap();
        let own = || living_in(home.path().to_str().unwrap());
        assert!(own().len() >= 2, "its driver, and itself: {:?}", own());
        let folder = own().into_iter().find_map(|pid| variable(pid, "TMPDIR")).unwrap();
        assert!(fs::read_dir(&folder).unwrap().count() > 1, "its profile, beside its owner's lock");
        temporary.push(folder);
        drop(browser);
        until("its processes to end", async || own().is_empty()).await;
    }
    // What it was writing just then stays for whoever needs a folder next.
    let _next = nats().await;
    until("its temporary files to go", async || !temporary.iter().any(|folder| fs::exists(folder).unwrap())).await;
}

/// Whose HOME is that folder.
fn living_in(folder: &str) -> Vec<u32> {
    pids().filter(|pid| variable(*pid, "HOME").as_deref() == Some(folder)).collect()
}

/// Of its environment.
fn variable(pid: u32, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let mut variables = environment.split(|byte| *byte == 0).filter_map(|variable| str::from_utf8(variable).ok());
    variables.find_map(|variable| Some(variable.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

fn pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
}

fn children_of(parent: u32) -> Vec<u32> {
    pids().filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

/// The fourth field of `stat`, after a name in parentheses that may itself have spaces.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn is_alive(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}
