// Load a VRM avatar with pixiv's library in headless Chromium:
// node avatar.mjs CHROMIUM AVATAR.vrm PICTURE.png [LOW HIGH [DEGREES [EXPRESSIONS [TURNS]]]]
// Take a screenshot of it between two heights; EXPRESSIONS and TURNS (Euler angles of bones) are JSON. Print the results
// of avatar.html as one line of JSON.
import { withPage } from "./chromium.mjs";

const [chromium, vrm, picture, ...view] = process.argv.slice(2);
const [low = "0", high = "1.8", degrees = "0", expressions = "{}", turns = "{}"] = view;
await withPage(chromium, "avatar.html", vrm, async (page) => {
  const given = [low, high, degrees, expressions, turns].map((text) => JSON.parse(text));
  await page.evaluate((values) => window.draw(...values), given);
  await page.screenshot({ path: picture });
  return {};
});
