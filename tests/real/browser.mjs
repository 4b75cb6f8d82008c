// Loads a GLB with three.js in headless Chromium: node browser.mjs CHROMIUM HEAD.glb EXPRESSION BEFORE.png AFTER.png
// Takes a picture at rest and one with the expression at 1; prints one line of JSON: what page.html found.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".glb": "model/gltf-binary" };
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const [executablePath, glb, expression, before, after] = process.argv.slice(2);

const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  try {
    const body = await readFile(path === "/head.glb" ? glb : join(HERE, path));
    response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const profile = await mkdtemp(join(tmpdir(), "ganassets-chromium-"));
const viewport = { width: 512, height: 512 };
const browser = await chromium.launchPersistentContext(profile, { executablePath, args: FLAGS, headless: true, viewport });
const complaints = [];
try {
  const page = browser.pages()[0];
  page.on("console", (message) => {
    // The software renderer remarks on its own speed whenever a picture is taken.
    const remark = message.text().includes("GL Driver Message (OpenGL, Performance");
    if (["error", "warning"].includes(message.type()) && !remark) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`http://127.0.0.1:${server.address().port}/page.html`);
  await page.waitForFunction("window.ready !== undefined", undefined, { timeout: 60_000 });
  const found = await page.evaluate("window.ready");
  await page.screenshot({ path: before });
  const region = await page.evaluate((name) => window.express(name), expression);
  await page.screenshot({ path: after });
  console.log(JSON.stringify({ ...found, region, complaints }));
} finally {
  await browser.close();
  server.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
