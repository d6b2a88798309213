//! NATS as a cluster has it: who comes in, and what they may do there. What each service needs is proved by every journey, whose NATS
//! is the same; here is what nobody may.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use async_nats::{Client, ConnectOptions, Event, jetstream};
use futures::StreamExt;
use serde_json::Value;
use testkit::{Identities, Papers, TestNats, until};
use tokio::sync::mpsc;

use super::{
    graph::KEEPERS,
    rendered::{documents, list, render, text},
    root,
};

fn values(file: &str) -> Value {
    let file = fs::read_to_string(root().join("deploy/k8s/data").join(file)).unwrap();
    documents(&file).remove(0)
}

/// Connects as these papers say, and tells what NATS refuses.
async fn connect(nats: &TestNats, papers: &Papers, name: &str) -> Result<(Client, mpsc::Receiver<String>), String> {
    let (tell, told) = mpsc::channel(64);
    let options = ConnectOptions::new()
        .add_root_certificates(papers.roots.clone())
        .add_client_certificate(papers.certificate.clone(), papers.key.clone())
        .custom_inbox_prefix(format!("_INBOX_{name}"))
        .event_callback(move |event| {
            let tell = tell.clone();
            async move {
                if let Event::ServerError(error) = event {
                    let _ = tell.send(error.to_string().to_lowercase()).await;
                }
            }
        });
    let client = options.connect(nats.url()).await.map_err(|error| error.to_string())?;
    Ok((client, told))
}

/// What a refusal names.
async fn refused(told: &mut mpsc::Receiver<String>, what: &str) {
    let refusal = told.recv().await.unwrap();
    assert!(refusal.contains("permissions violation") && refusal.contains(&what.to_lowercase()), "{what}: {refusal}");
}

#[tokio::test]
async fn nats_lets_services_in_by_certificate_and_each_do_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let identities = Identities::new(&folder.path().join("ours")).unwrap();
    let nats = TestNats::launch_guarded(&identities).await.unwrap();

    // Those who aren't on the bus: without a certificate, by another authority, by our own and of another name.
    assert!(async_nats::connect(nats.url()).await.is_err());
    let elsewhere = Identities::new(&folder.path().join("theirs")).unwrap();
    for stranger in [
        elsewhere.service("intake").unwrap(),
        identities.service("console").unwrap(),
        identities.control_room("kent").unwrap(),
        identities.named("spiffe://alcove/service/intake/x").unwrap(),
    ] {
        let of = stranger.folder.display().to_string();
        assert!(connect(&nats, &stranger, "stranger").await.is_err(), "{of}");
    }

    // One who is says what is theirs to say, and nothing else.
    let ours = nats.jetstream().await.unwrap();
    for service in ["intake", "evidence"] {
        outbox::ensure_stream(&ours, service).await.unwrap();
    }
    let (client, mut told) = connect(&nats, &identities.service("intake").unwrap(), "intake").await.unwrap();
    let stream = jetstream::new(client.clone());
    stream.publish("alcove.intake.v1.call_opened.kent", "x".into()).await.unwrap().await.unwrap();
    for subject in [
        "alcove.evidence.v1.exhibit_sealed.kent",
        "$JS.API.STREAM.DELETE.ALCOVE_INTAKE",
        "$JS.API.STREAM.PURGE.ALCOVE_EVIDENCE",
        "$JS.API.STREAM.MSG.DELETE.ALCOVE_INTAKE",
        "$JS.API.STREAM.UPDATE.ALCOVE_EVIDENCE",
        "$JS.API.STREAM.CREATE.COPY",
        "$JS.API.CONSUMER.CREATE.ALCOVE_EVIDENCE.evidence-store",
        "$JS.API.CONSUMER.DELETE.ALCOVE_EVIDENCE.referral-evidence",
        "$JS.ACK.ALCOVE_EVIDENCE.referral-evidence.1.1.1.1.1",
        "$KV.ALCOVE_CHECKPOINTS.referral-checkpoints.0011223344556677",
        "_INBOX_referral.x",
    ] {
        client.publish(subject, "x".into()).await.unwrap();
        refused(&mut told, subject).await;
    }
    // Nobody hears what isn't sent to them.
    for subject in [">", "alcove.>", "_INBOX_referral.>", "_INBOX.>", "$JS.>"] {
        let _subscription = client.subscribe(subject).await.unwrap();
        refused(&mut told, subject).await;
    }
    // And what was refused hasn't happened.
    for (service, messages) in [("INTAKE", 1), ("EVIDENCE", 0)] {
        let mut there = ours.get_stream(format!("ALCOVE_{service}")).await.unwrap();
        assert_eq!(there.info().await.unwrap().state.messages, messages, "{service}");
    }
}

