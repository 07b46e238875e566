// Checks a signed code in the browser: the rules of crypto/cose.py and crypto/trustlist.py.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SKEW = 300;
const LAST_SECOND = 253402300799;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const OPENING = [0xd2, 0x84, 0x4d, 0xa2, 0x01, 0x26, 0x04, 0x48];
const ECDSA = { name: "ECDSA", hash: "SHA-256" };
const P256 = { name: "ECDSA", namedCurve: "P-256" };
// Object identifiers in DER, hex.
const ECDSA_SHA256 = "06082a8648ce3d040302";
const BASIC_CONSTRAINTS = "0603551d13";
const KEY_USAGE = "0603551d0f";
const EXTENDED_USAGE = "0603551d25";
const SIGNS_LISTS = "__LIST_PURPOSE__";

export class Malformed extends Error {}

export class Refused extends Error {
  constructor(problem) {
    super(problem);
    this.problem = problem;
  }
}

export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

function need(condition) {
  if (!condition) throw new Malformed();
}

// Canonical BASE32: upper case, no padding, spare bits zero.
function fromBase32(text) {
  need(text.length <= 1639 && /^[A-Z2-7]+$/.test(text));
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const sign of text) {
    held = (held << 5) | ALPHABET.indexOf(sign);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  need(bits < 5 && held === 0);
  return bytes;
}

// Deterministic CBOR: definite lengths, shortest heads, no tags.
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  take(length) {
    need(length <= this.bytes.length - this.at);
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }
  end() {
    need(this.at === this.bytes.length);
  }
  literal(expected) {
    const taken = this.take(expected.length);
    need(expected.every((byte, index) => byte === taken[index]));
  }
  head(major, exactly) {
    const first = this.take(1)[0];
    let argument = first & 31;
    need(first >> 5 === major);
    if (argument >= 24) {
      need(argument <= 27);
      const width = 1 << (argument - 24);
      const least = [24, 2 ** 8, 2 ** 16, 2 ** 32][argument - 24];
      // More than 2^53 loses its last digits, and is beyond every limit here.
      argument = this.take(width).reduce((sum, byte) => sum * 256 + byte, 0);
      need(argument >= least);
    }
    need(exactly === undefined || argument === exactly);
    return argument;
  }
  key(key) {
    return key >= 0 ? this.head(0, key) : this.head(1, -1 - key);
  }
  number(limit) {
    const number = this.head(0);
    need(number <= limit);
    return number;
  }
  octets(exactly) {
    return this.take(this.head(2, exactly));
  }
  text(limit) {
    const raw = this.take(this.head(3));
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
    } catch {
      throw new Malformed();
    }
    const length = Array.from(text).length;
    need(length > 0 && length <= limit);
    return text;
  }
  none() {
    if (this.bytes[this.at] !== 0xf6) return false;
    this.at += 1;
    return true;
  }
}

export function readToken(text) {
  const reader = new Reader(fromBase32(text));
  reader.literal(OPENING);
  const kid = reader.take(8);
  reader.literal([0xa0]);
  const payload = reader.octets();
  reader.literal([0x58, 0x40]);
  const signature = reader.take(64);
  reader.end();
  return { kid: hex(kid), payload, signature, claims: readPayload(payload), rawKid: kid };
}

function readPayload(payload) {
  const reader = new Reader(payload);
  const claims = {};
  reader.head(5, 4);
  reader.key(4);
  claims.exp = reader.number(LAST_SECOND);
  reader.key(6);
  claims.iat = reader.number(LAST_SECOND);
  reader.key(7);
  claims.shareId = reader.octets(10);
  reader.key(-70001);
  reader.head(4, 7);
  claims.number = reader.text(40);
  claims.version = reader.number(2 ** 31 - 1);
  claims.hash = hex(reader.octets(32));
  claims.name = reader.none() ? null : reader.text(80);
  claims.year = reader.none() ? null : reader.number(9999);
  const count = reader.head(4);
  need(count <= 32);
  claims.categories = Array.from({ length: count }, () => reader.number(0xffff));
  claims.verdict = reader.number(255);
  reader.end();
  return claims;
}

function cborHead(major, length) {
  if (length < 24) return [(major << 5) | length];
  return length < 256 ? [(major << 5) | 24, length] : [(major << 5) | 25, length >> 8, length & 255];
}

// Sig_structure of RFC 9052, 4.4.
function toBeSigned(kid, payload) {
  const name = new TextEncoder().encode("Signature1");
  const prefix = [0x84, 0x6a, ...name, 0x4d, ...OPENING.slice(3), ...kid, 0x40];
  return Uint8Array.from([...prefix, ...cborHead(2, payload.length), ...payload]);
}

