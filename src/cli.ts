/**
 * The command line, `npx postern …`. Commands that touch data are clients of a running gateway; a few run without one.
 * What a command needs beyond the terminal is loaded when it runs: --help waits for no database.
 */
import "./node-imports.ts";
import { agents } from "./cli/agents.ts";
import { approvals } from "./cli/approvals.ts";
import { audit } from "./cli/audit.ts";
import { breakGlass } from "./cli/break-glass.ts";
import { certificate } from "./cli/certificate.ts";
import { clock } from "./cli/clock.ts";
import { command } from "./cli/command.ts";
import { connector } from "./cli/connector.ts";
import { contract } from "./cli/contract.ts";
import { demo } from "./cli/demo.ts";
import { dispatch } from "./cli/dispatch.ts";
import { doctor } from "./cli/doctor.ts";
import { holds } from "./cli/holds.ts";
import { keys } from "./cli/keys.ts";
import { migrate } from "./cli/migrate.ts";
import { policy } from "./cli/policy.ts";
import { purge } from "./cli/purge.ts";
import { records } from "./cli/records.ts";
import { requests } from "./cli/requests.ts";
import { revoke } from "./cli/revoke.ts";
import { scim } from "./cli/scim.ts";
import { serve } from "./cli/serve.ts";
import { serviceKeys } from "./cli/service-keys.ts";
import { subject } from "./cli/subject.ts";
import { token } from "./cli/token.ts";
import { tombstones } from "./cli/tombstones.ts";
import { witness } from "./cli/witness.ts";

const postern = command({
  meta: { description: "The guarded side door between a merchant's customer data and an outsourced customer-service vendor" },
  examples: [
    "npx postern demo",
    "npx postern serve",
    "npx postern contract apply contract.yaml --as owner-1",
    "npx postern audit verify log.tar --trust trust.json",
  ],
  subCommands: {
    serve,
    demo,
    migrate,
    doctor,
    token,
    connector,
    contract,
    approvals,
    "break-glass": breakGlass,
    agents,
    revoke,
    "service-keys": serviceKeys,
    scim,
    records,
    requests,
    policy,
    audit,
    keys,
    subject,
    holds,
    purge,
    certificate,
    tombstones,
    witness,
    clock,
  },
});

process.exit(await dispatch(postern, process.argv.slice(2)));
