// Instead of the fake camera: a picture that is its own number, as sixteen bars that are white for 1 and black for 0, the highest
// first. Whoever has a frame can tell which one it is.
navigator.mediaDevices.getUserMedia = async () => {
  const audio = new AudioContext();
  await audio.resume();
  const sink = audio.createMediaStreamDestination();

  const canvas = document.createElement('canvas');
  canvas.width = 320;
  canvas.height = 240;
  const pen = canvas.getContext('2d');
  let number = 0;
  setInterval(() => {
    number = (number + 1) % 65536;
    for (let bar = 0; bar < 16; bar++) {
      pen.fillStyle = (number >> (15 - bar)) & 1 ? '#fff' : '#000';
      pen.fillRect(bar * 20, 0, 20, 240);
    }
  }, 100);
  return new MediaStream([...canvas.captureStream(10).getTracks(), ...sink.stream.getTracks()]);
};
