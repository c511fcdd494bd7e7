/**
 * Who holds an office: a merchant's owners write and end contracts, its officers read the log, and a vendor's admins say who of theirs sits where. The
 * operator's file says so, not a token's claims.
 * Principals are (issuer, subject), never a name or mail.
 */
export interface OfficeHolder {
  readonly issuer: string;
  readonly subject: string;
}

/** One of a contract's two. */
export type Organisation = "merchant" | "vendor";

/** Of a merchant. */
export type Office = "merchant_owner" | "officer";

export interface MerchantOffices {
  readonly owners: readonly OfficeHolder[];
  readonly officers: readonly OfficeHolder[];
}

export interface Parties {
  readonly merchant: string;
  readonly vendor: string;
}

export interface Offices {
  /** At a contract between these. `null` = none. */
  officeAt(parties: Parties, holder: OfficeHolder): Office | "vendor_admin" | null;
  /** Whose this person is at a contract between these, by their office. `null` = nobody's. */
  organisationAt(parties: Parties, holder: OfficeHolder): Organisation | null;
  /** The merchants where this person holds `office`. */
  merchantsOf(holder: OfficeHolder, office: Office): readonly string[];
  /** The vendors whose admin this person is. */
  vendorsOf(holder: OfficeHolder): readonly string[];
  /** The operator's file names it: whose it names no more, of those nobody comes in. */
  isMerchant(merchant: string): boolean;
  /** Runs the gateway: reads neither data nor logs. */
  isOperator(holder: OfficeHolder): boolean;
}

export interface OfficeSettings {
  readonly merchants: Readonly<Record<string, MerchantOffices>>;
  readonly vendors: Readonly<Record<string, { readonly admins: readonly OfficeHolder[] }>>;
  readonly operators: readonly OfficeHolder[];
}

/** Throws a RangeError where one person would have two offices at one contract, whichever merchants and vendors agree on one. */
export function createOffices({ merchants, vendors, operators }: OfficeSettings): Offices {
  const running = new Set(operators.map(nameOf));
  const offices = new Map<string, Map<string, Office>>();
  for (const [merchant, { owners, officers }] of Object.entries(merchants)) {
    const held = new Map<string, Office>(owners.map((owner) => [nameOf(owner), "merchant_owner"]));
    for (const officer of officers) {
      if (held.has(nameOf(officer)))
        throw new RangeError(`an officer of ${merchant} is also its owner: officers see the log, not the data`);
      held.set(nameOf(officer), "officer");
    }
    offices.set(merchant, held);
  }
  const admins = new Map(Object.entries(vendors).map(([vendor, { admins }]) => [vendor, new Set(admins.map(nameOf))]));
  for (const [vendor, named] of admins)
    for (const [merchant, held] of offices)
      if ([...held.keys()].some((name) => named.has(name))) throw new RangeError(`an admin of ${vendor} holds an office of ${merchant}`);
  const officeAt: Offices["officeAt"] = ({ merchant, vendor }, holder) => {
    const name = nameOf(holder);
    return offices.get(merchant)?.get(name) ?? (admins.get(vendor)?.has(name) ? "vendor_admin" : null);
  };
  return {
    officeAt,
    organisationAt(parties, holder) {
      const office = officeAt(parties, holder);
      return office && (office === "vendor_admin" ? "vendor" : "merchant");
    },
    merchantsOf: (holder, office) => [...offices].filter(([, held]) => held.get(nameOf(holder)) === office).map(([merchant]) => merchant),
    vendorsOf: (holder) => [...admins].filter(([, named]) => named.has(nameOf(holder))).map(([vendor]) => vendor),
    isMerchant: (merchant) => offices.has(merchant),
    isOperator: (holder) => running.has(nameOf(holder)),
  };
}

function nameOf({ issuer, subject }: OfficeHolder): string {
  return `${issuer}\u0000${subject}`;
}
