/** Buttons. */
import { css } from "../css.js";

export const buttonStyles = css`
  .icon-button {
    display: grid;
    flex: none;
    place-items: center;
    inline-size: 2.5em;
    block-size: 2.5em;
    padding: 0;
    border: 0;
    border-radius: var(--round-small);
    background: none;
    color: var(--muted);
  }
  .icon-button:hover {
    background: var(--fill);
    color: var(--text);
  }
  .button {
    flex: none;
    min-block-size: 2.25em;
    padding: 0.3125em 0.875em;
    border: 1px solid currentcolor;
    border-radius: var(--round);
    background: none;
    font-weight: 550;
  }
  .button:hover {
    background: color-mix(in srgb, currentcolor 8%, transparent);
  }
  .button[data-kind] {
    border-color: var(--button);
    background: var(--button);
  }
  .button[data-kind="primary"] {
    --button: var(--accent);
    color: var(--on-accent);
  }
  .button[data-kind="danger"] {
    --button: var(--danger);
    color: var(--surface);
  }
  .button[data-kind]:hover {
    box-shadow: 0 0 0 3px color-mix(in srgb, var(--button) 25%, transparent);
  }
  :is(.button, .icon-button):is(:disabled, [aria-disabled="true"]) {
    opacity: 0.5;
    box-shadow: none;
    cursor: default;
  }
  .link-button {
    padding: 0;
    border: 0;
    background: none;
    color: var(--link);
    text-decoration: underline;
    text-underline-offset: 0.15em;
  }
  @media (forced-colors: active) {
    :is(.button, .icon-button):is(:disabled, [aria-disabled="true"]) {
      opacity: 1;
      color: GrayText;
    }
  }
`;
