/** What `policy check` says of a contract that is written wrong: each message, with its place and its cure. */
import type { Examples } from "./check-examples.ts";

export const contractProblems: Examples = {
  "the shape of a file": [
    { what: "no end", edits: [[" end: 2027-01-01,", ""]], said: ['c.yaml:3:1: missing key "end"'] },
    {
      what: "an unknown key",
      edits: [["policy:  ", "polcy:   "]],
      said: ['c.yaml:1:1: missing key "policy"', 'c.yaml:6:1: unknown key "polcy" (did you mean policy?)'],
    },
    {
      what: "an unknown inner key",
      edits: [["zone: ", "zoen: "]],
      said: ['c.yaml:3:1: missing key "zone"', 'c.yaml:3:49: unknown key "zoen" (did you mean zone?)'],
    },
    {
      what: "an id outside the grammar",
      edits: [["contract: c-1", "contract: ../c-1"]],
      said: ["c.yaml:1:11: not an id (letters, digits, . _ ~ -, at most 128, first a letter or digit)"],
    },
    { what: "no role", edits: [["[first_line, senior]", "[]"]], said: ["c.yaml:7:11: too small: expected array to have >=1 items"] },
    {
      what: "a role twice",
      edits: [["[first_line, senior]", "[senior, senior]"]],
      said: ["c.yaml:7:11: a role stands twice (name each role once)"],
    },
    {
      what: "a role that the policy has not",
      edits: [["[first_line, senior]", "[first_line, senor]"]],
      said: ['c.yaml:7:24: the policy has no role "senor" (did you mean senior?)'],
    },
  ],
  days: [
    {
      what: "an end before the start",
      edits: [["2027-01-01", "2025-12-31"]],
      said: ["c.yaml:3:37: the end is not after the start (end is the first day without access)"],
    },
    {
      what: "an end on the start",
      edits: [["2027-01-01", "2026-01-01"]],
      said: ["c.yaml:3:37: the end is not after the start (end is the first day without access)"],
    },
    {
      what: "a date that does not exist",
      edits: [["2027-01-01", "2026-02-30"]],
      said: ["c.yaml:3:37: not a date that exists (YYYY-MM-DD, from 1970 to 2199)"],
    },
    {
      what: "a date in another calendar's dress",
      edits: [["2027-01-01", "01/01/2027"]],
      said: [
        "c.yaml:3:37: not a date that exists (YYYY-MM-DD, from 1970 to 2199)",
        "c.yaml:3:37: the end is not after the start (end is the first day without access)",
      ],
    },
    {
      what: "a timestamp",
      edits: [["2027-01-01", "2027-01-01T00:00:00Z"]],
      said: ["c.yaml:3:37: not a date that exists (YYYY-MM-DD, from 1970 to 2199)"],
    },
    { what: "a year alone", edits: [["2027-01-01", "2027"]], said: ["c.yaml:3:37: expected string, received number"] },
    { what: "nothing for an end", edits: [["2027-01-01", "null"]], said: ["c.yaml:3:37: expected string, received null"] },
    {
      what: "a year past reason",
      edits: [["2027-01-01", "9999-12-31"]],
      said: ["c.yaml:3:37: not a date that exists (YYYY-MM-DD, from 1970 to 2199)"],
    },
    {
      what: "an unknown zone",
      edits: [["Asia/Shanghai", "Asia/Shangai"]],
      said: ["c.yaml:3:55: not a time zone (an IANA name, as Asia/Shanghai)"],
    },
    {
      what: "an offset for a zone",
      edits: [["Asia/Shanghai", '"+08:00"']],
      said: ["c.yaml:3:55: not a time zone (an IANA name, as Asia/Shanghai)"],
    },
    {
      what: "a purge within the day",
      edits: [["Shanghai }", "Shanghai, purge_after: 23h }"]],
      said: ["c.yaml:3:83: shorter than a day (1d or more)"],
    },
    {
      what: "a length without a unit",
      edits: [["Shanghai }", "Shanghai, purge_after: 7 }"]],
      said: ["c.yaml:3:83: expected string, received number"],
    },
    {
      what: "a length of years",
      edits: [["Shanghai }", "Shanghai, purge_after: 1y }"]],
      said: ["c.yaml:3:83: not a length (hours or days, as 24h or 7d, at most 3650d)"],
    },
  ],
  ceilings: [
    {
      what: "a class that does not exist",
      edits: [["phone: reveal", "phnoe: reveal"]],
      said: ['c.yaml:5:64: unknown class "phnoe" (did you mean phone?)'],
    },
    {
      what: "a treatment that does not exist",
      edits: [["phone: reveal", "phone: revael"]],
      said: ['c.yaml:5:71: unknown treatment "revael" (did you mean reveal?)'],
    },
    {
      what: "a wildcard",
      edits: [["phone: reveal", '"*": reveal']],
      said: ["c.yaml:5:64: wildcards are not accepted (name each class: what nobody named is withheld)"],
    },
    {
      what: "conditions",
      edits: [["phone: reveal", "phone: { reveal: { when: 'true' } }"]],
      said: ["c.yaml:5:71: this treatment takes no options here (write the word alone)"],
    },
    {
      what: "an unknown option",
      edits: [["phone: reveal", "phone: { mask: { profil: strict } }"]],
      said: ['c.yaml:5:81: unknown key "profil" (did you mean profile?)'],
    },
    {
      what: "a list",
      edits: [["phone: reveal", "phone: [mask]"]],
      said: [
        "c.yaml:5:71: a treatment is one word, or one word with its options (mask, { mask: { profile: strict } }, { reveal: { purposes: [after_sales] }, else: mask })",
      ],
    },
    {
      what: "a generalization to nothing",
      edits: [["phone: reveal", "phone: generalize"]],
      said: ["c.yaml:5:71: generalize to what? ({ generalize: { to: year } })"],
    },
    {
      what: "what the class cannot be generalized to",
      edits: [["phone: reveal", "phone: { generalize: { to: year } }"]],
      said: ['c.yaml:5:91: a value of class phone cannot be made coarser to "year" (mask it, or withhold it)'],
    },
    {
      what: "a mask of answers",
      edits: [["derived: reveal", "derived: mask"]],
      said: [
        "c.yaml:5:28: an answer is revealed or withheld: mask does nothing to it (reveal, withhold, or { reveal: { purposes: [after_sales] } })",
      ],
    },
  ],
  purposes: [
    { what: "none", edits: [["{ after_sales: {} }", "{}"]], said: ["c.yaml:4:11: no purpose (purposes: { after_sales: {} })"] },
    {
      what: "a name that is none",
      edits: [["after_sales: {}", "after sales: {}"]],
      said: ['c.yaml:4:13: "after sales" is not a name that may stand here (a letter, then letters, digits, _ and -)'],
    },
    {
      what: "an unknown preset",
      edits: [["after_sales: {}", "after_sales: { preset: aftersales }"]],
      said: ["c.yaml:4:36: expected one of shipping, change_address, change_name, after_sales, customer_care (did you mean after_sales?)"],
    },
    {
      what: "an unknown class",
      edits: [["after_sales: {}", "after_sales: { classes: [phon] }"]],
      said: [
        "c.yaml:4:38: expected one of plain, amount, person_name, nickname, birth_date, address, phone, email, plate, ip_address, business_id, free_text, messenger_account, resident_id, passport, payment_card, iban, sensitive, health, religion, biometrics, id_photo, precise_location, minor, secret, derived (did you mean phone?)",
      ],
    },
    {
      what: "a preset and classes",
      edits: [["after_sales: {}", "after_sales: { preset: shipping, classes: [phone] }"]],
      said: ["c.yaml:4:55: preset and classes both say what the purpose is for (write one of them)"],
    },
    {
      what: "an unknown key",
      edits: [["after_sales: {}", "after_sales: { presets: shipping }"]],
      said: ['c.yaml:4:28: unknown key "presets" (did you mean preset?)'],
    },
  ],
  "hours and networks": [
    {
      what: "hours that end when they begin",
      edits: [["roles:", "hours: { from: '09:00', to: '09:00' }\nroles:"]],
      said: ["c.yaml:7:29: it ends when it begins"],
    },
    {
      what: "hours of no clock",
      edits: [["roles:", "hours: { from: '9:00', to: '18:00' }\nroles:"]],
      said: ['c.yaml:7:16: a time, as "09:00"'],
    },
    {
      what: "hours past midnight",
      edits: [["roles:", "hours: { from: '09:00', to: '24:30' }\nroles:"]],
      said: ['c.yaml:7:29: a time, as "18:00", at most "24:00"'],
    },
    { what: "hours without an end", edits: [["roles:", "hours: { from: '09:00' }\nroles:"]], said: ['c.yaml:7:1: missing key "to"'] },
    {
      what: "a day that is none",
      edits: [["roles:", "hours: { days: mon-fry, from: '09:00', to: '18:00' }\nroles:"]],
      said: ["c.yaml:7:16: a day or a range of days, of mon, tue, wed, thu, fri, sat, sun, as mon-fri"],
    },
    {
      what: "an unknown key of hours",
      edits: [["roles:", "hours: { form: '09:00', to: '18:00' }\nroles:"]],
      said: ['c.yaml:7:1: missing key "from"', 'c.yaml:7:10: unknown key "form" (did you mean from?)'],
    },
    { what: "hours that are a word", edits: [["roles:", "hours: office\nroles:"]], said: ["c.yaml:7:8: expected object, received string"] },
    {
      what: "no hours",
      edits: [["roles:", "hours: []\nroles:"]],
      said: ['c.yaml:7:8: no hours (hours: { days: mon-fri, from: "09:00", to: "18:00" })'],
    },
    {
      what: "a network that is none",
      edits: [["roles:", "networks: [office]\nroles:"]],
      said: ["c.yaml:7:12: not a network (a block whose host bits are 0, as 203.0.113.0/24 or 2001:db8::/32)"],
    },
    {
      what: "a network with host bits",
      edits: [["roles:", "networks: [203.0.113.7/24]\nroles:"]],
      said: ["c.yaml:7:12: not a network (a block whose host bits are 0, as 203.0.113.0/24 or 2001:db8::/32)"],
    },
    {
      what: "networks that are a word",
      edits: [["roles:", "networks: office\nroles:"]],
      said: ["c.yaml:7:11: a list of networks, or lists by name"],
    },
    { what: "no networks", edits: [["roles:", "networks: []\nroles:"]], said: ["c.yaml:7:11: name at least one"] },
  ],
  "what seats need": [
    {
      what: "a role that the contract has not",
      edits: [["roles:", "seats: { roles: [senior, senor] }\nroles:"]],
      said: ['c.yaml:7:26: the contract has no role "senor" (did you mean senior?)'],
    },
    {
      what: "a training of no length",
      edits: [["roles:", "seats: { training: { within: 12h } }\nroles:"]],
      said: ["c.yaml:7:30: not a length of a day or more (as 365d, at most 3650d)"],
    },
    {
      what: "an agreement that is a word",
      edits: [["roles:", "seats: { agreement: signed }\nroles:"]],
      said: ["c.yaml:7:21: required, or { within: 365d }"],
    },
  ],
  "who approves": [
    {
      what: "an act that two owners alone decide",
      edits: [["roles:", "approvals: { activate: other_organisation }\nroles:"]],
      said: ['c.yaml:7:14: unknown key "activate" (one of change_policy, purge, partial_purge, release_hold, amend, terminate, resume)'],
    },
    {
      what: "an approver that is none",
      edits: [["roles:", "approvals: { purge: vendor }\nroles:"]],
      said: ["c.yaml:7:21: expected one of other_organisation"],
    },
  ],
};
