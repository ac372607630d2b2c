/** A short sound, for those who want one. */

/** Under which it is kept that somebody wants it, for all tabs of the browser. */
export const SOUND_KEY = "chatkit-sound";

const SECONDS = 0.25;

export function beep() {
  const audio = new AudioContext();
  const tone = new OscillatorNode(audio, { frequency: 660 });
  const volume = new GainNode(audio, { gain: 0.15 });
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + SECONDS);
  tone.connect(volume).connect(audio.destination);
  tone.addEventListener("ended", () => audio.close());
  tone.start();
  tone.stop(audio.currentTime + SECONDS);
}
