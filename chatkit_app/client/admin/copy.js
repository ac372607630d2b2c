/** Buttons that copy an id. They are hidden where this does not run. */

/** How long a button says that it has copied, in milliseconds. */
const TOLD = 2000;

/** @param {HTMLElement} node */
function select(node) {
  const selection = getSelection();
  selection?.removeAllRanges();
  const range = document.createRange();
  range.selectNodeContents(node);
  selection?.addRange(range);
}

/** @param {HTMLButtonElement} button its `data-chatkit-copies` is the id of what it copies, `data-done` what it says then */
function equip(button) {
  const source = document.getElementById(button.dataset.chatkitCopies ?? "");
  if (!source) return;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent ?? "");
    } catch {
      // Not over plain HTTP, and not where it is forbidden: it is selected then, for the keyboard to copy.
      select(source);
      return;
    }
    button.textContent = button.dataset.done ?? label;
    setTimeout(() => (button.textContent = label), TOLD);
  });
  button.hidden = false;
}

for (const button of document.querySelectorAll("button[data-chatkit-copies]")) {
  equip(/** @type {HTMLButtonElement} */ (button));
}
