import { describe, expect, it } from "vitest";
import { inBatches } from "../src/disclosure/batches.ts";

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

describe("questions that come while others are under way", () => {
  it("go at once and alone where nothing is under way", () => {
    const { ask, texts } = createSource();
    void ask(1);
    expect(texts()).toEqual(["1"]);
  });

  it("go together afterwards, a bounded number at once, each with its own answer", async () => {
    const { ask, asked, texts } = createSource();
    const answers = [1, 2, 3, 4, 5].map(ask);
    asked[0]?.answer();
    await answers[0];
    await Promise.resolve();
    expect(texts()).toEqual(["1", "2,3,4"]);
    asked[1]?.answer();
    expect(await Promise.all(answers.slice(1, 4))).toEqual(["2", "3", "4"]);
    asked[2]?.answer();
    expect(await answers[4]).toBe("5");
    expect(texts()).toEqual(["1", "2,3,4", "5"]);
  });

  it("never join what was asked before they came", async () => {
    const { ask, asked, texts } = createSource({ batchMax: 8, underWayMax: 2 });
    void ask(1);
    void ask(2);
    const late = ask(3);
    expect(texts()).toEqual(["1", "2"]);
    asked[1]?.answer();
    await Promise.resolve();
    await Promise.resolve();
    asked[2]?.answer();
    expect(await late).toBe("3");
    expect(texts()).toEqual(["1", "2", "3"]);
  });

  it("fail together, and the next ones are asked all the same", async () => {
    const { ask, asked } = createSource();
    const [first, second, third] = [ask(1), ask(2), ask(3)];
    asked[0]?.fail(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    asked[1]?.answer(["only one"]);
    await expect(second).rejects.toThrow("not as many answers");
    await expect(third).rejects.toThrow("not as many answers");
    const next = ask(4);
    asked[2]?.answer();
    expect(await next).toBe("4");
  });

  it("leave nothing behind", async () => {
    const { ask, asked, idle } = createSource();
    const answer = ask(1);
    asked[0]?.answer();
    await answer;
    await Promise.resolve();
    expect(idle()).toBe(1);
  });
});
