// Shows a KTX2 file with three.js in headless Chromium: node texture.mjs CHROMIUM FILE.ktx2 PICTURE.png
// Takes a picture, a pixel for each texel; prints one line of JSON: what ktx2.html found.
import { withPage } from "./chromium.mjs";

const [chromium, file, picture] = process.argv.slice(2);
await withPage(chromium, "ktx2.html", file, async (page) => {
  await page.locator("canvas").screenshot({ path: picture });
  return {};
});
