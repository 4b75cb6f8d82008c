// Load a material on a plane with three.js in headless Chromium: node material.mjs CHROMIUM PLANE.glb PICTURE.png
// Take a screenshot, which the plane fills. Print the results of material.html as one line of JSON.
import { withPage } from "./chromium.mjs";

const [chromium, glb, picture] = process.argv.slice(2);
await withPage(chromium, "material.html", glb, async (page) => {
  await page.screenshot({ path: picture });
  return {};
});