const isLow = (signature) => BigInt("0x" + hex(signature.subarray(32))) <= ORDER / 2n;

async function isSignedBy(jwk, signature, signed) {
  const { x, y } = jwk;
  const key = await crypto.subtle.importKey(
    "jwk", { kty: "EC", crv: "P-256", x, y }, P256, false, ["verify"],
  );
  return isLow(signature) && crypto.subtle.verify(ECDSA, key, signature, signed);
}

// Says the first thing found about a code, in the order of checking. `now` is in seconds.
export async function checkToken(text, keys, now) {
  let token;
  try {
    token = readToken(text);
  } catch (error) {
    if (error instanceof Malformed) return { outcome: "malformed" };
    throw error;
  }
  const candidates = keys.filter((key) => key.kid === token.kid && key.purpose === "qr");
  if (!candidates.length) return { outcome: "unknown_key" };
  const believed = candidates.filter((key) => key.status !== "compromised");
  if (!believed.length) return { outcome: "key_withdrawn" };
  const signed = toBeSigned(token.rawKid, token.payload);
  let found = null;
  for (const key of believed) {
    if (found === null && (await isSignedBy(key, token.signature, signed))) found = key;
  }
  if (found === null) return { outcome: "not_genuine" };
  const claims = token.claims;
  if (claims.iat < found.nbf || claims.iat > found.exp) return { outcome: "key_withdrawn" };
  const inTerm = claims.iat <= now + SKEW && now < claims.exp;
  return { outcome: inTerm ? "genuine" : "expired", claims };
}

// The signed list of keys, and of statuses.

function base64(text) {
  need(typeof text === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(text));
  try {
    return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  } catch {
    throw new Malformed();
  }
}

function base64url(text) {
  need(typeof text === "string" && /^[A-Za-z0-9_-]+$/.test(text));
  return base64(text.replace(/-/g, "+").replace(/_/g, "/"));
}

function json(bytes) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Malformed();
  }
}

function element(bytes, at) {
  need(at + 2 <= bytes.length);
  let length = bytes[at + 1];
  let start = at + 2;
  if (length >= 128) {
    const width = length - 128;
    need(width >= 1 && width <= 3 && start + width <= bytes.length);
    length = bytes.subarray(start, start + width).reduce((sum, byte) => sum * 256 + byte, 0);
    start += width;
  }
  need(start + length <= bytes.length);
  return {
    tag: bytes[at],
    content: bytes.subarray(start, start + length),
    whole: bytes.subarray(at, start + length),
  };
}

function children(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; at += found[found.length - 1].whole.length) {
    found.push(element(bytes, at));
  }
  return found;
}

function moment({ tag, content }) {
  const text = String.fromCharCode(...content);
  const full = tag === 0x17 ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") + text : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  need(parts !== null);
  const [year, month, ...rest] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest) / 1000;
}

function certificate(raw) {
  const outer = element(raw, 0);
  need(outer.tag === 0x30 && outer.whole.length === raw.length);
  const [body, algorithm, value] = children(outer.content);
  need(hex(algorithm.content).startsWith(ECDSA_SHA256) && value.content[0] === 0);
  const fields = children(body.content);
  const first = fields[0].tag === 0xa0 ? 1 : 0;
  const [begins, ends] = children(fields[first + 3].content).map(moment);
  const extensions = {};
  for (const field of fields.slice(first + 6)) {
    if (field.tag !== 0xa3) continue;
    for (const one of children(element(field.content, 0).content)) {
      const parts = children(one.content);
      extensions[hex(parts[0].whole)] = parts[parts.length - 1].content;
    }
  }
  const [r, s] = children(element(value.content.subarray(1), 0).content);
  return {
    body: body.whole,
    signature: new Uint8Array([...fixed(r.content), ...fixed(s.content)]),
    issuer: hex(fields[first + 2].whole),
    subject: hex(fields[first + 4].whole),
    key: fields[first + 5].whole,
    begins,
    ends,
    extensions,
  };
}

function fixed(number) {
  const bare = number[0] === 0 ? number.subarray(1) : number;
  need(bare.length <= 32);
  return [...new Array(32 - bare.length).fill(0), ...bare];
}

const bits = (extension) => (extension ? element(extension, 0).content[1] : 0);

