// Load a head with three.js in headless Chromium: node browser.mjs CHROMIUM HEAD.glb EXPRESSION BEFORE.png AFTER.png
// Take a screenshot at rest and one with the expression at 1. Print the results of page.html as one line of JSON.
import { withPage } from "./chromium.mjs";

const [chromium, glb, expression, before, after] = process.argv.slice(2);
await withPage(chromium, "page.html", glb, async (page) => {
  await page.screenshot({ path: before });
  const region = await page.evaluate((name) => window.express(name), expression);
  await page.screenshot({ path: after });
  return { region };
});
