/** What `policy check` says of rules and conditions that are written wrong: each message, with its place and its cure. */
import type { Examples } from "./check-examples.ts";

export const ruleProblems: Examples = {
  rules: [
    {
      what: "an unknown treatment",
      edits: [["phone: reveal", "phone: show"]],
      said: ['p.yaml:22:14: unknown treatment "show" (one of withhold, pseudonymize, generalize, mask, reveal)'],
    },
    {
      what: "one that is nearly known",
      edits: [["phone: reveal", "phone: { reveall: {} }"]],
      said: ['p.yaml:22:25: unknown treatment "reveall" (did you mean reveal?)'],
    },
    {
      what: "two at once",
      edits: [["phone: reveal", "phone: { mask: {}, reveal: {} }"]],
      said: [
        "p.yaml:22:14: a treatment is one word, or one word with its options (mask, { mask: { profile: strict } }, { reveal: { purposes: [after_sales] }, else: mask })",
      ],
    },
    {
      what: "options for withhold",
      edits: [["phone: reveal", "phone: { withhold: { when: 'true' } }"]],
      said: ["p.yaml:22:14: this treatment takes no options here (write the word alone)"],
    },
    {
      what: "generalize without an end",
      edits: [["phone: reveal", "phone: generalize"]],
      said: ["p.yaml:22:14: generalize to what? ({ generalize: { to: year } })"],
    },
    {
      what: "generalize without its option",
      edits: [["phone: reveal", "phone: { generalize: {} }"]],
      said: ['p.yaml:22:16: missing key "to"'],
    },
    {
      what: "what the class cannot be generalized to",
      edits: [["phone: reveal", "phone: { generalize: { to: year } }"]],
      said: ['p.yaml:22:34: a value of class phone cannot be made coarser to "year" (mask it, or withhold it)'],
    },
    {
      what: "what another class can be generalized to",
      edits: [["status: reveal", "status: reveal\n      birth_date: { generalize: { to: city } }"]],
      said: ['p.yaml:18:39: a value of class birth_date cannot be made coarser to "city" (one of year, age_band)'],
    },
    {
      what: "an unknown profile",
      edits: [["phone: reveal", "phone: { mask: { profile: strikt } }"]],
      said: ["p.yaml:22:33: expected one of cn-default, strict, hutool (did you mean strict?)"],
    },
    {
      what: "an unknown option",
      edits: [["phone: reveal", "phone: { mask: { profil: strict } }"]],
      said: ['p.yaml:22:24: unknown key "profil" (did you mean profile?)'],
    },
    {
      what: "an option of another treatment",
      edits: [["phone: reveal", "phone: { mask: { quota: 1/day } }"]],
      said: ['p.yaml:22:24: unknown key "quota" (one of profile, purposes, when)'],
    },
    {
      what: "a quota without a time",
      edits: [["phone: reveal", "phone: { reveal: { quota: 20 } }"]],
      said: ["p.yaml:22:33: expected string, received number"],
    },
    {
      what: "a quota of a year",
      edits: [["phone: reveal", "phone: { reveal: { quota: 20/year } }"]],
      said: ["p.yaml:22:33: a number and a time, as 20/day (hour, day, week, month)"],
    },
    {
      what: "a reason that is not required",
      edits: [["phone: reveal", "phone: { reveal: { reason: optional } }"]],
      said: ["p.yaml:22:34: expected one of required"],
    },
    {
      what: "a value shown for a day",
      edits: [["phone: reveal", "phone: { reveal: { seconds: 86400 } }"]],
      said: ["p.yaml:22:35: too big: expected number to be <=3600"],
    },
    {
      what: "a purpose that is no name",
      edits: [["phone: reveal", "phone: { reveal: { purposes: ['after sales'] } }"]],
      said: ["p.yaml:22:37: a letter, then letters, digits, _ and -"],
    },
    { what: "no purpose", edits: [["phone: reveal", "phone: { reveal: { purposes: [] } }"]], said: ["p.yaml:22:36: name at least one"] },
    {
      what: "an else that nothing gets to",
      edits: [["phone: reveal", "phone: { reveal: { quota: 1/day }, else: mask }"]],
      said: [
        "p.yaml:22:42: nothing gets to this else: what it stands in for always holds (give the rule before it purposes or when, or take the else away)",
      ],
    },
    {
      what: "an else that grants more",
      edits: [["phone: reveal", "phone: { mask: { when: 'request.hour < 9' }, else: reveal }"]],
      said: ["p.yaml:22:58: this else grants reveal, which is not less than mask (write the higher treatment first)"],
    },
    {
      what: "an else that shows what had to be asked for",
      edits: [["phone: reveal", "phone: { reveal: { when: 'request.hour < 9', quota: 1/day }, else: reveal }"]],
      said: ["p.yaml:22:74: this else grants reveal, which is not less than reveal to whoever asks (write the higher treatment first)"],
    },
    {
      what: "an else of another kind",
      edits: [["phone: reveal", "phone: { mask: { when: 'request.hour < 9' }, else: pseudonymize }"]],
      said: ["p.yaml:22:58: this else grants pseudonymize, which is not less than mask (write the higher treatment first)"],
    },
  ],
  conditions: [
    {
      what: "a field that is not there",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.statsu == \"open\"' } }"]],
      said: ["p.yaml:22:32: the condition is not accepted at character 8: no such key: statsu (did you mean status?)"],
    },
    {
      what: "a field that is not plain",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.phone == \"1\"' } }"]],
      said: [
        "p.yaml:22:32: the condition is not accepted at character 8: no such key: phone (of a record, conditions know the plain fields alone)",
      ],
    },
    {
      what: "an answer",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.age_band == \"30-39\"' } }"]],
      said: [
        "p.yaml:22:32: the condition is not accepted at character 8: no such key: age_band (of a record, conditions know the plain fields alone)",
      ],
    },
    {
      what: "an element's field that is not there",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.items.exists(i, i.skuu == \"a\")' } }"]],
      said: ["p.yaml:22:32: the condition is not accepted at character 26: no such key: skuu (did you mean sku?)"],
    },
    {
      what: "a variable that is not there",
      edits: [["phone: reveal", "phone: { reveal: { when: 'reqest.hour < 18' } }"]],
      said: ["p.yaml:22:32: the condition is not accepted at character 1: unknown variable: reqest (did you mean request?)"],
    },
    {
      what: "an attribute that is not there",
      edits: [["phone: reveal", "phone: { reveal: { when: 'agent.rol == \"senior\"' } }"]],
      said: ["p.yaml:22:32: the condition is not accepted at character 7: no such key: rol (did you mean role?)"],
    },
    {
      what: "an hour beside a text",
      edits: [["phone: reveal", "phone: { reveal: { when: 'request.hour < \"18\"' } }"]],
      said: [
        'p.yaml:22:32: the condition is not accepted at character 1: no such overload: int < string (as in record.status != "closed" && request.hour < 18)',
      ],
    },
    {
      what: "no yes or no",
      edits: [["phone: reveal", "phone: { reveal: { when: 'request.hour' } }"]],
      said: ["p.yaml:22:32: the condition is no yes or no, it is int (compare it with something)"],
    },
    {
      what: "no expression",
      edits: [["phone: reveal", "phone: { reveal: { when: 'request.hour <' } }"]],
      said: [
        'p.yaml:22:32: the condition is not accepted at character 15: unexpected token: EOF (as in record.status != "closed" && request.hour < 18)',
      ],
    },
    {
      what: "a text that does not end",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.status == \"open' } }"]],
      said: [
        'p.yaml:22:32: the condition is not accepted at character 18: unterminated string (as in record.status != "closed" && request.hour < 18)',
      ],
    },
    {
      what: "matches",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.status.matches(\"(a+)+$\")' } }"]],
      said: ["p.yaml:22:32: matches is not accepted: its patterns may run for ever (contains, startsWith, endsWith)"],
    },
    {
      what: "nested comprehensions",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.items.exists(i, record.items.exists(j, i.sku == j.sku))' } }"]],
      said: ["p.yaml:22:32: exists inside another of its kind runs too long (one of all, exists, exists_one, filter at a time)"],
    },
    {
      what: "a function that builds values",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.items.map(i, i.sku).size() > 0' } }"]],
      said: [
        'p.yaml:22:32: no function "map" in conditions (there are all, exists, exists_one, filter, has, size, contains, startsWith, endsWith, string, int, double, daysBetween)',
      ],
    },
    {
      what: "a function that is nearly known",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.status.startWith(\"o\")' } }"]],
      said: ['p.yaml:22:32: no function "startWith" in conditions (did you mean startsWith?)'],
    },
    {
      what: "an element by its place",
      edits: [["phone: reveal", "phone: { reveal: { when: 'record.items[0].sku == \"a\"' } }"]],
      said: ['p.yaml:22:32: elements are not taken by their position (exists or all, as in record.items.exists(i, i.sku == "A1"))'],
    },
  ],
};
