/* Looks for a QR code in one frame after another. WebAssembly may run here alone: this file is served
   with a policy of its own, so that no page has to allow it. The decoder lies beside it: the page that
   works without a network has copies of both under its own address. */
"use strict";

importScripts("zxing/reader.js");

ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => new URL("zxing/reader.wasm", self.location).href } });

self.addEventListener("message", async ({ data }) => {
  try {
    const found = await ZXingWASM.readBarcodes(data, {
      formats: ["QRCode"],
      maxNumberOfSymbols: 1,
      tryHarder: true,
    });
    self.postMessage({ text: found.find((code) => code.isValid)?.text ?? "" });
  } catch {
    self.postMessage({ failed: true });
  }
});
