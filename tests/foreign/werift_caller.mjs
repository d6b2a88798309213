// A caller in Node: werift, whose every layer from ICE to SRTP is TypeScript, fed by ffmpeg. Joins by the spoken code over WHIP and WHEP.
//
//   node werift_caller.mjs PAGE_URL CODE SECONDS
//
// Publishes a test picture and a tone, watches the first other participant, and prints a JSON line: frames sent, frames and packets of
// sound received.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';

// Its packages are installed beside the browsers' drivers.
const require = createRequire(new URL('../browser/package.json', import.meta.url));
const { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } = require('werift');

const [page, code, seconds] = process.argv.slice(2);
const counted = { sent_frames: 0, video: 0, audio: 0 };
const codecs = () => ({
  audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 })],
  video: [new RTCRtpCodecParameters({
    mimeType: 'video/VP8', clockRate: 90_000, rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
  })],
});
const endsFrame = (packet) => (packet[1] & 0x80) !== 0;

async function ask(url, init, wanted) {
  const answer = await fetch(url, init);
  if (answer.status !== wanted) throw new Error(`${init.method} ${url} answered ${answer.status}: ${await answer.text()}`);
  return answer;
}

async function link(url, joined, prepare) {
  const pc = new RTCPeerConnection({ codecs: codecs(), bundlePolicy: 'max-bundle' });
  prepare(pc);
  await pc.setLocalDescription(await pc.createOffer());
  const connected = new Promise((done) => pc.connectionStateChange.subscribe((state) => state === 'connected' && done()));
  const headers = { Authorization: `Bearer ${joined.token}` };
  const offer = { method: 'POST', headers: { ...headers, 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp };
  const answer = await ask(url, offer, 201);
  await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  await connected;
  const resource = new URL(answer.headers.get('Location'), url);
  return async () => {
    await ask(resource, { method: 'DELETE', headers }, 200);
    await pc.close();
  };
}

// The first other participant who publishes, from the session's event stream.
async function other(joined) {
  const events = await fetch(joined.events_url, { headers: { Authorization: `Bearer ${joined.token}`, Accept: 'text/event-stream' } });
  let text = '';
  for await (const chunk of events.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (const line of text.split('\n').slice(0, -1).filter((one) => one.startsWith('data:'))) {
      const found = JSON.parse(line.slice(5)).publishing?.find((one) => one.participant_id !== joined.participant_id);
      if (found) return found.participant_id;
    }
    text = text.slice(text.lastIndexOf('\n') + 1);
  }
  throw new Error('the event stream ended before anyone else was there');
}

// A port of this machine, what arrives there going to a track.
async function fed(track, seen) {
  const socket = createSocket('udp4');
  socket.on('message', (packet) => { seen(packet); track.writeRtp(packet); });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

const joined = await (await ask(new URL('/join', page), {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code }),
}, 200)).json();

const [picture, sound] = [new MediaStreamTrack({ kind: 'video' }), new MediaStreamTrack({ kind: 'audio' })];
const leave = await link(joined.whip_url, joined, (pc) => {
  pc.addTransceiver(sound, { direction: 'sendonly' });
  pc.addTransceiver(picture, { direction: 'sendonly' });
});
const video = await fed(picture, (packet) => { if (endsFrame(packet)) counted.sent_frames += 1; });
const audio = await fed(sound, () => {});
const ffmpeg = spawn('ffmpeg', [
  '-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=15', '-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000',
  '-map', '0', '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-g', '30', '-b:v', '300k', '-f', 'rtp', `rtp://127.0.0.1:${video.address().port}?pkt_size=1200`,
  '-map', '1', '-c:a', 'libopus', '-f', 'rtp', `rtp://127.0.0.1:${audio.address().port}`,
], { stdio: ['ignore', 'ignore', 'inherit'] });

const look = await link(`${joined.whep_url}/${await other(joined)}`, joined, (pc) => {
  for (const kind of ['audio', 'video']) pc.addTransceiver(kind, { direction: 'recvonly' });
  pc.onTrack.subscribe((track) => track.onReceiveRtp.subscribe((packet) => {
    if (track.kind === 'audio' || packet.header.marker) counted[track.kind] += 1;
  }));
});
await new Promise((done) => setTimeout(done, seconds * 1_000));
ffmpeg.kill('SIGKILL');
await look();
await leave();
process.stdout.write(`${JSON.stringify(counted)}\n`, () => process.exit(0));
