-- Replaced parts: what fell due, what was overdue at the beginning and at the end of the period, in pieces.
-- Grain: partner x domain x period. Due: extended_to, else due_on, else the calendar's day for received_on, else for
-- shipped_on. Domain: the product's on shipped_on. A return under another serial number does not count; retained with
-- evidence is a return on disposition_on; lost and charged are unreturned until returned.
WITH loans AS (
  SELECT
    sp.partner_id AS partner_id,
    p.domain AS domain,
    c.period AS period,
    c.first_on AS first_on,
    c.end_on AS end_on,
    c.long_overdue_before AS long_overdue_before,
    COALESCE(sp.extended_to, sp.due_on, received.due_on, shipped.transit_due_on) AS due_on,
    sp.quantity AS quantity,
    CASE
      WHEN sp.disposition = 'retained' AND sp.evidence IS NOT NULL THEN sp.disposition_on
      WHEN sp.serial_in IS NOT NULL AND sp.serial_in <> sp.serial_out THEN NULL
      ELSE sp.returned_on
    END AS back_on,
    CASE
      WHEN sp.disposition = 'retained' AND sp.evidence IS NOT NULL THEN sp.quantity
      ELSE COALESCE(sp.returned_quantity, sp.quantity)
    END AS back_quantity
  FROM spare_parts AS sp
  JOIN calendar_partner_periods AS c ON sp.partner_id = c.partner_id
  JOIN calendar_product_spans AS p ON sp.product_id = p.product_id
  LEFT JOIN calendar_due_dates AS received ON c.region = received.region AND sp.received_on = received.start_on
  LEFT JOIN calendar_due_dates AS shipped ON c.region = shipped.region AND sp.shipped_on = shipped.start_on
  WHERE sp.shipped_on >= p.first_on AND sp.shipped_on < p.end_on
),
counted AS (
  SELECT
    partner_id,
    domain,
    period,
    CASE WHEN due_on >= first_on AND due_on < end_on THEN quantity ELSE CAST(0 AS BIGINT) END AS due_quantity,
    CASE WHEN due_on < first_on
      THEN quantity - CASE WHEN back_on IS NOT NULL AND back_on < first_on THEN back_quantity ELSE CAST(0 AS BIGINT) END
      ELSE CAST(0 AS BIGINT) END AS opening_quantity,
    CASE WHEN due_on < end_on
      THEN quantity - CASE WHEN back_on IS NOT NULL AND back_on < end_on THEN back_quantity ELSE CAST(0 AS BIGINT) END
      ELSE CAST(0 AS BIGINT) END AS overdue_quantity,
    CASE WHEN due_on < long_overdue_before
      THEN quantity - CASE WHEN back_on IS NOT NULL AND back_on < end_on THEN back_quantity ELSE CAST(0 AS BIGINT) END
      ELSE CAST(0 AS BIGINT) END AS long_overdue_quantity
  FROM loans
)
SELECT
  partner_id,
  domain,
  period,
  CAST(SUM(due_quantity) AS BIGINT) AS due_quantity,
  CAST(SUM(opening_quantity) AS BIGINT) AS opening_quantity,
  CAST(SUM(overdue_quantity) AS BIGINT) AS overdue_quantity,
  CAST(SUM(long_overdue_quantity) AS BIGINT) AS long_overdue_quantity
FROM counted
WHERE due_quantity > 0 OR opening_quantity > 0
GROUP BY partner_id, domain, period
