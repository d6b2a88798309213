// The call itself: publish once, watch everybody else, follow the session's events, and put right what breaks.
const SILENT_AFTER = 16000;
const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 5000;
const LONGEST_BETWEEN = 800;
// Whoever publishes is heard of sooner.
const UNKNOWN_FOR = 3000;
const COUNTED = {
  "outbound-rtp video": ["framesEncoded", "framesEncoded"],
  "outbound-rtp audio": ["audioSent", "packetsSent"],
  "inbound-rtp video": ["framesDecoded", "framesDecoded"],
  "inbound-rtp audio": ["audioReceived", "packetsReceived"],
};

// The pause after this one. Where a gateway finds nobody, another takes the call over soon, and is found by asking.
const longer = (wait, status) => Math.min(wait * 2, status >= 502 && status <= 504 ? LONGEST_BETWEEN : LONGEST_PAUSE);

function openCall(joined, stream, tell) {
  let over = false;
  let out = null;
  traceparent = joined.traceparent || "";
  const authorised = bearing(joined.token);

  // Another network, or none: whatever went over the old one is begun again. That the other side is silent says nothing of
  // ours, so only what we publish is listened to for this.
  function moved() {
    links().forEach((one) => one.restart());
    if (listening) listening.abort();
  }
  const connection = navigator.connection;
  let network = connection && connection.type;
  // It also tells of better and worse reception.
  const looked = () => { if (connection.type !== network) { network = connection.type; moved(); } };

  const finished = (error) => error.status === 401 || error.status === 410;

  let unwatch = () => {};
  const notes = { picture: 0, sound: 0 };

  // For the record, and for a reload: only we know that there is no picture or no sound, and why. The last word is said until it is
  // heard; and one after the other, because what a reload is to know is written anew each time, over what was known before.
  let said = Promise.resolve();
  function note(what, isSent, why) {
    const mine = (notes[what] += 1);
    said = said.then(() => tellState(what, mine, isSent, why));
  }

  async function tellState(what, mine, isSent, why) {
    for (; !over && mine === notes[what]; await pause(FIRST_PAUSE)) {
      try {
        const [answer] = await ask("/state", {
          method: "POST",
          keepalive: true,
          headers: Object.assign({ "Content-Type": "application/json" }, authorised),
          body: JSON.stringify({ [what]: isSent, why }),
        }, POST_WITHIN);
        if (answer.status < 500 && answer.status !== 429) return;
      } catch (error) {
        // Said again.
      }
    }
  }

  // Sends what there is now, nothing perhaps, and says nothing of it: it is covered, or no more.
  async function resend() {
    if (over || !isIn) return;
    if (!out || out.closed) return publish();
    const tracks = stream.getTracks();
    // There was none of it when it was offered.
    if (tracks.some((track) => !out.senders[track.kind])) return out.close().then(publish);
    await Promise.all(Object.keys(out.senders).map((kind) => {
      const track = tracks.find((one) => one.kind === kind) || null;
      return out.senders[kind].track === track ? null : out.senders[kind].replaceTrack(track);
    })).catch(() => {});
  }

  // The same, and whether there is a picture: that was chosen.
  async function show() {
    const { video } = (out && out.senders) || {};
    const sent = video ? video.track : null;
    await resend();
    if (over || !stream.getTracks().length) return;
    const [track = null] = stream.getVideoTracks();
    if (sent !== track || !track) note("picture", Boolean(track), "choice");
  }

  // Whoever records us anew is told anew that silence was chosen.
  function hush() {
    if (stream.getAudioTracks().some((track) => !track.enabled)) note("sound", false, "choice");
  }

  // Another server may have taken the call over and know nothing of us, while all that we send still gets to the one before. So what
  // we publish and hear nothing of is made anew; later each time, if that is in vain.
  let known = true;
  let doubt = 0;
  let patience = UNKNOWN_FOR;

  function changed() {
    const link = out;
    if (known || !isUp(link)) {
      clearTimeout(doubt);
      doubt = 0;
    } else if (!doubt) {
      doubt = setTimeout(() => { doubt = 0; patience *= 2; link.lose(); }, patience);
    }
    tell.changed();
  }

  let publishing = false;

  async function publish() {
    if (publishing) return;
    publishing = true;
    await open();
    publishing = false;
  }

  async function open() {
    // Covered, there is nothing to send.
    for (let wait = FIRST_PAUSE; !over && stream.getTracks().length; ) {
      try {
        const senders = {};
        out = await openLink(joined.whip_url, joined, (pc) => {
          stream.getTracks().forEach((track) => {
            const encodings = track.kind === "video" ? [{ maxBitrate: 1500000 }] : [{}];
            senders[track.kind] = pc.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings: encodings }).sender;
          });
        }, { changed, gone: publish, silent: moved });
        if (over) out.close();
        out.senders = senders;
        unwatch();
        unwatch = senders.video ? watchPicture(senders.video, (weak) => { note("picture", !weak, "signal"); tell.held(weak); }) : () => {};
        tell.held(false);
        show();
        hush();
        return changed();
      } catch (error) {
        if (finished(error)) return end();
        tell.changed();
        await pause(wait);
        wait = longer(wait, error.status);
      }
    }
  }

  // Everybody else who publishes, each with a link of their own.
  const others = new Map();
  let isIn = false;
  let people = [];
  let held = [];
  let recording = "";
  let keeps = false;

  async function watch(one) {
    if (one.busy) return;
    one.busy = true;
    for (let wait = FIRST_PAUSE; !over && one.target; ) {
      const target = one.target;
      if (one.link && !one.link.closed && one.track === target.track) break;
      if (one.link) one.link.close();
      try {
        const remote = new MediaStream();
        one.link = await openLink(joined.whep_url + "/" + target.participant_id, joined, (pc) => {
          pc.addTransceiver("video", { direction: "recvonly" });
          pc.addTransceiver("audio", { direction: "recvonly" });
          pc.ontrack = (event) => { remote.addTrack(event.track); one.stream = remote; tell.changed(); };
        }, { changed: tell.changed, gone: () => watch(one) });
        one.track = target.track;
        wait = FIRST_PAUSE;
      } catch (error) {
        if (finished(error)) { end(); break; }
        await pause(wait);
        wait = longer(wait, error.status);
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
    recording = session.recording || "";
    keeps = Boolean(session.keeps);
    if (session.pretext) tell.pretext(session.pretext);
    if (session.standing === "in" && !isIn) {
      isIn = true;
      // Whoever let us in may not know that we are covered.
      if (listening) tell.listening();
      publish();
    }
    const theirs = session.publishing.filter((one) => one.participant_id !== joined.participant_id);
    known = !listening || theirs.length < session.publishing.length;
    if (known) patience = UNKNOWN_FOR;
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
    changed();
  }

  let listening = null;
  // An answer that came while another was listened to.
  let better = null;

  const follow = (stop) => fetch(joined.events_url, { headers: authorised, signal: stop.signal, cache: "no-store" });

  // Whoever tells of the call has lost sight of it, and perhaps another has it by now. Little is better than nothing: they are listened
  // to until somebody knows more.
  async function seek(mine) {
    for (let wait = FIRST_PAUSE; !over && listening === mine; wait = longer(wait, 503)) {
      const stop = new AbortController();
      const alarm = setTimeout(() => stop.abort(), SILENT_AFTER);
      const answer = await follow(stop).catch(() => null);
      clearTimeout(alarm);
      if (!over && listening === mine && answer && (answer.ok || finished(answer))) {
        better = { stop, answer };
        return mine.abort();
      }
      stop.abort();
      await pause(wait);
    }
  }

  async function listen() {
    for (let wait = FIRST_PAUSE; !over; ) {
      let alarm = 0;
      let status = 0;
      try {
        const found = better;
        better = null;
        listening = found ? found.stop : new AbortController();
        const stop = listening;
        let sought = null;
        const awake = () => { clearTimeout(alarm); alarm = setTimeout(() => stop.abort(), SILENT_AFTER); };
        awake();
        const answer = found ? found.answer : await follow(stop);
        status = answer.status;
        if (finished(answer)) return end();
        if (answer.ok) tell.listening();
        const reader = answer.body.getReader();
        const decoder = new TextDecoder();
        for (let text = ""; ; ) {
          const part = await reader.read();
          if (part.done) break;
          awake();
          if (answer.ok) wait = FIRST_PAUSE;
          text += decoder.decode(part.value, { stream: true });
          const messages = text.split("\n\n");
          text = messages.pop();
          messages.forEach((message) => {
            const field = (name) => message.split("\n").filter((line) => line.startsWith(name)).map((line) => line.slice(name.length).trim()).join("\n");
            const data = field("data:");
            if (data) ({ chat: tell.chat, photo: tell.photo, again: () => { sought = sought || seek(stop); } }[field("event:")] || heard)(JSON.parse(data));
          });
        }
      } catch (error) {
        // Cut off: asked again below.
      }
      clearTimeout(alarm);
      // Nobody says anything.
      known = true;
      changed();
      if (!over && !better) await pause(wait);
      wait = longer(wait, status);
    }
  }

  const links = () => [out].concat(Array.from(others.values(), (one) => one.link)).filter(Boolean);

  function close() {
    over = true;
    unwatch();
    window.removeEventListener("online", moved);
    if (connection) connection.removeEventListener("change", looked);
    if (listening) listening.abort();
    if (better) better.stop.abort();
    links().forEach((one) => one.close(true));
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
        const [name, field] = COUNTED[report.type + " " + report.kind] || [];
        if (name) found[name] += report[field] || 0;
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

  window.addEventListener("online", moved);
  if (connection) connection.addEventListener("change", looked);
  heard({ standing: joined.standing, people: joined.others, publishing: joined.others.filter((one) => one.publishing) });
  listen();
  return {
    close, show, resend, note, stats, pictures,
    sends: () => isUp(out), isIn: () => isIn, people: () => people, recording: () => recording, keeps: () => keeps,
  };
}
