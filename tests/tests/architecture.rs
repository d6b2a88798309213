//! The walls between crates and rooms (README.md, "How it is laid out"), as failing tests: who may depend on whom, what a
//! domain may not know, where SQL and status codes live, that every service has the same rooms, and that no file has grown past
//! one idea.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const SERVICES: [&str; 6] = ["intake", "call-transfer", "video-session", "evidence-store", "referral", "console"];
/// Runs on another host, under other people's control: it shares the chassis and the format with the services, and nothing else.
const WITNESS: &str = "witness";
const LINES_AT_MOST: usize = 400;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every Rust file below `dir` that a person wrote.
pub fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["target", "gen", "node_modules"].contains(&name.as_str()) {
                dirs.push(path);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The code of a file without its comments and its `#[cfg(test)]` tail.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn is_room(path: &Path, room: &str) -> bool {
    path.ends_with(format!("src/{room}.rs")) || path.components().any(|part| part.as_os_str() == room)
}

/// Each member's own dependencies that are members too: (normal, dev).
fn members() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<_> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let mut members = BTreeMap::new();
    for package in packages {
        let (mut normal, mut dev) = (BTreeSet::new(), BTreeSet::new());
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            if names.contains(name) {
                let kind = if dependency["kind"] == "dev" { &mut dev } else { &mut normal };
                kind.insert(name.to_owned());
            }
        }
        members.insert(package["name"].as_str().unwrap().to_owned(), (normal, dev));
    }
    members
}

#[test]
fn dependencies_point_one_way() {
    let allowed = |member: &str| -> &[&str] {
        match member {
            "ids" | "api" => &[],
            "chassis" => &["ids", "api"],
            "outbox" => &["ids", "api", "chassis"],
            "exhibit" => &["ids"],
            "testkit" => &["ids", "api", "chassis", "outbox", "exhibit"],
            "alcove-tests" => &["ids", "api", "chassis", "outbox", "exhibit", "testkit"],
            WITNESS => &["chassis", "exhibit"],
            service if SERVICES.contains(&service) => &["ids", "api", "chassis", "outbox", "exhibit"],
            other => panic!("{other} is no crate that may depend on others: say here on which"),
        }
    };
    for (member, (normal, dev)) in members() {
        for dependency in &normal {
            assert!(allowed(&member).contains(&dependency.as_str()), "{member} must not depend on {dependency}");
        }
        for dependency in &dev {
            // The simulation plays their domains: below.
            let plays = member == "alcove-tests" && dependency != "console" && dependency != WITNESS;
            assert!(
                plays || !SERVICES.contains(&dependency.as_str()) && dependency != WITNESS,
                "{member} tests against {dependency}'s crate, not its API"
            );
        }
        assert!(!normal.contains("testkit") || member == "alcove-tests", "{member} ships the testkit");
    }
}

/// In a test of several services each is reached as everybody reaches it, but in the simulation, which has no I/O at all.
#[test]
fn only_the_simulation_plays_with_a_services_crate() {
    let crates = ["intake::", "call_transfer::", "video_session::", "evidence_store::", "referral::"];
    let uses = |text: &str| crates.iter().any(|name| text.contains(&format!("use {name}")));
    for dir in ["tests/src", "tests/tests"] {
        for file in rust_files(&root().join(dir)).iter().filter(|file| !file.ends_with("architecture.rs")) {
            assert!(!uses(&code(file)), "{} knows a service from inside", shown(file));
        }
    }
    let simulation = rust_files(&root().join("tests/simulation"));
    assert!(simulation.iter().any(|file| uses(&code(file))), "the simulation was not found");
    for file in simulation {
        for word in ["async fn", ".await", "std::fs", "std::net", "::now()", "sqlx", "thread::"] {
            assert!(!code(&file).contains(word), "{} mentions {word}", shown(&file));
        }
    }
}

#[test]
fn a_domain_knows_no_io() {
    let banned = [
        "sqlx",
        "tonic",
        "tokio",
        "async_nats",
        "axum",
        "reqwest",
        "hyper",
        "std::fs",
        "std::net",
        "std::io",
        "async fn",
        ".await",
        "::now()",
        "chassis::",
        "outbox::",
        "api::",
        "rand::",
        "tracing::",
    ];
    let mut seen = 0;
    for service in SERVICES {
        for file in rust_files(&root().join("services").join(service).join("src")) {
            if is_room(&file, "domain") {
                seen += 1;
                for word in banned {
                    assert!(!code(&file).contains(word), "{} mentions {word}", shown(&file));
                }
            }
        }
    }
    assert!(seen >= 5, "the domains were not found");
}

#[test]
fn every_service_has_the_same_rooms() {
    let rooms = ["main", "lib", "config", "error"];
    let stateful = ["domain", "app", "store", "grpc", "events"];
    for service in SERVICES {
        let dir = root().join("services").join(service);
        let has =
            |room: &str| dir.join(format!("src/{room}.rs")).exists() || dir.join(format!("src/{room}/mod.rs")).exists();
        for file in ["README.md", "config.toml"] {
            assert!(dir.join(file).exists(), "{service} has no {file}");
        }
        let stateful: &[&str] = if service == "console" { &[] } else { &stateful };
        for room in rooms.iter().chain(stateful) {
            assert!(has(room), "{service} has no {room}");
        }
        if service != "console" {
            assert!(dir.join("migrations").read_dir().unwrap().next().is_some(), "{service} has no migrations");
        }
        let main = fs::read_to_string(dir.join("src/main.rs")).unwrap();
        assert!(main.lines().count() <= 30, "{service}'s main.rs does more than start");
    }
}

