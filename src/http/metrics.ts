/**
 * What a process counts, in Prometheus' text format (version 0.0.4). Labels are names that we or a contract made: routes as they are documented, classes
 * of status, ids of contracts, types of a policy. Never a field's name or value, never a person.
 *
 * A count lives as long as its process, or its isolate; whoever collects adds them up.
 */
export interface Metrics {
  /** Answers, by route (`GET /readyz`; `none` where none is served) and class of status (`2xx`). */
  readonly requests: Counter<[route: string, status: string]>;
  /** Members of records that no policy names, and values of another shape than it says: withheld at a read, not stored at an import. */
  readonly unknownFields: Counter<[contract: string, type: string, at: "read" | "import"]>;
  text(): string;
}

export interface Counter<Labels extends readonly string[]> {
  /** Nothing for a count of 0. */
  add(count: number, ...labels: Labels): void;
}

export function createMetrics(): Metrics {
  const requests = createCounter<[string, string]>("postern_requests_total", "Answers by route and class of status.", ["route", "status"]);
  const unknownFields = createCounter<[string, string, "read" | "import"]>(
    "postern_unknown_field_total",
    "Fields and shapes that no policy names, withheld at a read or not stored at an import.",
    ["contract", "type", "at"],
  );
  return { requests, unknownFields, text: () => `${requests.text()}${unknownFields.text()}` };
}

function createCounter<Labels extends readonly string[]>(name: string, help: string, names: { readonly [Place in keyof Labels]: string }) {
  const counts = new Map<string, { readonly labels: Labels; count: number }>();
  return {
    add(count: number, ...labels: Labels): void {
      if (count === 0) return;
      const key = labels.join("\n");
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { labels, count });
      else known.count += count;
    },
    text(): string {
      const lines = [...counts.values()].map(({ labels, count }) => {
        const pairs = labels.map((label, place) => `${names[place]}="${escaped(label)}"`);
        return `${name}{${pairs.join(",")}} ${count}\n`;
      });
      return [`# HELP ${name} ${help}\n`, `# TYPE ${name} counter\n`, ...lines.sort()].join("");
    },
  };
}

function escaped(label: string): string {
  return label.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
