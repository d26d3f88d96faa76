-- Collaborative services sold to a partner without any active certification on the day of the order. Returns are not
-- checked. Grain: one sale. Period: ordered_on. Domain: the product's on ordered_on.
SELECT
  s.order_line_id AS order_line_id,
  s.partner_id AS partner_id,
  c.period AS period,
  p.domain AS domain,
  s.product_id AS product_id,
  p.category AS category,
  s.ordered_on AS ordered_on,
  s.currency AS currency,
  s.net_amount AS net_amount,
  s.list_amount AS list_amount,
  s.arrival AS arrival,
  s.source_file AS source_file,
  s.source_line AS source_line
FROM sales AS s
JOIN calendar_partner_periods AS c ON s.partner_id = c.partner_id
JOIN calendar_product_spans AS p ON s.product_id = p.product_id
JOIN calendar_certified_partners AS k ON s.partner_id = k.partner_id
WHERE s.service_model = 'collaborative'
  AND s.original_order_line_id IS NULL
  AND s.ordered_on >= c.first_on AND s.ordered_on < c.end_on
  AND s.ordered_on >= p.first_on AND s.ordered_on < p.end_on
  AND s.ordered_on >= k.first_on AND s.ordered_on < k.end_on
  AND k.certified = FALSE
