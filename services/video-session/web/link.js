// One connection: an offer and its answer, another ICE session whenever the network changes, and a DELETE at its end.
// Candidates are never sent: the other end learns them from our checks, and nobody waits for them.
const CONNECT_WITHIN = 8000;
const LOOK_EVERY = 200;
// While we send, the other end is heard ten times a second.
const SILENT_FOR = 800;
// A browser may learn of the new network later than we of the loss of the old one: so the first restarts follow soon on each other.
// Each has longer than the one before, because some paths take it.
const LONGER = 1.4;
const RESTARTS = 8;
const POST_WITHIN = 8000;
const PATCH_WITHIN = 1500;
const LONGEST_PATCH = 6000;
const SHORTEST_WAIT = 250;
const LONGEST_WAIT = 4000;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const lineOf = (sdp, start) => sdp.split("\r\n").find((line) => line.startsWith(start)) || "";

// An answer and what it says. A network may swallow either: then there is none, after a while.
async function ask(url, request, within, stop = new AbortController()) {
  const alarm = setTimeout(() => stop.abort(), within);
  try {
    const answer = await fetch(url, Object.assign(request, { signal: stop.signal }));
    return [answer, await answer.text()];
  } finally {
    clearTimeout(alarm);
  }
}

// Whatever is asked with a token belongs to the trace that its owner was let into.
let traceparent = "";
const bearing = (token, more) => Object.assign({ Authorization: "Bearer " + token }, traceparent && { traceparent }, more);

// What of an offer names its ICE session (RFC 8840).
const fragmentOf = (offer) =>
  ["m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:"].map((start) => lineOf(offer, start) + "\r\n").join("");

// An answer again, in the ICE session of a fragment.
function renewed(answer, fragment) {
  const candidates = fragment.split("\r\n").filter((line) => line.startsWith("a=candidate:"));
  const session = { "a=ice-ufrag:": [lineOf(fragment, "a=ice-ufrag:")], "a=ice-pwd:": [lineOf(fragment, "a=ice-pwd:")].concat(candidates) };
  return answer.split("\r\n").filter((line) => !line.startsWith("a=candidate:")).map((line) => {
    const start = Object.keys(session).find((one) => line.startsWith(one));
    return start ? session[start].join("\r\n") : line;
  }).join("\r\n");
}

// `tell`: `changed` whenever it comes or goes, `gone` once when it is lost for good, and `silent`, for what we publish, when the
// network under it seems to have gone: that is known here long before ICE says so.
async function openLink(url, joined, prepare, tell) {
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: joined.ice_servers });
  const self = { pc, closed: false };
  const headers = (more) => bearing(joined.token, more);
  let resource = null;
  let answered = "";
  let restarting = null;
  let heard = { bytes: 0, at: 0 };
  let fruitless = 0;
  let deadline = 0;
  let looking = 0;

  // `isSaid`: the other end hears otherwise that we are gone, with all that is ours there.
  self.close = (isSaid) => {
    if (self.closed) return Promise.resolve();
    self.closed = true;
    clearTimeout(deadline);
    clearInterval(looking);
    pc.close();
    return resource && !isSaid ? fetch(resource, { method: "DELETE", headers: headers() }).catch(() => {}) : Promise.resolve();
  };
  // A DELETE that gets nowhere is not waited for.
  self.lose = () => { if (!self.closed) Promise.race([self.close(), pause(PATCH_WITHIN)]).then(tell.gone); };

  // One try. True when there is nothing more to try.
  async function restartOnce(stop, within) {
    const began = Date.now();
    try {
      pc.restartIce();
      await pc.setLocalDescription(await pc.createOffer());
      const [answer, fragment] = await ask(resource, {
        method: "PATCH",
        headers: headers({ "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" }),
        body: fragmentOf(pc.localDescription.sdp),
      }, within, stop);
      if (answer.status === 429) return false;
      // They have given us up, or can't: another connection, then.
      if (answer.status !== 200) { self.lose(); return true; }
      await pc.setRemoteDescription({ type: "answer", sdp: renewed(answered, fragment) });
      // What a PATCH takes on this network, the checks that follow take a few times.
      const patience = (400 + 3 * (Date.now() - began)) * LONGER ** Math.max(0, fruitless - 1);
      heard.at = Date.now() + patience - SILENT_FOR;
      return true;
    } catch (error) {
      return self.closed;
    }
  }

  // Another ICE session, over whatever network there is now. Asked again meanwhile, it tries at once: a try begins a session of
  // its own, because a repeated one would be taken for candidates of the first.
  self.restart = async () => {
    if (self.closed || !answered) return;
    if (restarting) return restarting.abort();
    let [wait, within] = [SHORTEST_WAIT, PATCH_WITHIN];
    for (;;) {
      restarting = new AbortController();
      const asked = new Promise((done) => restarting.signal.addEventListener("abort", done));
      if (await restartOnce(restarting, within)) break;
      await Promise.race([pause(wait), asked]);
      [wait, within] = [Math.min(wait * 2, LONGEST_WAIT), Math.min(within * 2, LONGEST_PATCH)];
    }
    restarting = null;
  };

  async function look() {
    const sends = pc.getSenders().some(({ track }) => track && track.readyState === "live" && !track.muted);
    if (pc.connectionState !== "connected" || restarting || !sends) { heard.at = Math.max(heard.at, Date.now()); return; }
    const counted = { "transport": 0, "candidate-pair": 0 };
    (await pc.getStats()).forEach(({ type, bytesReceived }) => { if (type in counted) counted[type] += bytesReceived || 0; });
    // Firefox has no transports. A browser that counts neither says nothing of silence.
    const bytes = counted.transport || counted["candidate-pair"];
    if (!bytes) return;
    if (bytes !== heard.bytes) {
      heard = { bytes, at: Date.now() };
      fruitless = 0;
    } else if (Date.now() - heard.at > SILENT_FOR) {
      fruitless += 1;
      if (fruitless > RESTARTS) self.lose();
      else tell.silent();
    }
  }

  pc.onconnectionstatechange = () => {
    if (pc.connectionState === "connected") clearTimeout(deadline);
    if (pc.connectionState === "failed" || pc.connectionState === "disconnected") self.restart();
    tell.changed();
  };
  try {
    prepare(pc);
    await pc.setLocalDescription(await pc.createOffer());
    const [answer, sdp] = await ask(url, {
      method: "POST",
      headers: headers({ "Content-Type": "application/sdp" }),
      body: pc.localDescription.sdp,
    }, POST_WITHIN);
    if (answer.status !== 201) {
      const refused = new Error("refused");
      refused.status = answer.status;
      throw refused;
    }
    resource = new URL(answer.headers.get("Location"), url).href;
    if (self.closed) return self;
    await pc.setRemoteDescription({ type: "answer", sdp });
    answered = sdp;
    // Never connected is lost, too.
    if (pc.connectionState !== "connected") deadline = setTimeout(self.lose, CONNECT_WITHIN);
    if (tell.silent) looking = setInterval(look, LOOK_EVERY);
    return self;
  } catch (error) {
    self.close();
    throw error;
  }
}
