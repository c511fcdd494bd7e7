/**
 * Who holds an office of a merchant: owners write and end contracts, officers read the log. The operator's file says so, not a token's claims.
 * Principals are (issuer, subject), never a name or mail.
 */
export interface OfficeHolder {
  readonly issuer: string;
  readonly subject: string;
}

export type Office = "merchant_owner" | "officer";

export interface MerchantOffices {
  readonly owners: readonly OfficeHolder[];
  readonly officers: readonly OfficeHolder[];
}

export interface Offices {
  /** `null` = none at this merchant. */
  officeAt(merchant: string, holder: OfficeHolder): Office | null;
  /** The merchants where this person holds `office`. */
  merchantsOf(holder: OfficeHolder, office: Office): readonly string[];
  /** Runs the gateway: reads neither data nor logs. */
  isOperator(holder: OfficeHolder): boolean;
}

/** Throws a RangeError where one person holds two offices of one merchant. */
export function createOffices(merchants: Readonly<Record<string, MerchantOffices>>, operators: readonly OfficeHolder[]): Offices {
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
  return {
    officeAt: (merchant, holder) => offices.get(merchant)?.get(nameOf(holder)) ?? null,
    merchantsOf: (holder, office) => [...offices].filter(([, held]) => held.get(nameOf(holder)) === office).map(([merchant]) => merchant),
    isOperator: (holder) => running.has(nameOf(holder)),
  };
}

function nameOf({ issuer, subject }: OfficeHolder): string {
  return `${issuer}\u0000${subject}`;
}
