/** What `policy check` warns of: each warning, with its place and its cure. */
import type { Examples } from "./check-examples.ts";

/** Edits of the policy. */
export const policyWarnings: Examples = {
  "in a policy": [
    {
      what: "fields of the most sensitive level, shown to one who stands alone",
      edits: [
        ["  senior:\n", "  auditor: { customer: { card: reveal } }\n  senior:\n"],
        ["status: { class: plain }", "status: { class: plain }\n      card: { class: payment_card }"],
      ],
      said: [
        "warning: p.yaml:20:26: auditor sees customer.card (payment_card) as it is, and senior, which extends first_line, does not (mask it, or let it be asked for: { reveal: { quota: 20/day, reason: required } })",
      ],
    },
    {
      what: "a resident ID beside a date of birth",
      edits: [
        ["      phone: reveal\n", "      id_card: mask\n      birth_date: reveal\n"],
        ["status: { class: plain }", "status: { class: plain }\n      id_card: { class: resident_id }"],
      ],
      said: [
        "warning: p.yaml:23:7: customer.id_card → mask beside customer.birth_date → reveal (line 24): eight of its digits are the date of birth, six follow from the place, and the last one checks the rest; an answer with both lowers it to mask (strict) (write here what holds, or less of the other)",
      ],
    },
    {
      what: "a resident ID here and a date of birth there",
      edits: [
        ["      phone: reveal\n", "      birth_date: reveal\n    order: { id_card: mask }\n"],
        ["roles:\n", "  order: { subject: id, fields: { id_card: { class: resident_id } } }\nroles:\n"],
      ],
      said: [
        "warning: p.yaml:24:14: senior sees order.id_card → mask here and customer.birth_date → reveal (line 23) in another answer: eight of its digits are the date of birth, six follow from the place, and the last one checks the rest; nothing lowers it there (show less of one of them)",
      ],
    },
    {
      what: "a resident ID for one purpose and a date of birth for another",
      edits: [
        [
          "      phone: reveal\n",
          "      id_card: { mask: { purposes: [logistics] } }\n      birth_date: { reveal: { purposes: [after_sales] } }\n",
        ],
        ["status: { class: plain }", "status: { class: plain }\n      id_card: { class: resident_id }"],
      ],
      beside: [["{ after_sales: {} }", "{ after_sales: {}, logistics: {} }"]],
      said: [
        "warning: p.yaml:23:18: senior sees customer.id_card → mask here and customer.birth_date → reveal (line 24) in another answer: eight of its digits are the date of birth, six follow from the place, and the last one checks the rest; nothing lowers it there (show less of one of them)",
      ],
    },
    {
      what: "an age band beside a year",
      edits: [["      phone: reveal\n", "      birth_date: { generalize: { to: year } }\n"]],
      said: [
        "warning: p.yaml:16:7: customer.age_band → reveal beside customer.birth_date → generalize to year (line 22): the year, and the day on which the band changes, are the date of birth; an answer with both lowers it to withhold (write here what holds, or less of the other)",
      ],
    },
    {
      what: "the same as a value that is shown",
      edits: [
        ["      phone: reveal\n", "      phone: reveal\n      same: reveal\n"],
        [
          "status: { class: plain }",
          "status: { class: plain }\n      other: { class: phone }\n      same: { derive: { same_as: [phone, other] } }",
        ],
      ],
      said: [
        "warning: p.yaml:25:7: customer.same → reveal beside customer.phone → reveal (line 24): to be the same as a value that is shown is to be shown; an answer with both lowers it to withhold (write here what holds, or less of the other)",
      ],
    },
    {
      what: "a plate in one mask here and another there",
      edits: [
        ["      phone: reveal\n", "      plate: mask\n    order: { plate: { mask: { profile: hutool } } }\n"],
        ["status: { class: plain }", "status: { class: plain }\n      plate: { class: plate }"],
        ["roles:\n", "  order: { subject: id, fields: { plate: { class: plate } } }\nroles:\n"],
      ],
      said: [
        "warning: p.yaml:25:23: senior sees order.plate → mask (hutool) here and customer.plate → mask (line 24) elsewhere: together more of a plate than any of them: 浙A1*B4C (give them one profile)",
      ],
    },
    {
      what: "a plate in one mask by day and another by night",
      edits: [
        ["      phone: reveal\n", "      plate: { mask: { when: request.hour < 18 }, else: { mask: { profile: hutool } } }\n"],
        ["status: { class: plain }", "status: { class: plain }\n      plate: { class: plate }"],
      ],
      said: [
        "warning: p.yaml:23:59: senior sees customer.plate → mask (hutool) here and customer.plate → mask (line 23) elsewhere: together more of a plate than any of them: 浙A1*B4C (give them one profile)",
      ],
    },
    {
      what: "a rule that what stands before it covers",
      edits: [["phone: reveal", "phone: { reveal: { when: 'request.hour < 18' }, else: { mask: { when: 'request.hour < 18' } } }"]],
      said: [
        "warning: p.yaml:22:63: customer.phone → mask is never reached: what stands before it holds wherever it does (take it out, or ask for something else)",
      ],
    },
    {
      what: "purposes that those before it have",
      edits: [
        [
          "phone: reveal",
          "phone: { reveal: { purposes: [after_sales, logistics] }, else: { mask: { purposes: [after_sales] }, else: { mask: { profile: strict } } } }",
        ],
      ],
      said: [
        "warning: p.yaml:22:72: customer.phone → mask is never reached: what stands before it holds wherever it does (take it out, or ask for something else)",
      ],
    },
    {
      what: "purposes that the contract has not",
      edits: [["phone: reveal", "phone: { reveal: { purposes: [aftersales] } }"]],
      said: [
        "warning: p.yaml:22:16: customer.phone → reveal is never reached under c.yaml: the contract has no purpose aftersales (did you mean after_sales?)",
      ],
    },
    {
      what: "a field that no role sees",
      edits: [["status: { class: plain }", "status: { class: plain }\n      email: { class: email }"]],
      said: ["warning: p.yaml:10:7: no role sees customer.email (let a role see it, or take it out: what no policy names is not stored)"],
    },
    {
      what: "more for the role that is extended",
      edits: [["phone: reveal", "phone: { mask: { profile: strict } }"]],
      said: [
        "warning: p.yaml:22:16: first_line sees customer.phone → mask (line 15), and senior, which extends it, less (grant senior as much, or let it stand alone)",
      ],
    },
    {
      what: "nothing for the role that extends",
      edits: [["phone: reveal", "phone: withhold"]],
      said: [
        "warning: p.yaml:22:7: first_line sees customer.phone → mask (line 15), and senior, which extends it, less (grant senior as much, or let it stand alone)",
      ],
    },
    {
      what: "a plate in two masks of one answer",
      edits: [
        ["      phone: reveal\n", "      phone: reveal\n      a: mask\n      b: { mask: { profile: hutool } }\n"],
        ["status: { class: plain }", "status: { class: plain }\n      a: { class: plate }\n      b: { class: plate }"],
      ],
      said: [
        "warning: p.yaml:26:12: customer.b → mask (hutool) beside customer.a → mask (line 25): the first three and the last three of seven; an answer with both lowers it to mask (cn-default) (write here what holds, or less of the other)",
      ],
    },
  ],
};