#[tokio::test]
async fn a_connection_made_again_shows_the_certificate_of_the_moment() {
    let folder = tempfile::tempdir().unwrap();
    let identities = Identities::new(folder.path()).unwrap();
    let mut nats = TestNats::launch_guarded(&identities).await.unwrap();
    let papers = identities.service("referral").unwrap();
    let section = chassis::config::Tls {
        certificate: papers.certificate.clone(),
        key: papers.key.clone(),
        roots: papers.roots.clone(),
    };
    let clock = chassis::ManualClock::new(chassis::Clock::system().now());
    let tls = chassis::Tls::read(Some(&section), clock.clone().into()).unwrap();
    let settings = chassis::config::Nats { url: nats.url().to_owned(), stream_replicas: 1 };
    assert!(outbox::nats("referral", &settings, None).await.unwrap_err().to_string().starts_with("nats.url"));
    let (client, jetstream) = outbox::nats("referral", &settings, tls.as_ref()).await.unwrap();
    until("the stream of referral", async || outbox::ensure_stream(&jetstream, "referral").await.is_ok()).await;
    // The same name's files are another's from now on: NATS goes by what it is shown.
    replace(&papers, &identities.service("intake").unwrap());
    clock.advance(Duration::from_secs(60));
    nats.stop().await.unwrap();
    nats.start().await.unwrap();
    let bus = nats.client().await.unwrap();
    let mut told = bus.subscribe("alcove.intake.v1.>").await.unwrap();
    bus.flush().await.unwrap();
    client.flush().await.unwrap();
    client.publish("alcove.intake.v1.call_opened.kent", "x".into()).await.unwrap();
    assert_eq!(told.next().await.unwrap().subject.as_str(), "alcove.intake.v1.call_opened.kent");
}

fn replace(papers: &Papers, by: &Papers) {
    let copy = |from: &Path, to: &Path| fs::copy(from, to).unwrap();
    copy(&by.certificate, &papers.certificate);
    copy(&by.key, &papers.key);
}

#[test]
fn the_chart_is_told_the_same() {
    let (chart, users) = (values("nats-values.yaml"), values("nats-users.json"));
    assert_eq!(chart["config"]["nats"]["tls"]["merge"]["verify_and_map"], true, "by certificate");
    assert_eq!(chart["config"]["cluster"]["tls"]["merge"]["verify"], true, "servers among themselves, too");
    assert!(chart["config"]["merge"].get("authorization").is_none(), "users are in one file");
    for section in ["nats", "cluster"] {
        assert_eq!(chart["config"][section]["tls"]["enabled"], true, "{section}");
        assert_eq!(chart["config"][section]["tls"]["secretName"], "nats-tls", "{section}");
    }
    let data = render(&["data"]).remove(0);
    let certificate = data.named("Certificate", "nats");
    assert_eq!(text(certificate, "/spec/secretName"), "nats-tls");
    for name in ["nats.alcove-data", "*.nats-headless.alcove-data.svc.cluster.local"] {
        assert!(list(certificate, "/spec/dnsNames").any(|known| known == name), "{name}");
    }
    // It is nobody to the services, who go by this name.
    assert!(certificate["spec"].get("uris").is_none());

    let users = list(&users, "/config/merge/authorization/users");
    let named: BTreeSet<_> = users
        .map(|user| {
            let name = text(user, "/user").strip_prefix("spiffe://alcove/service/").unwrap();
            let hears: Vec<_> = list(user, "/permissions/subscribe").collect();
            assert_eq!(hears, [&format!("_INBOX_{name}.>")], "{name}");
            assert!(list(user, "/permissions/publish").count() > 3, "without a list it may do anything: {name}");
            name
        })
        .collect();
    assert_eq!(named, KEEPERS.iter().copied().collect(), "those that have nats.url");
}
