//! Every pod is fenced in: what it may do on its node, what it may take, when it may be taken away; and what is asked of it exists.

use std::fs;

use serde_json::{Value, json};

use super::{
    rendered::{PRODUCTION, Rendered, SITES, WITNESS, Workload, documents, list, render, text},
    root,
};

#[test]
fn every_pod_is_fenced_in_and_asked_what_it_can_answer() {
    let mut sites = render(SITES);
    sites.extend(render(&[WITNESS]));
    for site in &sites {
        for namespace in site.of_kind("Namespace") {
            let level = text(namespace, "/metadata/labels/pod-security.kubernetes.io~1enforce");
            assert_eq!(level, "restricted", "{}", site.of);
        }
        let mut pods = 0;
        for workload in site.workloads() {
            pods += 1;
            fenced_in(site, &workload);
            bounded(site, &workload);
            if workload.kind != "Job" {
                asked(site, &workload);
                may_be_taken_away(site, &workload);
            }
        }
        assert!(pods == if site.of == WITNESS { 1 } else { 11 }, "{}: {pods} kinds of pods", site.of);
        // Objects that run pods of other kinds would have gone past all this.
        for kind in ["DaemonSet", "ReplicaSet", "Pod", "CronJob", "Secret", "ClusterRoleBinding", "RoleBinding"] {
            assert!(site.of_kind(kind).next().is_none(), "{}: a {kind}", site.of);
        }
    }
}

fn fenced_in(site: &Rendered, workload: &Workload<'_>) {
    let (of, name, pod) = (site.of, workload.name, workload.pod);
    let spec = &pod["spec"];
    let of_pod = &spec["securityContext"];
    assert_eq!(of_pod["runAsNonRoot"], true, "{of}, {name}");
    assert!(of_pod["runAsUser"].as_u64().is_some_and(|user| user > 1000), "{of}, {name}");
    assert_eq!(of_pod["seccompProfile"], json!({"type": "RuntimeDefault"}), "{of}, {name}");
    let fence = json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]},
    });
    assert_eq!(workload.container()["securityContext"], fence, "{of}, {name}");
    assert_eq!(spec["automountServiceAccountToken"], false, "{of}, {name}");
    assert_eq!(spec["enableServiceLinks"], false, "{of}, {name}: ALCOVE_ variables are settings");
    for shared in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
        assert!(spec.get(shared).is_none(), "{of}, {name}: {shared}");
    }
    let account = site.named("ServiceAccount", workload.service());
    assert_eq!(text(spec, "/serviceAccountName"), workload.service(), "{of}, {name}");
    assert_eq!(account["automountServiceAccountToken"], false, "{of}, {name}");
    // Nothing in `hostPath`, and of what a process may write all is a claim or memory.
    for (path, volume) in workload.mounts() {
        let kinds = ["configMap", "secret", "emptyDir", "spec"];
        assert!(kinds.iter().any(|kind| volume.get(kind).is_some()), "{of}, {name}: {path}");
    }
}

/// An alert is told at some four fifths of the limit: above it the process is killed, and nobody was told before.
#[test]
fn memory_is_told_of_before_it_ends_a_process() {
    let alerts = fs::read_to_string(root().join("deploy/observability/alerts.yaml")).unwrap();
    let alerts = documents(&alerts).remove(0);
    let mut rules = list(&alerts, "/groups").flat_map(|group| list(group, "/rules"));
    let told = text(rules.find(|rule| rule["alert"] == "MemoryHigh").unwrap(), "/expr").to_owned();
    let site = render(&[PRODUCTION]).remove(0);
    for workload in site.workloads().filter(|workload| workload.kind != "Job") {
        let limit = text(workload.container(), "/resources/limits/memory");
        let unit = if limit.ends_with("Gi") { 30 } else { 20 };
        let bytes: f64 = limit.trim_end_matches(char::is_alphabetic).parse::<f64>().unwrap() * f64::from(1_u32 << unit);
        let name = workload.name;
        let (_, rest) = told.split_once(&format!("process_memory_usage_bytes{{job=\"{name}\"}} > ")).unwrap();
        let above: f64 = rest.split([' ', ')']).next().unwrap().parse().unwrap();
        assert!((0.75..0.85).contains(&(above / bytes)), "{name}: told at {above} of {bytes}");
    }
}

