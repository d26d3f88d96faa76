-- Deliveries that the partner completed in the period. They weigh the domains on the partner's card.
-- Grain: partner x domain x period. Period: completed_at. Only collaborative deliveries.
SELECT
  d.partner_id AS partner_id,
  p.domain AS domain,
  c.period AS period,
  CAST(COUNT(*) AS BIGINT) AS completed
FROM deliveries AS d
JOIN calendar_partner_periods AS c ON d.partner_id = c.partner_id
JOIN calendar_product_instants AS p ON d.product_id = p.product_id AND c.region = p.region
WHERE d.service_model = 'collaborative'
  AND d.completed_at >= c.starts_at AND d.completed_at < c.ends_at
  AND d.completed_at >= p.starts_at AND d.completed_at < p.ends_at
GROUP BY d.partner_id, p.domain, c.period
