//! Every workload's settings, read by its own binary exactly as in the pod: files, arguments, environment.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use serde_json::Value;

use super::{
    graph::{DOORS, To, edges},
    rendered::{PRODUCTION, Rendered, SITES, WITNESS, Workload, list, render, text},
};

/// Long enough for every secret, and shaped like the one that has a shape (a key of GOV.UK Notify).
const SECRET: &str = "desk-26785a09-ab16-4eb0-8407-a37497a57506-26785a09-ab16-4eb0-8407-a37497a57506";

/// What `<service> config` says: settings as they were understood.
struct Understood(String);

impl Understood {
    /// The ports that it listens on, by section.
    fn listeners(&self) -> BTreeMap<String, u64> {
        let mut section = "";
        let mut found = BTreeMap::new();
        for line in self.0.lines() {
            if let Some((name, _)) =
                line.strip_prefix("    ").filter(|rest| !rest.starts_with(' ')).and_then(|rest| rest.split_once(':'))
            {
                section = name;
            }
            if let Some(address) = line.trim().strip_prefix("listen: ") {
                let address = address.trim_end_matches(',');
                let (host, port) = address.rsplit_once(':').unwrap();
                assert_eq!(host, "0.0.0.0", "{section}: nobody outside of the pod reaches {address}");
                found.insert(section.to_owned(), port.parse().unwrap());
            }
        }
        found
    }

    fn says(&self, words: &str) -> bool {
        self.0.contains(words)
    }
}

/// Runs the workload's command, `config` in place of what it does there.
fn understood(site: &Rendered, workload: &Workload<'_>, index: u64) -> Understood {
    let folder = tempfile::tempdir().unwrap();
    let mut mounted = BTreeMap::new();
    for (path, volume) in workload.mounts() {
        let name = text(volume, "/configMap/name");
        if name.is_empty() || volume["configMap"]["optional"] == true || name == "witness-logs" {
            continue;
        }
        let files = site.named("ConfigMap", name)["data"].as_object().unwrap();
        for (file, words) in files {
            fs::write(folder.path().join(file), words.as_str().unwrap()).unwrap();
        }
        mounted.insert(path.to_owned(), folder.path().display().to_string());
    }
    let env = workload.env(index, SECRET);
    let in_place = |arg: String| mounted.iter().fold(arg, |arg, (path, folder)| arg.replace(path, folder));
    let mut args: Vec<_> = workload.args(&env).into_iter().map(in_place).collect();
    args.retain(|arg| arg != "migrate");
    let output = Command::new(testkit::binary(workload.service()).unwrap())
        .args(args)
        .arg("config")
        .env_clear()
        .envs(env)
        .output()
        .unwrap();
    let (of, name) = (site.of, workload.name);
    assert!(output.status.success(), "{of}, {name} {index}: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains(SECRET), "{of}, {name}: a secret is printed");
    Understood(said)
}

fn ports(workload: &Workload<'_>) -> BTreeMap<String, u64> {
    let ports = list(workload.container(), "/ports").map(|port| {
        let section = text(port, "/name").split('-').next().unwrap();
        (section.to_owned(), port["containerPort"].as_u64().unwrap())
    });
    ports.collect()
}

#[test]
fn every_configuration_is_one_that_its_service_takes() {
    let mut sites = render(SITES);
    sites.extend(render(&[WITNESS]));
    for site in &sites {
        let profile = if site.of.ends_with("dev") { "profile: Dev" } else { "profile: Production" };
        for workload in site.workloads() {
            let most = if workload.kind == "Job" { 1 } else { site.most(&workload) };
            let differ = workload.object["kind"] == "StatefulSet";
            let mut names = BTreeSet::new();
            for index in 0..if differ { most } else { 1 } {
                let understood = understood(site, &workload, index);
                assert!(understood.says(profile), "{}, {}", site.of, workload.name);
                if workload.kind == "Job" {
                    continue;
                }
                opens_its_ports(site, &workload, &understood);
                calls_who_is_there(site, &workload, &understood);
                if workload.name == "video-session" {
                    phones_find_it(site, &understood, index);
                    names.insert(workload.env(index, SECRET)["ALCOVE_VIDEO_SESSION__INSTANCE__NAME"].clone());
                    assert_eq!(names.len() as u64, index + 1, "two instances of one name");
                }
            }
        }
    }
}

/// What the process listens on is what the pod names. In production nothing is named that isn't opened.
fn opens_its_ports(site: &Rendered, workload: &Workload<'_>, understood: &Understood) {
    let (opened, named) = (understood.listeners(), ports(workload));
    let (of, name) = (site.of, workload.name);
    for (section, port) in &opened {
        assert_eq!(named.get(section), Some(port), "{of}, {name}: [{section}]");
    }
    if of == PRODUCTION {
        assert_eq!(opened.keys().collect::<Vec<_>>(), named.keys().collect::<Vec<_>>(), "{of}, {name}");
        let doors = DOORS.iter().filter(|(service, ..)| *service == name);
        for (_, _, _, port, key, _) in doors {
            let section = key.strip_suffix(".listen").unwrap();
            assert_eq!(opened.get(section), Some(&u64::from(*port)), "{name}: {key} in DOORS");
        }
    }
}

/// Every edge of the graph leads to a name that there is, at its port, which the other's certificate has.
fn calls_who_is_there(site: &Rendered, workload: &Workload<'_>, understood: &Understood) {
    for (key, to, ports) in edges(workload.name) {
        let there = match to {
            To::Service(other) if other == workload.name => {
                // Its own kind: each by its own name, which one certificate has for all.
                let names = format!("https://{other}-");
                assert!(understood.says(&names), "{key}");
                assert!(certificate_has(site, other, &format!("*.{other}-pods.alcove.svc")), "{key}");
                format!(".{other}-pods.alcove.svc:{}\"", ports[0])
            }
            To::Service(other) => {
                assert!(certificate_has(site, other, other), "{key}: no certificate of {other} has that name");
                let service = site.named("Service", other);
                assert!(list(service, "/spec/ports").any(|port| port["port"] == ports[0]), "{key}");
                format!("\"https://{other}:{}\"", ports[0])
            }
            To::Nats => format!("\"tls://nats.alcove-data:{}\"", ports[0]),
            To::Collector => format!("\"http://collector.monitoring:{}\"", ports[0]),
            To::Postgres | To::Outside | To::Off | To::Nobody => continue,
        };
        assert!(understood.says(&there), "{}, {}: {key} isn't {there}", site.of, workload.name);
    }
}

fn certificate_has(site: &Rendered, service: &str, name: &str) -> bool {
    list(site.named("Certificate", service), "/spec/dnsNames").any(|known| known == name)
}

/// What an instance tells phones is the address of its own Service.
fn phones_find_it(site: &Rendered, understood: &Understood, index: u64) {
    let service = site.named("Service", &format!("video-session-media-{index}"));
    let address = text(service, "/spec/loadBalancerIP");
    assert!(!address.is_empty(), "{}: instance {index} has no address", site.of);
    let (_, rest) = understood.0.split_once("advertise: [").unwrap();
    let advertised: Vec<_> =
        rest.split(']').next().unwrap().split([',', '\n', ' ']).filter(|word| !word.is_empty()).collect();
    assert_eq!(advertised, [address], "{}: instance {index}", site.of);
    for protocol in ["UDP", "TCP"] {
        let is_media = |port: &Value| {
            port["port"] == 7403 && port.get("protocol").map_or(protocol == "TCP", |named| named == protocol)
        };
        assert!(list(service, "/spec/ports").any(is_media), "{}: {protocol}", site.of);
    }
}
