// The call itself: publish once, watch everybody else, follow the session's events, and put right what breaks.
const LOST_AFTER = 2500;
const SILENT_AFTER = 16000;
const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 5000;

function openCall(joined, stream, tell) {
  let over = false;
  let out = null;
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
        out = await link(joined.whip_url, (pc) => {
          stream.getTracks().forEach((track) => {
            const encodings = track.kind === "video" ? [{ maxBitrate: 1500000 }] : [{}];
            pc.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings: encodings });
          });
        }, publish);
        if (over) out.close();
        return tell.changed();
      } catch (error) {
        if (finished(error)) return end();
        tell.changed();
        await pause(wait);
      }
    }
  }

  // Everybody else who publishes, each with a link of their own.
  const others = new Map();
  let isIn = false;
  let people = [];
  let held = [];

  async function watch(one) {
    if (one.busy) return;
    one.busy = true;
    for (let wait = FIRST_PAUSE; !over && one.target; ) {
      const target = one.target;
      if (one.link && !one.link.closed && one.track === target.track) break;
      if (one.link) one.link.close();
      try {
        const remote = new MediaStream();
        one.link = await link(joined.whep_url + "/" + target.participant_id, (pc) => {
          pc.addTransceiver("video", { direction: "recvonly" });
          pc.addTransceiver("audio", { direction: "recvonly" });
          pc.ontrack = (event) => { remote.addTrack(event.track); one.stream = remote; tell.changed(); };
        }, () => watch(one));
        one.track = target.track;
        wait = FIRST_PAUSE;
      } catch (error) {
        if (finished(error)) { end(); break; }
        await pause(wait);
        wait = Math.min(wait * 2, LONGEST_PAUSE);
      }
    }
    one.busy = false;
    if ((over || !one.target) && one.link) one.link.close();
    tell.changed();
  }

  function heard(session) {
    if (session.state === "ended") return end();
    people = session.people;
    held = session.held || [];
    if (session.standing === "in" && !isIn) {
      isIn = true;
      publish();
    }
    const theirs = session.publishing.filter((one) => one.participant_id !== joined.participant_id);
    others.forEach((one, id) => {
      if (theirs.some((target) => target.participant_id === id)) return;
      one.target = null;
      if (one.link) one.link.close();
      others.delete(id);
    });
    theirs.forEach((target) => {
      const one = others.get(target.participant_id) || { link: null, stream: null, track: "", busy: false };
      others.set(target.participant_id, one);
      one.target = target;
      watch(one);
    });
    tell.changed();
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

  const links = () => [out].concat(Array.from(others.values(), (one) => one.link)).filter(Boolean);

  function close() {
    over = true;
    if (listening) listening.abort();
    links().forEach((one) => one.close());
  }

  function end() {
    if (over) return;
    close();
    tell.ended();
  }

  const isUp = (one) => Boolean(one && !one.closed && one.pc.connectionState === "connected");

  async function stats() {
    const found = { framesEncoded: 0, framesDecoded: 0, audioSent: 0, audioReceived: 0, connected: isUp(out) };
    for (const one of links()) {
      if (one.closed) continue;
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

  // Whom to look at, the host first.
  function pictures() {
    const list = Array.from(others.values(), (one) => ({
      id: one.target.participant_id, role: one.target.role, stream: one.stream, up: isUp(one.link),
      held: held.includes(one.target.participant_id),
    }));
    return list.sort((a, b) => (b.role === "host") - (a.role === "host"));
  }

  heard({ standing: joined.standing, people: joined.others, publishing: joined.others.filter((one) => one.publishing) });
  listen();
  return { close, stats, pictures, sends: () => isUp(out), isIn: () => isIn, people: () => people };
}
