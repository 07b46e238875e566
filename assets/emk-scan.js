/* The camera of the check pages: no picture leaves the telephone. Reads with the browser's own detector,
   or with ours in a worker that is loaded when there is something to read. */

const WORDS = {
  asking: "Разрешите сайту пользоваться камерой.",
  looking: "Наведите камеру на QR-код, чтобы он занял большую часть кадра.",
  found: "Код прочитан, открываем.",
  NotAllowedError:
    "Камера не разрешена. Разрешите её в настройках сайта или вставьте ссылку, отправьте картинку.",
  NotFoundError: "Камеры у этого устройства нет. Вставьте ссылку или отправьте картинку.",
  NotReadableError: "Камера занята другой программой. Закройте её и нажмите кнопку ещё раз.",
  other: "Камеру включить не удалось. Вставьте ссылку или отправьте картинку с кодом.",
  reader: "Читать код на этом устройстве не получается. Отправьте картинку с кодом.",
};
const PAUSE = 120;
/* Pixels of the longer side: a frame is one of many, a picture may be of a whole wall. */
const FRAME = 1000;
const PICTURE = 2400;

export const hasOwnDetector = async () => {
  if (!("BarcodeDetector" in window)) return false;
  return (await BarcodeDetector.getSupportedFormats().catch(() => [])).includes("qr_code");
};

const nativeReader = async () => {
  if (!(await hasOwnDetector())) return null;
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  return {
    read: async (source) => (await detector.detect(source))[0]?.rawValue ?? "",
    end: () => {},
  };
};

const ownReader = () => {
  const worker = new Worker(new URL("emk-scan-worker.js", import.meta.url));
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return {
    read: (source) =>
      new Promise((resolve, reject) => {
        const isFrame = source instanceof HTMLVideoElement;
        const width = isFrame ? source.videoWidth : source.width;
        const height = isFrame ? source.videoHeight : source.height;
        const scale = Math.min(1, (isFrame ? FRAME : PICTURE) / Math.max(width, height));
        canvas.width = Math.round(width * scale);
        canvas.height = Math.round(height * scale);
        context.drawImage(source, 0, 0, canvas.width, canvas.height);
        const frame = context.getImageData(0, 0, canvas.width, canvas.height);
        worker.onmessage = ({ data }) => (data.failed ? reject(new Error("reader")) : resolve(data.text));
        worker.onerror = () => reject(new Error("reader"));
        worker.postMessage(frame, [frame.data.buffer]);
      }),
    end: () => worker.terminate(),
  };
};

/* A code of ours keeps its signed part behind «#», which no server sees; anything else is explained. */
const openFound = (text) => {
  let address = null;
  try {
    address = new URL(text);
  } catch {
    /* A bare code. */
  }
  const isOurs = address?.origin === location.origin && /^\/v\//i.test(address.pathname);
  location.assign(isOurs ? address.href : `/check/open?code=${encodeURIComponent(text.slice(0, 1000))}`);
};

/* The code in a picture's file, nothing where there is none; fails where it can't be read. */
export const readPicture = async (file) => {
  const picture = await createImageBitmap(file);
  const reader = (await nativeReader()) ?? ownReader();
  try {
    return await reader.read(picture);
  } finally {
    reader.end();
    picture.close();
  }
};

let running = null;

export const stop = () => {
  running?.end();
  running = null;
};

export const start = async (box, found = openFound, said = WORDS.found) => {
  stop();
  const part = (name) => box.querySelector(`[data-scan-${name}]`);
  const video = part("video");
  const say = (text, isBad = false) => {
    part("said").textContent = text;
    part("said").toggleAttribute("data-bad", isBad);
  };
  let stream = null;
  let reader = null;
  let isOver = false;
  const turn = {
    end: () => {
      isOver = true;
      reader?.end();
      for (const track of stream?.getTracks() ?? []) track.stop();
      video.srcObject = null;
      video.hidden = true;
      for (const name of ["stop", "torch", "turn"]) part(name).hidden = true;
      part("start").hidden = false;
      document.removeEventListener("visibilitychange", leave);
    },
  };
  const leave = () => {
    if (document.hidden || !box.isConnected) turn.end();
  };
  running = turn;
  say(WORDS.asking);
  part("start").hidden = true;
  part("stop").hidden = false;
  const facing = box.dataset.facing || "environment";
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: facing, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
    if (isOver) return turn.end();
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
  } catch (error) {
    if (!isOver) say(WORDS[error.name] ?? WORDS.other, true);
    return turn.end();
  }
  document.addEventListener("visibilitychange", leave);
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", () => {
    if (isOver) return;
    say(WORDS.NotReadableError, true);
    turn.end();
  });
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(
    (device) => device.kind === "videoinput",
  );
  part("turn").hidden = cameras.length < 2;
  part("turn").onclick = () => {
    box.dataset.facing = facing === "environment" ? "user" : "environment";
    start(box, found, said);
  };
  let isLit = false;
  part("torch").hidden = !track.getCapabilities?.().torch;
  part("torch").onclick = async () => {
    isLit = !isLit;
    await track.applyConstraints({ advanced: [{ torch: isLit }] }).catch(() => {});
    part("torch").setAttribute("aria-pressed", String(isLit));
  };
  say(WORDS.looking);
  try {
    reader = (await nativeReader()) ?? ownReader();
    while (!isOver && box.isConnected) {
      const text = video.videoWidth ? await reader.read(video) : "";
      if (text && !isOver) {
        say(said);
        turn.end();
        found(text);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } catch {
    if (!isOver) say(WORDS.reader, true);
  }
  turn.end();
};
