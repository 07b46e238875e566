/* Looks for a QR code in one frame after another. WebAssembly may run here alone: this file is served
   with a policy of its own, so that no page has to allow it. */
"use strict";

importScripts("/zxing/reader.js");

ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => "/zxing/reader.wasm" } });

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
