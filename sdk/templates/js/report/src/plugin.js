// The smallest useful report: reads a dataset page by page and writes a text file.

import { Fault, bytes } from "aistack-sdk";

const dataset = "usage.daily";

/** Exactly what the manifest's schema allows. */
function filterOf(params) {
  const unknown = Object.keys(params).filter((name) => !["from", "to"].includes(name));
  if (unknown.length > 0) throw Fault.invalidInput("params_invalid", `unknown parameters: ${unknown.join(", ")}`);
  for (const [name, day] of Object.entries(params)) {
    if (typeof day !== "string") throw Fault.invalidInput("params_invalid", `${name} is a day, YYYY-MM-DD`);
  }
  return params;
}

function headingOf(host) {
  const { heading } = host.config();
  if (typeof heading !== "string") throw Fault.invalidConfig("config_invalid", "heading is a text");
  return heading;
}

const cancelled = () => Fault.denied("cancelled", "the run was cancelled");

export default {
  describe: () => [{ name: "report:summary" }],

  check(host, _context, deep) {
    try {
      headingOf(host);
      if (deep) host.openDataset(dataset, {}, host.nowMs());
      return [{ ok: true, message: "fine" }];
    } catch (fault) {
      return [{ ok: false, message: fault.message }];
    }
  },

  run(host, _context, { report, params, format }) {
    if (report !== "summary" || format !== "txt") {
      throw Fault.invalidInput("no_such_report", "only summary as txt");
    }
    const heading = headingOf(host);
    const rows = host.openDataset(dataset, filterOf(params), host.nowMs());
    let count = 0;
    for (let page = rows.next(1000); page.length > 0; page = rows.next(1000)) {
      count += page.length;
      if (!host.progress(50)) throw cancelled();
    }
    if (!host.progress(90)) throw cancelled();
    const file = host.createFile("summary.txt", "text/plain; charset=utf-8");
    file.write(bytes(`${heading}\nrows: ${count}\n`));
    const name = file.finish();
    host.progress(100);
    return { rows: count, files: [name] };
  },
};
