//! A phone's network changes, or lets little through, and the call goes on: Chromium in a network namespace of its own.

use std::path::PathBuf;

use alcove_tests::{
    browser::{Browser, Home, Page},
    desk::Desk,
    elsewhere::{self, Scene},
    media_probe::Probe,
    pages::Pages,
};
use tempfile::TempDir;
use testkit::{Elsewhere, Network, StackOptions, Turn, key, road::Road};

/// How each connection that is up reaches the other end, as `type protocol relayed-over`.
const ROUTES: &str = "(async () => {
    const found = [];
    for (const pc of window.connections.filter((one) => one.connectionState === 'connected')) {
        const stats = await pc.getStats();
        stats.forEach((transport) => {
            if (transport.type !== 'transport' || !transport.selectedCandidatePairId) return;
            const local = stats.get(stats.get(transport.selectedCandidatePairId).localCandidateId);
            found.push([local.candidateType, local.protocol, local.relayProtocol || ''].join(' ').trim());
        });
    }
    return found;
})()";

async fn set(elsewhere: &Elsewhere) -> Scene {
    Scene::set(elsewhere, &[], Home::default()).await.unwrap()
}

/// Ends the call: the package, verified.
async fn end(scene: &Scene, pages: Pages<'_>) -> Package {
    let folder = tempfile::tempdir().unwrap();
    Package { data: pages.end(&scene.desk, folder.path()).await.unwrap().join("bag/data"), _folder: folder }
}

/// What a call left.
struct Package {
    data: PathBuf,
    _folder: TempDir,
}

impl Package {
    /// The names of the recordings, each of which decodes.
    fn tracks(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.data.join("tracks")).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> = files
            .inspect(|file| assert!(Probe::file(file).unwrap().video_frames > 60, "{}", file.display()))
            .map(|file| file.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// What the gap ledger says of pictures and sound that were turned off and on.
    fn turned(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.data.join("items/gap-ledger/gap-ledger/1.json")).unwrap();
        let ledger: serde_json::Value = serde_json::from_str(&text).unwrap();
        let events = ledger["events"].as_array().unwrap().iter();
        let word = |event: &serde_json::Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let said = |event| ["track", "what", "medium", "why"].map(|field| word(event, field)).join(" ");
        events
            .filter(|event| word(event, "what").starts_with("turned-"))
            .map(|event| said(event).trim().to_owned())
            .collect()
    }
}