fn bounded(site: &Rendered, workload: &Workload<'_>) {
    let container = workload.container();
    for pointer in ["/resources/requests/cpu", "/resources/requests/memory", "/resources/limits/memory"] {
        assert!(container.pointer(pointer).is_some(), "{}, {}: {pointer}", site.of, workload.name);
    }
    let image = text(container, "/image");
    let (repository, tag) = image.rsplit_once(':').unwrap_or_default();
    assert!(repository.ends_with(&format!("/{}", workload.service())), "{}: {image}", site.of);
    assert!(!tag.is_empty() && tag != "latest", "{}: {image} may be another tomorrow", site.of);
}

/// Probes ask the health listener, by paths that it has.
fn asked(site: &Rendered, workload: &Workload<'_>) {
    let health = fs::read_to_string(root().join("crates/chassis/src/health.rs")).unwrap();
    let container = workload.container();
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let asks = &container[probe]["httpGet"];
        assert_eq!(asks["port"], "health", "{}, {}: {probe}", site.of, workload.name);
        let route = format!(".route({:?}", text(asks, "/path"));
        assert!(health.contains(&route), "{}, {}: {probe}", site.of, workload.name);
    }
    // What waits for the database must not be killed for it.
    assert_eq!(text(container, "/livenessProbe/httpGet/path"), "/livez", "{}", workload.name);
    let patience = workload.pod["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap();
    let sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
    // The chassis lets requests run for ten seconds, and video-session has three more for its last segments.
    assert!(patience >= sleep + 20, "{}, {}", site.of, workload.name);
}

fn may_be_taken_away(site: &Rendered, workload: &Workload<'_>) {
    let (of, name) = (site.of, workload.name);
    let labels = workload.pod["metadata"]["labels"].as_object().unwrap();
    let fits = |selector: &Value| {
        let wanted = selector.as_object().unwrap();
        !wanted.is_empty() && wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
    };
    assert!(fits(&workload.object["spec"]["selector"]["matchLabels"]), "{of}, {name}");
    let budgets: Vec<_> =
        site.of_kind("PodDisruptionBudget").filter(|budget| fits(&budget["spec"]["selector"]["matchLabels"])).collect();
    assert_eq!(budgets.len(), 1, "{of}, {name}");
    assert_eq!(budgets[0]["spec"]["maxUnavailable"], 1, "{of}, {name}");
    if site.most(workload) > 1 {
        let spread: Vec<_> = list(workload.pod, "/spec/topologySpreadConstraints").collect();
        assert_eq!(spread.len(), 2, "{of}, {name}: over machines and zones");
        assert!(spread.iter().all(|rule| fits(&rule["labelSelector"]["matchLabels"])), "{of}, {name}");
    }
    let job = site.workloads().find(|job| job.kind == "Job" && job.service() == workload.service());
    let keeps_rows =
        list(workload.container(), "/env").any(|variable| text(variable, "/name").ends_with("__DATABASE__URL"));
    assert_eq!(job.is_some(), keeps_rows, "{of}, {name}: who has a database has a migration");
    if let Some(job) = job {
        assert_eq!(job.args(&Default::default()).last().map(String::as_str), Some("migrate"), "{of}, {name}");
        assert_eq!(text(job.container(), "/image"), text(workload.container(), "/image"), "{of}, {name}");
        // A pod of the migration must not be taken for one of the service.
        assert_ne!(job.pod["metadata"]["labels"]["app.kubernetes.io/component"], labels["app.kubernetes.io/component"]);
    }
}
