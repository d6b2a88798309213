// Sound that says nothing, for somebody who can only write: made here, so no permission is asked for and no light is on. It flows like
// any other, so that all else of a call is as it always is: being there, being recorded, and being found again on another network.
function openSilence() {
  const context = new AudioContext();
  const place = context.createMediaStreamDestination();
  const source = context.createGain();
  source.gain.value = 0;
  const hum = context.createOscillator();
  hum.connect(source);
  source.connect(place);
  hum.start();
  const [track] = place.stream.getAudioTracks();
  const end = track.stop.bind(track);
  track.stop = () => { end(); context.close().catch(() => {}); };
  // A reloaded page makes no sound before it is touched, not even this.
  document.addEventListener("pointerdown", () => context.resume().catch(() => {}), { once: true });
  return track;
}
