"""Writes a sales file with known bad rows: `generate.py ROWS OUT.csv [FIRST_ID]`.

Deterministic: every value is a function of its row number. One row in 5,000 is wrong in one of ten ways, and one in
20,000 repeats the row before it.
"""

import sys

import duckdb

rows, out = int(sys.argv[1]), sys.argv[2]
first = int(sys.argv[3]) if len(sys.argv) > 3 else 0

con = duckdb.connect()
con.execute("SET threads = 2; SET preserve_insertion_order = true")
con.execute(
    f"""
COPY (
  WITH n AS (
    SELECT i, hash(i) AS h, hash(i + 7919) AS g, (i % 5000 = 1777) AS bad, (i // 5000) % 10 AS how
    FROM (SELECT CASE WHEN range % 20000 = 19999 THEN range - 1 ELSE range END AS i FROM range({first}, {first + rows}))
  ), v AS (
    SELECT *, DATE '2023-01-01' + CAST((i * 1370) // 10000000 AS INTEGER) % 1370 AS day,
      10 + (h % 500000) AS cents, (g % 40) AS off
    FROM n
  ), w AS (
    SELECT *, CAST(cents AS DECIMAL(18, 2)) / 100 * 100 AS list_units FROM v
  )
  SELECT
    CASE WHEN bad AND how = 0 THEN '' ELSE 'SO-' || printf('%09d', i // 4) || '-' || (i % 4) END AS order_line_id,
    CASE WHEN bad AND how = 1 THEN 'P 17' ELSE printf('P%05d', h % 3000) END AS partner_id,
    printf('PRD-%05d', g % 20000) AS product_id,
    CASE WHEN bad AND how = 2 THEN 'gift' WHEN g % 5 = 0 THEN 'service' ELSE 'product' END AS line_kind,
    CASE WHEN bad AND how = 2 THEN '' WHEN g % 5 = 0 THEN CASE WHEN h % 2 = 0 THEN 'vendor' ELSE 'collaborative' END ELSE '' END AS service_model,
    printf('%d.%02d', cents // 100, cents % 100) AS list_amount,
    CASE WHEN bad AND how = 3 THEN '1.2' ELSE printf('0.%02d', off) END AS discount_rate,
    CASE WHEN bad AND how = 4 THEN '12.34567' WHEN bad AND how = 5 THEN '1e3'
      ELSE printf('%d.%02d', (cents * (100 - off) // 100) // 100, (cents * (100 - off) // 100) % 100) END AS net_amount,
    CASE WHEN bad AND how = 6 THEN '1.5' ELSE CAST(1 + h % 12 AS VARCHAR) END AS quantity,
    CASE h % 4 WHEN 0 THEN 'EUR' WHEN 1 THEN 'USD' WHEN 2 THEN 'GBP' ELSE 'BRL' END AS currency,
    CASE h % 3 WHEN 0 THEN 'Northwind Devices GmbH, Berlin' WHEN 1 THEN 'Northwind Devices Pte Ltd' ELSE 'Northwind Devices SA' END AS selling_entity,
    CASE WHEN bad AND how = 7 THEN '2026-02-30' ELSE CAST(day AS VARCHAR) END AS ordered_on,
    CASE WHEN bad AND how = 8 THEN '' ELSE CAST(day + CAST(g % 20 AS INTEGER) AS VARCHAR) END AS invoiced_on,
    '' AS original_order_line_id
  FROM w
) TO '{out}' (HEADER, DELIMITER ',')
"""
)
