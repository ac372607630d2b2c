/** What is being dictated. */
import { css } from "../css.js";

export const dictationStyles = css`
  .dictation {
    display: flex;
    flex: 1;
    gap: 0.5em;
    align-items: center;
    min-inline-size: 0;
    padding-inline-start: 0.5em;
  }
  .level {
    forced-color-adjust: none;
    flex: 0 1 8em;
    block-size: 0.5em;
    border-radius: 1em;
    background: linear-gradient(var(--danger) 0 0) no-repeat var(--fill-strong);
    background-size: calc(var(--level, 0) * 100%) 100%;
  }
  .level:dir(rtl) {
    background-position: 100%;
  }
  .dictation:not([data-state="recording"]) .level {
    display: none;
  }
  .time {
    flex: 1;
    color: var(--muted);
    font-variant-numeric: tabular-nums;
  }
`;
