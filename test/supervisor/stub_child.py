"""Stands in for a process of the graph: `stub_child.py live|crash N|deaf|refuse|late_crash FILE|monitor`."""

import json
import os
import signal
import sys
import time


def main() -> None:
    kind = sys.argv[1]
    if kind == "refuse":
        print("adas: markets/xx.yaml:3: what is wrong; the mend", file=sys.stderr)
        sys.exit(2)
    if kind == "crash":
        sys.exit(int(sys.argv[2]))
    if kind == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if kind == "crash_once":
        mark = sys.argv[2]
        if not os.path.exists(mark):
            open(mark, "w").close()
            sys.exit(7)
    if kind == "log":
        with open(sys.argv[2], "a") as stream:
            stream.write(f"start {sys.argv[3]}\n")

        def end(*_: object) -> None:
            with open(sys.argv[2], "a") as stream:
                stream.write(f"end {sys.argv[3]}\n")
            sys.exit(0)

        signal.signal(signal.SIGTERM, end)
    if kind == "babble":
        for _ in range(500):
            print("Corrupt JPEG data: premature end of data segment", flush=True)
        print("done", flush=True)
    if kind == "monitor":
        print(json.dumps({"kind": "status", "author": "envelope", "stage": "ON", "health": "OK"}), flush=True)
        print(json.dumps({"kind": "active"}), flush=True)
        with open(sys.argv[2], "a") as stream:
            for line in sys.stdin:
                stream.write(line)
                stream.flush()
        return
    if kind == "deaf_ear":  # heard once, then it hangs
        print(json.dumps({"kind": "alive", "process": "monitor"}), flush=True)
    if kind == "ear":  # hears the guard all the time, the decision process only once
        print(json.dumps({"kind": "alive", "process": "decision"}), flush=True)
        while True:
            print(json.dumps({"kind": "alive", "process": "guard"}), flush=True)
            time.sleep(0.05)
    print("ready", flush=True)
    while True:
        time.sleep(60)


main()
