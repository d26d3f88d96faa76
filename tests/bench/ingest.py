"""Ingestion beside DuckDB, on the same file in the same run: `python tests/bench/ingest.py [ROWS] [FOLDER]`.

Needs duckdb from PyPI and a build (`cargo build --profile measured`: a release but for polars, which ingestion does not
use, so that it takes minutes). Makes ROWS (10 million) sales in FOLDER, then

* DuckDB, every column as text, cast and checked by the rules of the contract, keys unique, rejects kept, zstd Parquet;
* starledger, the step that reads what arrived: the file checked against its hash, read, checked, keys unique, rejects
  kept, zstd Parquet by month with its key index;
* a file of 1 % more rows on top of that, and one that corrects 1 % of the rows of two months, each on the same release.

What a run does after that is not measured: the measures of sales are made to count nothing. Prints seconds, CPU seconds,
peak memory and ratios; the seconds of starledger with and without those of taking the file in (the copy in landing).
"""

import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
FOLDER = os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else "target/bench-ingest")
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
PROGRAM = os.environ.get("STARLEDGER", os.path.join(TARGET, "measured", "starledger"))


def call(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.strip()


def generate(rows, path, first):
    if not os.path.exists(path):
        call(sys.executable, os.path.join(HERE, "generate.py"), str(rows), path, str(first))


def workspace():
    """Reference data that the sales name, and one source for them; nothing that is computed afterwards takes long."""
    folder = os.path.join(FOLDER, "workspace")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "in"))
    shutil.copytree(os.path.join(ROOT, "schemas"), os.path.join(folder, "schemas"))
    shutil.copytree(os.path.join(ROOT, "pipelines"), os.path.join(folder, "pipelines"))
    shutil.rmtree(os.path.join(folder, "pipelines", "sources"))
    os.makedirs(os.path.join(folder, "pipelines", "sources"))
    with open(os.path.join(folder, "pipelines", "sources", "bench.toml"), "w") as out:
        for feed in ("domains", "partners", "products", "sales"):
            mode = '\nmode = "upsert"' if feed == "sales" else ""
            out.write(f'[[source]]\nname = "{feed}"\nfeed = "{feed}"\nfiles = ["in/{feed}-*.csv"]\nformat = "csv"{mode}\n\n')
    for name in os.listdir(os.path.join(folder, "pipelines", "measures")):
        count_nothing(os.path.join(folder, "pipelines", "measures", name))
    with open(os.path.join(folder, "in", "domains-1.csv"), "w") as out:
        out.write("domain,name,member_of\ncloud,Cloud,\n")
    with open(os.path.join(folder, "in", "partners-1.csv"), "w") as out:
        out.write(
            "partner_id,valid_from,parent_partner_id,legal_name,legal_entity,region,country,time_zone,tier,language,"
            "currency,tax_category,allowed_mail_domains,status,joined_on,left_on,merged_into\n"
        )
        for i in range(3000):
            out.write(
                f"P{i:05},2020-01-01,,Partner {i},Partner {i} GmbH,emea,DE,Europe/Berlin,gold,de,EUR,,"
                "example.test,active,2020-01-01,,\n"
            )
    with open(os.path.join(folder, "in", "products-1.csv"), "w") as out:
        out.write("product_id,valid_from,name,family,domain,category,incentive_eligible,valid_to\n")
        for i in range(20000):
            out.write(f"PRD-{i:05},2020-01-01,Product {i},F{i % 50},cloud,A,true,\n")
    return folder


