// Play a clip with three.js in headless Chromium: node motion.mjs CHROMIUM CLIP.glb PICTURE.png SECONDS...
// Take a screenshot of the figure at the first time. Print one line of JSON: the results of motion.html, and the positions
// of the bones at each time.
import { withPage } from "./chromium.mjs";

const [chromium, glb, picture, ...times] = process.argv.slice(2);
await withPage(chromium, "motion.html", glb, async (page) => {
  const poses = await page.evaluate((seconds) => window.poses(seconds), times.map(Number));
  await page.evaluate((seconds) => window.draw(seconds, 35), Number(times[0]));
  await page.screenshot({ path: picture });
  return { poses };
});
