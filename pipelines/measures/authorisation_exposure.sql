-- Collaborative services sold in the period, of products that a partner delivered without being authorised.
-- Grain: partner x product x period x currency. Period: ordered_on. Returns are left out.
WITH concerned AS (
  SELECT partner_id, product_id, period, CAST(COUNT(*) AS BIGINT) AS deliveries
  FROM measures_authorisation_deliveries
  GROUP BY partner_id, product_id, period
)
SELECT
  k.partner_id AS partner_id,
  k.product_id AS product_id,
  k.period AS period,
  s.currency AS currency,
  SUM(CAST(s.net_amount AS DECIMAL(38, 4))) AS net_amount
FROM concerned AS k
JOIN calendar_partner_periods AS c ON k.partner_id = c.partner_id AND k.period = c.period
JOIN sales AS s ON k.partner_id = s.partner_id AND k.product_id = s.product_id
WHERE s.service_model = 'collaborative'
  AND s.original_order_line_id IS NULL
  AND s.ordered_on >= c.first_on AND s.ordered_on < c.end_on
GROUP BY k.partner_id, k.product_id, k.period, s.currency
