// What our build leaves out of the bundle: code of libraries that no page of ours can reach.

import { createRequire } from "node:module";

const NOWHERE = "\0emk:";

// Each stands for a whole package, or for a file of one.
const INSTEAD = [
  {
    // Styles in JavaScript. Ours are all classes of the sheet, so an element is React's.
    name: "element",
    asked: /^@emotion\/react$/,
    code: 'export { createElement as jsx } from "react";',
  },
  {
    // Cookies that scripts may write: ours are the server's, and HttpOnly (D10).
    name: "cookies",
    asked: /^universal-cookie$/,
    code: `
      const refused = () => { throw new Error("no cookie is kept by scripts"); };
      export default class { get() { refused(); } set() { refused(); } remove() { refused(); } }
    `,
  },
  {
    // Of two props that are objects, the one that stands in both: a style, in practice.
    name: "mergician",
    asked: /^mergician$/,
    code: `
      const plain = (some) => some && Object.getPrototypeOf(some) === Object.prototype;
      export const mergician = (under, over) => {
        const made = { ...under };
        for (const [name, value] of Object.entries(over))
          made[name] = plain(value) && plain(made[name]) ? mergician(made[name], value) : value;
        return made;
      };
    `,
  },
  {
    // Whatever the socket could speak instead of websocket, which it is told to.
    name: "transports",
    asked: /\/(polling-fetch|polling-xhr|polling-xhr\.node|webtransport)\.js$/,
    by: /[\\/]node_modules[\\/]engine\.io-client[\\/]/,
    code: "export class Fetch {}\nexport class XHR {}\nexport class WT {}\n",
  },
  {
    // Bytes over the socket: events are JSON (edge/frames.py).
    name: "bytes",
    asked: /\/(binary|is-binary|base64-arraybuffer)\.js$/,
    by: /[\\/]node_modules[\\/](socket|engine)\.io-parser[\\/]/,
    code: `
      const refused = () => { throw new Error("no bytes are spoken"); };
      export const isBinary = () => false, hasBinary = isBinary;
      export { refused as deconstructPacket, refused as reconstructPacket, refused as decode };
    `,
  },
  {
    // Files by way of the framework: ours go to routes of our own (assets/emk.js).
    name: "upload",
    asked: /[\\/]utils[\\/]helpers[\\/]upload$/,
    code: 'export const uploadFiles = () => { throw new Error("a file goes to its own address"); };',
  },
  {
    // Routes that are told of one by one: the manifest has all of them.
    name: "discovery",
    asked: /\/fog-of-war\.js$/,
    by: /[\\/]node_modules[\\/]react-router[\\/]/,
    code: `
      const none = () => {};
      export { none as getPatchRoutesOnNavigationFunction, none as useFogOFWarDiscovery };
      export { none as isFogOfWarEnabled, none as getPartialManifest };
      export { none as getPathsWithAncestors, none as handleClientVersionMismatch };
      export { none as getManifestPath };
    `,
  },
  {
    // What somebody could listen to the router with.
    name: "instruments",
    asked: /\/instrumentation\.js$/,
    by: /[\\/]node_modules[\\/]react-router[\\/]/,
    code: `
      const none = () => {};
      export { none as getRouteInstrumentationUpdates, none as instrumentClientSideRouter };
      export { none as consumeInstrumentationClientResultMetaReceiver };
      export { none as instrumentHandler, none as instrumentationResultMetaContext };
    `,
  },
];

// Names by which code that comes as text would find the rest: none comes (D02). With it each library
// would have to be bundled whole.
const ROOT = /[\\/]\.web[\\/]app[\\/]root\.jsx$/;
const BY_NAME = /window\.__reflex = \{[^{}]*\};/;

const PAGES = /[\\/]\.web[\\/](app|app_components|utils)[\\/].*\.jsx?$/;
const KEPT = /[\\/]\.web[\\/]utils[\\/]context\.jsx$/;
const STYLED = /[({,\s](css|\["css"\])\s*:\s*\(?\{.*?\}/;

// Of the old kind of modules, whose names are known only as they run: who asked for one would look
// each of them up, by a helper that would be an answer of its own.
const NAMED = ["react", "react-dom/client"];
const withNames = (name) => {
  const names = Object.keys(createRequire(`${process.cwd()}/package.json`)(name));
  return `
    import whole from ${JSON.stringify(name)};
    export default whole;
    export const { ${names.join(", ")} } = whole;
  `;
};

export default function emk() {
  const used = new Set();
  return {
    name: "emk",
    enforce: "pre",
    resolveId(source, importer = "", { kind }) {
      if (NAMED.includes(source) && kind === "import-statement" && !importer.startsWith(NOWHERE)) {
        return this.environment.name === "client" ? NOWHERE + source : null;
      }
      const found = INSTEAD.find(({ asked, by }) => asked.test(source) && (!by || by.test(importer)));
      if (!found) return null;
      used.add(found);
      return NOWHERE + found.name;
    },
    load(id) {
      const named = NAMED.find((name) => id === NOWHERE + name);
      if (named) return withNames(named);
      return INSTEAD.find(({ name }) => id === NOWHERE + name)?.code;
    },
    transform(code, id) {
      const styled = PAGES.test(id) && STYLED.exec(code);
      if (styled) {
        this.error(`${styled[0].trim()} would be a style in JavaScript: use a class or custom_attrs`);
      }
      if (ROOT.test(id)) {
        if (!BY_NAME.test(code)) this.error("the root has no window.__reflex to be left out");
        return { code: code.replace(BY_NAME, ""), map: null };
      }
      if (KEPT.test(id) && !code.includes('"cookies": {}')) {
        this.error("a state keeps cookies by a script");
      }
    },
    generateBundle() {
      // Else a library that is built otherwise would be bundled whole again, and nobody hear of it.
      const idle = INSTEAD.find((each) => !used.has(each));
      if (this.environment.name === "client" && idle) {
        this.error(`nothing asks for ${idle.asked.source}, which ${idle.name} stands for`);
      }
    },
  };
}

const LIBRARIES = /[\\/]node_modules[\\/]|^\0(emk:|rolldown[\\/]runtime)/;

// What every page begins with comes as two answers: one that changes with the libraries alone, and
// one of the application.
export const OUR_GROUPS = [
  { name: "libraries", test: LIBRARIES, priority: 2 },
  { name: "application", test: /[\\/]\.web[\\/](utils[\\/]|env\.json|reflex\.json)/, priority: 1 },
];
