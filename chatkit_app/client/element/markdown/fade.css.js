/** Words that fade in. */
import { css } from "../css.js";

export const fadeStyles = css`
  /* Not currentcolor, which is black here in Chromium, whatever the text is. */
  ::highlight(chatkit-fresh-0) {
    color: color-mix(in srgb, var(--text) 10%, transparent);
  }
  ::highlight(chatkit-fresh-1) {
    color: color-mix(in srgb, var(--text) 35%, transparent);
  }
  ::highlight(chatkit-fresh-2) {
    color: color-mix(in srgb, var(--text) 60%, transparent);
  }
  ::highlight(chatkit-fresh-3) {
    color: color-mix(in srgb, var(--text) 80%, transparent);
  }
`;
