/**
 * Joins the modules of `chatkit_app/client` into the bundle that browsers load, `chatkit_app/bundle`:
 *
 *     npm run build --prefix bundle
 *
 * (Tests name other folders: that of the modules, and that of the bundle.)
 *
 * The files that pages ask for keep their names (`bootstrap.js`, `element/index.js`, `chatkit.css`, …). What a module
 * imports by `import()` goes into a chunk of its own, which is fetched when it is needed. Whatever such chunks share
 * with the element goes into one more: a chunk never imports what loads it, so that the imports make no circle, and a
 * storage of static files can put the hash of each file into those that import it.
 *
 * `manifest.json` says what the bundle was made from (`sources`, the hash of `chatkit_app.client_files`), and which
 * chunks an entry needs at once (`preloads`). A bundle that was made from other sources is not served.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const PACKAGE = fileURLToPath(new URL("../chatkit_app/", import.meta.url));
const [CLIENT = path.join(PACKAGE, "client"), BUNDLE = path.join(PACKAGE, "bundle")] = process.argv
  .slice(2)
  .map((folder) => path.resolve(folder));

/** Where the files seem to be written: their names depend on it, and must not depend on the folder. */
const OUT = path.join(CLIENT, "../bundle");

const PAGE_ENTRIES = ["bootstrap.js", "element/index.js"];
/** Bundled apart: what they share with the entries above would be a chunk that every page had to fetch. */
const ENTRIES_APART = [
  "admin/transcript.js",
  "admin/copy.js",
  "admin/counter.js",
  "admin/inbox.js",
  "launcher.js",
  "launcher/news.js",
];
/** What entries of those import from where the other entries have it, or when they need it. */
const APART = /\/(element\/index|launcher\/news)\.js$/;
const ELEMENT = "element/index.js";
/** What the element needs at once. Its entry names all modules, whoever uses them. */
const CORE = "element/chatkit-element.js";
/** What shows text. Pages load it beside the element, so it is to be one file more. */
const MARKDOWN = "element/markdown/index.js";

/** Names what all chunks share with the element. */
const SHARED = "chatkit:shared";

/** A template that is tagged as styles. The tag is for those who read it. */
const STYLES = /\bcss`([^`$]*)`/g;

/** An import of a module that is only named. */
const NAMED = /^import "[^"]+";$/gm;

const OPTIONS = {
  absWorkingDir: CLIENT,
  bundle: true,
  format: "esm",
  target: "esnext",
  minify: true,
  sourcemap: true,
  charset: "utf8",
  outbase: CLIENT,
  outdir: OUT,
  write: false,
  metafile: true,
  logLevel: "error",
};

/** The names of the files that browsers may ask for, as `client_names()` of `chatkit_app.client_files` has them. */
async function sourceNames() {
  const entries = await readdir(CLIENT, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(CLIENT, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, "/"))
    .filter((name) => !/(^|\/)\.|\.d\.ts$|~$/.test(name))
    .sort();
}

async function hashOf(names) {
  const hash = createHash("sha256");
  for (const name of names) {
    const content = await readFile(path.join(CLIENT, name));
    hash.update(`${name}\n${content.length}\n`);
    hash.update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The modules that are loaded by `import()`, and those that they share with the element. */
async function lazyModules() {
  const { metafile } = await build({ ...OPTIONS, entryPoints: PAGE_ENTRIES, splitting: true });
  const importsOf = (name, kind) =>
    metafile.inputs[name].imports.filter((target) => target.kind === kind).map((target) => target.path);
  const reachedFrom = (name, found = new Set()) => {
    if (found.has(name)) return found;
    found.add(name);
    for (const target of importsOf(name, "import-statement")) reachedFrom(target, found);
    return found;
  };
  const lazy = Object.keys(metafile.inputs).flatMap((name) => importsOf(name, "dynamic-import"));
  const neededBy = (names) => new Set(names.flatMap((name) => [...reachedFrom(name)]));
  const needed = neededBy(lazy);
  const neededByOthers = neededBy(lazy.filter((name) => name !== MARKDOWN));
  const shared = [
    ...[...reachedFrom(CORE)].filter((name) => needed.has(name)),
    ...[...reachedFrom(MARKDOWN)].filter((name) => neededByOthers.has(name)),
  ];
  for (const name of shared) {
    const [loaded] = importsOf(name, "dynamic-import");
    if (loaded)
      throw new Error(`${name} loads ${loaded}, and is imported by what is loaded: let another module load it.`);
  }
  return { lazy: new Set(lazy), shared };
}

async function minifyStyles(source) {
  const minified = [];
  for (const [, styles] of source.matchAll(STYLES)) {
    // What the template is once its escapes are read.
    const { code } = await transform(Function(`return \`${styles}\``)(), {
      loader: "css",
      minify: true,
      charset: "utf8",
    });
    minified.push(`\`${code.trim().replaceAll("\\", "\\\\").replaceAll("$", "\\$")}\``);
  }
  return source.replace(STYLES, () => minified.shift());
}

