// Open a page of this folder in headless Chromium. The page can fetch an asset from /asset.glb.
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

// Wait until the page has set window.ready, call use(page), and print one line of JSON: window.ready, the result of
// use(page), and all warnings and errors in the console.
export async function withPage(executablePath, name, glb, use) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    try {
      const body = await readFile(path === "/asset.glb" ? glb : join(HERE, path));
      response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

  const profile = await mkdtemp(join(tmpdir(), "ganassets-chromium-"));
  const viewport = { width: 512, height: 512 };
  const options = { executablePath, args: FLAGS, headless: true, viewport };
  const browser = await chromium.launchPersistentContext(profile, options);
  const complaints = [];
  try {
    const page = browser.pages()[0];
    page.on("console", (message) => {
      // The software renderer warns about its own speed at every screenshot.
      const remark = message.text().includes("GL Driver Message (OpenGL, Performance");
      if (["error", "warning"].includes(message.type()) && !remark) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`http://127.0.0.1:${server.address().port}/${name}`);
    await page.waitForFunction("window.ready !== undefined", undefined, { timeout: 60_000 });
    const found = await page.evaluate("window.ready");
    console.log(JSON.stringify({ ...found, ...(await use(page)), complaints }));
  } finally {
    await browser.close();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
