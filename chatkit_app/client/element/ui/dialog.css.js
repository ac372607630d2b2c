/** Dialogs. */
import { css } from "../css.js";

export const dialogStyles = css`
  .dialog {
    inline-size: min(26em, 100vw - 2em);
    padding: 1.25em;
    border: 1px solid var(--line);
    border-radius: calc(var(--round-small) + 0.375em);
    background: var(--surface);
    color: var(--text);
    box-shadow: var(--shadow);
    font: 400 var(--base-size) / 1.5 var(--font);
  }
  .dialog::backdrop {
    background: rgb(0 0 0 / 45%);
  }
  .dialog h2 {
    font-size: 1.1em;
    overflow-wrap: anywhere;
  }
  .dialog p {
    margin-block-start: 0.5em;
    color: var(--muted);
    overflow-wrap: anywhere;
  }
  .dialog-buttons {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5em;
    justify-content: flex-end;
    margin-block-start: 1.25em;
  }
`;
