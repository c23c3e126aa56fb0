/** The dashboard in a browser: it listens to an oracle and draws what it is told. */
import "./style.css";
import { render } from "preact";
import { listen, refresh, tick } from "./model/live.ts";
import { narrowPolicy } from "./settings.ts";
import { speakFirst } from "./strings/index.ts";
import { Frame } from "./views/frame.tsx";

narrowPolicy();
await speakFirst();
render(<Frame />, document.getElementById("app") as HTMLElement);
void refresh();
listen();
tick();
