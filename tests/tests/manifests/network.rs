//! deploy/k8s/base/network.yaml, made from the graph: nothing may connect but what is written there.
//! `ALCOVE_GOLDEN=write cargo nextest run --workspace -E 'test(the_network_is_the_call_graph)'` writes it anew.

use std::{collections::BTreeMap, env, fmt::Write, fs};

use super::{
    graph::{DOORS, GRAPH, Guest, KEEPERS, SERVICES, To, edges},
    root,
};

const HEAD: &str = "\
# Nothing may connect but what is here. Made from the call graph (tests/tests/manifests/graph.rs), never by hand.
# A policy knows no names: \"outside\" is anywhere, by port. Whoever wants hosts there has to have a network that knows them.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny-all
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
";

const DNS: &str = "    # names
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
";

/// Phones are anywhere, and are sent the first packet as often as they send it.
const MEDIA: &str = "    # media to phones
    - to: [{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: '::/0'}}]
      ports: [{protocol: UDP}]
";

fn pods(name: &str) -> String {
    format!("{{app.kubernetes.io/name: {name}, app.kubernetes.io/component: service}}")
}

/// The peers of a rule, as one of its lines.
fn peers(to: To) -> String {
    let there = |namespace: &str, labels: &str| {
        format!(
            "- namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}\n          podSelector: {{matchLabels: {{{labels}}}}}"
        )
    };
    match to {
        To::Service(name) => format!("- podSelector: {{matchLabels: {}}}", pods(name)),
        To::Postgres => there("alcove-data", "alcove/holds: postgres"),
        To::Nats => there("alcove-data", "app.kubernetes.io/name: nats"),
        To::Collector => there("monitoring", "app.kubernetes.io/name: opentelemetry-collector"),
        To::Outside => "- ipBlock: {cidr: 0.0.0.0/0}\n        - ipBlock: {cidr: '::/0'}".to_owned(),
        To::Off | To::Nobody => unreachable!("no edge"),
    }
}

fn ports(protocol: &str, ports: &[u16]) -> String {
    let ports: Vec<_> = ports.iter().map(|port| format!("{{protocol: {protocol}, port: {port}}}")).collect();
    format!("      ports: [{}]\n", ports.join(", "))
}

fn policy(out: &mut String, name: &str, labels: &str, types: &str) {
    let head = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: ";
    let rest = format!("  podSelector:\n    matchLabels: {labels}\n  policyTypes: [{types}]\n");
    write!(out, "{head}{name}\nspec:\n{rest}").unwrap();
}

/// Who comes in at a service's own port: by port, who and by which setting.
fn comers(service: &str) -> BTreeMap<u16, BTreeMap<&'static str, Vec<&'static str>>> {
    let mut found: BTreeMap<u16, BTreeMap<_, Vec<_>>> = BTreeMap::new();
    for (of, key, to, ports) in GRAPH.iter().filter(|(_, _, to, _)| matches!(to, To::Service(name) if *name == service))
    {
        assert!(matches!(to, To::Service(_)) && ports.len() == 1);
        for from in *of {
            found.entry(ports[0]).or_default().entry(*from).or_default().push(*key);
        }
    }
    found
}

fn network() -> String {
    let mut out = HEAD.to_owned();
    for service in SERVICES {
        policy(&mut out, service, &pods(service), "Ingress, Egress");
        out.push_str("  ingress:\n");
        for (port, who) in comers(service) {
            let why: Vec<_> = who.iter().map(|(from, keys)| format!("{from}: {}", keys.join(", "))).collect();
            writeln!(out, "    # {}\n    - from:", why.join("; ")).unwrap();
            for from in who.keys() {
                writeln!(out, "        {}", peers(To::Service(from))).unwrap();
            }
            out.push_str(&ports("TCP", &[port]));
        }
        for (_, guest, protocol, port, _, why) in DOORS.iter().filter(|(of, ..)| of == service) {
            writeln!(out, "    # {why}").unwrap();
            match guest {
                // Without `from` it is anybody.
                Guest::Anybody => out.push_str(&ports(protocol, &[*port]).replacen("      ports", "    - ports", 1)),
                Guest::Ingress => {
                    let from = "        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}\n";
                    write!(out, "    - from:\n{from}{}", ports(protocol, &[*port])).unwrap();
                }
            }
        }
        write!(out, "  egress:\n{DNS}").unwrap();
        for (key, to, to_ports) in edges(service) {
            write!(out, "    # {key}\n    - to:\n        {}\n{}", peers(to), ports("TCP", to_ports)).unwrap();
        }
        if *service == "video-session" {
            out.push_str(MEDIA);
        }
    }
    for service in KEEPERS {
        let labels = format!("{{app.kubernetes.io/name: {service}, app.kubernetes.io/component: migrate}}");
        policy(&mut out, &format!("{service}-migrate"), &labels, "Egress");
        write!(
            out,
            "  egress:\n{DNS}    # database.url\n    - to:\n        {}\n{}",
            peers(To::Postgres),
            ports("TCP", &[5432])
        )
        .unwrap();
    }
    out
}

#[test]
fn the_network_is_the_call_graph() {
    let path = root().join("deploy/k8s/base/network.yaml");
    let made = network();
    if env::var("ALCOVE_GOLDEN").is_ok_and(|value| value == "write") {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap();
    assert!(kept == made, "network.yaml isn't what the graph says: ALCOVE_GOLDEN=write, and look at what has changed");
}
