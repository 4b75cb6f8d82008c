// Show a KTX2 file with three.js in headless Chromium: node texture.mjs CHROMIUM FILE.ktx2 PICTURE.png
// Take a screenshot with one pixel per texel. Print the results of ktx2.html as one line of JSON.
import { withPage } from "./chromium.mjs";

const [chromium, file, picture] = process.argv.slice(2);
await withPage(chromium, "ktx2.html", file, async (page) => {
  await page.locator("canvas").screenshot({ path: picture });
  return {};
});
