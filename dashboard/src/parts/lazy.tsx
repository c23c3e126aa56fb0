/** A view whose code is loaded when it is first shown. */
import type { ComponentType } from "preact";
import { Failure, Loading } from "./common.tsx";
import { useAnswer } from "./use-answer.ts";

/** `load`: an import of the view's module; asked for again where it did not come. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const { value, error, ask } = useAnswer(async () => {
      loaded ??= await load();
      // a function would be called by who keeps it
      return { View: loaded };
    }, []);
    if (error) return <Failure error={error} again={ask} />;
    const View = loaded ?? value?.View;
    return View ? <View {...props} /> : <Loading />;
  };
}
