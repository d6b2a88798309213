//! A call of two browsers over a bad road, and what came of it: on the officer's screen, in the recording, in its ledger.

mod ledger;
mod screen;

use std::net::IpAddr;

use api::session::v1::{Participant, Role};
use serde_json::json;
use testkit::{
    StackOptions, key,
    road::{Loss, Road, Stream, Way, Weather},
};

use crate::{
    browser::Browser,
    desk::Desk,
    media_probe::Probe,
    pages::{DESK, enter},
};
use ledger::{Ledger, Sent};
pub use screen::Seen;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Where the road stands, and what the phones are told.
const ROAD: &str = "127.0.0.2";
/// Packets of the caller's sound before and after the weather: two seconds each.
const SUNSHINE: usize = 100;

/// Keeps each connection of a page, for its statistics.
const KEEP_LINKS: &str = "
    window.links = [];
    window.shown = [];
    const Link = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Link {
        constructor(...given) { super(...given); window.links.push(this); }
    };";

/// Has no offer of a page name an SSRC, as none has to.
const NAME_NONE: &str = "
    const ask = window.fetch;
    window.fetch = (url, how) => {
        if (typeof how?.body !== 'string' || !how.body.includes('a=ssrc')) return ask(url, how);
        window.unnamed = true;
        return ask(url, { ...how, body: how.body.replace(/^a=ssrc.*\\r\\n/gm, '') });
    };";

/// The officer: publishes, and watches the caller on a screen. Not the console's page, so that nothing but the road is slow.
const OFFICER: &str = "(async ([whip, token, whep]) => {
    const open = async (url, prepare) => {
        const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
        prepare(pc);
        await pc.setLocalDescription(await pc.createOffer());
        const headers = { 'Content-Type': 'application/sdp', Authorization: 'Bearer ' + token };
        const answer = await fetch(url, { method: 'POST', headers, body: pc.localDescription.sdp });
        if (answer.status !== 201) throw new Error(url + ': ' + answer.status);
        await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    };
    if (whip) {
        const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
        await open(whip, (pc) => {
            camera.getTracks().forEach((track) => pc.addTransceiver(track, { direction: 'sendonly', streams: [camera] }));
        });
    }
    if (whep) {
        const screen = document.createElement('video');
        [screen.id, screen.autoplay, screen.srcObject] = ['screen', true, new MediaStream()];
        document.body.append(screen);
        const shown = (now) => { window.shown.push(now); screen.requestVideoFrameCallback(shown); };
        screen.requestVideoFrameCallback(shown);
        await open(whep, (pc) => {
            pc.addTransceiver('video', { direction: 'recvonly' });
            pc.addTransceiver('audio', { direction: 'recvonly' });
            pc.ontrack = (event) => screen.srcObject.addTrack(event.track);
        });
    }
})";

/// One kind of weather.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What it is called.
    pub name: &'static str,
    /// From the phones to the server.
    pub up: Weather,
    /// From the server to the phones.
    pub down: Weather,
}

impl Row {
    /// The same both ways.
    #[must_use]
    pub fn both(name: &'static str, weather: Weather) -> Self {
        Self { name, up: weather, down: weather }
    }

    /// So much lost at random, both ways.
    #[must_use]
    pub fn lossy(name: &'static str, share: f64) -> Self {
        Self::both(name, Weather { loss: Loss::Random(share), ..Weather::default() })
    }
}

/// What came of a call. Shares are from 0 to 1.
#[derive(Debug)]
pub struct Came {
    /// Of the caller's packets in this weather, repairs not counted, how many the road lost on their way to the server.
    pub lost: f64,
    /// Of the pictures' packets among them, how many are in the recording after all.
    pub recovered: f64,
    /// The caller's packets over those of its media: what repairs cost.
    pub sent_again: f64,
    /// What the officer saw and heard while the weather lasted.
    pub seen: Seen,
    /// Pictures a second of the officer that the caller saw meanwhile.
    pub caller_sees: f64,
    /// Why the ledger and the road don't agree; `None`: they do, to the packet.
    pub disagree: Option<String>,
}

/// A desk behind a road, and a browser for both ends of a call.
#[derive(Debug)]
pub struct Place {
    desk: Desk,
    road: Road,
    browser: Browser,
    /// The callers' offers name their SSRCs.
    named: bool,
}

impl Place {
    /// Starts everything.
    ///
    /// # Errors
    /// When something doesn't come up: with its log.
    pub async fn open(seed: u64) -> Outcome<Self> {
        let advertise = (key("video-session", "media__advertise"), ROAD.to_owned());
        let desk = Desk::open(StackOptions { env: vec![advertise], ..StackOptions::default() }).await?;
        let server = desk.stack.service("video-session").address("udp").parse()?;
        let road = Road::open(server, ROAD.parse::<IpAddr>()?, seed).await?;
        Ok(Self { desk, road, browser: Browser::start().await?, named: true })
    }

