import { describe, expect, it } from "vitest";
import { inBatches } from "../src/storage/index.ts";

/** A source that answers when it is told to. */
function createSource(limits = { batchMax: 3, underWayMax: 1 }) {
  const asked: { questions: readonly number[]; answer: (answers?: readonly string[]) => void; fail: (error: Error) => void }[] = [];
  let idle = 0;
  const ask = inBatches<number, string>(
    (questions) =>
      new Promise((resolve, reject) => {
        asked.push({ questions, answer: (answers = questions.map(String)) => resolve(answers), fail: reject });
      }),
    limits,
    () => {
      idle++;
    },
  );
  return { ask, asked, idle: () => idle, texts: () => asked.map(({ questions }) => questions.join()) };
}

/** The event loop's turn ends. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

describe("questions that come while others are under way", () => {
  it("go alone where nothing else came in the same turn", async () => {
    const { ask, texts } = createSource();
    void ask(1);
    await turn();
    expect(texts()).toEqual(["1"]);
  });

  it("go together, a bounded number at once, each with its own answer", async () => {
    const { ask, asked, texts } = createSource();
    const answers = [1, 2, 3, 4, 5].map(ask);
    await turn();
    expect(texts()).toEqual(["1,2,3"]);
    asked[0]?.answer();
    expect(await Promise.all(answers.slice(0, 3))).toEqual(["1", "2", "3"]);
    await turn();
    asked[1]?.answer();
    expect(await Promise.all(answers.slice(3))).toEqual(["4", "5"]);
    expect(texts()).toEqual(["1,2,3", "4,5"]);
  });

  it("never join what was asked before they came", async () => {
    const { ask, asked, texts } = createSource({ batchMax: 8, underWayMax: 2 });
    void ask(1);
    await turn();
    void ask(2);
    await turn();
    const late = ask(3);
    await turn();
    expect(texts()).toEqual(["1", "2"]);
    asked[1]?.answer();
    await turn();
    asked[2]?.answer();
    expect(await late).toBe("3");
    expect(texts()).toEqual(["1", "2", "3"]);
  });

  it("fail together, and the next ones are asked all the same", async () => {
    const { ask, asked } = createSource({ batchMax: 2, underWayMax: 1 });
    const [first, second, third] = [ask(1), ask(2), ask(3)].map((answer) => answer.catch((error: Error) => error.message));
    await turn();
    asked[0]?.fail(new Error("gone"));
    expect([await first, await second]).toEqual(["gone", "gone"]);
    await turn();
    asked[1]?.answer(["one", "too many"]);
    expect(await third).toContain("not as many answers");
    const next = ask(4);
    await turn();
    asked[2]?.answer();
    expect(await next).toBe("4");
  });

  it("leave nothing behind", async () => {
    const { ask, asked, idle } = createSource();
    const answer = ask(1);
    await turn();
    asked[0]?.answer();
    await answer;
    await turn();
    expect(idle()).toBe(1);
  });
});
