/** Words that fade in. */
import { css } from "../css.js";

export const fadeStyles = css`
  ::highlight(chatkit-fresh-0) {
    color: color-mix(in srgb, currentcolor 10%, transparent);
  }
  ::highlight(chatkit-fresh-1) {
    color: color-mix(in srgb, currentcolor 35%, transparent);
  }
  ::highlight(chatkit-fresh-2) {
    color: color-mix(in srgb, currentcolor 60%, transparent);
  }
  ::highlight(chatkit-fresh-3) {
    color: color-mix(in srgb, currentcolor 80%, transparent);
  }
`;
