/** The operator file's witnesses, as the keeper asks them. */
import { type AskedWitness, gatewayLog, parseWitnessVkey } from "./audit/index.ts";
import { ConfigRefused, type OperatorFile } from "./operator-settings.ts";

/** Each watches the gateway log, which names the heads of all others. Throws ConfigRefused. */
export function askedWitnesses(operators: Pick<OperatorFile, "witnesses">): AskedWitness[] {
  return operators.witnesses.map(({ key: text, url, contracts }) => {
    const key = parseWitnessVkey(text);
    if (key === null) throw new ConfigRefused(`witnesses: ${text} is not the verifier key of a witness (cosignature/v1)`);
    return { key, url: url.replace(/\/+$/, ""), logs: [gatewayLog, ...contracts] };
  });
}
