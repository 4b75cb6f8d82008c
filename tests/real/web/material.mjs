// Loads a material on a plane with three.js in headless Chromium: node material.mjs CHROMIUM PLANE.glb PICTURE.png
// The plane fills the picture; prints one line of JSON: what material.html found.
import { withPage } from "./chromium.mjs";

const [chromium, glb, picture] = process.argv.slice(2);
await withPage(chromium, "material.html", glb, async (page) => {
  await page.screenshot({ path: picture });
  return {};
});
