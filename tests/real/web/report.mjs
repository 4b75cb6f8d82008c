// Open a report from disk: node report.mjs CHROMIUM REPORT.html [FOLDER FOR PICTURES]
// Print one line of JSON: network requests and console messages, the layout at several widths in light and dark mode, the
// slider's reaction to keys, and what is visible without scripts.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, report, pictures] = process.argv.slice(2);
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];
const VIEWS = [400, 900, 1600].flatMap((width) => ["light", "dark"].map((scheme) => ({ width, scheme })));
const url = pathToFileURL(report).href;

const browser = await chromium.launch({ executablePath, args: FLAGS, headless: true });
const requests = [];
const complaints = [];

async function open(settings) {
  const page = await (await browser.newContext(settings)).newPage();
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) requests.push(request.url());
  });
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => { complaints.push(dialog.message()); dialog.dismiss(); });
  await page.goto(url);
  return page;
}

// Measure the page; runs in the browser.
function look() {
  const shown = [...document.querySelectorAll("#grids figure")].filter((figure) => figure.offsetHeight > 0);
  const clipped = [...document.querySelectorAll("svg text")].filter((text) => {
    const [label, chart] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
    return label.left < chart.left || label.right > chart.right || label.top < chart.top || label.bottom > chart.bottom;
  });
  const overlapping = [...document.querySelectorAll("svg")].flatMap((chart) =>
    ["end", "mid"].flatMap((kind) => {
      const boxes = [...chart.querySelectorAll(`text.${kind}`)].map((text) => text.getBoundingClientRect());
      return boxes.slice(1).filter((box, i) =>
        box.left < boxes[i].right && boxes[i].left < box.right && box.top < boxes[i].bottom && boxes[i].top < box.bottom);
    }));
  const brightness = (colour) => {
    const [r, g, b] = colour.match(/[\d.]+/g).map((c) => (c / 255 <= 0.04045 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paperOf = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" && element.parentElement ? paperOf(element.parentElement) : colour;
  };
  const faint = [...document.querySelectorAll("h1, h2, h3, p, li, dt, dd, td, th, pre, span, figcaption, summary, svg text")]
    .filter((element) => {
      const style = getComputedStyle(element);
      const ink = brightness(element instanceof SVGElement ? style.fill : style.color);
      const paper = brightness(paperOf(element));
      return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) < 4.5;
    })
    .map((element) => element.textContent);
  return {
    faint,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    shown: shown.map((figure) => figure.querySelector("figcaption").textContent),
    control: document.getElementById("control")?.offsetHeight > 0,
    charts: document.querySelectorAll("svg").length,
    clipped: clipped.length,
    overlapping: overlapping.length,
    broken: [...document.images].filter((image) => image.complete && !image.naturalWidth).length,
  };
}

try {
  const views = [];
  for (const { width, scheme } of VIEWS) {
    const page = await open({ viewport: { width, height: 900 }, colorScheme: scheme });
    views.push({ width, scheme, ...(await page.evaluate(look)) });
    if (pictures) await page.screenshot({ path: join(pictures, `${width}-${scheme}.png`), fullPage: true });
    await page.context().close();
  }

  const page = await open({ viewport: { width: 900, height: 900 } });
  const title = await page.title();
  const slider = [];
  if (await page.locator("#time").count()) {
    await page.focus("#time");
    for (const key of ["ArrowLeft", "Home", "ArrowRight", "End"]) {
      await page.keyboard.press(key);
      const { shown } = await page.evaluate(look);
      const said = await page.getAttribute("#time", "aria-valuetext");
      slider.push({ key, shown, said, when: await page.textContent("#when") });
    }
  }
  await page.context().close();

  const plain = await open({ viewport: { width: 900, height: 900 }, javaScriptEnabled: false });
  const without = {
    shown: await plain.locator("#grids figure:visible").count(),
    control: await plain.locator("#control").isVisible(),
  };
  console.log(JSON.stringify({ title, views, slider, without, requests, complaints }));
} finally {
  await browser.close();
}
