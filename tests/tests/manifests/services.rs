//! What leads to the pods: Services, ingresses, certificates, policies, the autoscaler; and what an operator has to make by hand.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::{
    graph::{DOORS, Guest, KEEPERS, SERVICES},
    rendered::{PRODUCTION, Rendered, SITES, WITNESS, documents, list, render, text},
    root,
};

#[test]
fn every_name_leads_somewhere_and_every_secret_is_told_of() {
    let mut sites = render(SITES);
    let data = render(&["data"]).remove(0);
    for site in &sites {
        services_lead_to_ports(site);
        let open = doors(site);
        let known: BTreeSet<_> = DOORS
            .iter()
            .map(|(name, guest, _, port, ..)| ((*name).to_owned(), *guest == Guest::Ingress, u64::from(*port)))
            .collect();
        if site.of == PRODUCTION {
            assert_eq!(open, known, "what is open in {} beside DOORS", site.of);
        } else {
            assert!(open.is_subset(&known), "{}: {open:?}", site.of);
        }
        named_by_certificates(site);
        policies_are_the_graph_s(site);
        instances_are_whole(site);
    }
    values_in_data(&data);
    sites.extend(render(&[WITNESS]));
    sites.push(data);
    let told = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    for site in &sites {
        for secret in secrets(site) {
            assert!(told.contains(&format!("`{secret}`")), "docs/operations.md says nothing of the secret {secret}");
        }
    }
}

fn ports_of<'a>(site: &'a Rendered, selector: &Value) -> Vec<(&'a str, &'a Value)> {
    let wanted = selector.as_object().unwrap();
    let mut found = Vec::new();
    for workload in site.services() {
        let labels = workload.pod["metadata"]["labels"].as_object().unwrap();
        let fits = wanted.iter().all(|(key, value)| match key.as_str() {
            // The StatefulSet's own label: the pod's name, as many as there may be.
            "statefulset.kubernetes.io/pod-name" => {
                let (name, index) = value.as_str().unwrap().rsplit_once('-').unwrap();
                name == workload.name && index.parse::<u64>().unwrap() < site.most(&workload)
            }
            _ => labels.get(key) == Some(value),
        });
        if fits {
            let ports = workload.object.pointer("/spec/template/spec/containers/0/ports").and_then(Value::as_array);
            let name = text(workload.object, "/metadata/name");
            found.extend(ports.into_iter().flatten().map(|port| (name, port)));
        }
    }
    found
}

fn protocol(port: &Value) -> &str {
    port.get("protocol").and_then(Value::as_str).unwrap_or("TCP")
}

/// The pod's port that a Service's port leads to.
fn target<'a>(site: &'a Rendered, service: &Value, port: &Value) -> (&'a str, &'a Value) {
    let name = text(service, "/metadata/name");
    let ports = ports_of(site, &service["spec"]["selector"]);
    let mut fits = ports.into_iter().filter(|(_, of_pod)| of_pod["name"] == port["targetPort"]);
    let (workload, of_pod) = fits.next().unwrap_or_else(|| panic!("{}: Service {name} leads nowhere", site.of));
    assert!(fits.next().is_none(), "{}: Service {name} leads to two kinds of pods", site.of);
    assert_eq!(protocol(port), protocol(of_pod), "{}: Service {name}", site.of);
    (workload, of_pod)
}

fn services_lead_to_ports(site: &Rendered) {
    for service in site.of_kind("Service") {
        assert!(!ports_of(site, &service["spec"]["selector"]).is_empty(), "{}: {service}", site.of);
        for port in list(service, "/spec/ports") {
            let (_, of_pod) = target(site, service, port);
            let outside = service["spec"]["type"] == "LoadBalancer";
            assert!(outside || port["port"] == of_pod["containerPort"], "{}: {service}", site.of);
        }
    }
    for workload in site.services().filter(|workload| workload.kind == "StatefulSet") {
        site.named("Service", text(workload.object, "/spec/serviceName"));
    }
}

/// What can be reached from outside: `(service, by the ingress, port)`.
fn doors(site: &Rendered) -> BTreeSet<(String, bool, u64)> {
    let mut found = BTreeSet::new();
    let mut open = |service: &Value, port: &Value, by_ingress: bool| {
        let (name, of_pod) = target(site, service, port);
        found.insert((name.to_owned(), by_ingress, of_pod["containerPort"].as_u64().unwrap()));
    };
    for service in site.of_kind("Service").filter(|service| service["spec"]["type"] == "LoadBalancer") {
        assert_eq!(service["spec"]["externalTrafficPolicy"], "Local", "the other's address is lost: {service}");
        list(service, "/spec/ports").for_each(|port| open(service, port, false));
    }
    for ingress in site.of_kind("Ingress") {
        for rule in list(ingress, "/spec/rules") {
            assert_eq!(ingress["spec"]["tls"][0]["hosts"], serde_json::json!([rule["host"]]), "{}", site.of);
            for path in list(rule, "/http/paths") {
                let service = site.named("Service", text(path, "/backend/service/name"));
                lets_go_first(site, service);
                let wanted = text(path, "/backend/service/port/name");
                let port = list(service, "/spec/ports").find(|port| port["name"] == wanted);
                open(service, port.unwrap_or_else(|| panic!("{}: {path}", site.of)), true);
            }
        }
    }
    found
}

