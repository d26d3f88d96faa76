-- Inspections whose critical finding has been open for longer than allowed at the end of the period.
-- Grain: partner x domain x period. An inspection counts in every period at whose end it is still open.
SELECT
  d.partner_id AS partner_id,
  p.domain AS domain,
  c.period AS period,
  CAST(COUNT(*) AS BIGINT) AS open_critical
FROM inspections AS i
JOIN deliveries AS d ON i.delivery_id = d.delivery_id
JOIN calendar_partner_periods AS c ON d.partner_id = c.partner_id
JOIN calendar_product_instants AS p ON d.product_id = p.product_id AND c.region = p.region
WHERE d.service_model = 'collaborative'
  AND i.critical > 0
  AND i.inspected_on < c.critical_open_before
  AND (i.critical_closed_on IS NULL OR i.critical_closed_on >= c.end_on)
  AND COALESCE(d.completed_at, d.opened_at) >= p.starts_at AND COALESCE(d.completed_at, d.opened_at) < p.ends_at
GROUP BY d.partner_id, p.domain, c.period