def count_nothing(path):
    """Makes a measure that reads sales count none of them, so that what follows the ingestion takes no time."""
    text = open(path).read()
    if re.search(r"\bsales\b", re.sub(r"--.*", "", text)) is None:
        return
    none = "s.partner_id = 'none'"
    changed = re.sub(r"\bWHERE s\.", f"WHERE {none} AND s.", text)
    changed = re.sub(r"(FROM sales AS s\n(?:  (?:LEFT )?JOIN .*\n)+)\)", rf"\1  WHERE {none}\n)", changed)
    assert changed != text, path
    open(path, "w").write(changed)


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(folder, publish=True):
    """Seconds of taking in and of reading what arrived, CPU seconds of both, peak MiB. Stops there, or publishes."""
    log = os.path.join(FOLDER, "log")
    environment = dict(os.environ, STARLEDGER_LOG="info", POLARS_MAX_THREADS="2")
    found = {}
    with open(log, "w") as out:
        process = subprocess.Popen(
            [PROGRAM, "--workspace", folder, "run", "daily"], stdout=out, stderr=subprocess.STDOUT, env=environment
        )
        while len(found) < 2 and process.poll() is None:
            time.sleep(0.02)
            cpu = cpu_seconds(process)
            for line in open(log):
                step = re.search(r'step done.*"step":"(taking in|reading) what arrived","millis":(\d+),"peak_mib":(\d+)', line)
                if step and step.group(1) not in found:
                    found[step.group(1)] = (int(step.group(2)) / 1000, int(step.group(3)), cpu)
        if not publish:
            process.kill()
        code = process.wait()
    if len(found) < 2 or (publish and code not in (0, 3)):
        sys.exit(f"exit code {code}\n{open(log).read()[-3000:]}")
    (taking, _, _), (reading, peak, cpu) = found["taking in"], found["reading"]
    return taking, reading, cpu, peak


def main():
    os.makedirs(FOLDER, exist_ok=True)
    big = os.path.join(FOLDER, f"sales-{ROWS}.csv")
    generate(ROWS, big, 0)
    peers = {}
    for mode in ("single", "checked", "auto"):
        line = call(sys.executable, os.path.join(HERE, "duckdb_peer.py"), big, os.path.join(FOLDER, "duckdb"), mode)
        seconds, cpu, peak = re.search(r": ([0-9.]+) s, cpu ([0-9.]+) s, peak (\d+) MiB", line).groups()
        peers[mode] = (float(seconds), float(cpu), int(peak))
        print(line, flush=True)
    folder = workspace()
    run(folder)  # the reference data
    shutil.copy(big, os.path.join(folder, "in", "sales-1.csv"))
    taken, full, cpu, peak = run(folder)
    print(f"starledger: {full:.2f} s (and {taken:.2f} s to take it in), cpu {cpu:.2f} s in all, peak {peak} MiB")
    for mode, (seconds, theirs, memory) in peers.items():
        ratios = f"time {full / seconds:.2f}, cpu {cpu / theirs:.2f}, memory {peak / memory:.2f}"
        print(f"  against duckdb {mode}: {ratios}", flush=True)
    # what the inbox holds was taken in
    os.remove(os.path.join(folder, "in", "sales-1.csv"))
    again = os.path.join(FOLDER, "again")
    shutil.rmtree(again, ignore_errors=True)
    subprocess.run(["cp", "-a", folder, again], check=True)
    more = os.path.join(FOLDER, "more.csv")
    generate(ROWS // 100, more, ROWS)
    corrections = os.path.join(FOLDER, "corrections.csv")
    correct(big, corrections, ROWS)
    for what, file, place in (("1 % more rows", more, folder), ("corrections in two months", corrections, again)):
        shutil.copy(file, os.path.join(place, "in", "sales-2.csv"))
        small_taken, seconds, small_cpu, _ = run(place, publish=False)
        whole = 100 * (small_taken + seconds) / (taken + full)
        print(
            f"{what}: {seconds:.2f} s (and {small_taken:.2f} s to take it in), cpu {small_cpu:.2f} s: "
            f"{100 * seconds / full:.1f} % of the full load's time, {whole:.1f} % with taking in"
        )


def correct(big, path, rows):
    """1 % of the rows, all of two months, with another quantity."""
    import duckdb

    columns = call("head", "-1", big)
    duckdb.execute(
        f"""
COPY (
  SELECT * REPLACE (CAST(CAST(quantity AS INTEGER) + 1 AS VARCHAR) AS quantity)
  FROM (SELECT DISTINCT ON (order_line_id) * FROM read_csv('{big}', all_varchar = true, header = true)
    WHERE (ordered_on LIKE '2024-03-%' OR ordered_on LIKE '2024-09-%') AND regexp_full_match(quantity, '[0-9]+')
      AND regexp_full_match(invoiced_on, '[0-9-]+') AND regexp_full_match(net_amount, '[0-9]+[.][0-9][0-9]')
      AND order_line_id <> '' AND partner_id LIKE 'P0%' AND line_kind IN ('product', 'service')
      AND discount_rate LIKE '0.%')
  LIMIT {rows // 100}
) TO '{path}' (HEADER)
"""
    )
    assert columns.startswith("order_line_id")


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"({time.monotonic() - started:.0f} s in all)")
