/** Formulas that are set. */
import { css } from "../css.js";

export const mathStyles = css`
  .markdown .formula.set {
    font: inherit;
    white-space: normal;
  }
  .markdown p.formula.set {
    overflow: auto hidden;
    padding-block: 0.25em;
  }
  .formula math {
    font-size: 1.08em;
  }
  .formula .bold {
    font-weight: 700;
  }
  .formula .boxed {
    padding: 0.25em;
    border: 1px solid;
  }
  .formula mtd {
    text-align: center;
  }
  .formula mtd.left {
    text-align: left;
  }
  .formula mtd.right {
    text-align: right;
  }
  .formula .pairs > mtr > mtd {
    padding-inline: 0.1em;
    math-style: normal;
  }
`;
