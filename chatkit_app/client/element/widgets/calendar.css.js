/** The calendar of a field for dates. */
import { css } from "../css.js";

export const calendarStyles = css`
  .calendar {
    padding: 0.75em;
  }
  .months {
    display: flex;
    align-items: center;
    justify-content: space-between;
    padding-block-end: 0.375em;
  }
  .month {
    font-weight: 600;
  }
  .calendar table {
    border-collapse: collapse;
    font-variant-numeric: tabular-nums;
  }
  .calendar th {
    padding: 0.25em 0;
    color: var(--muted);
    font-size: 0.8em;
    font-weight: 500;
  }
  .calendar td {
    padding: 1px;
  }
  .calendar td > button {
    inline-size: 2.375em;
    block-size: 2.375em;
    padding: 0;
    border: 0;
    border-radius: 50%;
    background: none;
  }
  .calendar td[data-other] > button {
    color: var(--muted);
  }
  .calendar td > button:hover {
    background: var(--fill);
  }
  .calendar td > [aria-current] {
    box-shadow: inset 0 0 0 1px var(--field-line);
  }
  .calendar td[aria-selected="true"] > button {
    background: var(--accent);
    color: var(--on-accent);
  }
  .calendar td > button:disabled {
    background: none;
    color: var(--muted);
    opacity: 0.45;
    cursor: default;
  }
  @media (forced-colors: active) {
    .calendar td[aria-selected="true"] > button {
      outline: 2px solid;
    }
  }
`;
