/** A short sound, for those who want one. */

/** Under which it is kept that somebody wants it, for all tabs of the browser. */
const KEY = "chatkit-sound";

const SECONDS = 0.25;

export function wantsSound() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    // The browser keeps nothing for this page, which does without.
    return false;
  }
}

/** @param {boolean} isWanted */
export function wantSound(isWanted) {
  try {
    if (isWanted) localStorage.setItem(KEY, "on");
    else localStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}

export function beep() {
  // The browser holds back sounds of a page where nobody has done anything yet, and plays them all at the first press.
  if (navigator.userActivation?.hasBeenActive === false) return;
  const audio = new AudioContext();
  const tone = new OscillatorNode(audio, { frequency: 660 });
  const volume = new GainNode(audio, { gain: 0.15 });
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + SECONDS);
  tone.connect(volume).connect(audio.destination);
  tone.addEventListener("ended", () => audio.close());
  tone.start();
  tone.stop(audio.currentTime + SECONDS);
}
