-- Sales by everything a scheme may ask for. A return stands under the dates, the product's facts and the payment of
-- the line it returns. Paid: payments in the line's currency reach its net amount less what was returned.
-- Grain: partner x line kind x service model x domain x family x category x eligible x currency x dates x paid x return.
WITH received AS (
  SELECT order_line_id, currency, SUM(amount) AS amount
  FROM payments
  WHERE order_line_id IS NOT NULL
  GROUP BY order_line_id, currency
),
returned AS (
  SELECT original_order_line_id AS order_line_id, currency, SUM(net_amount) AS amount
  FROM sales
  WHERE original_order_line_id IS NOT NULL
  GROUP BY original_order_line_id, currency
),
originals AS (
  SELECT
    s.order_line_id AS order_line_id,
    s.product_id AS product_id,
    s.ordered_on AS ordered_on,
    s.invoiced_on AS invoiced_on,
    CASE
      WHEN COALESCE(received.amount, CAST(0 AS DECIMAL(38, 4))) >= s.net_amount + COALESCE(returned.amount, CAST(0 AS DECIMAL(38, 4)))
      THEN TRUE ELSE FALSE
    END AS paid
  FROM sales AS s
  LEFT JOIN received ON s.order_line_id = received.order_line_id AND s.currency = received.currency
  LEFT JOIN returned ON s.order_line_id = returned.order_line_id AND s.currency = returned.currency
),
placed AS (
  SELECT
    s.partner_id AS partner_id,
    s.line_kind AS line_kind,
    COALESCE(s.service_model, '') AS service_model,
    s.currency AS currency,
    s.net_amount AS net_amount,
    s.list_amount AS list_amount,
    s.quantity AS quantity,
    CASE WHEN s.original_order_line_id IS NULL THEN FALSE ELSE TRUE END AS is_return,
    o.product_id AS product_id,
    o.ordered_on AS ordered_on,
    o.invoiced_on AS invoiced_on,
    o.paid AS paid
  FROM sales AS s
  JOIN originals AS o ON COALESCE(s.original_order_line_id, s.order_line_id) = o.order_line_id
)
SELECT
  l.partner_id AS partner_id,
  l.line_kind AS line_kind,
  l.service_model AS service_model,
  p.domain AS domain,
  p.family AS family,
  p.category AS category,
  p.incentive_eligible AS incentive_eligible,
  l.currency AS currency,
  l.ordered_on AS ordered_on,
  l.invoiced_on AS invoiced_on,
  l.paid AS paid,
  l.is_return AS is_return,
  CAST(COUNT(*) AS BIGINT) AS lines,
  SUM(CAST(l.net_amount AS DECIMAL(38, 4))) AS net_amount,
  SUM(CAST(l.list_amount AS DECIMAL(38, 4))) AS list_amount,
  CAST(SUM(l.quantity) AS BIGINT) AS quantity
FROM placed AS l
JOIN calendar_product_spans AS p ON l.product_id = p.product_id
WHERE l.ordered_on >= p.first_on AND l.ordered_on < p.end_on
GROUP BY l.partner_id, l.line_kind, l.service_model, p.domain, p.family, p.category, p.incentive_eligible, l.currency,
  l.ordered_on, l.invoiced_on, l.paid, l.is_return
