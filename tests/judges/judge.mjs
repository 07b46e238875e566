// A second opinion on our codes and lists of keys, by other people's libraries.
//
// Reads one JSON object from the standard input: `tokens`, each with the bytes in hex and the JSON
// web keys to be believed, and `lists`, each a flattened JWS with the key that must have signed it.
// Writes what was found of each, in the same order: `null` for a refusal.
import { Headers, Sign1 } from "@auth0/cose";
import { Decoder } from "cbor-x";
import { createLocalJWKSet, flattenedVerify, importJWK } from "jose";
import { text } from "node:stream/consumers";

const cbor = new Decoder({ mapsAsObjects: false });
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const plain = (value) => {
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "bigint" ? Number(value) : value;
};

async function token({ bytes, keys }) {
  try {
    const message = Sign1.decode(Buffer.from(bytes, "hex"));
    const kid = hex(message.protectedHeaders.get(Headers.KeyID));
    const jwk = keys.find((each) => each.kid === kid);
    if (!jwk) return null;
    await message.verify(await importJWK(jwk, "ES256"), { algorithms: [-7] });
    return Object.fromEntries([...cbor.decode(message.payload)].map(([key, value]) => [key, plain(value)]));
  } catch {
    return null;
  }
}

async function list({ jws, jwks }) {
  try {
    const key = createLocalJWKSet(jwks);
    const { payload } = await flattenedVerify(jws, key, { algorithms: ["ES256"] });
    const said = JSON.parse(new TextDecoder().decode(payload));
    // Each key of the list has to be one that others can load.
    await Promise.all(said.keys.map((each) => importJWK(each, each.alg)));
    return said;
  } catch {
    return null;
  }
}

const asked = JSON.parse(await text(process.stdin));
const found = {
  tokens: await Promise.all((asked.tokens ?? []).map(token)),
  lists: await Promise.all((asked.lists ?? []).map(list)),
};
process.stdout.write(JSON.stringify(found));