/** Edits of the contract. */
export const contractWarnings: Examples = {
  "of a policy under a contract": [
    {
      what: "a purpose that does not need what a rule for it shows",
      edits: [["{ after_sales: {} }", "{ after_sales: { classes: [phone] } }"]],
      beside: [["phone: reveal", "phone: reveal\n      name: { mask: { purposes: [after_sales] } }"]],
      said: [
        "warning: p.yaml:23:15: customer.name → mask is never reached under c.yaml: after_sales does not need class person_name (name the class in the contract's purpose, or take the rule out)",
      ],
    },
    {
      what: "less than the policy grants",
      edits: [["phone: reveal", "phone: mask"]],
      said: [
        "warning: p.yaml:22:7: customer.phone → reveal is more than the contract's ceiling for phone: mask (c.yaml:5) (the contract caps it; write here what holds, or raise the ceiling)",
      ],
    },
    {
      what: "nothing of a class that the policy grants",
      edits: [["phone: reveal, ", ""]],
      said: [
        "warning: p.yaml:15:7: customer.phone → mask is more than the contract's ceiling for phone: withhold (c.yaml:5) (the contract caps it; write here what holds, or raise the ceiling)",
        "warning: p.yaml:22:7: customer.phone → reveal is more than the contract's ceiling for phone: withhold (c.yaml:5) (the contract caps it; write here what holds, or raise the ceiling)",
      ],
    },
    {
      what: "less of answers",
      edits: [["derived: reveal", "derived: withhold"]],
      said: [
        "warning: p.yaml:16:7: customer.age_band → reveal is more than the contract's ceiling for derived: withhold (c.yaml:5) (the contract caps it; write here what holds, or raise the ceiling)",
      ],
    },
  ],
};
