/** What TeX's commands stand for. */

/** @param {string} text names and what they stand for @returns {Record<string, string>} */
function pairs(text) {
  const words = text.split(" ");
  return Object.fromEntries(words.flatMap((name, index) => (index % 2 ? [] : [[name, words[index + 1]]])));
}

export const SYMBOLS = pairs(
  "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu μ " +
    "nu ν xi ξ pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω " +
    "Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω " +
    "infty ∞ partial ∂ nabla ∇ hbar ℏ ell ℓ Re ℜ Im ℑ aleph ℵ emptyset ∅ varnothing ∅ imath ı jmath ȷ " +
    "sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ bigcup ⋃ bigcap ⋂ bigoplus ⨁ bigotimes ⨂ bigwedge ⋀ bigvee ⋁ " +
    "times × cdot ⋅ div ÷ pm ± mp ∓ ast ∗ star ⋆ circ ∘ bullet • oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙ wedge ∧ land ∧ vee ∨ " +
    "lor ∨ neg ¬ lnot ¬ cap ∩ cup ∪ setminus ∖ dagger † " +
    "le ≤ leq ≤ leqslant ⩽ ge ≥ geq ≥ geqslant ⩾ ne ≠ neq ≠ approx ≈ equiv ≡ sim ∼ simeq ≃ cong ≅ propto ∝ ll ≪ gg ≫ " +
    "lt < gt > in ∈ ni ∋ notin ∉ subset ⊂ supset ⊃ subseteq ⊆ supseteq ⊇ perp ⊥ parallel ∥ mid ∣ models ⊨ vdash ⊢ " +
    "to → rightarrow → longrightarrow ⟶ gets ← leftarrow ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ implies ⟹ iff ⟺ " +
    "Leftrightarrow ⇔ mapsto ↦ uparrow ↑ downarrow ↓ hookrightarrow ↪ rightharpoonup ⇀ rightleftharpoons ⇌ xrightarrow → " +
    "forall ∀ exists ∃ nexists ∄ therefore ∴ because ∵ angle ∠ triangle △ square □ degree ° prime ′ colon : " +
    "dots … ldots … cdots ⋯ vdots ⋮ ddots ⋱ langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ lvert | rvert | vert | " +
    "lVert ‖ rVert ‖ Vert ‖ lbrace { rbrace } lbrack [ rbrack ] backslash \\",
);

/** @type {Record<string, string>} */
export const SPACES = {
  ...pairs(", 0.17em : 0.22em > 0.22em ; 0.28em ! -0.17em quad 1em qquad 2em enspace 0.5em thinspace 0.17em"),
  " ": "0.25em",
};

export const FUNCTIONS = new Set(
  (
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth log ln lg exp det dim ker gcd deg arg hom Pr " +
    "lim max min sup inf argmax argmin limsup liminf"
  ).split(" "),
);

/** What has its scripts above and below it, where there is room. */
export const LIMITS = new Set(
  (
    "sum prod coprod bigcup bigcap bigoplus bigotimes bigwedge bigvee lim max min sup inf argmax argmin limsup liminf " +
    "underbrace overbrace"
  ).split(" "),
);

/** @type {Record<string, [accent: string, place: "over"|"under"]>} */
export const ACCENTS = {
  hat: ["^", "over"],
  widehat: ["^", "over"],
  bar: ["¯", "over"],
  overline: ["‾", "over"],
  vec: ["→", "over"],
  overrightarrow: ["→", "over"],
  dot: ["˙", "over"],
  ddot: ["¨", "over"],
  tilde: ["~", "over"],
  widetilde: ["~", "over"],
  overbrace: ["⏞", "over"],
  underline: ["_", "under"],
  underbrace: ["⏟", "under"],
};

/** @param {string} text @param {(code: number, character: string) => string} style of letters and digits */
const each = (text, style) => text.replace(/[a-zA-Z0-9]/g, (character) => style(character.charCodeAt(0), character));

/** Letters and digits of Unicode's alphabets for mathematics. @param {number} upper @param {number} lower @param {number} [digit] @param {Record<string, string>} [others] */
const alphabet =
  (upper, lower, digit = 0x30, others = {}) =>
  (/** @type {string} */ text) =>
    each(text, (code, character) => {
      const [from, to] = code >= 0x61 ? [0x61, lower] : code >= 0x41 ? [0x41, upper] : [0x30, digit];
      return others[character] ?? String.fromCodePoint(to + code - from);
    });

const bold = alphabet(0x1d400, 0x1d41a, 0x1d7ce);
const upright = (/** @type {string} */ text) => text;

/** @type {Record<string, (text: string) => string>} */
export const STYLED = {
  mathbb: alphabet(0x1d538, 0x1d552, 0x1d7d8, pairs("C ℂ H ℍ N ℕ P ℙ Q ℚ R ℝ Z ℤ")),
  mathcal: alphabet(0x1d49c, 0x1d4b6, 0x30, pairs("B ℬ E ℰ F ℱ H ℋ I ℐ L ℒ M ℳ R ℛ e ℯ g ℊ o ℴ")),
  mathfrak: alphabet(0x1d504, 0x1d51e, 0x30, pairs("C ℭ H ℌ I ℑ R ℜ Z ℨ")),
  mathbf: bold,
  boldsymbol: bold,
  mathrm: upright,
  mathsf: alphabet(0x1d5a0, 0x1d5ba, 0x1d7e2),
  mathtt: alphabet(0x1d670, 0x1d68a, 0x1d7f6),
  mathit: upright,
  operatorname: upright,
  "operatorname*": upright,
};
