/**
 * Names of hosts that a connector may go to: of the public DNS, in lower-case ASCII, as people write them. No address in any spelling (`127.1`,
 * `0x7f000001`, `[::1]`), no name that means something only inside a network, no port. Where a name leads is looked at again when it is resolved.
 */

const labelPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** RFC 6761, RFC 6762, RFC 9476, and what clouds and routers call their own. */
const privateEndings = [
  "localhost",
  "local",
  "localdomain",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "alt",
  "onion",
  "arpa",
  "invalid",
];
const nameCharactersMax = 253;

export function isHostLabel(text: string): boolean {
  return labelPattern.test(text);
}

export function isPublicHost(text: string): boolean {
  const labels = text.split(".");
  const last = labels.at(-1) ?? "";
  return (
    text.length <= nameCharactersMax &&
    labels.length > 1 &&
    labels.every(isHostLabel) &&
    /[a-z]/.test(last) &&
    !/^(0x|[0-9])/.test(last) &&
    !privateEndings.includes(last)
  );
}
