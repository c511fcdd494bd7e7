/** What `policy check` says of a policy that is written wrong: each message, with its place and its cure. */
import type { Examples } from "./check-examples.ts";

export const policyProblems: Examples = {
  "the shape of a file": [
    {
      what: "an unknown key",
      edits: [["search: true", "serach: true"]],
      said: ['p.yaml:6:30: unknown key "serach" (did you mean search?)'],
    },
    { what: "an unknown key of the file", edits: [["roles:", "rolls:"]], said: ['p.yaml:11:1: unknown key "rolls" (did you mean roles?)'] },
    {
      what: "a word where true or false belongs",
      edits: [["search: true", "search: yes"]],
      said: ["p.yaml:6:38: expected boolean, received string"],
    },
    {
      what: "a list where names belong",
      edits: [["roles:", "roles: []\nroles_of:"]],
      said: ["p.yaml:11:8: expected record, received array", 'p.yaml:12:1: unknown key "roles_of" (one of resources, roles)'],
    },
    {
      what: "a name that is none",
      edits: [["  senior:", "  se nior:"]],
      said: ['p.yaml:19:3: "se nior" is not a name that may stand here (a letter, then letters, digits, _ and -)'],
    },
    {
      what: "a resource without fields' names",
      edits: [["    fields:\n", "    fields: []\n    feilds:\n"]],
      said: ["p.yaml:4:13: expected record, received array", 'p.yaml:5:5: unknown key "feilds" (did you mean fields?)'],
    },
  ],
  resources: [
    {
      what: "a field without a class",
      edits: [["name: { class: person_name }", "name: {}"]],
      said: ['p.yaml:5:7: missing key "class" (class: says what stands there; or derive: an answer made of other fields)'],
    },
    {
      what: "an unknown class",
      edits: [["class: phone", "class: phon"]],
      said: ['p.yaml:6:23: unknown class "phon" (did you mean phone?)'],
    },
    {
      what: "an answer's class",
      edits: [["name: { class: person_name }", "name: { class: derived }"]],
      said: ['p.yaml:5:22: unknown class "derived" (an answer is written as derive: { age_band: birth_date })'],
    },
    {
      what: "a wildcard",
      edits: [["name: { class", '"*": { class']],
      said: [
        "p.yaml:5:7: wildcards are not accepted (name each field: what nobody named is withheld)",
        'p.yaml:14:7: no field "name" in this resource (one of phone, birth_date, status, items[].sku, age_band)',
      ],
    },
    {
      what: "a path that is none",
      edits: [["status: { class", '"sta..tus": { class']],
      said: [
        'p.yaml:9:7: "sta..tus" is not a path (keys of letters, digits, _ and -, as in name, receiver.mobile, items[].sku)',
        'p.yaml:17:7: no field "status" in this resource (one of name, phone, birth_date, items[].sku, age_band)',
      ],
    },
    {
      what: "two paths that overlap",
      edits: [["status: { class: plain }", "phone.home: { class: plain }"]],
      said: [
        "p.yaml:9:7: phone.home overlaps another field (a field is a value, an object or a list: name either it or what is inside)",
        'p.yaml:17:7: no field "status" in this resource (one of name, phone, birth_date, items[].sku, age_band)',
      ],
    },
    {
      what: "a field called rows",
      edits: [["status: { class", "rows: { class"]],
      said: [
        "p.yaml:9:7: a field cannot be called rows (roles write their row rule under this name)",
        'p.yaml:17:7: no field "status" in this resource (one of name, phone, birth_date, items[].sku, age_band)',
      ],
    },
    {
      what: "a resource called extends",
      edits: [["  customer:\n    subject", "  extends: { subject: id }\n  customer:\n    subject"]],
      said: ["p.yaml:2:3: a resource cannot be called extends (choose another name)"],
    },
    {
      what: "a subject of an unknown resource",
      edits: [["subject: id", "subject: { shop: id }"]],
      said: ['p.yaml:3:14: no resource "shop" (one of customer)'],
    },
    { what: "a subject that is a list", edits: [["subject: id", "subject: [id]"]], said: ["p.yaml:3:14: expected id, or { type: path }"] },
    {
      what: "two subjects",
      edits: [["subject: id", "subject: { customer: id, order: id }"]],
      said: ["p.yaml:3:14: a record has one subject (subject: { customer: user_id })"],
    },
    {
      what: "a subject that is about another",
      edits: [["  customer:\n    subject: id", "  ticket: { subject: { customer: id } }\n  customer:\n    subject: { customer: id }"]],
      said: [
        "p.yaml:2:22: customer is not its own subject (name the resource whose subject is id)",
        "p.yaml:4:14: customer is not its own subject (name the resource whose subject is id)",
      ],
    },
    {
      what: "a subject in a list",
      edits: [["  customer:\n    subject", '  ticket: { subject: { customer: "users[].id" } }\n  customer:\n    subject']],
      said: ['p.yaml:2:22: "users[].id" is not the path of one value (keys with dots between them, no [])'],
    },
  ],
  answers: [
    {
      what: "an answer that there is not",
      edits: [["{ age_band: birth_date }", "{ age: birth_date }"]],
      said: ['p.yaml:8:29: no answer "age" (one of salutation, age_band, carrier, same_as)'],
    },
    {
      what: "two at once",
      edits: [["{ age_band: birth_date }", "{ age_band: birth_date, carrier: phone }"]],
      said: ["p.yaml:8:27: derive is one answer and what it is made of (derive: { age_band: birth_date })"],
    },
    {
      what: "a field that is not there",
      edits: [["{ age_band: birth_date }", "{ age_band: birthdate }"]],
      said: ['p.yaml:8:39: no field "birthdate" with a class in this resource (did you mean birth_date?)'],
    },
    {
      what: "a field in a list",
      edits: [["{ age_band: birth_date }", '{ carrier: "items[].sku" }']],
      said: ['p.yaml:8:38: "items[].sku" is not the path of one value (keys with dots between them, no [], {} or $)'],
    },
    {
      what: "a field of another class",
      edits: [["{ age_band: birth_date }", "{ age_band: phone }"]],
      said: ["p.yaml:8:39: age_band is not made of class phone (a field of class birth_date)"],
    },
    {
      what: "a name without a gender",
      edits: [["{ age_band: birth_date }", "{ salutation: { name: name } }"]],
      said: ['p.yaml:8:29: missing key "gender"'],
    },
    { what: "one of two", edits: [["{ age_band: birth_date }", "{ same_as: [phone] }"]], said: ["p.yaml:8:38: expected two paths"] },
    {
      what: "two of two classes",
      edits: [["{ age_band: birth_date }", "{ same_as: [phone, status] }"]],
      said: ["p.yaml:8:46: class plain is not phone (two fields of one class)"],
    },
    {
      what: "what is not to be compared",
      edits: [
        [
          'status: { class: plain }\n      "items[].sku": { class: plain }',
          'status: { class: free_text }\n      "items[].sku": { class: plain }\n      same: { derive: { same_as: [status, status] } }',
        ],
      ],
      said: ["p.yaml:11:35: values of class free_text are not compared (a field of another class)"],
    },
    {
      what: "an answer in a list",
      edits: [["age_band: { derive", '"items[].age_band": { derive']],
      said: [
        "p.yaml:8:7: an answer cannot stand at items[].age_band (keys with dots between them, no [], {} or $)",
        'p.yaml:16:7: no field "age_band" in this resource (one of name, phone, birth_date, status, items[].sku)',
      ],
    },
    {
      what: "an answer with a class",
      edits: [["age_band: { derive", "age_band: { class: plain, derive"]],
      said: ["p.yaml:8:19: an answer has no class of its own (take the class away: a contract's ceiling says derived)"],
    },
    {
      what: "an answer to search by",
      edits: [["age_band: { derive", "age_band: { search: true, derive"]],
      said: ["p.yaml:8:19: an answer is not searchable: it is stored nowhere (search by what it is made of)"],
    },
    {
      what: "an answer that is masked",
      edits: [["age_band: reveal", "age_band: mask"]],
      said: [
        "p.yaml:16:7: an answer is revealed or withheld: mask does nothing to it (reveal, withhold, or { reveal: { purposes: [after_sales] } })",
      ],
    },
    {
      what: "an answer that is asked for",
      edits: [["age_band: reveal", "age_band: { reveal: { quota: 20/day } }"]],
      said: [
        "p.yaml:16:19: an answer is in every read or in none: it is not asked for one at a time (reveal, withhold, or { reveal: { purposes: [after_sales] } })",
      ],
    },
  ],
  roles: [
    {
      what: "an unknown resource",
      edits: [["  senior:\n    extends: first_line\n    customer:", "  senior:\n    extends: first_line\n    custmer:"]],
      said: ['p.yaml:21:5: no resource "custmer" (did you mean customer?)'],
    },
    {
      what: "an unknown field",
      edits: [["      name: mask", "      nmae: mask"]],
      said: ['p.yaml:14:7: no field "nmae" in this resource (did you mean name?)'],
    },
    {
      what: "a wildcard",
      edits: [["      name: mask", '      "*": reveal']],
      said: ["p.yaml:14:7: wildcards are not accepted (name each field: what nobody named is withheld)"],
    },
    {
      what: "an extension of nothing",
      edits: [["extends: first_line", "extends: frist_line"]],
      said: ['p.yaml:20:14: no role "frist_line" to extend (did you mean first_line?)'],
    },
    {
      what: "an extension of itself",
      edits: [["extends: first_line", "extends: senior"]],
      said: ["p.yaml:20:14: senior extends senior (let one of them stand alone)"],
    },
    {
      what: "a ring",
      edits: [["  first_line:\n", "  first_line:\n    extends: senior\n"]],
      said: [
        "p.yaml:13:14: senior extends first_line extends senior (let one of them stand alone)",
        "p.yaml:21:14: first_line extends senior extends first_line (let one of them stand alone)",
      ],
    },
    {
      what: "row rules that are no text",
      edits: [["phone: reveal", "rows: { a: b }"]],
      said: ['p.yaml:22:13: rows is a condition, as text (rows: record.status != "closed")'],
    },
  ],
};
