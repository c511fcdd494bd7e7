/**
 * What the demo prints once it serves: the address, who there is, and commands to paste, in order. Each works as it stands: tokens are made when it runs.
 */
import type { Highlights } from "./directory.ts";
import { demoHighlights } from "./world.ts";

export interface TourFacts {
  readonly origin: string;
  /** As the reader of the commands names it. */
  readonly data: string;
  /** Settings that the commands need in their environment, where they are not the defaults. */
  readonly settings: Readonly<Record<string, string>>;
  readonly highlights: Highlights;
}

interface Step {
  readonly title: string;
  /** Note (what to look for) → command. */
  readonly commands: readonly (readonly [note: string, command: string])[];
}

const { contract, otherContract, endedContract, phone } = demoHighlights;
const nobody = `r_${"a".repeat(26)}`;

export function tour(facts: TourFacts): string {
  const settings = Object.entries(facts.settings).map(([name, value]) => `${name}=${quoted(value)}`);
  const steps = [reading(facts), finding(facts), refusing(facts), overseeing(facts), ending(facts)];
  return `
Postern serves the demo's world at ${facts.origin}

  agent-1 … agent-20                customer service of two vendors; agent-1 sits in ${contract} and ${endedContract}
  vendor-admin, vendor-admin-h      keep the seats of one vendor each
  officer, owner-1, owner-2         merchant m-linxi: ${contract}, ${endedContract} (ended)
  officer-b, owner-b1, owner-b2     merchant m-beichen: ${otherContract}
  operator                          runs the gateway

Paste these into another terminal, in this directory, in order.
${settings.length > 0 ? `\n   export ${settings.join(" ")}\n` : ""}
${steps.map(stepText).join("\n")}
Stop with Ctrl-C. A fresh world: npm start -- --reset
`;
}

function stepText({ title, commands }: Step, i: number): string {
  const lines = commands.map(([note, command]) => `${note ? `   # ${note}\n` : ""}   ${command}\n`);
  return `${i + 1}. ${title}\n${lines.join("")}`;
}

function reading({ origin, highlights }: TourFacts): Step {
  return {
    title: "As a vendor's agent, read a customer: masked, each mask with its reason; the header Audit-Promise proves the log entry",
    commands: [["", `curl -si ${bearer("agent-1")} ${records(origin, contract)}/${highlights.customer}; echo`]],
  };
}

function finding({ origin }: TourFacts): Step {
  const [a, b, c] = phone.split(" ");
  const by = (value: string) => search("agent-1", records(origin, contract), JSON.stringify({ by: { phone: value } }));
  return {
    title: "Find a customer by the phone number that the caller says, in any spelling; the answer is masked all the same",
    commands: [
      ["", by(phone)],
      ["", by(`+86-${a}-${b}-${c}`)],
    ],
  };
}

function refusing({ origin, highlights }: TourFacts): Step {
  const read = (of: string, locator: string) => `curl -s ${bearer("agent-1")} ${records(origin, of)}/${locator}; echo`;
  return {
    title: "Be refused",
    commands: [
      ["a customer of another contract, and one that does not exist: the same answer", read(otherContract, highlights.otherCustomer)],
      ["", read(contract, nobody)],
      ["a field outside the contract", search("agent-1", records(origin, contract), '{"by":{"id_card":"330106199001011234"}}')],
      ["a contract that has ended", read(endedContract, highlights.endedCustomer)],
      [
        "a stale token",
        `stale=$(npx postern token agent-1 --ttl 1s); sleep 2; curl -s -H "Authorization: Bearer $stale" ${records(origin, contract)}/${highlights.customer}; echo`,
      ],
    ],
  };
}

function overseeing({ origin, data }: TourFacts): Step {
  const archive = quoted(`${data}/export.tar`);
  const take = `npx postern audit export --contract ${contract} --as officer -o ${archive}`;
  const verify = `npx postern audit verify ${archive} --trust ${trustFile(data)}`;
  return {
    title: "As security officer, see who saw what; take the log away and verify it offline; then tamper with the database",
    commands: [
      ["", `curl -s ${bearer("officer")} "${origin}/v1/contracts/${contract}/audit/entries?actor=demo/agent-1&limit=3"; echo`],
      ["", take],
      ["", verify],
      ["a DBA changes one byte: the verifier names the entry", "npx postern demo tamper"],
      ["", take],
      ["", verify],
      ["put back, it verifies again", "npx postern demo tamper --undo"],
      ["", take],
      ["", verify],
    ],
  };
}

function ending({ origin, data, highlights }: TourFacts): Step {
  const archive = quoted(`${data}/export.tar`);
  const certificate = quoted(`${data}/certificate.jws`);
  const trust = trustFile(data);
  return {
    title: "As the merchant's owners, end the contract: what would die, the order, the second person, the certificate",
    commands: [
      ["", `npx postern purge plan ${contract} --as owner-1`],
      ["", `npx postern purge start ${contract} --confirm=${contract} --why "the vendor leaves" --as owner-1`],
      ["", `npx postern purge approve ${contract} --as owner-2`],
      ["", `npx postern purge watch ${contract} --as owner-1`],
      ["", `npx postern purge certificate ${contract} --as owner-1 -o ${certificate}`],
      ["", `npx postern certificate verify ${certificate} --trust ${trust}`],
      [
        "the agent's next read is refused, and the contract's log still verifies",
        `curl -s ${bearer("agent-1")} ${records(origin, contract)}/${highlights.customer}; echo`,
      ],
      ["", `npx postern audit export --contract ${contract} --as officer -o ${archive}`],
      ["", `npx postern audit verify ${archive} --trust ${trust}`],
    ],
  };
}

function bearer(principal: string): string {
  return `-H "Authorization: Bearer $(npx postern token ${principal})"`;
}

function records(origin: string, of: string): string {
  return `${origin}/v1/contracts/${of}/records/customer`;
}

function search(principal: string, url: string, body: string): string {
  return `curl -s ${bearer(principal)} -H "Content-Type: application/json" -d '${body}' ${url}/search; echo`;
}

function trustFile(data: string): string {
  return quoted(`${data}/trust/${contract}.json`);
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
