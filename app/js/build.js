// Bundles the program editor: node build.js [FILE], by default app/static/codemirror.js.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = process.argv[2] ?? `${here}../static/codemirror.js`;
const options = {
  absWorkingDir: here,
  entryPoints: ["editor.js"],
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  charset: "utf8",
};

/** The packages of a bundle, by name: "@codemirror/view". */
function packagesOf({ outputs }) {
  const [{ inputs }] = Object.values(outputs);
  const names = Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => {
    if (!bytesInOutput) return []; // shaken off
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
    return name ? [name[1]] : [];
  });
  return [...new Set(names)].sort();
}

/** Where the bundle comes from, and under which licence each part of it may be used. */
function notice(names) {
  const read = (name, file) => readFileSync(`${here}node_modules/${name}/${file}`, "utf8");
  const byLicence = new Map();
  for (const name of names) {
    const { version } = JSON.parse(read(name, "package.json"));
    const licence = read(name, "LICENSE").trim();
    byLicence.set(licence, [...(byLicence.get(licence) ?? []), `${name} ${version}`]);
  }
  const parts = [...byLicence].map(([licence, members]) => `${members.join(", ")}\n\n${licence}`);
  const head =
    "Built by app/js/build.js from app/js/editor.js and these npm packages; do not edit.";
  return `/*!\n${[head, ...parts].join("\n\n---\n\n")}\n*/\n// @ts-nocheck`;
}

const { metafile } = await build({ ...options, write: false, metafile: true });
const banner = { js: notice(packagesOf(metafile)) };
await build({ ...options, banner, outfile: target });
