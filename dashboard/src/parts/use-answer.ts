/** Asks for something when a view appears and whenever what it depends on changes. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export type Answer<T> = {
  /** the newest that came, also while it is asked for again */
  value: T | undefined;
  error: Error | undefined;
  ask: () => void;
};

/** `depends`: what makes another question of it; the answer to the one before is forgotten then. */
export function useAnswer<T>(question: (signal: AbortSignal) => Promise<T>, depends: readonly unknown[]): Answer<T> {
  const [answer, setAnswer] = useState<{ value?: T; error?: Error; of?: string }>({});
  const name = JSON.stringify(depends);
  const current = useRef<AbortController>(undefined);
  const ask = useCallback(() => {
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    question(controller.signal).then(
      (value) => controller.signal.aborted || setAnswer({ value, of: name }),
      (error: Error) =>
        controller.signal.aborted || setAnswer((before) => ({ ...(before.of === name && before), error, of: name })),
    );
  }, [name]);
  useEffect(() => {
    ask();
    return () => current.current?.abort();
  }, [ask]);
  const isCurrent = answer.of === name;
  return { value: isCurrent ? answer.value : undefined, error: isCurrent ? answer.error : undefined, ask };
}
