"""Settling a large programme from facts at hand: `python tests/bench/settlement.py [PARTNERS] [LINES] [FOLDER] [QUARTERS]`.

Needs duckdb from PyPI and a release build (`cargo build --release`). Makes PARTNERS (30,000) and LINES (12 million) sales
over QUARTERS (2, at most 4) in FOLDER, every value a function of its row number: 1 line in 10 in a currency other than the
partner's, exchange rates of every day, 1 in 50 a return, service lines with payments and, but for 1 in 100, the discount
that is allowed, certifications that begin and end within quarters. Five schemes. Then

* a run in the first days of the programme takes everything in, when nothing is due yet;
* a run after the last quarter, timed: sales measured, all quarters earned, booked, checked, published;
* the same again with one late sale, timed: everything is computed anew, the difference is booked.

Prints for each step of both runs seconds and the peak of the process's memory.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import time

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PARTNERS = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
LINES = int(sys.argv[2]) if len(sys.argv) > 2 else 12_000_000
FOLDER = os.path.abspath(sys.argv[3] if len(sys.argv) > 3 else "target/bench-settlement")
QUARTERS = int(sys.argv[4]) if len(sys.argv) > 4 else 2
FIRST = {1: "2026-07-01", 2: "2026-04-01", 3: "2026-01-01", 4: "2025-10-01"}[QUARTERS]
PERIOD = {1: "2026-Q3", 2: "2026-Q2", 3: "2026-Q1", 4: "2025-Q4"}[QUARTERS]
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
PROGRAM = os.environ.get("STARLEDGER", os.path.join(TARGET, "release", "starledger"))
FEEDS = ("domains", "partners", "products", "certifications", "fx_rates", "payments", "sales")

# beside the four of the sample: a bonus for some families
SCHEMES = """
[schemes.family-bonus]
title = "Family bonus"
earning_period = "quarter"
date = "invoiced_on"
amount = "net"
paid_in_full = false
scope = { line_kinds = ["product"], families = ["f01", "f02"] }
method = "whole"
bands = [{ from = "0", rate = "0.5 %" }, { from = "20000", rate = "1 %" }, { from = "60000", rate = "1.5 %" }]
modifiers = ["cap"]
cap = "2500"
rounding = "half_away_from_zero"
fx_max_age_days = 7
"""


def workspace():
    folder = os.path.join(FOLDER, "workspace")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "in"))
    for name in ("schemas", "pipelines"):
        shutil.copytree(os.path.join(ROOT, name), os.path.join(folder, name))
    shutil.rmtree(os.path.join(folder, "pipelines", "sources"))
    os.makedirs(os.path.join(folder, "pipelines", "sources"))
    with open(os.path.join(folder, "pipelines", "sources", "bench.toml"), "w") as out:
        for feed in FEEDS:
            out.write(f'[[source]]\nname = "{feed}"\nfeed = "{feed}"\nfiles = ["in/{feed}-*.csv"]\nformat = "csv"\n\n')
    for edition in glob.glob(os.path.join(folder, "pipelines", "rules", "global", "*.toml")):
        text = open(edition).read().replace('first_period = "2025-Q4"', f'first_period = "{PERIOD}"')
        open(edition, "w").write(text + SCHEMES)
    facts(os.path.join(folder, "in"))
    return folder


def facts(folder):
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET preserve_insertion_order = true")

    def write(feed, sql):
        connection.execute(f"COPY ({sql}) TO '{folder}/{feed}-1.csv' (HEADER, DELIMITER ',')")

    write("domains", "SELECT * FROM (VALUES ('networking', 'Networking', NULL), ('security', 'Security', 'networking'), "
        "('ups', 'Power', NULL), ('cloud', 'Cloud', NULL)) AS v (domain, name, member_of)")
    write("partners", f"""
        SELECT printf('P%05d', i) AS partner_id, '2020-01-01' AS valid_from, '' AS parent_partner_id,
          'Partner' || i || ' Networks' AS legal_name, 'Partner' || i || ' Networks Ltd' AS legal_entity,
          CASE WHEN i % 5 < 4 THEN 'emea' ELSE 'latam' END AS region, CASE WHEN i % 5 < 4 THEN 'DE' ELSE 'BR' END AS country,
          CASE WHEN i % 5 < 4 THEN 'Europe/Berlin' ELSE 'America/Sao_Paulo' END AS time_zone, 'gold' AS tier, 'en' AS language,
          CASE WHEN i % 5 < 3 THEN 'EUR' WHEN i % 5 = 3 THEN 'GBP' ELSE 'BRL' END AS currency, '' AS tax_category,
          'example.test' AS allowed_mail_domains, 'active' AS status, '2020-01-01' AS joined_on, '' AS left_on, '' AS merged_into
        FROM (SELECT range AS i FROM range({PARTNERS}))""")
    write("products", """
        SELECT printf('PRD-%04d', i) AS product_id, '2020-01-01' AS valid_from, 'Product ' || i AS name,
          printf('f%02d', i // 4 % 25) AS family,
          CASE i % 4 WHEN 0 THEN 'networking' WHEN 1 THEN 'security' WHEN 2 THEN 'ups' ELSE 'cloud' END AS domain,
          CASE i // 100 % 4 WHEN 0 THEN 'A' WHEN 1 THEN 'B' WHEN 2 THEN 'C' ELSE 'D' END AS category,
          CASE WHEN i // 3 % 4 = 0 THEN 'false' ELSE 'true' END AS incentive_eligible, '' AS valid_to
        FROM (SELECT range AS i FROM range(2000))""")
    # two in turn, the second from a day within a quarter; and one that ends within a quarter
    write("certifications", f"""
        SELECT printf('P%05d', i) AS partner_id, domain, CAST(valid_from AS VARCHAR) AS valid_from, stars, '2024' AS standard,
          CAST(valid_to AS VARCHAR) AS valid_to, 'active' AS status
        FROM (
          SELECT i, 'networking' AS domain, DATE '2025-01-01' AS valid_from, 3 AS stars, DATE '2026-01-15' + CAST(i % 160 AS INTEGER) AS valid_to
          FROM (SELECT range AS i FROM range({PARTNERS}))
          UNION ALL
          SELECT i, 'networking', DATE '2026-01-15' + CAST(i % 160 AS INTEGER), 4, DATE '2028-01-01' FROM (SELECT range AS i FROM range({PARTNERS}))
          UNION ALL
          SELECT i, 'ups', DATE '2025-01-01', 5, DATE '2025-11-01' + CAST(i % 300 AS INTEGER) FROM (SELECT range AS i FROM range({PARTNERS})) WHERE i % 2 = 0
        )""")
    write("fx_rates", """
        SELECT base, quote, CAST(DATE '2025-09-20' + CAST(d AS INTEGER) AS VARCHAR) AS date,
          printf('%d.%06d', rate // 1000000, rate % 1000000) AS rate, 'bank' AS source
        FROM (
          SELECT *, middle + hash(base || quote || d) % 20000 AS rate
          FROM (VALUES ('USD', 'EUR', 900000), ('USD', 'GBP', 750000), ('USD', 'BRL', 5400000)) AS v (base, quote, middle)
          CROSS JOIN (SELECT range AS d FROM range(385))
        )""")
    connection.execute(f"""
        CREATE TABLE lines AS
        SELECT i, i % {PARTNERS} AS p, hash(i) AS h, hash(i + 7919) AS g,
          DATE '{FIRST}' + CAST(i * {91 * QUARTERS - 9} // {LINES} AS INTEGER) AS ordered_on, i % 50 = 49 AS is_return
        FROM (SELECT range AS i FROM range({LINES}))""")
    connection.execute(f"""
        CREATE VIEW sold AS
        SELECT *, CASE WHEN is_return THEN i - {PARTNERS} * 2 ELSE i END AS o,
          printf('P%05d', p) AS partner_id, 1000 + h % 500000 AS cents,
          CASE WHEN g % 5 > 0 OR g % 500 = 0 THEN g % 40 WHEN g % 2 = 0 OR h % 4 < 2 THEN 20 WHEN h % 4 = 2 THEN 23 ELSE 0 END AS off,
          CASE WHEN g % 5 = 0 THEN 'service' ELSE 'product' END AS line_kind,
          CASE WHEN g % 5 > 0 THEN '' WHEN g % 2 = 0 THEN 'vendor' ELSE 'collaborative' END AS service_model,
          CASE WHEN p % 5 < 3 THEN 'EUR' WHEN p % 5 = 3 THEN 'GBP' ELSE 'BRL' END AS own_currency
        FROM lines""")
    write("sales", """
        SELECT printf('SO-%09d', i) AS order_line_id, partner_id, printf('PRD-%04d', h % 2000) AS product_id, line_kind,
          service_model,
          CASE WHEN returned THEN '-' ELSE '' END || printf('%d.%02d', cents // 100, cents % 100) AS list_amount,
          printf('0.%02d', off) AS discount_rate,
          CASE WHEN returned THEN '-' ELSE '' END || printf('%d.%02d', (cents * (100 - off) // 100) // 100, (cents * (100 - off) // 100) % 100) AS net_amount,
          CASE WHEN returned THEN '-' ELSE '' END || CAST(1 + h % 12 AS VARCHAR) AS quantity,
          CASE WHEN h % 10 = 0 THEN 'USD' ELSE own_currency END AS currency, 'Northwind Devices' AS selling_entity,
          CAST(ordered_on AS VARCHAR) AS ordered_on, CAST(ordered_on + CAST(g % 9 AS INTEGER) AS VARCHAR) AS invoiced_on,
          CASE WHEN returned THEN printf('SO-%09d', o) ELSE '' END AS original_order_line_id
        FROM (SELECT *, is_return AND o >= 0 AND o % 50 <> 49 AS returned FROM sold)""")
    # three service lines in four are paid in full
    write("payments", """
        SELECT printf('PY-%09d', i) AS payment_id, printf('SO-%09d', i) AS order_line_id, '' AS settlement_no,
          CAST(ordered_on + 9 AS VARCHAR) AS paid_on,
          printf('%d.%02d', (cents * (100 - off) // 100) // 100, (cents * (100 - off) // 100) % 100) AS amount,
          CASE WHEN h % 10 = 0 THEN 'USD' ELSE own_currency END AS currency
        FROM sold WHERE line_kind = 'service' AND NOT is_return AND g // 10 % 4 > 0 AND ordered_on + 9 < DATE '2026-10-12'""")
    connection.close()


def run(folder, as_of, what):
    """Steps of a run at a moment: name, seconds, peak MiB."""
    job = os.path.join(folder, "pipelines", "daily.toml")
    text = open(os.path.join(ROOT, "pipelines", "daily.toml")).read()
    text = re.sub(r'as_of = ".*"', f'as_of = "{as_of}"', text).replace('["refresh", "deliver"]', '["refresh"]')
    open(job, "w").write(text)
    log = os.path.join(FOLDER, "log")
    environment = dict(os.environ, STARLEDGER_LOG="info", POLARS_MAX_THREADS="2")
    started = time.monotonic()
    with open(log, "w") as out:
        code = subprocess.call([PROGRAM, "--workspace", folder, "run", "daily"], stdout=out, stderr=subprocess.STDOUT, env=environment)
    seconds = time.monotonic() - started
    if code not in (0, 3):
        sys.exit(f"exit code {code}\n{open(log).read()[-3000:]}")
    steps = re.findall(r'step done.*?"step":"([^"]+)","millis":(\d+),"peak_mib":(\d+)', open(log).read())
    print(f"{what}: {seconds:.1f} s in all")
    for name, millis, peak in steps:
        print(f"  {int(millis) / 1000:8.2f} s  peak {int(peak):6} MiB  {name}", flush=True)


def count(folder, table):
    files = glob.glob(os.path.join(folder, "warehouse", "current", table, "**", "*.parquet"), recursive=True)
    return sum(duckdb.execute(f"SELECT COUNT(*) FROM '{f}'").fetchone()[0] for f in files)


def main():
    folder = workspace()
    run(folder, f"{FIRST[:-1]}2T06:00:00Z", f"{PARTNERS} partners and {LINES} sales taken in, nothing due")
    for name in os.listdir(os.path.join(folder, "in")):
        os.remove(os.path.join(folder, "in", name))
    run(folder, "2026-10-12T06:00:00Z", f"{QUARTERS} quarters settled from existing facts")
    print("  " + ", ".join(f"{count(folder, t)} rows of {t}" for t in ("sales", "measures_sales", "rebates", "ledger")))
    late = "SO-LATE,P00007,PRD-0004,product,,1000.00,0.10,900.00,1,EUR,Northwind Devices,2026-08-05,2026-08-06,\n"
    head = "order_line_id,partner_id,product_id,line_kind,service_model,list_amount,discount_rate,net_amount,quantity,currency,selling_entity,ordered_on,invoiced_on,original_order_line_id\n"
    open(os.path.join(folder, "in", "sales-2.csv"), "w").write(head + late)
    before = count(folder, "ledger")
    run(folder, "2026-10-13T06:00:00Z", "one late sale")
    print(f"  {count(folder, 'ledger') - before} entries more")


if __name__ == "__main__":
    main()
