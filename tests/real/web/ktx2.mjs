// Read KTX2 files with ktx-parse: node ktx2.mjs FILE...
// Print one line of JSON with the size, levels, compression, transfer function and texts of each file.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { read } from "ktx-parse";

const text = (value) => (typeof value === "string" ? value : new TextDecoder().decode(value)).replace(/ *\0?$/, "");
const found = {};
for (const path of process.argv.slice(2)) {
  const file = read(new Uint8Array(await readFile(path)));
  const [format] = file.dataFormatDescriptor;
  found[basename(path)] = {
    size: [file.pixelWidth, file.pixelHeight],
    levels: file.levels.length,
    supercompression: file.supercompressionScheme,
    colourModel: format.colorModel,
    transfer: format.transferFunction,
    texts: Object.fromEntries(Object.entries(file.keyValue).map(([key, value]) => [key, text(value)])),
  };
}
console.log(JSON.stringify(found));