    /// The same, but no caller's offer names an SSRC.
    #[must_use]
    pub fn unnamed(self) -> Self {
        Self { named: false, ..self }
    }

    /// Plays a call in which there is this weather for so many packets of the caller's sound, 50 a second.
    ///
    /// # Errors
    /// When the call doesn't come up, doesn't stay up, or its recording doesn't decode.
    pub async fn call(&self, incident: &str, row: &Row, packets: usize) -> Outcome<Came> {
        let mut accepted = self.desk.accepted_call(incident, "pc.weather").await?;
        let call_id = accepted.call.call_id.clone();
        let (way, code) = (accepted.officer.join(&call_id).await?, accepted.officer.invite(&call_id).await?.code);
        let page = self.desk.stack.caller_page();
        let officer = self.browser.open_with("officer", &page, DESK, KEEP_LINKS).await?;
        let prepare = if self.named { KEEP_LINKS.to_owned() } else { format!("{KEEP_LINKS}{NAME_NONE}") };
        let caller = self.browser.open_with("caller", &page, DESK, &prepare).await?;
        let act = async |whip: &str, whep: &str| {
            officer.evaluate(&format!("{OFFICER}({})", json!([whip, way.token, whep]))).await
        };
        act(&way.whip_url, "").await?;
        enter(caller, &code).await?;
        caller.until("document.querySelector('#other').videoWidth > 0").await?;
        if !self.named {
            caller.until("window.unnamed").await?;
        }
        let is_caller = |one: &Participant| one.role() == Role::Caller && one.connected;
        let session = accepted.officer.session_until(&call_id, |session| session.participants.iter().any(is_caller));
        let caller_is =
            session.await?.participants.into_iter().find(is_caller).ok_or("nobody to watch")?.participant_id;
        act("", &format!("{}/{caller_is}", way.whep_url)).await?;
        officer.until("document.querySelector('#screen').videoWidth > 0").await?;

        let (sound, picture) = (screen::outbound(&caller, "audio").await?, screen::outbound(&caller, "video").await?);
        let count = |ssrc| self.sent(ssrc).map_or(0, |stream| stream.passed.len() + stream.lost.len());
        let passes = async |more: usize| {
            let wanted = count(sound.ssrc) + more;
            testkit::until("the caller's sound", async || count(sound.ssrc) >= wanted).await;
        };
        passes(SUNSHINE).await;
        let before = [screen::look(&officer).await?, screen::look(&caller).await?];
        let sent_before = count(sound.ssrc) + count(picture.ssrc);
        self.road.weather(Way::Up, row.up);
        self.road.weather(Way::Down, row.down);
        passes(packets).await;
        let sent = count(sound.ssrc) + count(picture.ssrc) - sent_before;
        let after = [screen::look(&officer).await?, screen::look(&caller).await?];
        for way in [Way::Up, Way::Down] {
            self.road.weather(way, Weather::default());
        }
        passes(SUNSHINE).await;
        // From here on nothing counts, so that what is under way when the call ends belongs to neither side.
        self.road.cut();
        self.road.settled().await;
        let [sound, picture] =
            [sound.ssrc, picture.ssrc].map(|ssrc| Sent::until_the_cut(&self.sent(ssrc).unwrap_or_default()));
        let repeated = screen::outbound(&caller, "video").await?.sent_again();
        accepted.officer.end(&call_id).await?;
        accepted.sealed().await?;
        self.road.heal();
        for page in [officer, caller] {
            page.close().await?;
        }

        let folder = tempfile::tempdir()?;
        let package = self.desk.verified_package(&call_id, &folder.path().join("package")).await?;
        Probe::file(&package.join("bag/data/tracks/caller-1.mkv"))?;
        let ledger = std::fs::read(package.join("bag/data/items/gap-ledger/gap-ledger/1.json"))?;
        let ledger = Ledger::read(&serde_json::from_slice(&ledger)?);
        Ok(Came {
            lost: (sound.lost() + picture.lost()) as f64 / sent as f64,
            recovered: ledger.recovered(&picture),
            sent_again: repeated,
            seen: Seen::between(&before[0], &after[0]),
            caller_sees: after[1].pictures_since(&before[1]),
            disagree: ledger.disagrees(&sound, &picture),
        })
    }

    /// What the road knows of one of the caller's streams.
    fn sent(&self, ssrc: u32) -> Option<Stream> {
        self.road.streams(Way::Up).into_iter().find(|stream| stream.ssrc == ssrc)
    }
}
