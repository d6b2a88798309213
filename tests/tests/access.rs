//! Who may call what, as it is: everybody asks everything of running services, and `tests/golden/access.txt` says how
//! each is answered. After a change on purpose: `ALCOVE_GOLDEN=write` writes it anew.

mod lent;
mod methods;
mod people;

use std::{collections::BTreeMap, fmt::Write, fs, process::Command};

use alcove_tests::control_room::ControlRoom;
use api::{intake::v1::GetCallRequest, session::v1::GetSessionRequest};
use chassis::{Role, status::reason_of};
use futures::future::join_all;
use methods::methods;
use people::{ELSEWHERE, FORCE, House, OFFICER};
use testkit::{binary, key, workspace};
use tonic::{Code, Status};

use crate::wire;

const HEAD: &str = "\
# Every RPC by everybody who might call it, as the services answered: tests/tests/access.rs asks them all, of a force's
# things that aren't there. Written by `ALCOVE_GOLDEN=write`; what it says is to be read, not believed, before it is
# committed.
#
#   in       let in: what becomes of the request is the service's own matter
#   -        PERMISSION_DENIED/NOT_FOR_YOU
#   nameless UNAUTHENTICATED/NO_CERTIFICATE
#   expired  UNAUTHENTICATED/TOKEN_EXPIRED
#   unknown  NOT_FOUND, as for a thing that isn't there: it is another force's
#   foreign  PERMISSION_DENIED/NOT_YOUR_FORCE
";

