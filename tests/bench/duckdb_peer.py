"""DuckDB doing the same work: `duckdb_peer.py IN.csv OUT_DIR MODE`.

MODE checked: every column read as text, cast and checked by the rules of the contract of `sales`, keys unique, rejects
kept, Parquet by month with zstd. MODE single: the same into one Parquet file. MODE auto: types detected, rows that do not
fit dropped without a word, nothing else checked, one Parquet file.

Prints wall seconds and, from the kernel, the peak of resident memory.
"""

import os
import resource
import shutil
import sys
import time

import duckdb

source, out, mode = sys.argv[1:4]
shutil.rmtree(out, ignore_errors=True)
os.makedirs(out)
con = duckdb.connect()
con.execute("SET threads = 2; SET preserve_insertion_order = false")
started = time.monotonic()

if mode == "auto":
    con.execute(f"COPY (FROM read_csv('{source}', ignore_errors = true)) TO '{out}/sales.parquet' (FORMAT parquet, COMPRESSION zstd)")
else:
    number = r"^-?[0-9]+(\.[0-9]{1,%d})?$"
    ident = "regexp_full_match({0}, '[!-~]+')"

    def amount(column):
        return f"CASE WHEN regexp_matches({column}, '{number % 2}') THEN TRY_CAST({column} AS DECIMAL(18, 4)) END"

    con.execute(
        f"""
CREATE TEMP TABLE typed AS
WITH raw AS (
  FROM read_csv('{source}', all_varchar = true, header = true, delim = ',', quote = '"', strict_mode = true,
    store_rejects = true, nullstr = '')
), cast_ AS (
  SELECT
    order_line_id, partner_id, product_id, line_kind, service_model, currency, selling_entity, original_order_line_id,
    {amount('list_amount')} AS list_amount,
    CASE WHEN regexp_matches(discount_rate, '{number % 6}') THEN TRY_CAST(discount_rate AS DECIMAL(9, 6)) END AS discount_rate,
    {amount('net_amount')} AS net_amount,
    CASE WHEN regexp_full_match(quantity, '-?[0-9]+') THEN TRY_CAST(quantity AS BIGINT) END AS quantity,
    CASE WHEN length(ordered_on) = 10 THEN TRY_CAST(ordered_on AS DATE) END AS ordered_on,
    CASE WHEN length(invoiced_on) = 10 THEN TRY_CAST(invoiced_on AS DATE) END AS invoiced_on
  FROM raw
)
SELECT *,
  order_line_id IS NOT NULL AND {ident.format('order_line_id')}
  AND partner_id IS NOT NULL AND {ident.format('partner_id')}
  AND product_id IS NOT NULL AND {ident.format('product_id')}
  AND line_kind IN ('product', 'service')
  AND (service_model IS NULL OR service_model IN ('vendor', 'collaborative'))
  AND (line_kind = 'service') = (service_model IS NOT NULL)
  AND list_amount IS NOT NULL AND net_amount IS NOT NULL AND quantity IS NOT NULL
  AND quantity BETWEEN -1000000000 AND 1000000000
  AND discount_rate BETWEEN 0 AND 1
  AND currency IN ('EUR', 'USD', 'GBP', 'BRL', 'JPY', 'KWD', 'SGD', 'CNY', 'CLP')
  AND selling_entity IS NOT NULL
  AND ordered_on BETWEEN DATE '2000-01-01' AND DATE '2099-12-31'
  AND invoiced_on BETWEEN DATE '2000-01-01' AND DATE '2099-12-31'
  AND (original_order_line_id IS NULL OR original_order_line_id <> order_line_id) AS good
FROM cast_
"""
    )
    con.execute(
        "CREATE TEMP TABLE twice AS SELECT order_line_id FROM typed WHERE good GROUP BY order_line_id HAVING COUNT(*) > 1"
    )
    good = "SELECT * EXCLUDE (good) FROM typed WHERE coalesce(good, false) AND order_line_id NOT IN (FROM twice)"
    if mode == "checked":
        con.execute(
            f"COPY (SELECT *, strftime(ordered_on, '%Y-%m') AS month FROM ({good})) TO '{out}/sales' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (month))"
        )
    else:
        con.execute(f"COPY ({good}) TO '{out}/sales.parquet' (FORMAT parquet, COMPRESSION zstd)")
    con.execute(
        f"COPY (FROM typed WHERE NOT coalesce(good, false) OR order_line_id IN (FROM twice)) TO '{out}/rejects.parquet' (FORMAT parquet)"
    )
    con.execute(f"COPY (FROM reject_errors) TO '{out}/broken.parquet' (FORMAT parquet)")

seconds = time.monotonic() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
usage = resource.getrusage(resource.RUSAGE_SELF)
print(f"duckdb {duckdb.__version__} {mode}: {seconds:.2f} s, cpu {usage.ru_utime + usage.ru_stime:.2f} s, peak {peak:.0f} MiB")
