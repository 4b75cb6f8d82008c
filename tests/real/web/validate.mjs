// Validate GLB files with Khronos' glTF-Validator: node validate.mjs FILE...
// Print one line of JSON: the number of issues by severity, and each message with the first file that has it.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import validator from "gltf-validator";

const SEVERITIES = ["errors", "warnings", "infos", "hints"];
const counts = Object.fromEntries(SEVERITIES.map((name) => [name, 0]));
const messages = {};
let files = 0;
for (const path of process.argv.slice(2)) {
  const { issues } = await validator.validateBytes(new Uint8Array(await readFile(path)), { maxIssues: 0 });
  counts.errors += issues.numErrors;
  counts.warnings += issues.numWarnings;
  counts.infos += issues.numInfos;
  counts.hints += issues.numHints;
  for (const issue of issues.messages) {
    messages[`${SEVERITIES[issue.severity]}: ${issue.code}: ${issue.message}`] ??= `${basename(path)} ${issue.pointer}`;
  }
  files += 1;
}
console.log(JSON.stringify({ files, ...counts, messages, version: validator.version() }));
