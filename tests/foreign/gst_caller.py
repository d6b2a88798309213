"""A caller made of GStreamer: webrtcbin and libnice, joining by the spoken code over WHIP and WHEP.

    gst_caller.py PAGE_URL CODE SECONDS {vp8|h264} {tone|ticks}

Runs under the system's Python, whose packages bring GStreamer. Publishes a test picture and a tone, or a tick each second with the
silence between them left out (DTX), watches the first other participant, decodes what it gets, and prints a JSON line: frames and
packets of sound sent, frames and sound received.
"""

import json
import sys
import threading
import time
import urllib.error
import urllib.request
from email.message import Message
from urllib.parse import urljoin

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

Gst.init(None)
VIDEO = {
    "vp8": "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=30 target-bitrate=300000 ! rtpvp8pay"
    " ! application/x-rtp,media=video,encoding-name=VP8,payload=96",
    "h264": "openh264enc gop-size=30 bitrate=300000 ! h264parse config-interval=-1 ! rtph264pay aggregate-mode=zero-latency"
    " ! application/x-rtp,media=video,encoding-name=H264,payload=97",
}

SOUND = {
    "tone": "audiotestsrc is-live=true ! audioconvert ! audioresample ! opusenc ! rtpopuspay",
    "ticks": "audiotestsrc is-live=true wave=ticks freq=440 sine-periods-per-tick=88 ! audioconvert ! audioresample"
    " ! opusenc audio-type=voice dtx=true ! rtpopuspay dtx=true",
}


def http(method: str, url: str, body: str, headers: dict) -> tuple[str, Message]:
    request = urllib.request.Request(url, body.encode() if body else None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.read().decode(), response.headers
    except urllib.error.HTTPError as refused:
        raise SystemExit(f"{method} {url} answered {refused.code}: {refused.read().decode()}") from refused


class Link:
    """One connection: an offer with all its candidates up, an answer down."""

    def __init__(self, url: str, token: str, pipeline: Gst.Pipeline, name: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}
        self.pipeline, self.peer = pipeline, pipeline.get_by_name(name)
        self.gathered, self.connected = threading.Event(), threading.Event()
        self.peer.connect("notify::ice-gathering-state", self._gathering)
        self.peer.connect("notify::connection-state", self._connection)
        wanted = threading.Event()
        self.peer.connect("on-negotiation-needed", lambda _: wanted.set())
        pipeline.set_state(Gst.State.PLAYING)
        if not wanted.wait(20):
            raise SystemExit("there was nothing to negotiate")
        promise = Gst.Promise.new()
        self.peer.emit("create-offer", None, promise)
        promise.wait()
        # The description is the reply's own, and goes with it.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self._tell("set-local-description", offer)
        if not self.gathered.wait(20):
            raise SystemExit("candidates were never complete")
        text = self.peer.get_property("local-description").sdp.as_text()
        answer, found = http("POST", url, text, self.headers | {"Content-Type": "application/sdp"})
        self.resource = urljoin(url, found["Location"])
        _, sdp = GstSdp.SDPMessage.new_from_text(answer)
        self._tell("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp))
        if not self.connected.wait(20):
            raise SystemExit("it never connected")

    def _gathering(self, peer, _) -> None:
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self.gathered.set()

    def _connection(self, peer, _) -> None:
        if peer.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            self.connected.set()

    def _tell(self, signal: str, description) -> None:
        promise = Gst.Promise.new()
        self.peer.emit(signal, description, promise)
        promise.wait()
        reply = promise.get_reply()
        if reply is not None and reply.has_field("error"):
            raise SystemExit(f"{signal}: {reply.get_value('error')}")

    def close(self) -> None:
        http("DELETE", self.resource, "", self.headers)
        self.pipeline.set_state(Gst.State.NULL)


def others(joined: dict) -> str:
    """The id of the first other participant who publishes, from the session's event stream."""
    headers = {"Authorization": f"Bearer {joined['token']}", "Accept": "text/event-stream"}
    with urllib.request.urlopen(urllib.request.Request(joined["events_url"], None, headers), timeout=30) as response:
        for line in response:
            if line.startswith(b"data:"):
                for other in json.loads(line[5:])["publishing"]:
                    if other["participant_id"] != joined["participant_id"]:
                        return other["participant_id"]
    raise SystemExit("the event stream ended before anyone else was there")


def counting(pad_of: Gst.Element, counted: dict, what: str) -> None:
    def count(_pad, _info) -> Gst.PadProbeReturn:
        counted[what] += 1
        return Gst.PadProbeReturn.OK

    pad_of.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, count)


def publish(url: str, token: str, codec: str, sound: str, counted: dict) -> Link:
    pipeline = Gst.parse_launch(
        "webrtcbin name=out bundle-policy=max-bundle"
        " videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 ! identity name=frames"
        f" ! {VIDEO[codec]} ! out."
        f" {SOUND[sound]} ! identity name=sounds ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! out."
    )
    counting(pipeline.get_by_name("frames"), counted, "sent_frames")
    counting(pipeline.get_by_name("sounds"), counted, "sent_sounds")
    return Link(url, token, pipeline, "out")


def watch(url: str, token: str, counted: dict) -> Link:
    pipeline, peer = Gst.Pipeline.new(), Gst.ElementFactory.make("webrtcbin", "in")
    peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(peer)
    for caps in (
        "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2",
        "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    ):
        peer.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))

    def decoded(_bin, pad) -> None:
        what = pad.get_current_caps().get_structure(0).get_name().split("/")[0]
        sink = Gst.ElementFactory.make("fakesink")
        pipeline.add(sink)
        sink.sync_state_with_parent()
        counting(sink, counted, what)
        pad.link(sink.get_static_pad("sink"))

    def arrived(_peer, pad) -> None:
        decoder = Gst.ElementFactory.make("decodebin")
        decoder.connect("pad-added", decoded)
        pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    peer.connect("pad-added", arrived)
    return Link(url, token, pipeline, "in")


def main() -> None:
    page, code, seconds, codec, sound = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4], sys.argv[5]
    loop = GLib.MainLoop()
    threading.Thread(target=loop.run, daemon=True).start()
    body, _ = http("POST", urljoin(page, "/join"), json.dumps({"code": code}), {"Content-Type": "application/json"})
    joined = json.loads(body)
    counted = {"sent_frames": 0, "sent_sounds": 0, "video": 0, "audio": 0}
    own = publish(joined["whip_url"], joined["token"], codec, sound, counted)
    theirs = watch(f"{joined['whep_url']}/{others(joined)}", joined["token"], counted)
    time.sleep(seconds)
    theirs.close()
    own.close()
    print(json.dumps(counted), flush=True)
    loop.quit()


main()
