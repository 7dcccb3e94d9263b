"""The smallest useful report: reads a dataset page by page and writes a text file."""

from aistack_sdk import Fault
from aistack_sdk.report import feature, fine, problem

DATASET = "usage.daily"


def heading_of(host) -> str:
    heading = host.config().get("heading")
    if not isinstance(heading, str):
        raise Fault.invalid_config("config_invalid", "heading is a text")
    return heading


def filter_of(params: dict) -> dict:
    """Exactly what the manifest's schema allows."""
    unknown = [name for name in params if name not in ("from", "to")]
    if unknown:
        raise Fault.invalid_input("params_invalid", f"unknown parameters: {', '.join(unknown)}")
    for name, day in params.items():
        if not isinstance(day, str):
            raise Fault.invalid_input("params_invalid", f"{name} is a day, YYYY-MM-DD")
    return params


def go_on(host, percent: int) -> None:
    if not host.progress(percent):
        raise Fault.denied("cancelled", "the run was cancelled")


class Summary:
    def describe(self):
        return [feature("report:summary")]

    def check(self, host, context, deep):
        try:
            heading_of(host)
            if deep:
                host.open_dataset(DATASET, {}, host.now_ms())
        except Fault as fault:
            return [problem(fault.message)]
        return [fine()]

    def run(self, host, context, job):
        if job.report != "summary" or job.format != "txt":
            raise Fault.invalid_input("no_such_report", "only summary as txt")
        heading = heading_of(host)
        rows = host.open_dataset(DATASET, filter_of(job.params), host.now_ms())
        count = 0
        while page := rows.next(1000):
            count += len(page)
            go_on(host, 50)
        go_on(host, 90)
        file = host.create_file("summary.txt", "text/plain; charset=utf-8")
        file.write(f"{heading}\nrows: {count}\n".encode())
        name = file.finish()
        host.progress(100)
        return {"rows": count, "files": [name]}


plugin = Summary()
