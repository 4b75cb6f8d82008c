// Draws with a shader in headless Chromium: node shader.mjs CHROMIUM SHADER.json PICTURE.png
// Prints one line of JSON: what shader.html found.
import { withPage } from "./chromium.mjs";

const [chromium, shader, picture] = process.argv.slice(2);
await withPage(chromium, "shader.html", shader, async (page) => {
  await page.screenshot({ path: picture });
  return {};
});
