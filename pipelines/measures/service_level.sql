-- Deliveries that fell due, and those of them completed in time.
-- Grain: partner x domain x period. Period: due_at. Domain: the product's on completed_at, else opened_at. Only
-- collaborative deliveries that were not cancelled; one completed at due_at is in time.
SELECT
  d.partner_id AS partner_id,
  p.domain AS domain,
  c.period AS period,
  CAST(COUNT(*) AS BIGINT) AS due,
  CAST(SUM(CASE WHEN d.completed_at <= d.due_at THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS BIGINT) AS on_time
FROM deliveries AS d
JOIN calendar_partner_periods AS c ON d.partner_id = c.partner_id
JOIN calendar_product_instants AS p ON d.product_id = p.product_id AND c.region = p.region
WHERE d.service_model = 'collaborative'
  AND d.status <> 'cancelled'
  AND d.due_at >= c.starts_at AND d.due_at < c.ends_at
  AND COALESCE(d.completed_at, d.opened_at) >= p.starts_at AND COALESCE(d.completed_at, d.opened_at) < p.ends_at
GROUP BY d.partner_id, p.domain, c.period
