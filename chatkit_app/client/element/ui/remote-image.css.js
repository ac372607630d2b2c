/** An image that waits to be asked for. */
import { css } from "../css.js";

export const remoteImageStyles = css`
  .remote-image {
    display: inline-block;
    max-inline-size: 100%;
    padding: 0.5em 0.875em;
    border: 1px dashed var(--line);
    border-radius: var(--round-small);
    background: var(--fill);
    color: var(--text);
    overflow-wrap: anywhere;
  }
`;
