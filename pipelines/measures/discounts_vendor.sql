-- Sales of vendor services whose discount is not the one that the partner's tier allowed on the day of the order, by the rate of the
-- line, or by amounts that are more than one unit of the currency away from it. Returns are not checked.
-- Grain: one sale. Period: ordered_on. Domain: the product's on ordered_on.
SELECT
  s.order_line_id AS order_line_id,
  s.partner_id AS partner_id,
  c.period AS period,
  s.service_model AS service_model,
  p.domain AS domain,
  s.product_id AS product_id,
  s.ordered_on AS ordered_on,
  s.currency AS currency,
  s.list_amount AS list_amount,
  s.net_amount AS net_amount,
  s.discount_rate AS discount_rate,
  k.allowed_rate AS allowed_rate,
  k.allowed_by AS allowed_by,
  s.arrival AS arrival,
  s.source_file AS source_file,
  s.source_line AS source_line
FROM sales AS s
JOIN calendar_partner_periods AS c ON s.partner_id = c.partner_id
JOIN calendar_product_spans AS p ON s.product_id = p.product_id
JOIN calendar_discounts AS k ON s.partner_id = k.partner_id AND s.service_model = k.service_model
WHERE s.service_model = 'vendor'
  AND s.original_order_line_id IS NULL
  AND s.ordered_on >= c.first_on AND s.ordered_on < c.end_on
  AND s.ordered_on >= p.first_on AND s.ordered_on < p.end_on
  AND s.ordered_on >= k.first_on AND s.ordered_on < k.end_on
  AND (s.discount_rate <> k.allowed_rate
    OR CAST(s.list_amount AS DECIMAL(38, 10)) - CAST(s.net_amount AS DECIMAL(38, 10))
      - CAST(s.list_amount AS DECIMAL(38, 10)) * CAST(k.allowed_rate AS DECIMAL(38, 10)) > CAST('1' AS DECIMAL(38, 10))
    OR CAST(s.list_amount AS DECIMAL(38, 10)) * CAST(k.allowed_rate AS DECIMAL(38, 10))
      - CAST(s.list_amount AS DECIMAL(38, 10)) + CAST(s.net_amount AS DECIMAL(38, 10)) > CAST('1' AS DECIMAL(38, 10)))