/** What is said of the plugin's parts below, esbuild has no option for. */
function chunks({ lazy, shared }) {
  return {
    name: "chunks",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ path: target, resolveDir, importer, kind }) => {
        if (kind === "entry-point" || importer === SHARED) return null;
        const resolved = path.resolve(resolveDir, target);
        const name = path.relative(CLIENT, resolved).replaceAll(path.sep, "/");
        return { path: resolved, sideEffects: PAGE_ENTRIES.includes(name) };
      });
      onLoad({ filter: /\.js$/ }, async ({ path: file }) => {
        const name = path.relative(CLIENT, file).replaceAll(path.sep, "/");
        const source = await readFile(file, "utf8");
        // An entry names modules that it does not use itself, so that browsers fetch them early. Here they may be lazy.
        const contents = await minifyStyles(PAGE_ENTRIES.includes(name) ? source.replace(NAMED, "") : source);
        // Modules that the same entries reach share a chunk: thus there is one, not one for each of their combinations.
        return { contents: lazy.has(name) || name === CORE ? `${contents}\nimport "${SHARED}";` : contents };
      });
      onResolve({ filter: new RegExp(`^${SHARED}$`) }, () => ({ path: SHARED, namespace: "chatkit" }));
      onLoad({ filter: /^/, namespace: "chatkit" }, () => ({
        contents: shared.map((name) => `import "./${name}";`).join("\n"),
        resolveDir: CLIENT,
      }));
    },
  };
}

const entriesApart = {
  name: "entries apart",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: APART }, ({ path: target, kind }) =>
      kind === "entry-point" ? null : { path: target, external: true },
    );
    onLoad({ filter: /\.css\.js$/ }, async ({ path: file }) => ({
      contents: await minifyStyles(await readFile(file, "utf8")),
    }));
  },
};

/** The chunks that each entry, and each module that is loaded later, needs at once: its own, and those that this imports. */
function preloadsOf(outputs) {
  const importsOf = (name) =>
    outputs[name].imports.filter((target) => target.kind === "import-statement").map((target) => target.path);
  const reachedFrom = (name, found = []) => {
    for (const target of importsOf(name)) {
      if (!found.includes(target)) reachedFrom(target, found.push(target) && found);
    }
    return found;
  };
  const nameOf = (output) => path.relative(OUT, path.resolve(CLIENT, output)).replaceAll(path.sep, "/");
  const preloads = {};
  for (const [output, { entryPoint }] of Object.entries(outputs)) {
    if (PAGE_ENTRIES.includes(entryPoint)) preloads[entryPoint] = reachedFrom(output).map(nameOf);
    else if (entryPoint) preloads[entryPoint] = reachedFrom(output, [output]).map(nameOf);
  }
  const core = preloads[ELEMENT];
  for (const [entry, chunks] of Object.entries(preloads)) {
    if (entry !== ELEMENT) preloads[entry] = chunks.filter((chunk) => !core.includes(chunk));
  }
  return preloads;
}

async function write(files, manifest) {
  // Under another name until it is whole: a server that starts meanwhile has the old one or none.
  const folder = `${BUNDLE}.new`;
  await rm(folder, { recursive: true, force: true });
  for (const { path: file, contents } of files) {
    const target = path.join(folder, path.relative(OUT, file));
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, contents);
  }
  await writeFile(path.join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await rm(BUNDLE, { recursive: true, force: true });
  await rename(folder, BUNDLE);
}

const names = await sourceNames();
const styles = names.filter((name) => name.endsWith(".css"));
const modules = await lazyModules();
const [page, rest] = await Promise.all([
  build({
    ...OPTIONS,
    entryPoints: PAGE_ENTRIES,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    plugins: [chunks(modules)],
  }),
  build({ ...OPTIONS, entryPoints: [...ENTRIES_APART, ...styles], plugins: [entriesApart] }),
]);
await write([...page.outputFiles, ...rest.outputFiles], {
  sources: await hashOf(names),
  preloads: preloadsOf(page.metafile.outputs),
});
