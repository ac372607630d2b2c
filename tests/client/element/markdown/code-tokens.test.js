import assert from "node:assert/strict";
import test from "node:test";
import { languageOf, tokenize } from "../../../../chatkit_app/client/element/markdown/code-tokens.js";

/** The tokens of a text, each with what it is: "keyword:def". */
function tokens(name, text, state = null) {
  const found = tokenize(text, languageOf(name), state).tokens;
  return found.map(([type, start, end]) => `${type}:${text.slice(start, end)}`);
}

const TEXTS = [
  [
    "python",
    "@cached\ndef f(x):  # why\n    return x + 1.5",
    "title:@cached keyword:def title:f comment:# why keyword:return number:1.5",
  ],
  ["py", `"""Doc\nmore""" + f'a\\'b'`, `string:"""Doc string:more""" string:f'a\\'b'`],
  ["js", "const a1 = /x\\/[/]/g; // why", "keyword:const string:/x\\/[/]/g comment:// why"],
  ["ts", "`a\n${b}` / 2 / c", "string:`a string:${b}` number:2"],
  ["jsx", "new Map(a)", "keyword:new type:Map"],
  ["json", '{"a": [1, "b", true]}', 'attribute:"a" number:1 string:"b" keyword:true'],
  [
    "html",
    '<a href="x">b = "c"</a><!-- d\ne -->',
    'title:<a attribute:href string:"x" title:> title:</a title:> comment:<!-- d comment:e -->',
  ],
  ["django", "{% if a %}{{ b }}", "keyword:{% if a %} keyword:{{ b }}"],
  [
    "css",
    ".a:hover { color: #fff; margin: 1px }",
    "title:.a title::hover attribute:color number:#fff attribute:margin number:1px",
  ],
  ["bash", "$ pip install -U 'a b' # why", "comment:$  title:pip attribute:-U string:'a b' comment:# why"],
  [
    "sql",
    "select a from \"b\" where c = 'd''e' -- why",
    "keyword:select keyword:from attribute:\"b\" keyword:where string:'d''e' comment:-- why",
  ],
  ["yaml", "a: true # why\n- b: 'c'", "attribute:a keyword:true comment:# why attribute:b string:'c'"],
  ["toml", '[a]\nb = "c"', 'title:[a] attribute:b string:"c"'],
  [
    "c++",
    "#include <a>\nint main() { /* b\nc */ return 0x1f; }",
    "keyword:#include keyword:int title:main comment:/* b comment:c */ keyword:return number:0x1f",
  ],
  ["rust", "fn f(x: &'a str, y: &'a str) { 'c' }", "keyword:fn title:f string:'c'"],
  ["ruby", "def a?(b)\n  @c = :d # why", "keyword:def title:a? attribute:@c attribute::d comment:# why"],
  ["diff", "@@ -1 +1 @@\n-a\n+b\n c", "title:@@ -1 +1 @@ deleted:-a inserted:+b"],
];
for (const [name, text, expected] of TEXTS) {
  test(`${name}: ${JSON.stringify(text)}`, () => assert.equal(tokens(name, text).join(" "), expected));
}

test("what goes on over the end of a text goes on in the next", () => {
  const { state } = tokenize('x = """a', languageOf("python"));
  assert.deepEqual(tokens("python", 'b""" if', state), ['string:b"""', "keyword:if"]);
});

test("a language that is not known has none", () => {
  assert.equal(languageOf("brainfuck"), null);
  assert.equal(languageOf(""), null);
});

test("a language is known by what people write behind a fence", () => {
  for (const name of ["Python", "{.python}", "js:app.js", "TypeScript", "C#"]) assert.notEqual(languageOf(name), null);
});

test("a line that no person wrote has no tokens", () => {
  assert.deepEqual(tokens("js", "if ".repeat(1000)), []);
});

for (const unit of ['"', "\\", "'''", "/*", "<a ", "a.", "$(", "- ", '{"a": ', "`"]) {
  for (const name of ["python", "js", "json", "html", "css", "bash", "sql", "yaml", "c", "ruby", "diff"]) {
    test(`${name}: ${JSON.stringify(unit)} again and again is read whole`, () => {
      const line = unit.repeat(1900 / unit.length);
      const { tokens } = tokenize(`${line}\n`.repeat(20), languageOf(name));
      const ends = tokens.map(([, , end]) => end);
      assert.deepEqual(
        ends,
        ends.toSorted((a, b) => a - b),
      );
    });
  }
}
