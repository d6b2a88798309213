"""A caller that shares no code with Alcove or with a browser: aiortc, joining by the spoken code over WHIP and WHEP.

    caller.py PAGE_URL CODE SECONDS

Publishes a moving picture and a tone, watches everyone else, and prints a JSON line: frames sent, frames and sound
received.
"""

import asyncio
import fractions
import json
import math
import sys
from urllib.parse import urljoin

import aiohttp
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack
from av import AudioFrame, VideoFrame


class Picture(VideoStreamTrack):
    """320x240, a bar that moves."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(320, 240, "yuv420p")
        for plane, value in zip(frame.planes, (60, 110, 150)):
            row = bytearray([value]) * plane.line_size
            row[self.sent % plane.width] = 255
            plane.update(bytes(row) * plane.height)
        frame.pts, frame.time_base = pts, time_base
        self.sent += 1
        return frame


class Tone(MediaStreamTrack):
    """440 Hz, 48 kHz mono, in packets of 20 ms."""

    kind = "audio"
    RATE, SAMPLES = 48_000, 960

    def __init__(self) -> None:
        super().__init__()
        self.at = 0
        self.started = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_event_loop()
        self.started = self.started or loop.time()
        await asyncio.sleep(max(0.0, self.started + self.at / self.RATE - loop.time()))
        wave = (int(8000 * math.sin(2 * math.pi * 440 * (self.at + i) / self.RATE)) for i in range(self.SAMPLES))
        frame = AudioFrame(format="s16", layout="mono", samples=self.SAMPLES)
        frame.planes[0].update(b"".join(s.to_bytes(2, "little", signed=True) for s in wave))
        frame.pts, frame.sample_rate, frame.time_base = self.at, self.RATE, fractions.Fraction(1, self.RATE)
        self.at += self.SAMPLES
        return frame


async def post_offer(http, url: str, token: str, pc: RTCPeerConnection) -> str:
    """WHIP and WHEP alike: an offer up, an answer down. Answers the resource's URL."""
    await pc.setLocalDescription(await pc.createOffer())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    async with http.post(url, data=pc.localDescription.sdp, headers=headers) as response:
        if response.status != 201:
            raise SystemExit(f"{url} answered {response.status}: {await response.text()}")
        await pc.setRemoteDescription(RTCSessionDescription(await response.text(), "answer"))
        return urljoin(url, response.headers["Location"])


async def others(http, joined: dict) -> str:
    """The id of the first other participant who publishes, from the session's event stream."""
    headers = {"Authorization": f"Bearer {joined['token']}", "Accept": "text/event-stream"}
    async with http.get(joined["events_url"], headers=headers) as response:
        async for line in response.content:
            if line.startswith(b"data:"):
                session = json.loads(line[5:])
                for other in session["publishing"]:
                    if other["participant_id"] != joined["participant_id"]:
                        return other["participant_id"]
    raise SystemExit("the event stream ended before anyone else was there")


async def main() -> None:
    page, code, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    async with aiohttp.ClientSession() as http:
        async with http.post(urljoin(page, "/join"), json={"code": code}) as response:
            if response.status != 200:
                raise SystemExit(f"join answered {response.status}: {await response.text()}")
            joined = await response.json()

        picture, publisher = Picture(), RTCPeerConnection()
        publisher.addTrack(picture)
        publisher.addTrack(Tone())
        resource = await post_offer(http, joined["whip_url"], joined["token"], publisher)

        other = await others(http, joined)
        watcher, heard = RTCPeerConnection(), {"audio": 0, "video": 0}
        watcher.addTransceiver("audio", direction="recvonly")
        watcher.addTransceiver("video", direction="recvonly")

        async def count(track) -> None:
            while True:
                await track.recv()
                heard[track.kind] += 1

        counting = []
        watcher.on("track", lambda track: counting.append(asyncio.ensure_future(count(track))))
        watching = await post_offer(http, f"{joined['whep_url']}/{other}", joined["token"], watcher)

        await asyncio.sleep(seconds)
        headers = {"Authorization": f"Bearer {joined['token']}"}
        for url in (watching, resource):
            async with http.delete(url, headers=headers) as response:
                assert response.status in (200, 204), response.status
        for task in counting:
            task.cancel()
        await asyncio.gather(publisher.close(), watcher.close())
        print(json.dumps({"sent_frames": picture.sent, "video": heard["video"], "audio": heard["audio"]}), flush=True)


asyncio.run(asyncio.wait_for(main(), timeout=60 + float(sys.argv[3])))
