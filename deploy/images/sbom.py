"""Writes the bill of materials of the images as CycloneDX 1.5: python3 sbom.py OUT. Every crate that is linked into a service, from
`cargo metadata` and Cargo.lock; the packages of the console's page, from its lock file. Cargo's own plug-ins for this would take longer
to build than the services' crates to read."""

import json, pathlib, subprocess, sys, tomllib, uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = {"intake", "call-transfer", "video-session", "evidence-store", "referral", "console", "witness"}


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def crates():
    """The linked crates, and which of them each one needs: normal dependencies from the services down, build and dev ones left out."""
    host = next(line.split()[1] for line in subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout.splitlines() if line.startswith("host:"))
    metadata = json.loads(cargo("metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host))
    packages = {package["id"]: package for package in metadata["packages"]}
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    needs = {
        node["id"]: sorted(d["pkg"] for d in node["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"]))
        for node in metadata["resolve"]["nodes"]
    }
    left = [id for id in metadata["workspace_members"] if packages[id]["name"] in SERVICES]
    assert len(left) == len(SERVICES), "a service is missing"
    found = {}
    while left:
        id = left.pop()
        if id not in found:
            found[id] = needs[id]
            left += needs[id]
    refs = {id: f"pkg:cargo/{packages[id]['name']}@{packages[id]['version']}" for id in found}
    for id in sorted(found, key=refs.get):
        package = packages[id]
        component = {"type": "application" if package["name"] in SERVICES else "library", "bom-ref": refs[id], "name": package["name"], "version": package["version"], "purl": refs[id]}
        if package.get("license"):
            component["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := checksums.get((package["name"], package["version"])):
            component["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        yield component, {"ref": refs[id], "dependsOn": sorted(refs[need] for need in found[id])}


def page():
    """What is bundled into the console's page."""
    for path, package in json.loads((ROOT / "services/console/web/package-lock.json").read_text())["packages"].items():
        if path and not package.get("dev"):
            name = path.rpartition("node_modules/")[2]
            ref = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
            component = {"type": "library", "bom-ref": ref, "name": name, "version": package["version"], "purl": ref}
            if "license" in package:
                component["licenses"] = [{"expression": package["license"]}]
            yield component, {"ref": ref, "dependsOn": []}


things = [*crates(), *page()]
for thing, _ in things:
    assert thing["version"] and thing.get("licenses"), f"{thing['name']}: under which licence?"
bom = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, (ROOT / 'Cargo.lock').read_text())}",
    "version": 1,
    "metadata": {"component": {"type": "application", "name": "alcove", "bom-ref": "alcove"}},
    "components": [component for component, _ in things],
    "dependencies": [needs for _, needs in things],
}
pathlib.Path(sys.argv[1]).write_text(json.dumps(bom, indent=1) + "\n")
print(f"{sys.argv[1]}: {len(things)} components")
