// Draw with a shader in headless Chromium: node shader.mjs CHROMIUM SHADER.json PICTURE.png
// Take a screenshot. Print the results of shader.html as one line of JSON.
import { withPage } from "./chromium.mjs";

const [chromium, shader, picture] = process.argv.slice(2);
await withPage(chromium, "shader.html", shader, async (page) => {
  await page.screenshot({ path: picture });
  return {};
});