/// What stands in front closes a connection that it doesn't use before we do.
fn lets_go_first(site: &Rendered, service: &Value) {
    let transport = &service["metadata"]["annotations"]["traefik.ingress.kubernetes.io/service.serverstransport"];
    let name = transport.as_str().and_then(|name| name.strip_prefix("alcove-")?.strip_suffix("@kubernetescrd"));
    let name = name.unwrap_or_else(|| panic!("{}: connections to it are kept for Traefik's 90 s: {service}", site.of));
    let kept = text(site.named("ServersTransport", name), "/spec/forwardingTimeouts/idleConnTimeout");
    let seconds: u64 = kept.strip_suffix('s').unwrap().parse().unwrap();
    assert!(seconds > 0 && seconds < chassis::http::Limits::default().head.as_secs(), "{}: {kept}", site.of);
}

/// Each service has one certificate, by the one name that the chassis knows it by.
fn named_by_certificates(site: &Rendered) {
    let principal = fs::read_to_string(root().join("crates/chassis/src/principal.rs")).unwrap();
    let domain = "spiffe://alcove/";
    assert!(principal.contains(&format!("const TRUST_DOMAIN: &str = \"{domain}\";")), "the trust domain is another");
    for service in SERVICES {
        let certificate = site.named("Certificate", service);
        let names: Vec<_> = list(certificate, "/spec/uris").collect();
        assert_eq!(names, [&format!("{domain}service/{service}")], "{}", site.of);
        let usages: Vec<_> = list(certificate, "/spec/usages").filter_map(Value::as_str).collect();
        assert!(usages.contains(&"client auth"), "{}, {service}", site.of);
        assert_eq!(usages.contains(&"server auth"), KEEPERS.contains(service), "{}, {service}", site.of);
        let workload = site.services().find(|workload| workload.name == *service).unwrap();
        let secret = text(certificate, "/spec/secretName");
        let mounted = workload.mounts().find(|(_, volume)| text(volume, "/secret/secretName") == secret);
        assert_eq!(mounted.map(|(path, _)| path), Some("/run/alcove/tls"), "{}, {service}", site.of);
    }
}

/// No overlay adds to what may connect, nor takes from it.
fn policies_are_the_graph_s(site: &Rendered) {
    let base = documents(&fs::read_to_string(root().join("deploy/k8s/base/network.yaml")).unwrap());
    let spec = |policy: &Value| (text(policy, "/metadata/name").to_owned(), policy["spec"].to_string());
    let rendered: BTreeSet<_> = site.of_kind("NetworkPolicy").map(spec).collect();
    assert_eq!(rendered, base.iter().map(spec).collect(), "{}", site.of);
}

/// As many instances as there may be, each with its way in and its address.
fn instances_are_whole(site: &Rendered) {
    let workload = site.services().find(|workload| workload.name == "video-session").unwrap();
    let most = site.most(&workload);
    for index in 0..most {
        site.named("Service", &format!("video-session-{index}"));
    }
    let is_own = |service: &&Value| service["spec"]["selector"].get("statefulset.kubernetes.io/pod-name").is_some();
    assert_eq!(site.of_kind("Service").filter(is_own).count() as u64, 2 * most, "{}", site.of);
    let Some(callers) = site.of_kind("Ingress").find(|ingress| ingress["metadata"]["name"] == "callers") else {
        return;
    };
    let paths: Vec<_> = list(callers, "/spec/rules/0/http/paths")
        .map(|path| (text(path, "/path").to_owned(), text(path, "/backend/service/name").to_owned()))
        .collect();
    let own = (0..most).map(|index| (format!("/i/{index}/"), format!("video-session-{index}")));
    let wanted: Vec<_> = own.chain([("/".to_owned(), "video-session".to_owned())]).collect();
    assert_eq!(paths, wanted, "{}", site.of);
}

/// Those that may reach Postgres and NATS are those that have them in their settings; each has a database and a role of its own.
fn values_in_data(data: &Rendered) {
    let keepers: BTreeSet<_> = KEEPERS.iter().copied().collect();
    for name in ["nats", "postgres"] {
        let policy = data.named("NetworkPolicy", name);
        let selector = policy.pointer("/spec/ingress/0/from/0/podSelector").unwrap();
        let allowed: BTreeSet<_> = list(selector, "/matchExpressions/0/values").filter_map(Value::as_str).collect();
        assert_eq!(allowed, keepers, "{name}");
    }
    let databases: BTreeSet<_> = data.of_kind("Database").map(|database| text(database, "/metadata/name")).collect();
    assert_eq!(databases, keepers);
    let cluster = data.named("Cluster", "alcove");
    let roles: Vec<_> = list(cluster, "/spec/managed/roles").collect();
    for database in data.of_kind("Database") {
        let role = roles.iter().find(|role| role["name"] == database["spec"]["owner"]).unwrap();
        assert!(role["superuser"] == false && role["bypassrls"] == false, "no policy binds {role}");
    }
}

/// Secrets by name, but for those that cert-manager makes.
fn secrets(site: &Rendered) -> BTreeSet<String> {
    let made: BTreeSet<_> = site
        .of_kind("Certificate")
        .map(|certificate| text(certificate, "/spec/secretName"))
        .chain(
            site.of_kind("Ingress").flat_map(|ingress| list(ingress, "/spec/tls").map(|tls| text(tls, "/secretName"))),
        )
        .collect();
    let mut found = BTreeSet::new();
    let mut left: Vec<&Value> = site.objects.iter().collect();
    while let Some(value) = left.pop() {
        match value {
            Value::Array(values) => left.extend(values),
            Value::Object(fields) => {
                for (key, value) in fields {
                    let name = match key.as_str() {
                        "secretName" => value.as_str(),
                        "secretKeyRef" | "secretRef" | "passwordSecret" | "accessKeyId" | "secretAccessKey" => {
                            value["name"].as_str()
                        }
                        _ => None,
                    };
                    found.extend(name.filter(|name| !made.contains(name)).map(str::to_owned));
                    left.push(value);
                }
            }
            _ => {}
        }
    }
    found
}