#[test]
fn the_witness_has_rooms_of_its_own() {
    let dir = root().join("services").join(WITNESS);
    for file in ["README.md", "config.toml"] {
        assert!(dir.join(file).exists(), "the witness has no {file}");
    }
    for room in ["main", "lib", "config", "error", "judge", "storage", "web"] {
        assert!(dir.join(format!("src/{room}.rs")).exists(), "the witness has no {room}");
    }
    let main = fs::read_to_string(dir.join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 30, "the witness's main.rs does more than start");
    let judge = code(&dir.join("src/judge.rs"));
    for word in ["std::fs", "std::io", "tokio", "axum", "async fn", "chassis::", "tracing::"] {
        assert!(!judge.contains(word), "the judgement is pure, and mentions {word}");
    }
    for file in rust_files(&dir.join("src")) {
        for word in ["sqlx", "async_nats", "tonic"] {
            assert!(
                !code(&file).contains(word),
                "{}: the witness keeps files and speaks HTTP, not {word}",
                shown(&file)
            );
        }
        if !is_room(&file, "error") {
            assert!(!code(&file).contains("StatusCode::"), "{} makes its own status", shown(&file));
        }
    }
}

#[test]
fn sql_lives_in_the_store_and_touches_its_own_tables() {
    let schemas = ["intake", "transfer", "session", "evidence", "referral", "outbox"];
    let own = BTreeMap::from([
        ("intake", "intake"),
        ("call-transfer", "transfer"),
        ("video-session", "session"),
        ("evidence-store", "evidence"),
        ("referral", "referral"),
    ]);
    for service in SERVICES {
        let dir = root().join("services").join(service);
        for file in rust_files(&dir.join("src")) {
            let code = code(&file);
            let queries = code.contains("sqlx::query") || code.contains("query!(") || code.contains("query_as!(");
            assert!(!queries || is_room(&file, "store"), "{} has SQL outside store", shown(&file));
            if is_room(&file, "store") {
                let sql = code.to_lowercase();
                for schema in schemas.iter().filter(|schema| own.get(service) != Some(schema)) {
                    for verb in ["from", "into", "update", "join"] {
                        assert!(
                            !sql.contains(&format!("{verb} {schema}.")),
                            "{} reads {schema}'s tables",
                            shown(&file)
                        );
                    }
                }
            }
        }
        for migration in fs::read_dir(dir.join("migrations")).into_iter().flatten() {
            let path = migration.unwrap().path();
            let text = fs::read_to_string(&path).unwrap().to_lowercase();
            let lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
            // outbox's functions that put a table under the rule of one force's rows are for everybody.
            let sql = lines.collect::<Vec<_>>().join("\n").replace("select outbox.isolate", "");
            for schema in schemas.iter().filter(|schema| own.get(service) != Some(schema)) {
                assert!(!sql.contains(&format!("{schema}.")), "{} touches {schema}'s schema", shown(&path));
            }
            assert!(text.trim_start().starts_with("--"), "{} does not say why", shown(&path));
        }
    }
}

#[test]
fn status_codes_come_from_one_place() {
    let makers = [
        "Status::new(",
        "Status::with_",
        "Status::ok(",
        "Status::cancelled(",
        "Status::unknown(",
        "Status::invalid_argument(",
        "Status::deadline_exceeded(",
        "Status::not_found(",
        "Status::already_exists(",
        "Status::permission_denied(",
        "Status::resource_exhausted(",
        "Status::failed_precondition(",
        "Status::aborted(",
        "Status::out_of_range(",
        "Status::unimplemented(",
        "Status::internal(",
        "Status::unavailable(",
        "Status::data_loss(",
        "Status::unauthenticated(",
        "status(Code::",
        "status_with(",
    ];
    for service in SERVICES {
        for file in rust_files(&root().join("services").join(service).join("src")) {
            if is_room(&file, "error") {
                continue;
            }
            for maker in makers {
                assert!(!code(&file).contains(maker), "{} makes its own status: {maker}", shown(&file));
            }
        }
    }
}

#[test]
fn only_what_commits_a_presence_gives_a_seat() {
    let dir = root().join("services/video-session/src");
    let (mut makers, mut forged) = (BTreeSet::new(), Vec::new());
    for file in rust_files(&dir) {
        let code = code(&file);
        if code.contains("Seat::recorded(") {
            makers.insert(file.strip_prefix(&dir).unwrap().display().to_string());
        }
        // Made for tests and fuzzing, and in no service.
        if code.contains("Seat::unrecorded(") && !file.ends_with("media/bare.rs") {
            forged.push(shown(&file));
        }
    }
    assert_eq!(makers, ["app/media.rs", "app/presences.rs"].map(str::to_owned).into());
    assert!(forged.is_empty(), "a seat on no record: {forged:?}");
}

#[test]
fn no_file_outgrows_one_idea() {
    let mut long = Vec::new();
    for dir in ["crates", "services", "tests"] {
        for file in rust_files(&root().join(dir)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            if lines > LINES_AT_MOST {
                long.push(format!("{} has {lines} lines", shown(&file)));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn every_rust_module_says_what_it_owns() {
    for dir in ["crates", "services", "tests"] {
        for file in rust_files(&root().join(dir)) {
            let text = fs::read_to_string(&file).unwrap();
            let first = text.lines().find(|line| !line.starts_with("#![")).unwrap_or_default();
            assert!(first.starts_with("//!"), "{} does not begin with //!", shown(&file));
        }
    }
}