async fn goes_on<const N: usize>(pages: [Page<'_>; N]) {
    elsewhere::goes_on(pages).await.unwrap();
}

/// How long nothing new was seen: told, because a machine's speed is nothing to assert. `make bench` has it with its target.
async fn tell_black(page: Page<'_>, what: &str) {
    println!("{what}: {:?} of black", elsewhere::black(page).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_udp_is_seen_heard_and_recorded() {
    let elsewhere = Elsewhere::make().unwrap();
    elsewhere.block_udp().unwrap();
    let scene = set(&elsewhere).await;
    let pages = scene.call("2101").await.unwrap();
    let Pages { officer, caller, .. } = pages;
    let routes = caller.evaluate(ROUTES).await.unwrap();
    assert_eq!(routes, serde_json::json!(["prflx tcp", "prflx tcp"]));
    assert_eq!(officer.evaluate(ROUTES).await.unwrap(), serde_json::json!(["host udp", "host udp"]));
    goes_on([caller, officer]).await;
    assert_eq!(end(&scene, pages).await.tracks(), ["caller-1", "officer-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_network_begins_to_block_udp_goes_on_over_tcp() {
    let elsewhere = Elsewhere::make().unwrap();
    let scene = set(&elsewhere).await;
    let pages = scene.call("2105").await.unwrap();
    let Pages { officer, caller, .. } = pages;
    elsewhere.block_udp().unwrap();
    goes_on([caller, officer]).await;
    tell_black(caller, "UDP to TCP, at the caller's").await;
    assert_eq!(caller.evaluate(ROUTES).await.unwrap(), serde_json::json!(["prflx tcp", "prflx tcp"]));
    assert_eq!(caller.evaluate("window.connections.length").await.unwrap(), 2, "the same two from start to end");
    assert_eq!(end(&scene, pages).await.tracks(), ["caller-1", "officer-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_goes_from_wifi_to_mobile_and_back() {
    let elsewhere = Elsewhere::make().unwrap();
    elsewhere.down(Network::Mobile).unwrap();
    let scene = set(&elsewhere).await;
    let pages = scene.call("2102").await.unwrap();
    let Pages { officer, caller, .. } = pages;
    for (to, from, told) in
        [(Network::Mobile, Network::Wifi, "Wi-Fi to 4G"), (Network::Wifi, Network::Mobile, "4G to Wi-Fi")]
    {
        elsewhere.up(to).unwrap();
        elsewhere.down(from).unwrap();
        goes_on([officer, caller]).await;
        for (page, whose) in [(officer, "officer's"), (caller, "caller's")] {
            tell_black(page, &format!("{told}, at the {whose}")).await;
        }
    }
    let made = caller.evaluate("window.connections.length").await.unwrap();
    assert_eq!(made, 2, "the same two connections from start to end");
    assert_eq!(end(&scene, pages).await.tracks(), ["caller-1", "officer-1"]);
}

/// What a browser gathers of a relay with credentials that end in so many seconds: the kinds of its candidates, and what the relay
/// refused it with.
fn gather(turn: &Turn, ends_in: i64) -> String {
    format!(
        "(async () => {{
            const text = new TextEncoder(), username = Math.round(Date.now() / 1000 + {ends_in}) + ':somebody';
            const key = await crypto.subtle.importKey('raw', text.encode('{}'), {{ name: 'HMAC', hash: 'SHA-1' }}, false, ['sign']);
            const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, text.encode(username)));
            const credential = btoa(String.fromCharCode(...mac));
            const pc = new RTCPeerConnection({{ iceTransportPolicy: 'relay', iceServers: [{{ urls: '{}', username, credential }}] }});
            const found = [];
            pc.onicecandidateerror = ({{ errorCode }}) => errorCode < 700 && found.push(errorCode);
            pc.addTransceiver('audio');
            const done = new Promise((end) => {{
                pc.onicecandidate = ({{ candidate }}) => candidate ? found.push(candidate.type) : end();
            }});
            await pc.setLocalDescription();
            await done;
            pc.close();
            return found;
        }})()",
        turn.secret(),
        turn.url()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_with_nothing_but_tls_is_relayed() {
    let elsewhere = Elsewhere::make().unwrap();
    elsewhere.block_udp().unwrap();
    let turn = Turn::start(elsewhere.here().into()).await.unwrap();
    let settings =
        [("media__tcp", "false".to_owned()), ("turn__urls", turn.url()), ("turn__secret", turn.secret().to_owned())];
    let home = Home { folder: Some(turn.home()), ..Home::default() };
    let scene = Scene::set(&elsewhere, &settings, home).await.unwrap();
    let pages = scene.call("2103").await.unwrap();
    let caller = pages.caller;
    let routes = caller.evaluate(ROUTES).await.unwrap();
    assert_eq!(routes, serde_json::json!(["relay udp tls", "relay udp tls"]));
    goes_on([caller]).await;

    let gathered = async |ends_in| caller.evaluate(&gather(&turn, ends_in)).await.unwrap();
    assert_eq!(gathered(600).await, serde_json::json!(["relay"]));
    assert_eq!(gathered(-600).await, serde_json::json!([401]), "expired credentials are refused");
    assert_eq!(end(&scene, pages).await.tracks(), ["caller-1", "officer-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_with_a_weak_signal_is_heard_and_seen_again_when_it_is_better() {
    let elsewhere = Elsewhere::make().unwrap();
    let scene = set(&elsewhere).await;
    let pages = scene.call("2104").await.unwrap();
    let Pages { officer, caller, .. } = pages;
    let notice = "document.querySelector('#notice').textContent";
    for network in [Network::Wifi, Network::Mobile] {
        elsewhere.limit(network, Some(50)).unwrap();
    }
    caller.until(&format!("{notice}.includes('weak')")).await.unwrap();
    let heard =
        officer.evaluate("window.callStats().then((now) => now.audioReceived)").await.unwrap().as_u64().unwrap();
    officer.until(&format!("window.callStats().then((now) => now.audioReceived > {})", heard + 100)).await.unwrap();
    for network in [Network::Wifi, Network::Mobile] {
        elsewhere.limit(network, None).unwrap();
    }
    caller.until(&format!("{notice} === ''")).await.unwrap();
    goes_on([officer]).await;
    for words in ["off", "Mute"] {
        officer.click("#mute").await.unwrap();
        officer.until(&format!("document.querySelector('#mute').textContent.includes('{words}')")).await.unwrap();
    }
    let package = end(&scene, pages).await;
    assert_eq!(package.tracks(), ["caller-1", "officer-1"]);
    let turned = package.turned();
    assert_eq!(turned[..2], ["caller-1 turned-off video signal", "caller-1 turned-on video"]);
    assert_eq!(turned[2..], ["officer-1 turned-off audio choice", "officer-1 turned-on audio"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_forgets_both_phones_ends_no_call() {
    const ROAD: &str = "127.0.0.3";
    let env = [("media__advertise", ROAD), ("media__tcp", "false")];
    let env = env.map(|(name, value)| (key("video-session", name), value.to_owned())).into();
    let desk = Desk::open(StackOptions { env, ..StackOptions::default() }).await.unwrap();
    let server = desk.stack.service("video-session").address("udp").parse().unwrap();
    let road = Road::open(server, ROAD.parse().unwrap(), 1).await.unwrap();
    let (officers, callers) = tokio::try_join!(Browser::start(), Browser::start()).unwrap();
    let scene = Scene { desk, officers, callers };
    let pages = scene.call("2107").await.unwrap();
    let Pages { officer, caller, .. } = pages;
    road.rebind();
    goes_on([officer, caller]).await;
    for (page, whose) in [(officer, "officer's"), (caller, "caller's")] {
        tell_black(page, &format!("another port, at the {whose}")).await;
        assert_eq!(page.evaluate("window.connections.length").await.unwrap(), 2, "the same two from start to end");
    }
    assert_eq!(end(&scene, pages).await.tracks(), ["caller-1", "officer-1"]);
}
