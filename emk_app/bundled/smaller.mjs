// Writes scripts anew without what only people read: node smaller.mjs FILE..., in the folder of vite.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const here = createRequire(`${process.cwd()}/package.json`);
const { minifySync } = await import(pathToFileURL(here.resolve("vite")));

for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, "utf8");
  // Not as a module where it isn't one: others may ask for what stands at its top.
  const module = /^(import|export)\b/m.test(text);
  const { code, errors } = minifySync(file, text, { module, compress: true, mangle: true });
  if (errors.length) throw new Error(`${file}: ${errors[0].message}`);
  writeFileSync(file, code);
}