function mayIssue(issuer, below) {
  const constraints = issuer.extensions[BASIC_CONSTRAINTS];
  if (!constraints || !(bits(issuer.extensions[KEY_USAGE]) & 0x04)) return false;
  const [isAuthority, length] = children(element(constraints, 0).content);
  if (!isAuthority || isAuthority.tag !== 1 || isAuthority.content[0] !== 0xff) return false;
  return !length || below <= length.content[0];
}

async function importKey(spki) {
  return crypto.subtle.importKey("spki", spki, P256, false, ["verify"]);
}

async function leadsTo(root, chain, now) {
  const path = [...chain, root];
  if (path.some((each) => each.begins > now + SKEW || now > each.ends)) return false;
  for (let below = 0; below < chain.length; below += 1) {
    const issuer = path[below + 1];
    if (path[below].issuer !== issuer.subject || !mayIssue(issuer, below)) return false;
    const key = await importKey(issuer.key);
    if (!(await crypto.subtle.verify(ECDSA, key, path[below].signature, path[below].body))) {
      return false;
    }
  }
  return true;
}

function signsLists(own) {
  const usage = own.extensions[EXTENDED_USAGE];
  return (
    Boolean(bits(own.extensions[KEY_USAGE]) & 0x80) &&
    usage !== undefined &&
    children(element(usage, 0).content).some((each) => hex(each.whole) === SIGNS_LISTS)
  );
}

async function verified({ protected: head, payload, signature }, kind, rootDer, now) {
  const header = json(base64url(head));
  need(header && header.alg === "ES256" && header.typ === kind && !("crit" in header));
  need(Array.isArray(header.x5c) && header.x5c.length > 0 && header.x5c.length <= 4);
  const chain = header.x5c.map((each) => certificate(base64(each)));
  const value = base64url(signature);
  need(value.length === 64);
  const signed = new TextEncoder().encode(`${head}.${payload}`);
  const genuine =
    signsLists(chain[0]) &&
    (await leadsTo(certificate(rootDer), chain, now)) &&
    isLow(value) &&
    (await crypto.subtle.verify(ECDSA, await importKey(chain[0].key), value, signed));
  if (!genuine) throw new Refused("not_genuine");
  return json(base64url(payload));
}

async function orRefused(act) {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused("malformed");
  }
}

// Returns the list that `text` holds. `known` is the list believed before: an older one is refused.
export function readList(text, rootDer, now, known) {
  return orRefused(async () => {
    const said = await verified(JSON.parse(text), "emk-trust-list", rootDer, now);
    const { version, issued, next_update: nextUpdate, keys } = said;
    need([version, issued, nextUpdate].every(Number.isSafeInteger) && Array.isArray(keys));
    for (const key of keys) {
      need([key.nbf, key.exp].every(Number.isSafeInteger) && typeof key.kid === "string");
      need(["active", "retired", "compromised"].includes(key.status));
    }
    if (issued > now + SKEW) throw new Refused("from_future");
    if (known && (version < known.version || (version === known.version && issued < known.issued))) {
      throw new Refused("older");
    }
    return { version, issued, nextUpdate, keys };
  });
}

// Returns the list of statuses that a signed token holds.
export function readStatuses(text, rootDer, now, known) {
  return orRefused(async () => {
    const [head, payload, signature, ...more] = text.trim().split(".");
    need(!more.length);
    const jws = { protected: head, payload, signature };
    const said = await verified(jws, "statuslist+jwt", rootDer, now);
    need(Number.isSafeInteger(said.iat) && Number.isSafeInteger(said.exp));
    need(said.status_list.bits === 2);
    if (said.iat > now + SKEW) throw new Refused("from_future");
    if (known && said.iat < known.issued) throw new Refused("older");
    const packed = new Blob([base64url(said.status_list.lst)]).stream();
    const bytes = await new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
    return { issued: said.iat, expires: said.exp, statuses: new Uint8Array(bytes) };
  });
}

const STATUSES = ["valid", "revoked", "suspended", "superseded"];

// Nothing said of a code is "valid": what is not in the list has not been revoked.
export function statusOf(claims, list) {
  const [a, b, c] = claims.shareId;
  const index = (a << 16) | (b << 8) | c;
  return STATUSES[((list.statuses[index >> 2] ?? 0) >> (2 * (index & 3))) & 3];
}

// Finds the signed code in whatever was pasted: a link with it, or the code alone.
export function tokenIn(text) {
  const bare = text.replace(/\s+/g, "");
  const after = bare.includes("#") ? bare.slice(bare.indexOf("#") + 1) : bare;
  return after.toUpperCase();
}
