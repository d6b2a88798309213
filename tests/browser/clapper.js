// Instead of the fake camera: a picture that flashes and a tone that sounds at the same instants, once a second for a
// quarter of a second, by one clock. What the recording makes of it is its lip sync.
navigator.mediaDevices.getUserMedia = async () => {
  const audio = new AudioContext();
  await audio.resume();
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  const sink = audio.createMediaStreamDestination();
  gain.gain.value = 0;
  tone.connect(gain).connect(sink);
  tone.start();
  const from = Math.ceil(audio.currentTime) + 1;
  for (let second = from; second < from + 120; second++) {
    gain.gain.setValueAtTime(0.8, second);
    gain.gain.setValueAtTime(0, second + 0.25);
  }

  const canvas = document.createElement('canvas');
  canvas.width = 320;
  canvas.height = 240;
  const pen = canvas.getContext('2d');
  setInterval(() => {
    const now = audio.currentTime;
    pen.fillStyle = now >= from && now % 1 < 0.25 ? '#fff' : '#000';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    // No two frames alike, so that each is captured.
    pen.fillStyle = '#888';
    pen.fillRect((now * 100) % canvas.width, 0, 2, 2);
  }, 10);
  return new MediaStream([...canvas.captureStream(30).getTracks(), ...sink.stream.getTracks()]);
};
