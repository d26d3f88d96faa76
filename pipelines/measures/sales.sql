-- Sales by what the schemes decide by, and nothing else: what no scheme asks of a product is blank, a date that none asks
-- for is the other one, and a date is the first day of the span in which no period, certification, tier, freeze or
-- exchange rate changes. A return stands under the dates, the product and the payment of the line it returns. Paid: payments in
-- the line's currency reach its net amount less what was returned; asked only where a scheme asks.
-- Grain: partner x line kind x service model x product x domain x family x category x eligible x currency x dates x paid
-- x return.
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
came_back AS (
  SELECT original_order_line_id AS order_line_id, CAST(COUNT(*) AS BIGINT) AS times
  FROM sales
  WHERE original_order_line_id IS NOT NULL
  GROUP BY original_order_line_id
),
originals AS (
  SELECT
    s.order_line_id AS order_line_id,
    s.product_id AS product_id,
    s.ordered_on AS ordered_on,
    s.invoiced_on AS invoiced_on,
    s.currency AS currency,
    s.net_amount AS net_amount
  FROM sales AS s
  JOIN came_back AS b ON s.order_line_id = b.order_line_id
),
placed AS (
  SELECT
    s.partner_id AS partner_id,
    s.line_kind AS line_kind,
    COALESCE(s.service_model, '') AS sold_as,
    s.currency AS currency,
    s.net_amount AS net_amount,
    s.list_amount AS list_amount,
    s.quantity AS quantity,
    CASE WHEN s.original_order_line_id IS NULL THEN FALSE ELSE TRUE END AS is_return,
    COALESCE(o.order_line_id, s.order_line_id) AS original_id,
    COALESCE(o.currency, s.currency) AS original_currency,
    COALESCE(o.net_amount, s.net_amount) AS original_amount,
    COALESCE(o.product_id, s.product_id) AS product_id,
    COALESCE(o.ordered_on, s.ordered_on) AS ordered_on,
    COALESCE(o.invoiced_on, s.invoiced_on) AS invoiced_on
  FROM sales AS s
  LEFT JOIN originals AS o ON s.original_order_line_id = o.order_line_id
  WHERE s.original_order_line_id IS NULL OR o.order_line_id IS NOT NULL
),
asked AS (
  SELECT
    l.partner_id AS partner_id,
    l.line_kind AS line_kind,
    k.service_model AS service_model,
    k.asked_product_id AS product_id,
    k.domain AS domain,
    k.family AS family,
    k.category AS category,
    k.incentive_eligible AS incentive_eligible,
    l.currency AS currency,
    p.settled_in AS settled_in,
    l.is_return AS is_return,
    l.net_amount AS net_amount,
    l.list_amount AS list_amount,
    l.quantity AS quantity,
    l.original_currency AS original_currency,
    l.original_amount AS original_amount,
    CASE WHEN k.by_payment = TRUE THEN l.original_id ELSE '' END AS paid_for,
    CASE WHEN k.by_change = TRUE OR p.frozen = TRUE THEN l.partner_id ELSE '' END AS changes_of,
    CASE WHEN k.by_order = TRUE OR p.frozen = TRUE THEN l.ordered_on ELSE l.invoiced_on END AS ordered_on,
    CASE WHEN k.by_invoice = TRUE THEN l.invoiced_on ELSE l.ordered_on END AS invoiced_on
  FROM placed AS l
  JOIN calendar_sale_products AS k
    ON l.product_id = k.product_id AND l.line_kind = k.line_kind AND l.sold_as = k.sold_as
  JOIN calendar_sale_partners AS p ON l.partner_id = p.partner_id
  WHERE l.ordered_on >= k.first_on AND l.ordered_on < k.end_on
),
dated AS (
  SELECT
    a.partner_id AS partner_id,
    a.line_kind AS line_kind,
    a.service_model AS service_model,
    a.product_id AS product_id,
    a.domain AS domain,
    a.family AS family,
    a.category AS category,
    a.incentive_eligible AS incentive_eligible,
    a.currency AS currency,
    a.is_return AS is_return,
    a.net_amount AS net_amount,
    a.list_amount AS list_amount,
    a.quantity AS quantity,
    CASE
      WHEN a.paid_for = '' THEN TRUE
      WHEN COALESCE(received.amount, CAST(0 AS DECIMAL(38, 4)))
        >= a.original_amount + COALESCE(returned.amount, CAST(0 AS DECIMAL(38, 4)))
      THEN TRUE ELSE FALSE
    END AS paid,
    CASE WHEN oc.first_on > od.first_on THEN oc.first_on ELSE od.first_on END AS ordered_on,
    CASE WHEN ic.first_on > id.first_on THEN ic.first_on ELSE id.first_on END AS invoiced_on
  FROM asked AS a
  JOIN calendar_sale_days AS od
    ON a.currency = od.currency AND a.settled_in = od.settled_in AND a.ordered_on = od.day_on
  JOIN calendar_sale_days AS id
    ON a.currency = id.currency AND a.settled_in = id.settled_in AND a.invoiced_on = id.day_on
  LEFT JOIN calendar_sale_changes AS oc ON a.changes_of = oc.partner_id AND od.period_on = oc.period_on
  LEFT JOIN calendar_sale_changes AS ic ON a.changes_of = ic.partner_id AND id.period_on = ic.period_on
  LEFT JOIN received ON a.paid_for = received.order_line_id AND a.original_currency = received.currency
  LEFT JOIN returned ON a.paid_for = returned.order_line_id AND a.original_currency = returned.currency
  WHERE (oc.first_on IS NULL OR (a.ordered_on >= oc.first_on AND a.ordered_on < oc.end_on))
    AND (ic.first_on IS NULL OR (a.invoiced_on >= ic.first_on AND a.invoiced_on < ic.end_on))
)
SELECT
  partner_id,
  line_kind,
  service_model,
  product_id,
  domain,
  family,
  category,
  incentive_eligible,
  currency,
  ordered_on,
  invoiced_on,
  paid,
  is_return,
  CAST(COUNT(*) AS BIGINT) AS lines,
  SUM(CAST(net_amount AS DECIMAL(38, 4))) AS net_amount,
  SUM(CAST(list_amount AS DECIMAL(38, 4))) AS list_amount,
  CAST(SUM(quantity) AS BIGINT) AS quantity
FROM dated
GROUP BY partner_id, line_kind, service_model, product_id, domain, family, category, incentive_eligible, currency,
  ordered_on, invoiced_on, paid, is_return
