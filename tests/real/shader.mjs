// Compiles a shader in headless Chromium: node shader.mjs CHROMIUM STAGES.json ({"VERTEX_SHADER": ESSL, ...})
// Prints one line of JSON: what shader.html found.
import { withPage } from "./chromium.mjs";

const [chromium, stages] = process.argv.slice(2);
await withPage(chromium, "shader.html", stages, async () => ({}));
