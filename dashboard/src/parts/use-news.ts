/** Calls back when something happened to a meter, or without a key id something was settled of any, at most once in a while: at once, and again at the end of it. */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { happened } from "../model/live.ts";

export function useNews(keyId: string | undefined, pause: number, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    let waits: ReturnType<typeof setTimeout> | undefined;
    let isDue = false;
    const run = () => {
      isDue = false;
      latest.current();
      waits = setTimeout(() => {
        waits = undefined;
        if (isDue) run();
      }, pause);
    };
    const seen = happened.peek().count;
    const stop = effect(() => {
      const { keyId: key, kind, count } = happened.value;
      if (keyId === undefined ? kind !== "settlement" : key !== keyId) return;
      if (count === seen) return;
      if (waits === undefined) run();
      else isDue = true;
    });
    return () => {
      stop();
      clearTimeout(waits);
    };
  }, [keyId, pause]);
}
