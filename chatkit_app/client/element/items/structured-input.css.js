/** Questions to the user. */
import { css } from "../css.js";

export const structuredInputStyles = css`
  .panel {
    display: grid;
    gap: 0.75em;
    max-inline-size: 36em;
    margin: 0;
    padding: 0.875em 1.125em;
    border: 1px solid var(--line);
    border-radius: min(var(--round), 1.25em);
    outline: none;
  }
  .question {
    display: grid;
    gap: 0.125em;
    min-inline-size: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend,
  dt {
    padding: 0 0 0.25em;
    font-weight: 600;
  }
  dd {
    margin: 0;
  }
  .question[data-skipped] > :not(legend, .link-button) {
    opacity: 0.5;
  }
  .question > p {
    text-align: match-parent;
    text-align: -webkit-match-parent;
  }
  .panel .link-button {
    justify-self: start;
    color: var(--muted);
  }
  .panel [aria-pressed="true"] {
    color: var(--text);
    font-weight: 600;
  }
  .choice {
    min-block-size: 2em;
    margin-inline: -0.625em;
    padding: 0.125em 0.625em;
    border-radius: var(--round-small);
  }
  .choice > [type] {
    flex: none;
    inline-size: 1.0625em;
    block-size: 1.0625em;
    margin: 0;
    accent-color: var(--accent);
  }
  .panel .text-field {
    flex: 1;
    max-block-size: 12em;
    field-sizing: content;
    resize: none;
  }
  .question-steps {
    display: flex;
    align-items: center;
    margin-block: -0.5em;
    font-size: 0.9em;
  }
  .question-steps > .muted {
    flex: 1;
  }
  .question-steps > .icon-button {
    margin-inline: -0.5em;
  }
  .question-steps > .icon-button:first-child {
    margin-inline-end: 0.25em;
  }
  .composer .panel {
    max-inline-size: none;
    max-block-size: 60dvb;
    padding: 0.75em 1.25em;
    overflow: auto;
    border-radius: calc(var(--round) + 0.25em);
    background: var(--raised);
    box-shadow: var(--shadow);
  }
  .question-buttons {
    display: flex;
    gap: 1em;
    align-items: center;
    justify-content: end;
  }
`;
