// The call on screen: who is seen, who else is here, and how it stands.
function openScreen() {
  let wasUp = false;

  // Where nothing may be said, perhaps nothing may be heard either: sound begins with a tap.
  let isQuiet = false;

  function quieten(is) {
    isQuiet = is;
    by("play").hidden = !is;
    document.querySelectorAll("#other, #more video").forEach((video) => { video.muted = is; });
  }

  function resume(video) {
    video.muted = isQuiet;
    const started = video.srcObject && video.play();
    if (started) {
      started.then(() => { by("play").hidden = !isQuiet; })
        .catch((error) => { by("play").hidden = error.name !== "NotAllowedError"; });
    }
  }

  function play(video, remote) {
    if (video.srcObject === remote) return;
    video.srcObject = remote;
    resume(video);
  }

  function another(id) {
    const video = document.createElement("video");
    video.dataset.id = id;
    video.playsInline = true;
    video.dataset.label = "another";
    video.setAttribute("aria-label", word("another"));
    by("more").append(video);
    return video;
  }

  // The first fills the screen, the others are beside it.
  function look(pictures) {
    play(by("other"), pictures.length ? pictures[0].stream : null);
    const known = Array.from(by("more").children);
    const ids = pictures.slice(1).map((one) => one.id);
    known.forEach((video) => { if (!ids.includes(video.dataset.id)) video.remove(); });
    pictures.slice(1).forEach((one) => play(known.find((video) => video.dataset.id === one.id) || another(one.id), one.stream));
  }

  // Nobody is here unseen.
  function company(people, recording) {
    const count = (role) => people.filter((one) => one.role === role).length;
    const said = [];
    if ("recording." + recording in dictionary.page) said.push(word("recording." + recording));
    ["helper", "listener"].forEach((role) => {
      const many = count(role);
      if (many) said.push(many === 1 ? word("company." + role) : word("company." + role + "s", many));
    });
    return said.join(" ");
  }

  function standing(call, pictures, sees) {
    if (!call.isIn()) return "status.waiting";
    if (!call.sends()) return wasUp ? "status.reconnecting" : "status.connecting";
    if (!pictures.length) return "status.alone";
    if (pictures[0].held) return "status.weak";
    return sees ? "" : "status.picture";
  }

  function refresh(call) {
    const pictures = call.pictures();
    look(pictures);
    const sees = pictures.length > 0 && pictures[0].up && by("other").videoWidth > 0;
    wasUp = wasUp || call.sends();
    document.body.dataset.remote = sees ? "yes" : "no";
    say("status", standing(call, pictures, sees));
    put("company", company(call.people(), call.isIn() && call.recording()));
  }

  // Out of sight and out of hearing.
  function hush() {
    document.querySelectorAll("#other, #more video").forEach((video) => { video.srcObject = null; });
    document.body.dataset.remote = "no";
  }

  function clear() {
    hush();
    quieten(false);
    put("more", "");
    by("photo").hidden = true;
  }

  by("play").addEventListener("click", () => {
    quieten(false);
    document.querySelectorAll("#other, #more video").forEach(resume);
  });
  return { refresh, hush, clear, quieten };
}
