// The call itself: publish once, watch the other side, follow the session's events, and put right what breaks.
const LOST_AFTER = 2500;
const SILENT_AFTER = 16000;
const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 5000;

function openCall(joined, stream, tell) {
  let over = false;
  const links = { out: null, in: null };
  const authorised = { Authorization: "Bearer " + joined.token };
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  // One resource: an offer, its answer, and a DELETE when it is done with. `gone` is called once, when it is lost.
  async function link(url, prepare, gone) {
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: joined.ice_servers });
    const self = { pc, resource: null, closed: false };
    let timer = 0;
    self.close = () => {
      if (self.closed) return Promise.resolve();
      self.closed = true;
      clearTimeout(timer);
      pc.close();
      return self.resource ? fetch(self.resource, { method: "DELETE", headers: authorised }).catch(() => {}) : Promise.resolve();
    };
    const lost = () => { if (!self.closed) self.close().then(gone); };
    pc.onconnectionstatechange = () => {
      clearTimeout(timer);
      if (pc.connectionState === "failed") lost();
      if (pc.connectionState === "disconnected") timer = setTimeout(lost, LOST_AFTER);
      tell.changed();
    };
    try {
      prepare(pc);
      await pc.setLocalDescription(await pc.createOffer());
      const answer = await fetch(url, {
        method: "POST",
        headers: Object.assign({ "Content-Type": "application/sdp" }, authorised),
        body: pc.localDescription.sdp,
      });
      if (answer.status !== 201) {
        const refused = new Error("refused");
        refused.status = answer.status;
        throw refused;
      }
      self.resource = new URL(answer.headers.get("Location"), url).href;
      const sdp = await answer.text();
      if (self.closed) return self;
      await pc.setRemoteDescription({ type: "answer", sdp });
      // Never connected is lost, too.
      timer = setTimeout(() => { if (pc.connectionState !== "connected") lost(); }, 8000);
      return self;
    } catch (error) {
      self.close();
      throw error;
    }
  }

  const finished = (error) => error.status === 401 || error.status === 410;

  async function publish() {
    for (let wait = FIRST_PAUSE; !over; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
      try {
        links.out = await link(joined.whip_url, (pc) => {
          stream.getTracks().forEach((track) => {
            const encodings = track.kind === "video" ? [{ maxBitrate: 1500000 }] : [{}];
            pc.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings: encodings });
          });
        }, publish);
        if (over) links.out.close();
        return tell.changed();
      } catch (error) {
        if (finished(error)) return end();
        tell.changed();
        await pause(wait);
      }
    }
  }

  let wanted = null;
  let watching = null;
  let held = false;

  async function watch() {
    if (watching) return;
    watching = true;
    for (let wait = FIRST_PAUSE; !over && wanted; ) {
      const target = wanted;
      if (links.in && !links.in.closed && links.in.track === target.track) break;
      if (links.in) links.in.close();
      links.in = null;
      try {
        const remote = new MediaStream();
        const made = await link(joined.whep_url + "/" + target.participant_id, (pc) => {
          pc.addTransceiver("video", { direction: "recvonly" });
          pc.addTransceiver("audio", { direction: "recvonly" });
          pc.ontrack = (event) => { remote.addTrack(event.track); tell.picture(remote); };
        }, watch);
        made.track = target.track;
        links.in = made;
        wait = FIRST_PAUSE;
      } catch (error) {
        if (finished(error)) { end(); break; }
        await pause(wait);
        wait = Math.min(wait * 2, LONGEST_PAUSE);
      }
    }
    watching = false;
    if (over && links.in) links.in.close();
    tell.changed();
  }

  function heard(session) {
    if (session.state === "ended") return end();
    const others = session.publishing.filter((one) => one.participant_id !== joined.participant_id);
    const next = others.length ? others[0] : null;
    if (!next && links.in) { links.in.close(); links.in = null; }
    wanted = next;
    held = Boolean(next && session.held && session.held.includes(next.participant_id));
    tell.changed();
    if (next) watch();
  }

  let listening = null;

  async function listen() {
    for (let wait = FIRST_PAUSE; !over; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
      let alarm = 0;
      try {
        listening = new AbortController();
        const stop = listening;
        const awake = () => { clearTimeout(alarm); alarm = setTimeout(() => stop.abort(), SILENT_AFTER); };
        awake();
        const answer = await fetch(joined.events_url, { headers: authorised, signal: stop.signal, cache: "no-store" });
        if (answer.status === 401 || answer.status === 410) return end();
        const reader = answer.body.getReader();
        const decoder = new TextDecoder();
        for (let text = ""; ; ) {
          const part = await reader.read();
          if (part.done) break;
          awake();
          wait = FIRST_PAUSE;
          text += decoder.decode(part.value, { stream: true });
          const messages = text.split("\n\n");
          text = messages.pop();
          messages.forEach((message) => {
            const data = message.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
            if (data) heard(JSON.parse(data));
          });
        }
      } catch (error) {
        // Cut off: asked again below.
      }
      clearTimeout(alarm);
      if (!over) await pause(wait);
    }
  }

  function close() {
    over = true;
    if (listening) listening.abort();
    [links.out, links.in].forEach((one) => { if (one) one.close(); });
  }

  function end() {
    if (over) return;
    close();
    tell.ended();
  }

  const isUp = (one) => Boolean(one && !one.closed && one.pc.connectionState === "connected");

  async function stats() {
    const found = { framesEncoded: 0, framesDecoded: 0, audioSent: 0, audioReceived: 0, connected: isUp(links.out) };
    for (const one of [links.out, links.in]) {
      if (!one || one.closed) continue;
      (await one.pc.getStats()).forEach((report) => {
        const video = report.kind === "video";
        if (report.type === "outbound-rtp" && video) found.framesEncoded += report.framesEncoded || 0;
        if (report.type === "outbound-rtp" && !video) found.audioSent += report.packetsSent || 0;
        if (report.type === "inbound-rtp" && video) found.framesDecoded += report.framesDecoded || 0;
        if (report.type === "inbound-rtp" && !video) found.audioReceived += report.packetsReceived || 0;
      });
    }
    return found;
  }

  publish();
  heard({ publishing: joined.others.filter((one) => one.publishing) });
  listen();
  return { close, stats, sends: () => isUp(links.out), receives: () => isUp(links.in), isWanted: () => Boolean(wanted), isHeld: () => held };
}
