// Our picture, when there is one: held back while the signal carries only sound, and tried again after a while.
const LOOK_AT_PICTURE = 1000;
// A picture of so few frames or bits a second is none; sound needs what it takes.
const WEAK_FRAMES = 5;
const WEAK_BITS = 40000;
const WEAK_FOR = 6000;
const TRY_AGAIN = 20000;
const LONGEST_TRY = 160000;

// `held` is told when it is held back, and when it goes out again. Returns what ends this.
function watchPicture(sender, held) {
  let since = 0;
  let isHeld = false;
  let wait = TRY_AGAIN;
  let again = 0;

  async function hold(now) {
    const parameters = sender.getParameters();
    parameters.encodings.forEach((encoding) => { encoding.active = !now; });
    await sender.setParameters(parameters);
    isHeld = now;
    held(now);
  }

  async function look() {
    if (isHeld || !sender.track) { since = 0; return; }
    let weak = false;
    (await sender.getStats()).forEach((report) => {
      if (report.type !== "outbound-rtp") return;
      const { framesPerSecond = 0, targetBitrate = Infinity } = report;
      weak = report.qualityLimitationReason === "bandwidth" && (framesPerSecond < WEAK_FRAMES || targetBitrate < WEAK_BITS);
    });
    if (!weak) { since = 0; return; }
    since = since || Date.now();
    if (Date.now() - since < WEAK_FOR) return;
    since = 0;
    await hold(true);
    again = setTimeout(() => hold(false).catch(() => {}), wait);
    wait = Math.min(wait * 2, LONGEST_TRY);
  }

  const looking = setInterval(() => look().catch(() => {}), LOOK_AT_PICTURE);
  return () => { clearInterval(looking); clearTimeout(again); };
}