/// How somebody was answered, in the table's words.
fn word(answer: &Result<(), Status>, at_home: bool) -> &'static str {
    let Err(status) = answer else { return "in" };
    match (status.code(), reason_of(status).as_deref()) {
        (Code::PermissionDenied, Some("NOT_FOR_YOU")) => "-",
        (Code::PermissionDenied, Some("NOT_YOUR_FORCE")) => "foreign",
        (Code::Unauthenticated, Some("NO_CERTIFICATE")) => "nameless",
        (Code::Unauthenticated, Some("TOKEN_EXPIRED")) => "expired",
        (Code::NotFound, Some(_)) if !at_home => "unknown",
        (Code::Unauthenticated | Code::Internal | Code::Unimplemented, _)
        | (_, None | Some("NOT_YOU" | "ISSUER_UNAVAILABLE" | "MALFORMED_REQUEST")) => {
            panic!("neither let in nor refused: {status:?}")
        }
        _ => "in",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_for_every_principal() {
    let house = House::open().await;
    let people = house.everybody();
    let mut table = HEAD.to_owned();
    let _ = write!(table, "\n{:<58}", "rpc");
    for person in &people {
        let _ = write!(table, " {:<17}", person.name);
    }
    let mut channels = BTreeMap::new();
    for method in methods() {
        let answers = people.iter().map(|person| {
            let service = method.rpc.split('/').next().unwrap().to_owned();
            let channel =
                channels.entry((service, person.name.clone())).or_insert_with(|| house.channel(person, &method.rpc));
            let message = method.about(FORCE, OFFICER);
            let (channel, rpc) = (channel.clone(), method.rpc.as_str());
            async move { word(&wire::call(channel, rpc, message, person.token.as_deref()).await, person.at_home) }
        });
        let answers = join_all(answers).await;
        let _ = write!(table, "\n{:<58}", method.rpc);
        for answer in answers {
            let _ = write!(table, " {answer:<17}");
        }
    }
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let file = workspace().join("tests/golden/access.txt");
    if std::env::var("ALCOVE_GOLDEN").is_ok_and(|wish| wish == "write") {
        fs::write(&file, &table).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    let differing: Vec<_> = table.lines().filter(|line| !golden.lines().any(|known| known == *line)).collect();
    assert!(table == golden, "tests/golden/access.txt says otherwise of\n{}", differing.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_force_is_not_found() {
    let house = House::open().await;
    let intake = |person| house.channel(person, "alcove.intake.v1.IntakeService/GetCall");
    let (here, there) = (house.control_room("room", FORCE), house.control_room("room-elsewhere", ELSEWHERE));
    let call = ControlRoom::new(intake(&here), FORCE).open("417").await.unwrap();
    let ask = async |person, force: &str, call_id: &str| {
        let request = GetCallRequest { force_id: force.to_owned(), call_id: call_id.to_owned() };
        let answer =
            api::intake::v1::intake_service_client::IntakeServiceClient::new(intake(person)).get_call(request).await;
        answer.map(drop).map_err(|status| (status.code(), reason_of(&status)))
    };
    ask(&here, FORCE, &call.call_id).await.unwrap();
    let unknown = Err((Code::NotFound, Some("UNKNOWN_CALL".to_owned())));
    let nowhere = "0198c5a0-0000-7000-8000-000000000000";
    for (force, call) in [(FORCE, &*call.call_id), (ELSEWHERE, &call.call_id), (FORCE, nowhere), (ELSEWHERE, nowhere)] {
        assert_eq!(ask(&there, force, call).await, unknown, "of {force}'s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_in_another_s_name() {
    let house = House::open().await;
    let officer = house.officer("officer", FORCE, &Role::ALL, 300);
    for method in methods() {
        let named = method.about(FORCE, "sgt-patel");
        // It says nothing of an officer, or is a control room's.
        if named == method.about(FORCE, OFFICER) || !officers_may(&method.rpc) {
            continue;
        }
        let answer =
            wire::call(house.channel(&officer, &method.rpc), &method.rpc, named, officer.token.as_deref()).await;
        let status = answer.unwrap_err();
        assert_eq!(
            (status.code(), reason_of(&status).as_deref()),
            (Code::PermissionDenied, Some("NOT_YOU")),
            "{}",
            method.rpc
        );
    }
    // A name that need not be given is nobody else's.
    let request = GetSessionRequest { force_id: FORCE.into(), call_id: "0198c5a0-0000-7000-8000-000000000000".into() };
    let mut sessions = api::session::v1::session_service_client::SessionServiceClient::new(
        house.channel(&officer, "alcove.session.v1.SessionService/GetSession"),
    );
    let mut request = tonic::Request::new(request);
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {}", officer.token.as_deref().unwrap()).parse().unwrap());
    assert_eq!(reason_of(&sessions.get_session(request).await.unwrap_err()).as_deref(), Some("UNKNOWN_SESSION"));
}

/// As the golden table has it, in one role or another.
fn officers_may(rpc: &str) -> bool {
    let golden = fs::read_to_string(workspace().join("tests/golden/access.txt")).unwrap();
    let line = golden.lines().find(|line| line.starts_with(&format!("{rpc} "))).unwrap_or_default();
    line.split_whitespace().skip(10).take(Role::ALL.len()).any(|answer| answer == "in")
}

#[test]
fn what_the_console_s_page_calls_an_officer_may() {
    let callable = fs::read_to_string(workspace().join("services/console/src/callable.rs")).unwrap();
    let list = callable.split("#[cfg(test)]").next().unwrap().split('=').nth(1).unwrap().split(';').next().unwrap();
    let (mut service, mut seen) = ("", 0);
    for name in list.split('"').skip(1).step_by(2) {
        if name.starts_with("alcove.") {
            service = name;
        } else {
            seen += 1;
            assert!(officers_may(&format!("{service}/{name}")), "{service}/{name}");
        }
    }
    assert!(seen > 20, "the list was not found");
}

#[test]
fn production_does_not_start_without_certificates() {
    for service in &people::SERVICES[..5] {
        let mut command = Command::new(binary(service).unwrap());
        command.arg("config").env(key(service, "profile"), "production");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("tls: "), "{service}: {said}");
    }
}

#[test]
fn every_rpc_has_a_rule_in_its_service() {
    let mut ruled = Vec::new();
    for service in &people::SERVICES[..5] {
        let file = workspace().join("services").join(service).join("src/access.rs");
        let text = fs::read_to_string(file).unwrap();
        ruled.extend(text.split('"').filter(|part| part.starts_with("alcove.")).map(str::to_owned));
    }
    let mut rpcs: Vec<_> = methods().into_iter().map(|method| method.rpc).collect();
    ruled.sort();
    rpcs.sort();
    assert_eq!(ruled, rpcs);
}
