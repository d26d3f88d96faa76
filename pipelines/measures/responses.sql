-- Surveys sent, and those of them that were answered, whenever.
-- Grain: partner x domain x period. Period: sent_at. For the response rate, which is shown and not scored.
SELECT
  d.partner_id AS partner_id,
  p.domain AS domain,
  c.period AS period,
  CAST(COUNT(*) AS BIGINT) AS sent,
  CAST(SUM(CASE WHEN s.rating IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END) AS BIGINT) AS answered
FROM surveys AS s
JOIN deliveries AS d ON s.delivery_id = d.delivery_id
JOIN calendar_partner_periods AS c ON d.partner_id = c.partner_id
JOIN calendar_product_instants AS p ON d.product_id = p.product_id AND c.region = p.region
WHERE d.service_model = 'collaborative'
  AND s.sent_at >= c.starts_at AND s.sent_at < c.ends_at
  AND COALESCE(d.completed_at, d.opened_at) >= p.starts_at AND COALESCE(d.completed_at, d.opened_at) < p.ends_at
GROUP BY d.partner_id, p.domain, c.period
