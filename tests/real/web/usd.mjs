// Load a USD package with three.js in headless Chromium: node usd.mjs CHROMIUM ASSET.usdz PICTURE.png SECONDS...
// Take a screenshot at the first time. Print one line of JSON: the results of usd.html, and the positions of the bones at
// each time.
import { withPage } from "./chromium.mjs";

const [chromium, usdz, picture, ...times] = process.argv.slice(2);
await withPage(chromium, "usd.html", usdz, async (page) => {
  const poses = await page.evaluate((seconds) => window.poses(seconds), times.map(Number));
  await page.evaluate((seconds) => window.draw(seconds, 25), Number(times[0]));
  await page.screenshot({ path: picture });
  return { poses };
});
