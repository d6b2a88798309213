// Three taps on a dull corner, whether it is covered or not: that is told, and nothing is seen of it.
const CORNER_TAPS = 3;
const CORNER_WITHIN = 3000;

function openCorner() {
  let token = null;
  let n = 0;
  let isSaid = false;
  let taps = [];

  // What is newer takes its place.
  function deliver() {
    const mine = n;
    sayTap({ n: mine, what: "corner" }, () => mine === n && token);
  }

  const isThere = (event) => Boolean(event.target.closest && event.target.closest("#corner, .corner"));
  // Else what is being written would lose its place, or the text be marked.
  document.addEventListener("mousedown", (event) => { if (isThere(event)) event.preventDefault(); });
  document.addEventListener("pointerdown", (event) => {
    if (!token || !isThere(event) || event.button) return;
    taps = taps.filter((at) => event.timeStamp - at < CORNER_WITHIN).concat(event.timeStamp);
    if (taps.length < CORNER_TAPS) return;
    taps = [];
    n += 1;
    isSaid = true;
    deliver();
  });
  return {
    enter: (joined) => { token = joined.token; n = joined.corner; },
    // Whoever carries the call now may not have heard it.
    again: () => { if (isSaid) deliver(); },
    leave: () => { token = null; },
  };
}
