// `aistack:report/report-generator`: what the component exports, made from a plugin's methods
// `describe check migrate run`.

import { json, lifecycle, operations } from "./shared.js";

/** The exports. */
export function report(plugin, host) {
  const run = operations(plugin, host);
  return {
    lifecycle: lifecycle(plugin, host),
    generator: {
      run: (c, name, params, format) =>
        run("run", "reports", json, c, { report: name, params: JSON.parse(params), format }),
    },
  };
}
