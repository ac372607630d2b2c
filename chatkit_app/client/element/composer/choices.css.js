/** Tools and models. */
import { css } from "../css.js";

export const choiceStyles = css`
  .tool {
    display: flex;
    flex: 0 1 auto;
    gap: 0.375em;
    align-items: center;
    min-inline-size: var(--control);
    min-block-size: var(--control);
    padding: 0 0.625em;
    border: 0;
    border-radius: var(--round);
    background: none;
    color: var(--muted);
  }
  .box[data-with-staff] .tool {
    display: none;
  }
  .tool:hover {
    background: var(--fill);
    color: var(--text);
  }
  .tool[aria-pressed="true"] {
    background: var(--info-fill);
    color: var(--info);
  }
  .tool .icon {
    inline-size: 1.125em;
    block-size: 1.125em;
  }
  .tool:not([aria-pressed="true"]) .icon[data-icon="close"] {
    display: none;
  }
  .tool-label {
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .model {
    max-inline-size: 14em;
  }
  .model .icon {
    inline-size: 0.875em;
  }
  @container (max-width: 26em) {
    .tool[aria-pressed="false"]:not(:only-child) .tool-label {
      display: none;
    }
    .model {
      max-inline-size: 5.25em;
      padding-inline: 0.375em;
    }
  }
  @media (forced-colors: active) {
    .tool[aria-pressed="true"] {
      outline: 1px solid;
    }
  }
`;
