/** What a script on Workers is set up with, and the one line that says what is wrong with it. */
import { describe, expect, it } from "vitest";
import { randomBytes, toBase64 } from "../src/crypto/index.ts";
import { readDirectorySettings, readKeeperSettings, readWorkerSettings } from "../src/worker-settings.ts";

const key = () => toBase64(randomBytes(32));
const issuers = "issuers: [{ id: linxi, issuer: https://id.example, jwks: https://id.example/jwks }]\n";
const edge = {
  HYPERDRIVE: { connectionString: "postgres://postern_edge@127.0.0.1/postern" },
  POSTERN_SHARE_STORE: "postgres://shares@127.0.0.1/shares",
  POSTERN_ROOT_KEY: key(),
  POSTERN_WRITER_KEY: key(),
  POSTERN_LOG_NAME: "gw.example/postern",
  POSTERN_ORIGIN: "https://gw.example",
  POSTERN_CONFIG: `${issuers}merchants: {}\n`,
};
const keeper = {
  ...edge,
  HYPERDRIVE: { connectionString: "postgres://postern_keeper@127.0.0.1/postern" },
  POSTERN_LOG_KEY: key(),
  POSTERN_CERTIFICATE_KEY: key(),
  POSTERN_CONFIG: `${edge.POSTERN_CONFIG}writers: ["${key()}"]\n`,
};

const common: readonly [string, Readonly<Record<string, unknown>>][] = [
  ["POSTERN_ROOT_KEY is missing", { POSTERN_ROOT_KEY: undefined }],
  ["POSTERN_WRITER_KEY must be 32 bytes in base64", { POSTERN_WRITER_KEY: "file:/keys/edge.key" }],
  ["POSTERN_ROOT_KEY is not random", { POSTERN_ROOT_KEY: toBase64(new Uint8Array(32)) }],
  ["POSTERN_WRITER_KEY is the same key as POSTERN_ROOT_KEY", { POSTERN_WRITER_KEY: edge.POSTERN_ROOT_KEY }],
  ["DATABASE_URL must not be set here", { DATABASE_URL: "postgres://postgres@127.0.0.1/postern" }],
  ["POSTERN_LOGNAME is not a setting", { POSTERN_LOGNAME: "x" }],
  ["POSTERN_LOG_NAME is missing", { POSTERN_LOG_NAME: undefined }],
  ["POSTERN_ORIGIN must be an http:// or https:// URL", { POSTERN_ORIGIN: undefined }],
  ["POSTERN_CONFIG is missing", { POSTERN_CONFIG: undefined }],
  ["POSTERN_CONFIG: issuers: the built-in issuer", { POSTERN_CONFIG: "issuers: [{ id: demo, built_in: true }]\nmerchants: {}\n" }],
  [
    "POSTERN_CONFIG: log.disclosure_stops_seconds: must be more",
    { POSTERN_CONFIG: `${edge.POSTERN_CONFIG}log: { merge_delay_seconds: 600 }\n` },
  ],
  ["HYPERDRIVE is missing", { HYPERDRIVE: undefined }],
  ["HYPERDRIVE must be a Hyperdrive binding", { HYPERDRIVE: "postgres://postern_edge@127.0.0.1/postern" }],
  ["SHARES is missing", { POSTERN_SHARE_STORE: undefined }],
];

