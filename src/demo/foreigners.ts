/**
 * Ten customers from elsewhere. Numbers from ranges kept for fiction where a country has one (555-01xx; Ofcom's 07700 900xxx, 020 7946 0xxx).
 */
export interface ForeignAddress {
  readonly address1: string;
  readonly address2: string;
  readonly city: string;
  readonly state: string;
  readonly zip: string;
  readonly country: string;
}

export interface Foreigner {
  readonly name: string;
  readonly phone: string;
  readonly email: string;
  readonly address: ForeignAddress;
}

type Row = readonly [
  name: string,
  phone: string,
  email: string,
  street: string,
  flat: string,
  city: string,
  state: string,
  zip: string,
  country: string,
];

const rows: readonly Row[] = [
  ["Daniel Whitlock", "+1 303 555 0142", "daniel.whitlock@example.com", "418 Alder Creek Rd", "Apt 7B", "Denver", "CO", "80205", "US"],
  ["Maribel O'Hara-Quinn", "(415) 555-0117", "m.ohara@example.net", "2209 Larkmoor St", "", "San Francisco", "CA", "94117", "US"],
  ["Tyrone Beckett Jr.", "+1-212-555-0189", "tbeckett+shop@example.org", "77 Fennimore Ave", "Unit 1203", "New York", "NY", "10027", "US"],
  ["Imogen Hartley", "+44 7700 900461", "imogen@example.com", "14 Thistledown Mews", "", "Bristol", "Avon", "BS8 4QR", "GB"],
  ["Callum Macrae", "020 7946 0958", "c.macrae@example.net", "3 Saltmarsh Row", "Flat 2", "London", "", "SE10 9GB", "GB"],
  ["田中 結衣", "+81 90-0000-4127", "yui.tanaka@example.com", "桜坂4丁目2-18", "コーポ青葉 203", "世田谷区", "東京都", "154-0099", "JP"],
  ["𠮷野 健太", "+81 3-0000-5523", "kenta@example.org", "若葉町7-3", "", "横浜市", "神奈川県", "220-0099", "JP"],
  ["ليلى حداد", "+971 50 000 3318", "layla.haddad@example.com", "شارع النخيل 12", "", "دبي", "", "00000", "AE"],
  ["Zoë Lefèvre", "+33 6 00 00 42 17", "zoe.lefevre@example.net", "9 rue des Tanneurs-Gris", "", "Lyon", "", "69007", "FR"],
  ["María José Ibáñez", "+34 600 000 284", "mj.ibanez@example.org", "Calle del Olmo Viejo 31", "2º B", "Sevilla", "", "41003", "ES"],
];

export const foreigners: readonly Foreigner[] = rows.map(([name, phone, email, address1, address2, city, state, zip, country]) => ({
  name,
  phone,
  email,
  address: { address1, address2, city, state, zip, country },
}));
