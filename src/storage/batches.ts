/**
 * Gathers what is asked of the database, so that what comes together goes together: most of a small statement's cost is the journey.
 * No timer: what came in one turn of the event loop goes at its end, what comes while `underWayMax` are under way goes with the next.
 * A question never joins a batch that was asked before it came, so no answer is older than its question. A batch that fails fails for each.
 */
export interface BatchLimits {
  readonly batchMax: number;
  readonly underWayMax: number;
}

interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** `ask` answers in the order of its questions. `idle` is called whenever nothing is left. */
export function inBatches<Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  { batchMax, underWayMax }: BatchLimits,
  idle: () => void = () => {},
): (question: Question) => Promise<Answer> {
  const waiting: Waiting<Question, Answer>[] = [];
  let underWay = 0;
  let turnEnds = false;

  const send = async (): Promise<void> => {
    underWay++;
    const batch = waiting.splice(0, batchMax);
    try {
      const answers = await ask(batch.map(({ question }) => question));
      if (answers.length !== batch.length) throw new Error("a batch has not as many answers as questions");
      answers.forEach((answer, i) => {
        batch[i]?.resolve(answer);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    underWay--;
    if (waiting.length > 0) sendAtTurnsEnd();
    else if (underWay === 0) idle();
  };

  const sendAtTurnsEnd = (): void => {
    if (turnEnds || underWay >= underWayMax) return;
    turnEnds = true;
    setImmediate(() => {
      turnEnds = false;
      while (waiting.length > 0 && underWay < underWayMax) void send();
    });
  };

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      sendAtTurnsEnd();
    });
}