describe("an edge on Workers", () => {
  it("is set up with its own keys and database alone", () => {
    expect(readWorkerSettings(edge)).toMatchObject({ logName: "gw.example/postern", databaseUrl: edge.HYPERDRIVE.connectionString });
    const plain = { ...edge, HYPERDRIVE: undefined, DATABASE_URL_EDGE: "postgres://postern_edge@127.0.0.1/plain" };
    expect(readWorkerSettings(plain).databaseUrl).toBe(plain.DATABASE_URL_EDGE);
  });

  it("knows the limits that the operator decided, and the usual ones where nothing is said", () => {
    expect(readWorkerSettings(edge).freshness).toEqual({ mergeDelaySeconds: 300, disclosureStopsSeconds: 600 });
    const log = "log: { merge_delay_seconds: 120, disclosure_stops_seconds: 900 }\n";
    for (const settings of [
      readWorkerSettings({ ...edge, POSTERN_CONFIG: `${edge.POSTERN_CONFIG}${log}` }),
      readKeeperSettings({ ...keeper, POSTERN_CONFIG: `${keeper.POSTERN_CONFIG}${log}` }),
    ])
      expect(settings.freshness).toEqual({ mergeDelaySeconds: 120, disclosureStopsSeconds: 900 });
  });

  it.each([
    ...common,
    ["POSTERN_LOG_KEY must not be set here", { POSTERN_LOG_KEY: key() }],
    ["POSTERN_CERTIFICATE_KEY must not be set here", { POSTERN_CERTIFICATE_KEY: "x" }],
    ["DATABASE_URL_KEEPER must not be set here", { DATABASE_URL_KEEPER: "postgres://postern_keeper@127.0.0.1/postern" }],
    ["DATABASE_URL_DIRECTORY must not be set here", { DATABASE_URL_DIRECTORY: "postgres://postern_directory@127.0.0.1/postern" }],
  ])("is refused: %s", (line, over) => {
    expect(() => readWorkerSettings({ ...edge, ...over })).toThrow(line);
  });
});

describe("a directory on Workers", () => {
  it("is set up with its own keys and database alone", () => {
    const plain = { ...edge, HYPERDRIVE: undefined, DATABASE_URL_DIRECTORY: "postgres://postern_directory@127.0.0.1/plain" };
    expect(readDirectorySettings(plain)).toMatchObject({ logName: "gw.example/postern", databaseUrl: plain.DATABASE_URL_DIRECTORY });
  });

  it.each([
    ...common,
    ["POSTERN_LOG_KEY must not be set here", { POSTERN_LOG_KEY: key() }],
    ["POSTERN_CERTIFICATE_KEY must not be set here", { POSTERN_CERTIFICATE_KEY: "x" }],
    ["DATABASE_URL_EDGE must not be set here", { DATABASE_URL_EDGE: "postgres://postern_edge@127.0.0.1/postern" }],
    ["DATABASE_URL_KEEPER must not be set here", { DATABASE_URL_KEEPER: "postgres://postern_keeper@127.0.0.1/postern" }],
  ])("is refused: %s", (line, over) => {
    expect(() => readDirectorySettings({ ...edge, ...over })).toThrow(line);
  });
});

describe("a keeper on Workers", () => {
  it("is set up with the keys that sign, and the public keys of the edges", () => {
    const { writers, logSeed, certificateSeed } = readKeeperSettings(keeper);
    expect([writers.length, logSeed.length, certificateSeed.length]).toEqual([1, 32, 32]);
  });

  it.each([
    ...common,
    ["POSTERN_LOG_KEY is missing", { POSTERN_LOG_KEY: undefined }],
    ["POSTERN_CERTIFICATE_KEY is missing", { POSTERN_CERTIFICATE_KEY: undefined }],
    ["POSTERN_CERTIFICATE_KEY is the same key as POSTERN_LOG_KEY", { POSTERN_CERTIFICATE_KEY: keeper.POSTERN_LOG_KEY }],
    ["POSTERN_LOG_KEY is the same key as POSTERN_WRITER_KEY", { POSTERN_LOG_KEY: keeper.POSTERN_WRITER_KEY }],
    ["DATABASE_URL_EDGE must not be set here", { DATABASE_URL_EDGE: "postgres://postern_edge@127.0.0.1/postern" }],
    ["POSTERN_CONFIG: writers: names no public key", { POSTERN_CONFIG: edge.POSTERN_CONFIG }],
  ])("is refused: %s", (line, over) => {
    expect(() => readKeeperSettings({ ...keeper, ...over })).toThrow(line);
  });

  it("says what is wrong without the value", () => {
    const secret = `${key().slice(0, 20)}!`;
    expect(() => readKeeperSettings({ ...keeper, POSTERN_LOG_KEY: secret })).toThrow(/^(?!.*!).*POSTERN_LOG_KEY must be 32 bytes/);
  });
});
