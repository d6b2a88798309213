// A phone that is nearly empty makes a smaller picture, and the call lasts longer. Not every browser tells.
const NEARLY_EMPTY = 0.15;
const SPARING = { frameRate: { max: 15 }, height: { ideal: 480 } };

// Returns what ends this.
function watchBattery(camera) {
  let close = () => {};
  let over = false;
  if (!navigator.getBattery) return close;
  navigator.getBattery().then((battery) => {
    if (over) return;
    const look = () => {
      const track = camera.picture();
      const spares = battery.level < NEARLY_EMPTY && !battery.charging;
      if (track) track.applyConstraints(spares ? SPARING : WANTED.video).catch(() => {});
    };
    const events = ["levelchange", "chargingchange"];
    events.forEach((name) => battery.addEventListener(name, look));
    close = () => events.forEach((name) => battery.removeEventListener(name, look));
    look();
  }).catch(() => {});
  return () => { over = true; close(); };
}
